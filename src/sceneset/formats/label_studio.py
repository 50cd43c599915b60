"""Label Studio: the JSON export, with polygons in percent and brushes as run lengths.

Source of the form: labelstud.io, "Export annotations" and "Brush segmentation".
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sceneset.catalog.subset_folder import KNOWN_SUFFIXES
from sceneset.counts import counted
from sceneset.formats.classes import Classes, coordinates, number
from sceneset.formats.ellipses import ellipse
from sceneset.formats.image_json import Used, ignored_shapes, missing_image
from sceneset.formats.json_files import json_documents, refuse_without
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.tree import Tree, phase_of, suffix_of
from sceneset.formats.types import FormatSample, Options, Report, is_ignore_name
from sceneset.imaging.shapes import (
    BACKGROUND,
    IGNORE,
    PERSON,
    Broken,
    Drawing,
    Polygon,
    Runs,
    Shape,
)
from sceneset.schemas.terms import Phase

_AREAS = {"polygonlabels": "polygon", "brushlabels": "brush", "ellipselabels": "ellipse"}
_WITHOUT_AREA = {"rectanglelabels", "keypointlabels", "vectorlabels", "rectangle", "keypoint"}
_PREFIX = re.compile(r"[0-9a-f]{8}-")
"""What Label Studio puts before the name of an uploaded file."""
_SENTENCES = ("caption", "text", "description")
_MAX_PERCENT = 100.5


class _LabelStudio:
    name = "label-studio"
    title = "Label Studio JSON"
    loses = "boxes, key points"

    def detect(self, tree: Tree) -> str | None:
        files = _files(tree)
        if not files:
            return None
        file, tasks = files[0]
        return f"{file} has {counted(len(tasks), 'task')} with data and annotations"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        files = _files(tree)
        refuse_without(files, tree, "there is no JSON export of Label Studio")
        classes, used = Classes(options), Used(tree, report)
        places: set[str] = set()
        for file, tasks in files:
            for position, task in enumerate(tasks, 1):
                one = task.get("id") if isinstance(task, dict) else None
                is_plain = isinstance(one, int | str) and not isinstance(one, bool)
                place = f"{file} (task {one if is_plain else f'number {position}'})"
                if place in places:
                    place = f"{file} (task number {position})"
                places.add(place)
                name = _image_name(task)
                image = _find(name, tree, file)
                if image is None:
                    missing_image(name or "", place, report)
                elif used.add(image, place):
                    yield from _sample(task, image, place, classes, report)
        classes.check(tree.root.name)
        used.report_lone_images()


def _files(tree: Tree) -> list[tuple[str, list[Any]]]:
    return [
        (file, content)
        for file, content in json_documents(tree)
        if isinstance(content, list)
        and content
        and isinstance(content[0], dict)
        and isinstance(content[0].get("data"), dict)
        and isinstance(content[0].get("annotations"), list)
    ]


def _image_name(task: object) -> str | None:
    """Return the address of a task's image."""
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict):
        return None
    texts = [data.get("image"), *data.values()]
    names = [t for t in texts if isinstance(t, str) and suffix_of(_path_of(t)) in KNOWN_SUFFIXES]
    return names[0] if names else None


def _path_of(address: str) -> str:
    """Return the path in an address: /data/upload/1/a.jpg, /data/local-files/?d=a.jpg, s3://..."""
    try:
        parts = urlsplit(address)
        query = parse_qs(parts.query, max_num_fields=20)
    except ValueError:
        return address
    is_address = bool(parts.scheme and parts.netloc) or address.startswith("/data/")
    if not is_address:
        return address  # a name may have a "?" or "#"
    return query["d"][0] if "d" in query else unquote(parts.path)


def _find(name: str | None, tree: Tree, file: str) -> str | None:
    if name is None:
        return None
    path = _path_of(name)
    folder, slash, last = path.replace("\\", "/").rpartition("/")
    found = tree.find(path, near=file)
    if found is None and _PREFIX.match(last):
        found = tree.find(f"{folder}{slash}{last[9:]}", near=file)
    return found


def _sample(
    task: dict[str, Any], image: str, place: str, classes: Classes, report: Report
) -> Iterator[FormatSample]:
    annotations = task.get("annotations")
    valid = [
        a
        for a in (annotations if isinstance(annotations, list) else ())
        if isinstance(a, dict) and not a.get("was_cancelled")
    ]
    if not valid:
        report_lone_files([image], (), report)
        return
    phase = phase_of(image) or phase_of(place.partition(" (")[0]) or Phase.TRAIN
    regions = _Regions(classes)
    if len(valid) > 1:
        regions.broken(f"the task has {len(valid)} annotations; keep one, cancel the others")
    else:
        regions.add_all(valid[0].get("result"))
    ignored_shapes(regions.ignored, place, image, phase, report)
    data = task.get("data", {})
    yield FormatSample(
        image=image,
        phase=phase,
        mask=Drawing(tuple(regions.shapes), min(regions.sizes, default=None)),
        annotation=place,
        persons=regions.persons,
        scenes=tuple(regions.scenes),
        captions=tuple(data[k] for k in _SENTENCES if isinstance(data.get(k), str)),
    )


class _Regions:
    """The regions of one annotation."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self.shapes: list[Shape] = []
        self.ignored: list[str] = []
        self.sizes: set[tuple[int, int]] = set()
        self.scenes: list[str] = []
        self.persons = 0

    def broken(self, message: str) -> None:
        """Add a shape that fails with a message."""
        self.shapes.append(Broken(message))

    def add_all(self, results: object) -> None:
        """Add the results of an annotation."""
        if not isinstance(results, list):
            self.broken("the annotation has no list of results")
            return
        labelled = {
            r["id"]
            for r in results
            if isinstance(r, dict) and isinstance(r.get("id"), str) and str(r.get("type")) in _AREAS
        }
        for position, result in enumerate(results, 1):
            kind = str(result.get("type")) if isinstance(result, dict) else ""
            if kind == "relation" or (
                kind in _AREAS.values() and str(result.get("id")) in labelled
            ):
                continue  # another result has the label of the same region
            value = result.get("value") if isinstance(result, dict) else None
            if not isinstance(value, dict) or not isinstance(result.get("type"), str):
                self.broken(f"result {position} has no type or no value")
            else:
                self._add(kind, value, result, position)
        if len(self.sizes) > 1:
            self.broken("its results have different original sizes")

    def _add(self, kind: str, value: dict[str, Any], result: dict[str, Any], position: int) -> None:
        if kind == "choices":
            choices = value.get("choices")
            self.scenes += (
                [c for c in choices if isinstance(c, str)] if isinstance(choices, list) else []
            )
        elif kind in _WITHOUT_AREA:
            if _meaning(value.get(kind), self._classes) != BACKGROUND:
                self.ignored.append(kind.removesuffix("labels"))
        elif kind in _AREAS.values():
            self.broken(f"result {position} has no label")
        elif kind in _AREAS:
            meaning, size = _meaning(value.get(kind), self._classes), _size(result)
            if meaning is None or size is None:
                what = "label" if meaning is None else "original size"
                self.broken(f"result {position} has no {what}")
                return
            self.sizes.add(size)
            self.persons += meaning == PERSON
            if result.get("image_rotation"):
                self.broken("the image was turned in Label Studio; turn it back, and export again")
            else:
                shape = _shape(kind, value, size, meaning)
                self.shapes.append(
                    shape if isinstance(shape, Broken) else shape._replace(instance=position)
                )


def _meaning(labels: object, classes: Classes) -> int | None:
    """Return the mask value of the labels of a region; None if it has none."""
    names = [name for name in labels if isinstance(name, str)] if isinstance(labels, list) else []
    values = [classes.value(name) for name in names]
    if not values:
        return None
    if PERSON in values:
        return PERSON
    return IGNORE if any(map(is_ignore_name, names)) else BACKGROUND


def _size(result: dict[str, Any]) -> tuple[int, int] | None:
    width, height = result.get("original_width"), result.get("original_height")
    if type(width) is not int or type(height) is not int or min(width, height) < 1:
        return None
    return width, height


def _shape(
    kind: str, value: dict[str, Any], size: tuple[int, int], meaning: int
) -> Polygon | Runs | Broken:
    width, height = size
    if kind == "polygonlabels":
        points = coordinates(value.get("points"))
        if max(points, default=0) > _MAX_PERCENT:
            return Broken(f"the polygon has the coordinate {max(points):,.6g}, not a percentage")
        scaled = tuple(v * (height if i % 2 else width) / 100 for i, v in enumerate(points))
        return Polygon(scaled, "coco", meaning)
    if kind == "ellipselabels":
        x, y, rx, ry, turn = (
            number(value.get(key, 0 if key == "rotation" else None))
            for key in ("x", "y", "radiusX", "radiusY", "rotation")
        )
        ring = ellipse(x * width / 100, y * height / 100, rx * width / 100, ry * height / 100, turn)
        return Polygon(ring, "coco", meaning)
    runs = value.get("rle")
    if not isinstance(runs, list) or not all(type(r) is int and 0 <= r < 256 for r in runs):
        return Broken("the RLE of the brush is no list of bytes")
    return Runs(bytes(runs), "brush", None, meaning)


FORMAT = _LabelStudio()
