"""Read boxes from YOLO label files: one text file for each image, and the names of the classes.

A line is the number of a class, then the center, width and height of a box as shares of the image,
and perhaps a score; or a polygon, whose bounds are the box.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sceneset.cropping.box_values import checked, floats
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.errors import UsageError
from sceneset.formats.classes import score_of
from sceneset.formats.tree import IMAGE_ENDINGS, Tree, without_suffix
from sceneset.formats.types import Options, is_person_name
from sceneset.formats.yolo import OTHER_TEXTS, data_file
from sceneset.schemas.crop import Sides
from sceneset.storage.files import read_text
from sceneset.storage.yaml_parser import parse

_MAX_TEXT = 64 << 20  # bytes of one label file
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_MOST = 2  # shares are a little above 1 at most


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
    if folder.is_dir():
        _refuse_links(folder, tree, files)
    for file in files:
        if file.rpartition("/")[2].casefold() in OTHER_TEXTS:
            continue
        text = read_text(tree.path(file), file, limit=_MAX_TEXT).removeprefix(_BOM)
        found = list(_lines(text))
        if found and all(len(w) == 1 and w[0].endswith(IMAGE_ENDINGS) for _, w in found):
            continue  # a list of images
        name = without_suffix(file)
        boxes.images[name] = None
        lines += [(name, file, *line) for line in found]
    classes = _Classes(tree, {number for *_, words in lines if (number := _class(words))}, options)
    for name, file, row, words in lines:
        place = f"{file} (line {row})"
        try:
            if not classes.is_person(words[0]):
                continue
            sides, score = _box(words[1:])
        except ValueError as error:
            boxes.refused.append(Refusal(Reason.BROKEN, name, place, str(error)))
            continue
        boxes.detections.append(Detection(name, sides, score, place, is_relative=True))
    boxes.others = classes.others
    return boxes


def _refuse_links(folder: Path, tree: Tree, files: Sequence[str]) -> None:
    """Refuse links to labels, which are not followed, as in any delivery."""
    labels = [link for link in tree.links if not files or link.endswith(".txt")]
    if labels:
        raise UsageError(
            f"{folder / labels[0]} is a link, which is not followed; copy the files that it leads "
            "to, or name their folder"
        )


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for row, line in enumerate(text.splitlines(), 1):
        if words := line.split():
            yield row, words


def _box(words: list[str]) -> tuple[Sides, float | None]:
    values = floats(words)
    if any(_MOST < abs(value) < math.inf for value in values):
        raise ValueError(
            f"has values above 1: {' '.join(words)[:80]}; YOLO labels are shares of the width and "
            "height, and no pixels"
        )
    if len(values) in {4, 5}:
        x, y, width, height = values[:4]
        if not (width > 0 and height > 0):
            raise ValueError(f"has a width or height that is not above 0: {' '.join(words)[:80]}")
        sides = checked((x - width / 2, y - height / 2, x + width / 2, y + height / 2))
        return sides, score_of(values[4]) if len(values) == 5 else None
    if len(values) < 6 or len(values) % 2:
        raise ValueError(f"has {len(values)} values after the class, not 4 or 5, nor a polygon")
    xs, ys = values[::2], values[1::2]
    return checked((min(xs), min(ys), max(xs), max(ys))), None


def _class(words: Sequence[str]) -> str:
    """Return the class of a line as it is usually written, "0" for "0.0"; "" if it is no number."""
    try:
        return f"{float(words[0]):g}"
    except ValueError:
        return ""


class _Classes:
    """The classes of labels, and which of them are persons."""

    def __init__(self, tree: Tree, used: Collection[str], options: Options) -> None:
        """Find the persons.

        Args:
            tree: The folder; data.yaml or classes.txt in it names the classes.
            used: The classes of all labels.
            options: Further names of classes that mean person, or their numbers.

        Raises:
            UsageError: It is not clear which class is person.
            FindingsError: The file of names can't be read.
        """
        self.others: Counter[str] = Counter()
        """Number of boxes of each other class, by its name."""
        data = data_file(tree)
        if data is None:
            _refuse_broken_names(tree)
        self._file = data.file if data else ""
        self._names = {str(number): name for number, name in data.names.items()} if data else {}
        self._persons = {name for name in options.names if name.isascii() and name.isdigit()}
        self._persons |= {n for n, name in self._names.items() if is_person_name(name, options)}
        if self._persons:
            return
        if self._names:
            shown = ", ".join(list(self._names.values())[:6])
            raise UsageError(
                f"no class is called person ({shown}); say which is with --person NAME"
            )
        if set(used) - {"0"}:
            shown = ", ".join(sorted(used)[:6])
            raise UsageError(
                f"the label files have the classes {shown[:80]}, and there is no data.yaml or "
                "classes.txt that names them; say which is person with --person NUMBER"
            )
        self._persons = {"0"}

    def is_person(self, word: str) -> bool:
        """Return whether a class is person; other ones are counted.

        Raises:
            ValueError: It is no number, or the file of names has no such class.
        """
        number = _class([word])
        if not number:
            raise ValueError(f"has something else than numbers: {word[:20]}")
        if number in self._persons:
            return True
        if self._names and number not in self._names:
            raise ValueError(f"has the class {number}, which {self._file} does not name")
        self.others[self._names.get(number, number)] += 1
        return False


def _refuse_broken_names(tree: Tree) -> None:
    for file in tree.with_suffix(".yaml", ".yml"):
        if file.rpartition("/")[2].casefold() in {"data.yaml", "data.yml"}:
            parse(read_text(tree.path(file), file, limit=_MAX_TEXT), file)
