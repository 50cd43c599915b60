"""Count how far two masks of persons agree: areas, boundary bands and outlines, in whole pixels.

Everything is counted inside the box around both masks, because nothing is counted outside of it.

Ignored pixels are in no count. An edge against ignored pixels is no boundary, so what a mask says
inside of them changes no number.
"""

from collections.abc import Sequence
from math import ceil, hypot, isqrt
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from sceneset.imaging.shapes import IGNORE, PERSON

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Flags = npt.NDArray[np.bool_]
    Keys = npt.NDArray[np.int64]

_AT_ONCE = 1 << 20
"""Rows of disks that are searched together, to bound memory."""


class Band(NamedTuple):
    """Pixels of two masks that are close to the edge of the mask, inside of it."""

    truth: int
    predicted: int
    both: int


class Edges(NamedTuple):
    """Pixels of the outlines of two masks, and those that the other outline is close to."""

    truth: int
    truth_matched: int
    predicted: int
    predicted_matched: int


class Agreement(NamedTuple):
    """Numbers of pixels of a pair of masks."""

    ignored: int
    truth: int
    """Person in the true mask, and not ignored."""
    predicted: int
    both: int
    bands: tuple[Band, ...]
    """One for each distance."""
    edges: tuple[Edges, ...]
    """One for each radius."""


def band_pixels(ratio: float, width: int, height: int) -> int:
    """Return the width of a boundary band in pixels: a share of the diagonal, at least 1.

    Source: Cheng et al. 2021, Boundary IoU, and its reference code.
    """
    return max(1, round(ratio * hypot(width, height)))


def radius_pixels(ratio: float, width: int, height: int) -> int:
    """Return the distance up to which outlines match, in pixels: a share of the diagonal.

    Source: Perazzi et al. 2016, DAVIS, and its reference code.
    """
    return ceil(ratio * hypot(width, height))


def agreement(
    truth: "Mask", predicted: "Mask", distances: Sequence[int], radii: Sequence[int]
) -> Agreement:
    """Return the counts of a pair of masks.

    A band holds the pixels of a mask whose square of 2 d + 1 pixels reaches outside of the mask or
    of the picture: the band of Boundary IoU. The outline of DAVIS holds the pixels that differ from
    the next one to the right, below or diagonally; the picture's border is no outline. An outline
    pixel matches if the other outline has a pixel within the radius (Euclidean).

    Args:
        truth: height x width: 1 is person, 255 ignored, anything else background.
        predicted: The same for the other mask, of the same size.
        distances: Widths of the bands in pixels, at least 1.
        radii: Distances of matching outlines in pixels.
    """
    number, ignored = 0, None
    if max(truth.max(initial=0), predicted.max(initial=0)) > PERSON:
        truth, predicted, either = _persons(truth, predicted)
        if number := int(np.count_nonzero(either)):
            ignored = either
    box = _box(truth, predicted, 1 + (max(distances, default=0) if number else 0))
    if box is None:
        empty = Band(0, 0, 0)
        nothing = Edges(0, 0, 0, 0)
        return Agreement(number, 0, 0, 0, (empty,) * len(distances), (nothing,) * len(radii))
    first, second = (np.ascontiguousarray(mask[box]).view(np.bool_) for mask in (truth, predicted))
    cut = None if ignored is None else np.ascontiguousarray(ignored[box])
    return Agreement(
        number,
        int(np.count_nonzero(first)),
        int(np.count_nonzero(second)),
        int(np.count_nonzero(first & second)),
        tuple(_band(first, second, cut, distance) for distance in distances),
        tuple(_edges(first, second, cut, radii)),
    )


def _persons(truth: "Mask", predicted: "Mask") -> "tuple[Mask, Mask, Flags]":
    """Return masks of 0 and 1 without the ignored pixels, and these."""
    ignored = (truth == IGNORE) | (predicted == IGNORE)
    kept = ~ignored
    first, second = (((mask == PERSON) & kept).view(np.uint8) for mask in (truth, predicted))
    return first, second, ignored


def _box(truth: "Mask", predicted: "Mask", around: int) -> tuple[slice, slice] | None:
    """Return the rows and columns of all persons, and so many around them; None without one."""
    found = [box for box in map(cv2.boundingRect, (truth, predicted)) if box[2]]
    if not found:
        return None
    return (
        slice(
            max(0, min(top for _, top, _, _ in found) - around),
            max(top + height for _, top, _, height in found) + around,
        ),
        slice(
            max(0, min(left for left, _, _, _ in found) - around),
            max(left + width for left, _, width, _ in found) + around,
        ),
    )


def _band(first: "Flags", second: "Flags", ignored: "Flags | None", distance: int) -> Band:
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)

    def band(mask: "Flags") -> "Flags":
        plane = (mask if ignored is None else mask | ignored).view(np.uint8)
        core = cv2.erode(plane, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        edge: Flags = mask & (core == 0)
        return edge

    truth, predicted = band(first), band(second)
    counts = (np.count_nonzero(flags) for flags in (truth, predicted, truth & predicted))
    return Band(*map(int, counts))


def _edges(
    first: "Flags", second: "Flags", ignored: "Flags | None", radii: Sequence[int]
) -> list[Edges]:
    if not radii:
        return []
    outlines = [_outline(mask, ignored) for mask in (first, second)]
    keys = [np.flatnonzero(outline) for outline in outlines]
    return [
        Edges(
            len(keys[0]),
            _matches(keys[0], outlines[1], keys[1], radius),
            len(keys[1]),
            _matches(keys[1], outlines[0], keys[0], radius),
        )
        for radius in radii
    ]


def _outline(mask: "Flags", ignored: "Flags | None") -> "Flags":
    """Return the outline of a mask; pairs of pixels with an ignored one have none."""
    outline = np.zeros(mask.shape, np.bool_)
    here, after = slice(None, -1), slice(1, None)
    for rows, columns, below, right in (
        (slice(None), here, slice(None), after),
        (here, slice(None), after, slice(None)),
        (here, here, after, after),
    ):
        differs = mask[rows, columns] != mask[below, right]
        if ignored is not None:
            differs &= ~(ignored[rows, columns] | ignored[below, right])
        outline[rows, columns] |= differs
    return outline


def _matches(keys: "Keys", other: "Flags", others: "Keys", radius: int) -> int:
    """Return how many pixels of an outline have a pixel of the other one within the radius.

    The square inside the disk and the square around it decide most pixels.

    Args:
        keys: The outline's pixels, as places in the flat picture.
        other: The other outline.
        others: Its pixels.
        radius: Distance in pixels.
    """
    if not len(keys) or not len(others):
        return 0
    is_near = _grown(other, isqrt(radius * radius // 2)).ravel()[keys] > 0
    is_open = ~is_near & (_grown(other, radius).ravel()[keys] > 0)
    found = _search(keys[is_open], others, other.shape[1], radius)
    return int(np.count_nonzero(is_near)) + found


def _grown(outline: "Flags", distance: int) -> "Mask":
    """Return an outline whose pixels are squares that reach so far."""
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    return np.asarray(cv2.dilate(outline.view(np.uint8), kernel), np.uint8)


def _search(keys: "Keys", others: "Keys", width: int, radius: int) -> int:
    """Return how many pixels have another one within the radius, by searching rows of the disk."""
    if not len(keys):
        return 0
    stride = width + radius + 1  # no search reaches from one row into the next
    known = others // width * stride + others % width
    rows = np.arange(-radius, radius + 1)
    halves = np.array([isqrt(radius * radius - row * row) for row in rows.tolist()])
    step = max(1, _AT_ONCE // len(rows))
    found = 0
    for start in range(0, len(keys), step):
        part = keys[start : start + step]
        first = (part // width * stride + part % width)[:, None] + (rows * stride - halves)
        place = np.searchsorted(known, first)
        nearest = known[np.minimum(place, len(known) - 1)]
        is_match = (place < len(known)) & (nearest <= first + 2 * halves)
        found += int(np.count_nonzero(is_match.any(axis=1)))
    return found
