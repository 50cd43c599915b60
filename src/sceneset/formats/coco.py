"""COCO instances: one JSON file with images, categories and polygons or run lengths."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sceneset.catalog.subset_folder import printable
from sceneset.counts import counted
from sceneset.errors import fail
from sceneset.formats.classes import ask_about_crowds, is_set, size_of
from sceneset.formats.coco_captions import captions_of_images
from sceneset.formats.image_json import ignored_shapes
from sceneset.formats.json_files import json_documents, refuse_without
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.own_labels import labels_of
from sceneset.formats.tree import Tree, phase_of
from sceneset.formats.types import (
    FormatSample,
    Options,
    Report,
    is_ignore_name,
    is_person_name,
)
from sceneset.imaging.shapes import IGNORE, PERSON, Broken, Drawing, Polygon, Runs, Shape
from sceneset.schemas.finding import finding
from sceneset.schemas.terms import Phase


class _Coco:
    name = "coco"
    title = "COCO instances"
    loses = "key points, boxes without a mask"

    def detect(self, tree: Tree) -> str | None:
        files = _files(tree)
        if not files:
            return None
        file, content = files[0]
        names = [_name_of(image) for image in content["images"]]
        found = sum(tree.find(name, near=file) is not None for name in names if name)
        more = f" (and {counted(len(files) - 1, 'more file')})" if len(files) > 1 else ""
        return f"{file} names {found} of {counted(len(names), 'image')}{more}"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        files = _files(tree)
        refuse_without(files, tree, "there is no COCO file with images and segmentations")
        used: set[str] = set()
        captions = captions_of_images(tree)
        for file, content in files:
            reader = _File(file, content, tree, options, report)
            for sample in reader.samples():
                if sample.image in used:
                    report(
                        finding(
                            "annotation-broken",
                            f"annotates {sample.image}, which another file annotates too",
                            file=file,
                            hint="keep one of the two",
                        )
                    )
                    continue
                used.add(sample.image)
                yield replace(sample, captions=tuple(captions.get(sample.image, ())))
        folders = {image.rpartition("/")[0] for image in used}
        lone = [i for i in tree.images if i not in used and i.rpartition("/")[0] in folders]
        report_lone_files(lone, (), report)


def _files(tree: Tree) -> list[tuple[str, dict[str, Any]]]:
    """Return the COCO files with segmentations.

    Key points of the same images are left out where instances are there too.
    """
    found = [
        (file, content)
        for file, content in json_documents(tree)
        if isinstance(content, dict)
        and all(isinstance(content.get(k), list) for k in ("images", "annotations", "categories"))
        and any(isinstance(a, dict) and a.get("segmentation") for a in content["annotations"])
    ]
    instances = [pair for pair in found if "keypoints" not in pair[0].rpartition("/")[2]]
    return instances or found


def _name_of(image: object) -> str:
    name = image.get("file_name") if isinstance(image, dict) else None
    return name if isinstance(name, str) else ""


class _File:
    """One COCO file."""

    def __init__(
        self, file: str, content: dict[str, Any], tree: Tree, options: Options, report: Report
    ) -> None:
        self.file, self.tree, self.options, self._report = file, tree, options, report
        self.content = content
        self.persons = self._person_categories()
        self._categories = {_id(c) for c in content["categories"] if isinstance(c, dict)} - {""}
        self._names = {
            one: c["name"]
            for c in content["categories"]
            if isinstance(c, dict) and isinstance(c.get("name"), str) and (one := _id(c))
        }
        self._ignored = {one for one, name in self._names.items() if is_ignore_name(name)}
        self.others: dict[str, dict[str, None]] = defaultdict(dict)
        """The names of the other categories in each image: skis may mean skiing."""
        self._unlisted: dict[str, list[str]] = defaultdict(list)
        """The categories that annotations of an image have, but the file does not list."""
        self.annotations = self._by_image()

    def _broken(self, message: str, *, code: str = "annotation-broken", hint: str = "") -> None:
        hint = hint or "correct the file; --quarantine leaves the sample out"
        self._report(finding(code, message, file=self.file, hint=hint))

    def _person_categories(self) -> set[str]:
        categories = [c for c in self.content["categories"] if isinstance(c, dict)]
        found = (_id(c) for c in categories if is_person_name(c.get("name"), self.options))
        persons = set(filter(None, found))
        if not persons:
            names = ", ".join(printable(str(c.get("name"))) for c in categories[:12])
            fail(
                "format-unclear",
                f"no category is called person; categories: {names}",
                file=self.file,
                hint="say which is person with --person NAME",
            )
        return persons

    def _by_image(self) -> dict[str, list[dict[str, Any]]]:
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        ids: set[str] = set()
        for number, annotation in enumerate(self.content["annotations"], 1):
            if not isinstance(annotation, dict):
                self._broken(f"annotation {number} is not an object")
                continue
            one = _id(annotation)
            if one and one in ids:
                self._broken(f"annotation id {one} is used twice")
            ids.add(one)
            category, image = _id(annotation, "category_id"), _id(annotation, "image_id")
            if category in self.persons or category in self._ignored:
                groups[image].append(annotation)
            elif category in self._names:
                self.others[image][self._names[category]] = None
            elif category not in self._categories:
                self._unlisted[image].append(category)
        self._check_crowds(groups)
        return groups

    def _check_crowds(self, groups: dict[str, list[dict[str, Any]]]) -> None:
        everyone = [a for group in groups.values() for a in group if self._is_person(a)]
        ask_about_crowds((a.get("iscrowd") for a in everyone), self.options, self.file, "iscrowd=1")

    def _is_person(self, annotation: dict[str, Any]) -> bool:
        return _id(annotation, "category_id") in self.persons

    def samples(self) -> Iterator[FormatSample]:
        """Yield the images of the file."""
        known: set[str] = set()
        for number, image in enumerate(self.content["images"], 1):
            name, one = _name_of(image), _id(image) if isinstance(image, dict) else None
            if not name or not one:
                self._broken(f"image {number} has no file_name or no id")
                continue
            if one in known:
                self._broken(f"image id {one} is used twice")
                continue
            known.add(one)
            path = self.tree.find(name, near=self.file)
            if path is None:
                self._broken(
                    f"image {one}: there is no file {name}",
                    code="image-missing",
                    hint="deliver the image, or remove it from the file",
                )
                continue
            yield self._sample(path, image, self.annotations.get(one, []), one)
        for one in self.annotations.keys() - known:
            count = counted(len(self.annotations[one]), "person is", "persons are")
            self._broken(f"{count} in image {one}, which the file does not list")

    def _sample(
        self, path: str, image: dict[str, Any], annotations: list[dict[str, Any]], one: str
    ) -> FormatSample:
        is_person_crowd = self.options.crowd == "person"
        is_judged = {id(a): self._is_person(a) and not is_set(a.get("ignore")) for a in annotations}
        ignored = [a for a in annotations if not is_judged[id(a)]]
        boxes = [a for a in annotations if is_judged[id(a)] and not a.get("segmentation")]
        people = [a for a in annotations if is_judged[id(a)] and a.get("segmentation")]
        crowds = [a for a in people if is_set(a.get("iscrowd")) and not is_person_crowd]
        persons = [a for a in people if is_person_crowd or not is_set(a.get("iscrowd"))]
        shapes: list[Shape] = [
            Broken(f"an annotation has the category {category[:40]!r}, which is not listed")
            for category in dict.fromkeys(self._unlisted.get(one, ()))
        ]
        # Persons cover crowds and ignored regions.
        for value, group in ((IGNORE, ignored + crowds), (PERSON, persons)):
            for number, annotation in enumerate(group, 1):
                shapes += _shapes(annotation.get("segmentation"), value, number)
        phase = phase_of(self.file) or phase_of(path) or Phase.TRAIN
        place = f"{self.file} (image {one})"
        ignored_shapes(["box"] * len(boxes), place, path, phase, self._report)
        return FormatSample(
            image=path,
            phase=phase,
            mask=Drawing(tuple(shapes), size_of(image.get("width"), image.get("height"))),
            annotation=place,
            persons=len(persons),
            has_crowd=bool(crowds),
            scenes=tuple(self.others.get(one, ())),
            labels=labels_of(image),
        )


def _id(item: dict[str, Any], key: str = "id") -> str:
    """Return an id as a text, "" if there is none.

    Exporters that use tables write 1 as 1.0 or "1", and not in all places.
    """
    value = item.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | str) else ""


def _shapes(segmentation: object, value: int, instance: int) -> Iterator[Shape]:
    """Yield the shapes of a segmentation; what is broken becomes a shape that can't be drawn."""
    if isinstance(segmentation, list):
        for ring in segmentation:
            yield Polygon(_numbers(ring), "coco", value, instance)
    elif isinstance(segmentation, dict):
        counts, size = segmentation.get("counts"), segmentation.get("size")
        has_size = (
            isinstance(size, list)
            and len(size) == 2
            and all(isinstance(s, int) and s >= 0 for s in size)
        )
        box = (0, 0, size[1], size[0]) if has_size and isinstance(size, list) else (0, 0, 0, 0)
        if isinstance(counts, list):
            counts = tuple(counts)
        yield Runs(counts if isinstance(counts, str | tuple) else "", "coco", box, value, instance)


def _numbers(ring: object) -> tuple[float, ...]:
    """Return the coordinates of a ring; those that are no numbers become NaN, which is refused."""
    if not isinstance(ring, list):
        return ()
    return tuple(
        float(n) if isinstance(n, int | float) and not isinstance(n, bool) else float("nan")
        for n in ring
    )


FORMAT = _Coco()
