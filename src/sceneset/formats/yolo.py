"""YOLO segmentation: data.yaml, and a text file of polygons for each image.

A line is the number of a class, then x and y by turns as fractions of the image. Source of the form
and of the drawing: docs.ultralytics.com, and ``polygon2mask`` in ultralytics/data/utils.py.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sceneset.counts import counted
from sceneset.errors import FindingsError, fail
from sceneset.formats.classes import Classes
from sceneset.formats.image_json import Used, broken_file
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.tree import Tree, lines_of, phase_of, without_suffix
from sceneset.formats.types import FormatSample, Options, Report
from sceneset.imaging.shapes import BACKGROUND, PERSON, Broken, Drawing, Polygon, Shape
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_text
from sceneset.storage.yaml_parser import parse

_MAX_TEXT = 64 << 20  # bytes of one label file
_MAX_YAML = 1 << 20
_NUMBER = re.compile(r"[0-9]{1,6}")
_LOOKED_AT = 12  # YAML files
_PHASES = {"train": Phase.TRAIN, "val": Phase.VAL, "valid": Phase.VAL, "test": Phase.TEST}
OTHER_TEXTS = {"classes.txt", "readme.txt", "readme.dataset.txt", "readme.roboflow.txt"}
"""Text files that are no labels."""


class _Yolo:
    name = "yolo"
    title = "YOLO segmentation"
    loses = "boxes"

    def detect(self, tree: Tree) -> str | None:
        labels = _labels(tree)
        data = data_file(tree) if labels else None
        if data is None:
            return None
        names = counted(len(data.names), "class", "classes")
        images = counted(len(labels), "image has", "images have")
        return f"{data.file} names {names}; {images} a label file"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        data = data_file(tree)
        if data is None:
            fail(
                "format-unclear",
                "there is no data.yaml or classes.txt, which name the classes of YOLO labels",
                file=tree.root.name,
                hint="add the data.yaml that the images were exported with",
            )
        classes, used = Classes(options), Used(tree, report)
        values = {number: classes.value(name) for number, name in data.names.items()}
        classes.check(data.file)
        phases = _phases(data, tree, report)
        labels = _labels(tree)
        for image, file in labels.items():
            try:
                lines = lines_of(tree, file, limit=_MAX_TEXT)
            except FindingsError as error:
                broken_file(error, file, report)
                continue
            if used.add(image, file):
                yield _sample(image, file, lines, values, phases.get(image))
        used.report_lone_images()
        known = set(labels.values())
        lone = [
            f
            for f in tree.with_suffix(".txt")
            if f not in known and "labels" in f.casefold().split("/")
        ]
        lone = [f for f in lone if f.rpartition("/")[2].casefold() not in OTHER_TEXTS]
        report_lone_files((), lone, report)


class ClassNames(NamedTuple):
    """What data.yaml or classes.txt says."""

    file: str
    names: dict[int, str]
    content: dict[str, Any]


def _labels(tree: Tree) -> dict[str, str]:
    """Return the label file of each image that has one, by Ultralytics' rule.

    The last folder "images" of the image's path is "labels" in that of the label file. Without such
    a folder, the label file is beside the image.
    """
    found = {}
    for image in tree.images:
        parts = without_suffix(image).split("/")
        for index in range(len(parts) - 2, -1, -1):
            if parts[index].casefold() == "images":
                parts[index] = "labels"
                break
        label = tree.same("/".join(parts) + ".txt")
        if label:
            found[image] = label
    return found


def data_file(tree: Tree) -> "ClassNames | None":
    """Return the file that names the classes.

    Raises:
        FindingsError: Several files at the top name different classes, or data.yaml can't be read
            and no other file names classes.
    """
    files = sorted(tree.with_suffix(".yaml", ".yml"), key=lambda file: (file.count("/"), file))
    found: list[ClassNames] = []
    problems: list[Finding] = []
    for file in files[:_LOOKED_AT]:
        try:
            content = parse(read_text(tree.path(file), file, limit=_MAX_YAML), file).data
        except FindingsError as error:
            problems += error.findings if file.rpartition("/")[2] == "data.yaml" else []
            continue
        names = _names(content)
        if names:
            found.append(ClassNames(file, names, content))
    for file in sorted(tree.with_suffix(".txt"), key=lambda file: (file.count("/"), file)):
        if found or file.rpartition("/")[2] != "classes.txt":
            continue
        lines = lines_of(tree, file, limit=_MAX_YAML)
        names = {n: line.strip() for n, line in enumerate(lines) if line.strip()}
        found.append(ClassNames(file, names, {}))
    if problems and not found:
        raise FindingsError(problems)
    top = [data for data in found if data.file.count("/") == found[0].file.count("/")]
    if any(data.names != top[0].names for data in top):
        fail(
            "format-unclear",
            f"{top[0].file} and {top[1].file} name different classes",
            file=tree.root.name,
            hint="keep the one that the labels were exported with",
        )
    return top[0] if top else None


def _names(content: object) -> dict[int, str]:
    """Return the classes by number; they are a list, or a mapping of numbers to names."""
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(names)}
    if isinstance(names, dict) and all(_NUMBER.fullmatch(str(key)) for key in names):
        return {int(str(key)): str(name) for key, name in names.items()}
    return {}


def _phases(data: ClassNames, tree: Tree, report: Report) -> dict[str, Phase]:
    """Return the phase of images that data.yaml puts into another than their path says."""
    found: dict[str, Phase] = {}
    for key, phase in _PHASES.items():
        entries = data.content.get(key)
        for entry in entries if isinstance(entries, list) else [entries]:
            if not isinstance(entry, str):
                continue
            for image in _images_of(entry, data.file, tree, report):
                found.setdefault(image, phase)
    return found


def _images_of(entry: str, file: str, tree: Tree, report: Report) -> Iterator[str]:
    """Yield the images of an entry of data.yaml: those in a folder, or in a list of paths."""
    parts = [part for part in entry.replace("\\", "/").split("/") if part not in {"", ".", ".."}]
    if not parts:
        return
    if parts[-1].endswith(".txt"):
        listed = tree.find(entry, near=file)
        if listed is None:
            message = f"names the list {entry[:100]}, which is not there"
            report(finding("annotation-broken", message, file=file, hint="add the list"))
            return
        for line in lines_of(tree, listed, limit=_MAX_TEXT):
            image = tree.find(line.strip(), near=listed)
            if image is not None:
                yield image
        return
    wanted = f"/{'/'.join(parts)}/"
    yield from (image for image in tree.images if wanted in f"/{image}")


def _sample(
    image: str, file: str, lines: list[str], values: dict[int, int], phase: Phase | None
) -> FormatSample:
    shapes: list[Shape] = []
    persons = 0
    for row, line in enumerate(lines, 1):
        if not line.strip():
            continue
        shape = _shape(line.split(), values, row)
        if isinstance(shape, Broken):
            shapes.append(Broken(f"line {row}: {shape.message}"))
        elif shape.value != BACKGROUND:  # no class covers another one
            shapes.append(shape)
            persons += shape.value == PERSON
    return FormatSample(
        image=image,
        phase=phase or phase_of(image) or Phase.TRAIN,
        mask=Drawing(tuple(shapes), None, is_relative=True),
        annotation=file,
        persons=persons,
    )


def _shape(words: list[str], values: dict[int, int], row: int) -> Polygon | Broken:
    try:
        number, *points = map(float, words)
    except ValueError:
        return Broken("it holds something else than numbers")
    if not math.isfinite(number) or number not in values:
        return Broken(f"class {words[0][:20]} is not in data.yaml")
    value = values[int(number)]
    if value == BACKGROUND:
        return Polygon((), "cv2", value, row)
    if len(points) == 4:
        return Broken("it is a box (class x y width height), which does not say the outline")
    if len(points) % 2:
        return Broken(f"it has {len(points)} coordinates, an x without a y")
    return Polygon(tuple(points), "cv2", value, row)


FORMAT = _Yolo()
