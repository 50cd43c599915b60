"""Read boxes from COCO JSON: results of a detector, or annotations."""

import math
from pathlib import Path
from typing import Any

import numpy as np

from sceneset.cropping.box_values import checked, sides_of
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.errors import UsageError
from sceneset.formats.classes import is_set, number, score_of, size_of
from sceneset.formats.coco_listing import Categories, image_of, listed_images
from sceneset.formats.json_files import read_json_file
from sceneset.formats.types import Options
from sceneset.imaging.rle import decode_coco
from sceneset.schemas.crop import Sides

_MAX_PIXELS = 170_000_000  # of a mask that is decoded for its bounds


def read_coco(file: Path, images: Path | None, options: Options, about: str) -> Boxes:
    """Return the boxes of persons.

    Args:
        file: A list of results, or a COCO file with images and annotations.
        images: The COCO file with the images and categories that results number; not needed if
            ``file`` has them, or if image ids are file names.
        options: Further names of classes that mean person.
        about: What the record of crops says of the file.

    Raises:
        UsageError: The files have another form.
        FindingsError: A file can't be read.
    """
    content = read_json_file(file, file.name)
    listing = read_json_file(images, images.name) if images else content
    results = content.get("annotations") if isinstance(content, dict) else content
    if not isinstance(results, list):
        raise UsageError(
            f"{file} is no COCO file: write a list of objects with image_id, category_id, bbox and "
            "score, or an object with images, annotations and categories"
        )
    boxes = Boxes(about)
    entries = listed_images(listing, images or file)
    boxes.images = dict.fromkeys(entry.name for entry in entries.values())
    hint = "say which is with --person NAME"
    categories = Categories(listing, results, file, options, hint)
    kind = "annotation" if isinstance(content, dict) else "result"
    for position, result in enumerate(results, 1):
        place = f"{file.name} ({kind} {position})"
        if not isinstance(result, dict):
            boxes.refused.append(Refusal(Reason.BROKEN, "", place, "is not an object"))
            continue
        name = ""
        try:
            name, size = image_of(result.get("image_id"), entries, file)
            if not categories.is_person(result):
                continue
            boxes.images.setdefault(name)
            score = score_of(result["score"]) if "score" in result else None
            sides = _sides(result)
        except ValueError as error:
            boxes.refused.append(Refusal(Reason.BROKEN, name, place, str(error)))
            continue
        is_crowd = is_set(result.get("iscrowd"))
        boxes.detections.append(Detection(name, sides, score, place, is_crowd, size=size))
    boxes.others = categories.others
    return boxes


def _sides(result: dict[str, Any]) -> Sides:
    """Return the box of a result, or the bounds of its segmentation if it has no box."""
    rings = result.get("segmentation")
    if "bbox" not in result and isinstance(rings, dict):
        return _sides_of_runs(rings.get("size"), rings.get("counts"))
    if "bbox" in result or not isinstance(rings, list):
        return sides_of(result.get("bbox"))
    flat = [[number(n) for n in ring] for ring in rings if isinstance(ring, list)]
    xs, ys = ([side for ring in flat for side in ring[first::2]] for first in (0, 1))
    if not xs or not ys or not all(map(math.isfinite, (*xs, *ys))):
        raise ValueError("has neither a box nor polygons")
    return checked((min(xs), min(ys), max(xs), max(ys)))


def _sides_of_runs(size: object, counts: object) -> Sides:
    """Return the bounds of run lengths."""
    sides = size if isinstance(size, list) and len(size) == 2 else [None, None]
    known = size_of(sides[1], sides[0])
    is_good = known is not None and min(known) > 0 and known[0] * known[1] <= _MAX_PIXELS
    if known is None or not is_good or not isinstance(counts, str | list):
        raise ValueError("has neither a box nor run lengths with size and counts")
    region = decode_coco(counts, *known)
    columns, rows = (np.flatnonzero(region.any(axis=axis)) for axis in (0, 1))
    if not len(columns):
        raise ValueError("has neither a box nor a pixel")
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return (float(left), float(top), float(right), float(bottom))
