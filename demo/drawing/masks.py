"""Masks and boxes, from the map that says whose pixel is whose."""

import cv2
import numpy as np
from PIL import Image

FINER = 2  # canvas pixels a pixel, each way
LEAST = 9  # pixels: whoever is smaller may leave no mark in the mask
NOWHERE = (0, 0, 0, 0)
MOST = 250  # persons the map of owners can tell apart

# Lookup tables: whatever is not 0 becomes 255; at least half of 255 becomes 1.
FILLED, _HALF = [0] + [255] * 255, [0] * 128 + [1] * 128


def masked(
    owners: Image.Image, persons: int
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Return the mask and the box of each person from the map of owners.

    A pixel is a person's if at least half of what it covers on the canvas is.
    """
    union = owners.point(FILLED).reduce(FINER)
    if persons == 1:
        return union.point(_HALF), (_box(union),)
    boxes = []
    for owner in range(1, persons + 1):
        only = owners.point([255 if value == owner else 0 for value in range(256)])
        boxes.append(_box(only.reduce(FINER)))
    return union.point(_HALF), tuple(boxes)


def cleaned(mask: Image.Image) -> Image.Image:
    """Return a mask without the specks and pinholes that rounding to pixels leaves."""
    pixels = np.array(mask)
    least = 1 + mask.width * mask.height // 8000
    for value, instead, neighbours in ((1, 0, 8), (0, 1, 4)):
        _, parts, stats, _ = cv2.connectedComponentsWithStats(
            (pixels == value).astype(np.uint8), connectivity=neighbours
        )
        pixels[(stats[:, cv2.CC_STAT_AREA] < least)[parts] & (pixels == value)] = instead
    return Image.fromarray(pixels)


def _box(cover: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of what the mask shows; of a person too small for it, of any trace."""
    return cover.point(_HALF).getbbox() or cover.getbbox() or NOWHERE
