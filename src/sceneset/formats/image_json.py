"""What the formats with one JSON file for each image have in common."""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from sceneset.counts import counted
from sceneset.errors import FindingsError
from sceneset.formats.json_files import MAX_IMAGE_JSON, read_json
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import Report
from sceneset.schemas.finding import finding
from sceneset.schemas.terms import Phase

_MAX_FOLDERS = 8  # that are looked at to recognize a format
_PNG = b"\x89PNG\r\n\x1a\n"


class Used:
    """The images that have an annotation."""

    def __init__(self, tree: Tree, report: Report) -> None:
        self._tree, self._report = tree, report
        self._files: dict[str, str] = {}

    def add(self, image: str, file: str) -> bool:
        """Take an image; report it and return False if another file annotates it too."""
        other = self._files.setdefault(image, file)
        if other != file:
            self._report(
                finding(
                    "annotation-broken",
                    f"annotates {image}, which {other} annotates too",
                    file=file,
                    hint="keep one of the two",
                )
            )
        return other == file

    def report_lone_images(self) -> None:
        """Report images without an annotation, in the folders of those that have one."""
        folders = {image.rpartition("/")[0] for image in self._files}
        lone = [
            image
            for image in self._tree.images
            if image not in self._files and image.rpartition("/")[0] in folders
        ]
        report_lone_files(lone, (), self._report)


def recognized_file(tree: Tree, is_one: Callable[[object], bool]) -> str | None:
    """Return the first file that is one of the format, or None; few files are looked at."""
    for file in _first_of_each_folder(tree):
        with suppress(FindingsError):
            if is_one(read_json(tree, file, limit=MAX_IMAGE_JSON)):
                return file
    return None


def count_of_files(tree: Tree) -> str:
    """Return the number of JSON files in words."""
    return counted(len(tree.with_suffix(".json")), "JSON file")


def json_contents(tree: Tree, report: Report) -> Iterator[tuple[str, Any]]:
    """Yield each JSON file with its content; report files that can't be read."""
    for file in tree.with_suffix(".json"):
        try:
            content = read_json(tree, file, limit=MAX_IMAGE_JSON)
        except FindingsError as error:
            broken_file(error, file, report)
            continue
        yield file, content


def _first_of_each_folder(tree: Tree) -> Iterator[str]:
    """Yield two JSON files of each of the first folders, to recognize a format by them."""
    looked_at: dict[str, int] = {}
    for file in tree.with_suffix(".json"):
        folder = file.rpartition("/")[0]
        if folder not in looked_at and len(looked_at) == _MAX_FOLDERS:
            continue
        looked_at[folder] = looked_at.get(folder, 0) + 1
        if looked_at[folder] <= 2:
            yield file


def broken_file(error: FindingsError | str, file: str, report: Report) -> None:
    """Report a file about one image that can't be read, so that --quarantine leaves it out."""
    name = file.removesuffix(".json").rpartition("/")[2]
    if isinstance(error, str):
        hint = "export the file again, or leave the sample out with --quarantine"
        error = FindingsError([finding("annotation-broken", error, file=file, hint=hint)])
    place = {"phase": phase_of(file) or Phase.TRAIN, "stem": without_suffix(name) or name}
    for found in error.findings:
        report(found.model_copy(update=place))


def missing_image(name: str, file: str, report: Report) -> None:
    """Report an annotation without an image."""
    report(
        finding(
            "image-missing",
            f"names the image {name[:200]!r}, which is not there, or several fit",
            file=file,
            hint="add the image under this name; --quarantine leaves it out",
            phase=phase_of(file) or Phase.TRAIN,
            stem=without_suffix(clean_name(name)) or "image",
        )
    )


def ignored_shapes(
    kinds: Sequence[str], file: str, image: str, phase: Phase, report: Report
) -> None:
    """Report shapes of persons that can't become a part of the mask."""
    if not kinds:
        return
    count = counted(len(kinds), "shape is", "shapes are")
    report(
        finding(
            "shape-ignored",
            f"{count} left out of the mask: {', '.join(sorted(set(kinds)))}",
            file=file,
            hint="annotate people as polygons or masks",
            phase=phase,
            stem=without_suffix(image.rpartition("/")[2]),
        )
    )


def clean_name(name: str) -> str:
    """Return the last part of a path of any system, without characters that paths can't have."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c if c.isprintable() else "_" for c in last)[:200]


def open_png(data: bytes) -> tuple[int, int]:
    """Return width and height in the header of a PNG file.

    Raises:
        ValueError: It is no PNG.
    """
    if not data.startswith(_PNG) or len(data) < 33:
        raise ValueError("it is not a PNG")
    width, height = struct.unpack(">II", data[16:24])
    return width, height
