"""Read boxes from COCO JSON: results of a detector, or annotations."""

import math
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from sceneset.cropping.box_values import checked, score_of, sides_of
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.errors import UsageError
from sceneset.formats.classes import is_set, number, size_of
from sceneset.formats.json_files import read_json_file
from sceneset.formats.types import Options, is_person_name
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
    entries = _images(listing)
    boxes.images = {entry["file_name"]: None for entry in entries.values()}
    persons = _persons(listing, results, file, options)
    kind = "annotation" if isinstance(content, dict) else "result"
    for position, result in enumerate(results, 1):
        place = f"{file.name} ({kind} {position})"
        if not isinstance(result, dict):
            boxes.refused.append(Refusal(Reason.BROKEN, "", place, "is not an object"))
            continue
        category = result.get("category_id")
        if persons is not None and not (_is_id(category) and category in persons):
            continue
        name, size = _image_of(result.get("image_id"), entries, file)
        boxes.images.setdefault(name)
        try:
            sides, score = _sides(result), score_of(result.get("score"))
        except ValueError as error:
            boxes.refused.append(Refusal(Reason.BROKEN, name, place, str(error)))
            continue
        is_crowd = is_set(result.get("iscrowd"))
        boxes.detections.append(Detection(name, sides, score, place, is_crowd, size=size))
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


def _images(listing: object) -> dict[object, dict[str, Any]]:
    """Return the entries of images that have a name, by their id."""
    images = listing.get("images") if isinstance(listing, dict) else None
    return {
        entry["id"]: entry
        for entry in (images if isinstance(images, list) else ())
        if isinstance(entry, dict)
        and _is_id(entry.get("id"))
        and isinstance(entry.get("file_name"), str)
    }


def _image_of(
    image_id: object, entries: dict[object, dict[str, Any]], file: Path
) -> tuple[str, tuple[int, int] | None]:
    """Return the name of an image, and its size if that is known."""
    if _is_id(image_id) and image_id in entries:
        entry = entries[image_id]
        return entry["file_name"], size_of(entry.get("width"), entry.get("height"))
    if isinstance(image_id, str):
        return image_id, None
    raise UsageError(
        f"{file}: the image id {str(image_id)[:40]} has no file name; give the COCO file that "
        "lists the images: --images FILE"
    )


def _persons(
    listing: object, results: list[object], file: Path, options: Options
) -> set[object] | None:
    """Return the ids of the categories that mean person; None if results have no category."""
    categories = listing.get("categories") if isinstance(listing, dict) else None
    if isinstance(categories, list):
        found = {
            c.get("id")
            for c in categories
            if isinstance(c, dict)
            and _is_id(c.get("id"))
            and is_person_name(c.get("name"), options)
        }
        if not found:
            raise UsageError(f"{file}: no category is called person; say which is with --person")
        return found
    used = {r.get("category_id") for r in results if isinstance(r, dict) and "category_id" in r}
    if len(used) > 1:
        shown = ", ".join(sorted(map(str, used))[:6])
        raise UsageError(
            f"{file} has the categories {shown}; give the COCO file that says which is person: "
            "--images FILE"
        )
    return used if used and all(map(_is_id, used)) else None


def _is_id(value: object) -> TypeGuard[int | str]:
    return isinstance(value, int | str)
