"""Datumaro's own JSON: annotations/<subset>.json, images/<subset>/.

Source of the form: datumaro/plugins/data_formats/datumaro/exporter.py.
"""

from collections.abc import Iterator
from typing import Any

from sceneset.counts import counted
from sceneset.formats.classes import Classes, ask_about_crowds, is_set, number
from sceneset.formats.ellipses import ellipse
from sceneset.formats.image_json import Used, ignored_shapes, missing_image
from sceneset.formats.json_files import json_documents, refuse_without
from sceneset.formats.tree import IMAGE_ENDINGS, Tree, phase_of
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

_WITHOUT_AREA = {"bbox", "points", "polyline", "cuboid", "cuboid_3d", "cuboid_2d", "skeleton"}
_WITHOUT_PLACE = {"label", "caption", "feature_vector", "hash_key", "tabular"}


class _Datumaro:
    name = "datumaro"
    title = "Datumaro JSON"
    loses = "boxes, lines, points"

    def detect(self, tree: Tree) -> str | None:
        files = _files(tree)
        if not files:
            return None
        file, content = files[0]
        return f"{file} has {counted(len(content['items']), 'item')} and label categories"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        files = _files(tree)
        refuse_without(files, tree, "there is no JSON file of Datumaro")
        classes, used = Classes(options), Used(tree, report)
        readers = [
            _File(file, content, tree, classes, options=options, report=report)
            for file, content in files
        ]
        classes.check(tree.root.name)
        _check_crowds(readers, options)
        for reader in readers:
            yield from reader.samples(used)
        used.report_lone_images()


def _files(tree: Tree) -> list[tuple[str, dict[str, Any]]]:
    return [
        (file, content)
        for file, content in json_documents(tree)
        if isinstance(content, dict)
        and isinstance(content.get("items"), list)
        and isinstance(content.get("categories"), dict)
        and "label" in content["categories"]
    ]


def _check_crowds(readers: "list[_File]", options: Options) -> None:
    everyone = [
        bool(_is_crowd(annotation))
        for reader in readers
        for item in reader.items
        for annotation in _annotations(item)
        if str(annotation.get("type")) in {"mask", "polygon", "ellipse"}
        and reader.value(annotation) == PERSON
    ]
    ask_about_crowds(everyone, options, readers[0].file, "is_crowd")


def _annotations(item: object) -> list[dict[str, Any]]:
    found = item.get("annotations") if isinstance(item, dict) else None
    return [a for a in found if isinstance(a, dict)] if isinstance(found, list) else []


def _is_crowd(annotation: dict[str, Any]) -> bool:
    attributes = annotation.get("attributes")
    return isinstance(attributes, dict) and is_set(attributes.get("is_crowd"))


class _File:
    """One JSON file: the items of a subset."""

    def __init__(
        self,
        file: str,
        content: dict[str, Any],
        tree: Tree,
        classes: Classes,
        *,
        options: Options,
        report: Report,
    ) -> None:
        self.file, self.tree, self.options, self.report = file, tree, options, report
        self.items: list[object] = content["items"]
        label = content["categories"]["label"]
        labels = label.get("labels") if isinstance(label, dict) else None
        self.names = [
            entry.get("name") if isinstance(entry, dict) else None
            for entry in (labels if isinstance(labels, list) else ())
        ]
        self._values = [classes.value(name) for name in self.names]

    def value(self, annotation: dict[str, Any]) -> int | None:
        """Return the mask value of an annotation's label; None if there is no such label."""
        index = annotation.get("label_id")
        if type(index) is int and 0 <= index < len(self._values):  # True is no place
            return self._values[index]
        return None

    def samples(self, used: Used) -> Iterator[FormatSample]:
        """Yield the samples of the file."""
        places: set[str] = set()
        for position, item in enumerate(self.items, 1):
            one = item.get("id") if isinstance(item, dict) else None
            if not isinstance(item, dict) or not isinstance(one, str) or not one:
                missing_image("", f"{self.file} (item number {position})", self.report)
                continue
            place = f"{self.file} (item {one[:200]})"
            if place in places:
                place = f"{self.file} (item number {position})"
            places.add(place)
            media, size = self._media(item)
            image = self._image(one, media)
            if image is None:
                missing_image(media or one, place, self.report)
            elif used.add(image, place):
                yield self._sample(item, image, place, size)

    @staticmethod
    def _media(item: dict[str, Any]) -> tuple[str, tuple[int, int] | None]:
        """Return the path and the size of an item's image."""
        for key in ("image", "media"):
            media = item.get(key)
            if isinstance(media, dict):
                path, size = media.get("path"), media.get("size")
                has_size = (
                    isinstance(size, list) and len(size) == 2 and all(type(s) is int for s in size)
                )
                known = (size[1], size[0]) if has_size and isinstance(size, list) else None
                return path if isinstance(path, str) else "", known
        return "", None

    def _image(self, one: str, media: str) -> str | None:
        if media and (found := self.tree.find(media, near=self.file)):
            return found
        subset = self.file.rpartition("/")[2].removesuffix(".json")
        for ending in IMAGE_ENDINGS:
            for name in (f"images/{subset}/{one}{ending}", f"{one}{ending}"):
                if found := self.tree.find(name, near=self.file):
                    return found
        return None

    def _sample(
        self, item: dict[str, Any], image: str, place: str, size: tuple[int, int] | None
    ) -> FormatSample:
        shapes: list[Shape] = []
        crowds: list[Shape] = []
        ignored: list[str] = []
        scenes: list[str] = []
        captions: list[str] = []
        instances: dict[tuple[str, object], int] = {}
        persons = set()
        annotations = item.get("annotations")
        if not isinstance(annotations, list) or len(_annotations(item)) != len(annotations):
            shapes.append(Broken("the item has no list of annotations, or one is no object"))
        ordered = sorted(_annotations(item), key=_z_order)
        for position, annotation in enumerate(ordered, 1):
            kind, value = str(annotation.get("type")), self.value(annotation)
            if kind == "label" and value is not None:
                scenes.append(str(self.names[annotation["label_id"]]))
            elif kind == "caption":
                captions.append(str(annotation.get("caption", "")))
            if kind in _WITHOUT_PLACE:
                continue
            if kind in _WITHOUT_AREA:
                ignored += [str(kind)] * (value not in {BACKGROUND, None})
                continue
            if value is None:
                shapes.append(Broken("an annotation has no label of the categories"))
                continue
            group = annotation.get("group")
            has_group = type(group) is int and group != 0
            key = ("group", group) if has_group else ("annotation", position)
            instance = instances.setdefault(key, len(instances) + 1)
            if value == PERSON and _is_crowd(annotation) and self.options.crowd != "person":
                crowds.append(_shape(annotation, IGNORE, instance))
                continue
            if value == PERSON:
                persons.add(instance)
            shapes.append(_shape(annotation, value, instance))
        phase = phase_of(self.file) or phase_of(image) or Phase.TRAIN
        ignored_shapes(ignored, place, image, phase, self.report)
        return FormatSample(
            image=image,
            phase=phase,
            mask=Drawing((*crowds, *shapes), size),  # persons cover crowds
            annotation=place,
            persons=len(persons),
            has_crowd=bool(crowds),
            scenes=tuple(scenes),
            captions=tuple(filter(None, captions)),
        )


def _z_order(annotation: dict[str, Any]) -> int:
    order = annotation.get("z_order")
    return order if type(order) is int else 0


def _shape(annotation: dict[str, Any], value: int, instance: int) -> Shape:
    kind, points = annotation.get("type"), annotation.get("points")
    numbers = tuple(map(number, points)) if isinstance(points, list) else ()
    if kind == "polygon":
        return Polygon(numbers, "coco", value, instance)
    if kind == "ellipse":
        if len(numbers) != 4:
            return Broken("the ellipse is not given as left, top, right, bottom")
        left, top, right, bottom = numbers
        center = ((left + right) / 2, (top + bottom) / 2)
        ring = ellipse(*center, (right - left) / 2, (bottom - top) / 2)
        return Polygon(ring, "coco", value, instance)
    if kind != "mask":
        return Broken(f"the type {str(kind)[:40]!r} is unknown")
    rle = annotation.get("rle")
    counts, size = (rle.get("counts"), rle.get("size")) if isinstance(rle, dict) else (None, None)
    is_sized = (
        isinstance(size, list) and len(size) == 2 and all(type(s) is int and s >= 0 for s in size)
    )
    if not isinstance(counts, str | list) or not is_sized or not isinstance(size, list):
        return Broken("the mask has no rle with counts and size")
    runs = tuple(counts) if isinstance(counts, list) else counts
    return Runs(runs, "coco", (0, 0, size[1], size[0]), value, instance)


FORMAT = _Datumaro()
