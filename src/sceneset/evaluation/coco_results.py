"""Predictions in a COCO results file: run lengths with scores, several for each image."""

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
from sceneset.formats.classes import score_of
from sceneset.formats.coco_listing import Categories, image_of, listed_images, shown
from sceneset.formats.json_files import read_json_file
from sceneset.formats.types import Options
from sceneset.imaging.prediction_file import Predicted, PredictionError, Reading
from sceneset.imaging.rle import decode_coco
from sceneset.imaging.shapes import IGNORE, PERSON


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
        content = read_json_file(file, str(file))
        listing = read_json_file(images, str(images)) if images else content
        results = content.get("annotations") if isinstance(content, dict) else content
        if not _are_objects(results):
            raise UsageError(
                f"{file} is no COCO results file: write a list of objects with image_id, "
                "category_id, segmentation and score"
            )
        listed = listed_images(listing, images or file)
        hint = "name it person in the categories"
        categories = Categories(listing, results, file, Options(), hint)
        self.other_results = categories.others
        self._results: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._broken: dict[str, str] = {}
        unknown: dict[str, None] = {}
        for result in results:
            try:
                image = image_of(result.get("image_id"), listed, file)
            except ValueError:
                unknown[f"image_id {shown(result.get('image_id'))}"] = None
                continue
            found = self._results[image.name]
            try:
                if categories.is_person(result):
                    found.append(result)
            except ValueError as error:
                self._broken.setdefault(image.name, str(error))
        known = dict.fromkeys([*(image.name for image in listed.values()), *self._results])
        index = NameIndex(((name, name.rpartition("/")[2]) for name in known), catalog.names)
        selected = [sample.key for sample in samples]
        self.matches = index.match(selected, other_samples(catalog, selected))
        self.matches.surplus += unknown

    def prediction(self, sample: ExportSample) -> "PersonsOfImage":
        """Return the persons of an image as one mask; see ``Predictions``."""
        name = self.matches.found[sample.key]
        if reason := self._broken.get(name):
            raise PredictionError("unreadable", f"has a result that {reason}")
        results = self._results.get(name, [])
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
            try:
                score = score_of(result.get("score", 1.0))
            except ValueError as error:
                raise PredictionError("not-a-number", f"has a result that {error}") from None
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


def _are_objects(value: object) -> "TypeGuard[list[dict[str, Any]]]":
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
