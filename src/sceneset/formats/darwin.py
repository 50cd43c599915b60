"""V7 Darwin: one JSON file for each image, with polygons and raster layers.

Source of the form: docs.v7labs.com, "Darwin JSON" 2.0, and darwin-py; polygons are drawn as its
exporter of masks draws them: rounded, and filled by the even-odd rule.
"""

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

from sceneset.formats.classes import Classes, coordinates, size_of
from sceneset.formats.classes import number as number_of
from sceneset.formats.ellipses import ellipse
from sceneset.formats.image_json import (
    Used,
    broken_file,
    count_of_files,
    ignored_shapes,
    json_contents,
    missing_image,
    recognized_file,
)
from sceneset.formats.tree import Tree, phase_of
from sceneset.formats.types import FormatSample, Options, Report
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

_WITHOUT_AREA = ("line", "keypoint", "skeleton", "cuboid", "eye", "simple_table", "table", "graph")
_MAX_ID = 255  # of a raster layer


class _Darwin:
    name = "darwin"
    title = "V7 Darwin"
    loses = "boxes, lines, points, videos"

    def detect(self, tree: Tree) -> str | None:
        file = recognized_file(tree, _is_darwin)
        return f"{file} is Darwin JSON; {count_of_files(tree)} in all" if file else None

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        classes, used = Classes(options), Used(tree, report)
        for file, content in json_contents(tree, report):
            if not _is_darwin(content):
                continue
            item = _Item(content)
            image = tree.find(item.path, near=file) if item.path else None
            if item.problem:
                broken_file(item.problem, file, report)
            elif image is None:
                missing_image(item.path, file, report)
            elif used.add(image, file):
                yield _sample(image, item, file, classes, report)
        classes.check(tree.root.name)
        used.report_lone_images()


def _is_darwin(content: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a file is Darwin JSON 2.0, or 1.0, which has "image" in place of "item"."""
    return (
        isinstance(content, dict)
        and isinstance(content.get("annotations"), list)
        and "images" not in content
        and (isinstance(content.get("item"), dict) or isinstance(content.get("image"), dict))
    )


class _Item:
    """The image that a file is about."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.annotations: list[object] = content["annotations"]
        item = content.get("item")
        head: dict[str, Any] = item if isinstance(item, dict) else content["image"]
        name = head.get("name", head.get("filename"))
        folder = head.get("path") if isinstance(head.get("path"), str) else ""
        self.path = f"{folder}/{name}" if isinstance(name, str) and name else ""
        self.problem = ""
        self.size = size_of(head.get("width"), head.get("height"))
        slots = head.get("slots")
        if isinstance(slots, list) and slots:
            if len(slots) > 1:
                self.problem = f"the item has {len(slots)} slots; only items of one image are read"
            slot = slots[0] if isinstance(slots[0], dict) else {}
            self.size = size_of(slot.get("width"), slot.get("height")) or self.size
            if slot.get("type", "image") != "image":
                kind = str(slot.get("type"))[:20]
                self.problem = f"the item is a {kind!r}; deliver the frames as images"


def _sample(image: str, item: _Item, file: str, classes: Classes, report: Report) -> FormatSample:
    phase = phase_of(image) or phase_of(file) or Phase.TRAIN
    reader = _Annotations(item, classes)
    ignored_shapes(reader.ignored, file, image, phase, report)
    return FormatSample(
        image=image,
        phase=phase,
        mask=Drawing(tuple(reader.shapes), item.size),
        annotation=file,
        persons=len(reader.persons),
        scenes=tuple(reader.tags),
    )


class _Annotations:
    """The annotations of an image as shapes, in their order."""

    def __init__(self, item: _Item, classes: Classes) -> None:
        self.shapes: list[Shape] = []
        self.persons: set[object] = set()
        self.ignored: list[str] = []
        self.tags: list[str] = []
        masks: dict[str, int] = {}
        layers: list[object] = []
        for number, one in enumerate(item.annotations, 1):
            if not isinstance(one, dict) or not isinstance(one.get("name"), str):
                self.shapes.append(Broken(f"annotation {number} has no name"))
            elif "raster_layer" in one:
                layers.append(one["raster_layer"])
            elif "mask" in one:
                value = classes.value(one["name"])
                masks[str(one.get("id"))] = value
                if value == PERSON:
                    self.persons.add(_instance(one, number))
            elif "tag" in one:
                self.tags.append(one["name"])
            else:
                self._add(one, number, classes.value(one["name"]))
        for layer in layers:
            self.shapes += _layer(layer, masks)
        if masks and not layers:
            self.shapes.append(Broken("there are masks, but no raster layer"))

    def _add(self, one: dict[str, Any], number: int, value: int) -> None:
        rings = _rings(one)
        if rings is not None:
            if value == PERSON:
                self.persons.add(_instance(one, number))
            if rings:
                self.shapes.append(Polygon(rings[0], "evenodd", value, number, tuple(rings[1:])))
            else:
                self.shapes.append(Broken(f"the polygon of annotation {number} has no path"))
            return
        kind = next((k for k in (*_WITHOUT_AREA, "bounding_box") if k in one), "")
        if not kind:
            self.shapes.append(Broken(f"annotation {number} is of a type that is unknown"))
        elif value != BACKGROUND:
            self.ignored.append(kind)


def _instance(one: dict[str, Any], number: int) -> object:
    """Return what identifies a person: annotations with one instance id are one person."""
    found = one.get("instance_id")
    value = found.get("value") if isinstance(found, dict) else None
    return ("id", str(value)) if value is not None else number


def _rings(one: dict[str, Any]) -> list[tuple[float, ...]] | None:
    """Return the rings of an annotation's area; None if it has none."""
    for key in ("polygon", "complex_polygon"):
        area = one.get(key)
        if key not in one:
            continue
        if not isinstance(area, dict):
            return []
        paths = area.get("paths")
        if not isinstance(paths, list):
            path, more = area.get("path"), area.get("additional_paths")
            is_nested = isinstance(path, list) and path and isinstance(path[0], list)
            paths = path if is_nested else [path]
            paths = [*paths, *(more if isinstance(more, list) else ())] if paths else []
        return [coordinates(path) for path in paths]
    area = one.get("ellipse")
    if isinstance(area, dict):
        center, radius = area.get("center"), area.get("radius")
        x, y, rx, ry = coordinates([center, radius])
        return [ellipse(x, y, rx, ry, math.degrees(number_of(area.get("angle", 0))))]
    return None


def _layer(layer: object, masks: dict[str, int]) -> Iterator[Shape]:
    """Yield the shapes of a raster layer: the ids in it that are person, ignored or other."""
    runs = layer.get("dense_rle") if isinstance(layer, dict) else None
    mapping = layer.get("mask_annotation_ids_mapping") if isinstance(layer, dict) else None
    if not isinstance(runs, list) or not isinstance(mapping, dict):
        yield Broken("the raster layer has no dense_rle or no mask_annotation_ids_mapping")
        return
    values: dict[int, int] = {}
    for one, number in mapping.items():
        if type(number) is not int or not 0 < number <= _MAX_ID or str(one) not in masks:
            yield Broken(f"the raster layer has the mask {str(one)[:40]!r}, which is no annotation")
            return
        values[number] = masks[str(one)]
    unknown = {repr(v)[:20] for v in runs[::2] if v != 0 and _value(v, values) is None}
    if unknown:
        yield Broken(f"the raster layer has the id {min(unknown)}, which has no annotation")
        return
    for wanted in (BACKGROUND, IGNORE, PERSON):
        if wanted in values.values():
            counts = list(runs)
            counts[::2] = [int(_value(v, values) == wanted) for v in runs[::2]]
            yield Runs(tuple(counts), "values", None, wanted)


def _value(number: object, values: dict[int, int]) -> int | None:
    return values.get(number) if type(number) is int else None


FORMAT = _Darwin()
