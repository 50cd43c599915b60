"""COCO panoptic: one JSON file, and a PNG for each image whose colours are the ids of segments.

An id is R + 256 G + 65,536 B. Source of the form: cocodataset.org, "Panoptic Segmentation".
"""

from collections.abc import Iterator
from typing import Any

from sceneset.counts import counted
from sceneset.formats.classes import Classes, ask_about_crowds, is_set, size_of
from sceneset.formats.image_json import Used, broken_file, missing_image
from sceneset.formats.json_files import json_documents, refuse_without
from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import FormatSample, MaskFile, Options, Report
from sceneset.imaging.shapes import BACKGROUND, IGNORE, PERSON, Broken, Drawing
from sceneset.schemas.finding import finding
from sceneset.schemas.terms import Phase


class _Panoptic:
    name = "coco-panoptic"
    title = "COCO panoptic"
    loses = ""

    def detect(self, tree: Tree) -> str | None:
        files = _files(tree)
        if not files:
            return None
        file, content = files[0]
        return f"{file} has segments of {counted(len(content['annotations']), 'image')}"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        files = _files(tree)
        refuse_without(files, tree, "there is no JSON file with segments_info")
        used, classes = Used(tree, report), Classes(options)
        readers = [_File(file, content, tree, options, report) for file, content in files]
        for reader in readers:
            classes.declare(c.get("name") for c in reader.categories.values())
        classes.check(readers[0].file)
        _check_crowds(readers, options)
        for reader in readers:
            yield from reader.samples(used)
        used.report_lone_images()


def _files(tree: Tree) -> list[tuple[str, dict[str, Any]]]:
    return [
        (file, content)
        for file, content in json_documents(tree)
        if isinstance(content, dict)
        and all(isinstance(content.get(k), list) for k in ("images", "annotations", "categories"))
        and any(isinstance(a, dict) and "segments_info" in a for a in content["annotations"])
    ]


def _check_crowds(readers: "list[_File]", options: Options) -> None:
    crowds = [bool(s.get("iscrowd")) for r in readers for s in r.person_segments()]
    ask_about_crowds(crowds, options, readers[0].file, "iscrowd=1")


class _File:
    """One JSON file."""

    def __init__(
        self, file: str, content: dict[str, Any], tree: Tree, options: Options, report: Report
    ) -> None:
        self.file, self.tree, self.options, self.report = file, tree, options, report
        self.images: list[object] = content["images"]
        self.annotations = [a for a in content["annotations"] if isinstance(a, dict)]
        if len(self.annotations) != len(content["annotations"]):
            self._broken("an annotation is not an object")
        self.categories = {
            _key(c): c for c in content["categories"] if isinstance(c, dict) and _key(c) is not None
        }
        classes = Classes(options)
        self.values = {one: classes.value(c.get("name")) for one, c in self.categories.items()}
        self.folder = self._mask_folder()
        self.void = self._void()

    def _broken(self, message: str) -> None:
        hint = "correct the file; --quarantine leaves the sample out"
        self.report(finding("annotation-broken", message, file=self.file, hint=hint))

    def _mask_folder(self) -> str:
        """Return the folder of the PNGs: the one named like the JSON file, or the only one."""
        own = without_suffix(self.file)
        names = [n for a in self.annotations if isinstance(n := a.get("file_name"), str)]
        if any(self.tree.same(f"{own}/{name}") for name in names[:10]):
            return own
        stem = own.rpartition("/")[2]
        folders = {
            folder
            for folder in self.tree.folders
            if any(self.tree.same(f"{folder}/{name}" if folder else name) for name in names[:10])
        }
        best = [f for f in folders if f.rpartition("/")[2] == stem] or [
            f for f in folders if "panoptic" in f.casefold() or "mask" in f.casefold()
        ]
        return next(iter(best if len(best) == 1 else folders if len(folders) == 1 else []), "")

    def _void(self) -> int:
        """Return the meaning of id 0, which is no segment.

        Where stuff is annotated, the segments are meant to fill the image, and what they leave is
        not judged. Where only things are, what they leave is background.
        """
        mapping = self.options.mapping
        if mapping and 0 in mapping.ignore | mapping.background:
            return IGNORE if 0 in mapping.ignore else BACKGROUND
        stuff = {one for one, c in self.categories.items() if c.get("isthing") == 0}
        has_stuff = any(
            _key(s, "category_id") in stuff for a in self.annotations for s in _segments(a)
        )
        return IGNORE if has_stuff else BACKGROUND

    def person_segments(self) -> Iterator[dict[str, Any]]:
        """Yield all segments of persons."""
        for annotation in self.annotations:
            for segment in _segments(annotation):
                if self.values.get(_key(segment, "category_id")) == PERSON:
                    yield segment

    def samples(self, used: Used) -> Iterator[FormatSample]:
        """Yield the samples of the file."""
        by_image: dict[object, dict[str, Any]] = {}
        for annotation in self.annotations:
            one = _key(annotation, "image_id")
            if one in by_image:
                self._broken(f"image {str(one)[:40]!r} has two annotations")
            by_image.setdefault(one, annotation)
        known: set[object] = set()
        for number, image in enumerate(self.images, 1):
            one = _key(image) if isinstance(image, dict) else None
            name = image.get("file_name") if isinstance(image, dict) else None
            if one is None or one in known or not isinstance(name, str) or not name:
                self._broken(f"image {number} has no file_name, or no id of its own")
                continue
            known.add(one)
            path = self.tree.find(name, near=self.file, outside=self.folder)
            if path is None:
                missing_image(name, self.file, self.report)
            elif one not in by_image:
                continue  # it is reported with the images that have no annotation
            elif used.add(path, f"{self.file} (image {str(one)[:40]!r})"):
                yield from self._sample(path, by_image[one], image)
        for one in by_image.keys() - known:
            self._broken(
                f"there is an annotation of image {str(one)[:40]!r}, which the file does not list"
            )

    def _sample(
        self, path: str, annotation: dict[str, Any], image: object
    ) -> Iterator[FormatSample]:
        name = annotation.get("file_name")
        mask = self.tree.same(f"{self.folder}/{name}" if self.folder else str(name))
        if not isinstance(name, str) or mask is None:
            broken_file(f"the PNG {str(name)[:100]!r} of {path} is not there", path, self.report)
            return
        segments = {0: self.void}
        problem, persons, has_crowd = "", 0, False
        for segment in _segments(annotation):
            number, category = segment.get("id"), _key(segment, "category_id")
            if type(number) is not int or number < 1 or number in segments:
                problem = f"the segment id {str(number)[:20]!r} is no number, or is used twice"
            elif category not in self.values:
                problem = (
                    f"segment {number} has the category {str(category)[:20]!r}, which is not listed"
                )
            else:
                value = self.values[category]
                if (
                    value == PERSON
                    and is_set(segment.get("iscrowd"))
                    and self.options.crowd != "person"
                ):
                    value, has_crowd = IGNORE, True
                persons += value == PERSON
                segments[number] = value
        yield FormatSample(
            image=path,
            phase=phase_of(self.file) or phase_of(path) or Phase.TRAIN,
            mask=Drawing((Broken(problem),), _size(image))
            if problem
            else MaskFile(mask, segments=segments),
            annotation=mask,
            persons=persons,
            has_crowd=has_crowd,
        )


def _size(image: object) -> tuple[int, int] | None:
    return size_of(image.get("width"), image.get("height")) if isinstance(image, dict) else None


def _segments(annotation: dict[str, Any]) -> list[dict[str, Any]]:
    found = annotation.get("segments_info")
    return [s for s in found if isinstance(s, dict)] if isinstance(found, list) else []


def _key(item: dict[str, Any], name: str = "id") -> object:
    value = item.get(name)
    return value if isinstance(value, int | str) else None


FORMAT = _Panoptic()
