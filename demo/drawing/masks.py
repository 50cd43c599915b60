"""Compute masks and boxes from an owner map, which holds the number of the person per pixel."""

import cv2
import numpy as np
from PIL import Image

SUPERSAMPLING = 2  # canvas pixels per image pixel, in each direction
MIN_PERSON_PIXELS = 9  # height in pixels; a smaller person may be missing from the mask
NO_BOX = (0, 0, 0, 0)
MAX_PERSONS = 250  # an owner map has 8 bits, and 0 means no owner

# Lookup tables: nonzero values become 255; values of at least half of 255 become 1.
NONZERO_TO_255, _HALF_TO_1 = [0] + [255] * 255, [0] * 128 + [1] * 128


def mask_and_boxes(
    owners: Image.Image, persons: int
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Return the mask and the box of each person from the owner map.

    A pixel belongs to a person if at least half of its canvas pixels do.
    """
    union = owners.point(NONZERO_TO_255).reduce(SUPERSAMPLING)
    if persons == 1:
        return union.point(_HALF_TO_1), (_box(union),)
    boxes = []
    for owner in range(1, persons + 1):
        only = owners.point([255 if value == owner else 0 for value in range(256)])
        boxes.append(_box(only.reduce(SUPERSAMPLING)))
    return union.point(_HALF_TO_1), tuple(boxes)


def clean_mask(mask: Image.Image) -> Image.Image:
    """Return the mask without the specks and pinholes that downsampling creates."""
    pixels = np.array(mask)
    least = 1 + mask.width * mask.height // 8000
    for value, instead, neighbours in ((1, 0, 8), (0, 1, 4)):
        _, parts, stats, _ = cv2.connectedComponentsWithStats(
            (pixels == value).astype(np.uint8), connectivity=neighbours
        )
        pixels[(stats[:, cv2.CC_STAT_AREA] < least)[parts] & (pixels == value)] = instead
    return Image.fromarray(pixels)


def _box(cover: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of a person in the mask; if the mask shows none, the box of any trace."""
    return cover.point(_HALF_TO_1).getbbox() or cover.getbbox() or NO_BOX
