"""Read boxes from YOLO label files: one text file for each image, and the names of the classes.

A line is the number of a class, then the center, width and height of a box as shares of the image,
and perhaps a score; or a polygon, whose bounds are the box.
"""

from collections.abc import Collection, Iterator
from pathlib import Path

from sceneset.cropping.box_values import checked, floats, score_of
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.errors import UsageError
from sceneset.formats.tree import Tree, without_suffix
from sceneset.formats.types import Options, is_person_name
from sceneset.formats.yolo import OTHER_TEXTS, data_file
from sceneset.schemas.crop import Sides
from sceneset.storage.files import read_text

_MAX_TEXT = 64 << 20  # bytes of one label file


def read_yolo(folder: Path, options: Options, about: str) -> Boxes:
    """Return the boxes of persons in the label files below a folder, or in one file.

    Args:
        folder: The folder; data.yaml or classes.txt in it names the classes.
        options: Further names of classes that mean person, or their numbers.
        about: What the record of crops says of the folder.

    Raises:
        UsageError: It is not clear which class is person.
        FindingsError: A file can't be read.
    """
    boxes, lines = Boxes(about), []
    tree = Tree(folder if folder.is_dir() else folder.parent)
    files = tree.with_suffix(".txt") if folder.is_dir() else [folder.name]
    # Lists of images (train.txt) are beside the folder of labels.
    files = [file for file in files if "labels" in file.split("/")] or files
    for file in files:
        if file.rpartition("/")[2].casefold() in OTHER_TEXTS:
            continue
        name = without_suffix(file)
        boxes.images[name] = None
        text = read_text(tree.path(file), file, limit=_MAX_TEXT)
        lines += [(name, file, *line) for line in _lines(text)]
    data = data_file(tree)
    persons = _persons(data.names if data else {}, {words[0] for *_, words in lines}, options)
    for name, file, row, words in lines:
        place = f"{file} (line {row})"
        try:
            [number] = floats(words[:1])
            if number not in persons:
                continue
            sides, score = _box(words[1:])
        except ValueError as error:
            boxes.refused.append(Refusal(Reason.BROKEN, name, place, str(error)))
            continue
        boxes.detections.append(Detection(name, sides, score, place, is_relative=True))
    return boxes


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for row, line in enumerate(text.splitlines(), 1):
        if words := line.split():
            yield row, words


def _box(words: list[str]) -> tuple[Sides, float | None]:
    values = floats(words)
    if len(values) in {4, 5}:
        x, y, width, height = values[:4]
        if not (width > 0 and height > 0):
            raise ValueError(f"has a width or height that is not above 0: {' '.join(words)[:80]}")
        sides = checked((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        return sides, score_of(values[4] if len(values) == 5 else None)
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"has {len(values)} values after the class, not 4 or 5, nor a polygon")
    xs, ys = values[::2], values[1::2]
    return checked((min(xs), min(ys), max(xs), max(ys))), None


def _persons(names: dict[int, str], used: Collection[str], options: Options) -> set[float]:
    """Return the numbers of the classes that mean person."""
    numbers = {float(name) for name in options.names if name.isascii() and name.isdigit()}
    found = {float(n) for n, name in names.items() if is_person_name(name, options)} | numbers
    if found:
        return found
    if names:
        shown = ", ".join(list(names.values())[:6])
        raise UsageError(f"no class is called person ({shown}); say which is with --person NAME")
    if set(used) <= {"0"}:
        return {0.0}
    shown = ", ".join(sorted(used)[:6])
    raise UsageError(
        f"the label files have the classes {shown[:80]}, and there is no data.yaml or classes.txt "
        "that names them; say which is person with --person NUMBER"
    )
