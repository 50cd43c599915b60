"""Predictions in a COCO results file: run lengths with scores, several for each image."""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.errors import UsageError
from sceneset.evaluation.names import NameIndex
from sceneset.evaluation.predictions import other_samples
from sceneset.exports.types import ExportSample
from sceneset.formats.types import is_person_name
from sceneset.imaging.prediction_file import Predicted, PredictionError, Reading
from sceneset.imaging.rle import decode_coco
from sceneset.imaging.shapes import IGNORE, PERSON
from sceneset.storage.files import read_text


class CocoResults:
    """The results of a model; the mask of an image is the union of its persons."""

    def __init__(
        self,
        file: Path,
        images: Path | None,
        samples: Sequence[ExportSample],
        catalog: Catalog,
        reading: Reading,
    ) -> None:
        """Read a results file.

        Args:
            file: A list of results, or a COCO file with images and annotations.
            images: The COCO file with the images and categories that the results number; not
                needed if ``file`` has them, or if image ids are file names.
            samples: The selected samples.
            catalog: The registry.
            reading: Results with a score below the threshold are left out.

        Raises:
            UsageError: The files have another form.
            FindingsError: A file can't be read.
        """
        self._reading = reading
        self.other_files: Counter[str] = Counter()
        content = _load(file)
        listing = _load(images) if images else content
        results = content.get("annotations") if isinstance(content, dict) else content
        if not _are_objects(results):
            raise UsageError(
                f"{file} is no COCO results file: write a list of objects with image_id, "
                "category_id, segmentation and score"
            )
        names = _image_names(listing)
        self._results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        persons = _persons(listing, results, file)
        for result in results:
            if _is_id(category := result.get("category_id")) and category in persons:
                self._results[_name(result.get("image_id"), names, file)].append(result)
        known = dict.fromkeys([*names.values(), *self._results])
        index = NameIndex(((name, name.rpartition("/")[2]) for name in known), catalog.names)
        selected = [sample.key for sample in samples]
        self.matches = index.match(selected, other_samples(catalog, selected))

    def prediction(self, sample: ExportSample) -> "PersonsOfImage":
        """Return the persons of an image as one mask; see ``Predictions``."""
        results = self._results.get(self.matches.found[sample.key], [])
        return PersonsOfImage(results, sample.width, sample.height, self._reading.level)


class PersonsOfImage(NamedTuple):
    """The results for one image."""

    results: list[dict[str, Any]]
    width: int
    """In pixels."""
    height: int
    level: float
    """The least score of results that count."""

    def read(self) -> Predicted:
        """Return the mask of all persons; see ``Prediction``."""
        mask = np.zeros((self.height, self.width), np.uint8)
        number = 0
        for result in self.results:
            score = result.get("score", 1.0)
            if isinstance(score, bool) or not isinstance(score, int | float):
                raise PredictionError("not-a-number", f"has a result with the score {score!r}")
            if not math.isfinite(score):
                raise PredictionError("not-a-number", "has a result whose score is no number")
            if score >= self.level:
                region = _region(result.get("segmentation"), self.width, self.height)
                is_ignored = bool(result.get("iscrowd"))  # as `sceneset export coco` writes it
                mask[(region > 0) & (mask != PERSON)] = IGNORE if is_ignored else PERSON
                number += not is_ignored
        return Predicted(mask, "COCO results" if number else "COCO results (none)")


def _region(segmentation: object, width: int, height: int) -> "np.ndarray[Any, np.dtype[np.uint8]]":
    if not isinstance(segmentation, dict):
        raise PredictionError(
            "unreadable", "has a result that is no run-length mask; write RLE with size and counts"
        )
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if size != [height, width]:
        raise PredictionError(
            "wrong-size",
            f"has a result of the size {size} (height, width), the image {[height, width]}",
        )
    if not isinstance(counts, str | list):
        raise PredictionError("unreadable", "has a result without counts")
    try:
        return decode_coco(counts, width, height)
    except ValueError as error:
        raise PredictionError("unreadable", f"has a broken result: {error}") from None


def _load(file: Path) -> Any:
    try:
        return json.loads(read_text(file, str(file)))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None


def _are_objects(value: object) -> "TypeGuard[list[dict[str, Any]]]":
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _image_names(listing: Any) -> dict[object, str]:
    """Return the name of each image by its id, without the suffix."""
    images = listing.get("images") if isinstance(listing, dict) else None
    if not _are_objects(images):
        return {}
    return {
        image["id"]: image["file_name"]
        for image in images
        if isinstance(image.get("id"), int | str) and isinstance(image.get("file_name"), str)
    }


def _name(image_id: object, names: dict[object, str], file: Path) -> str:
    if isinstance(image_id, int | str) and image_id in names:
        return names[image_id]
    if isinstance(image_id, str):
        return image_id
    raise UsageError(
        f"{file}: the image id {image_id!r} has no file name; give the COCO file that lists the "
        "images: --images FILE"
    )


def _persons(listing: Any, results: list[dict[str, Any]], file: Path) -> set[object]:
    """Return the ids of the categories that mean person."""
    categories = listing.get("categories") if isinstance(listing, dict) else None
    if _are_objects(categories):
        found = {c.get("id") for c in categories if is_person_name(c.get("name"))}
        if not found:
            raise UsageError(f"{file}: no category is called person")
        return found
    used = {result.get("category_id") for result in results if _is_id(result.get("category_id"))}
    if len(used) > 1:
        shown = ", ".join(sorted(map(str, used))[:6])
        raise UsageError(
            f"{file} has the categories {shown}; give the COCO file that says which is person: "
            "--images FILE"
        )
    return used


def _is_id(value: object) -> bool:
    return isinstance(value, int | str)
