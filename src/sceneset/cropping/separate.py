"""Decide whether the people of an original are separate from each other, by their boxes.

The dataset document takes crops only from originals in which people are apart and do not overlap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sceneset.cropping.frames import Candidate
from sceneset.cropping.types import Reason, Rules

MAX_BOXES = 2000
"""An image with more boxes is refused: all pairs are compared."""


class NotSeparate(NamedTuple):
    """Two boxes that are too close, by their positions, and why."""

    reason: Reason
    first: int
    second: int
    detail: str


def closest_pair(candidates: Sequence[Candidate], rules: Rules) -> NotSeparate | None:
    """Return a pair of people who are not separate, or None.

    The two sides of one box over the seam of a panorama are one person and are not compared.

    Args:
        candidates: The boxes of an original, also of crowds.
        rules: Thresholds.
    """
    if len(candidates) < 2:
        return None
    sides = np.array([candidate.sides for candidate in candidates], np.float64)
    frames = np.array([candidate.frame for candidate in candidates], np.float64)
    places = np.array([id(candidate.detection) for candidate in candidates])
    compared = np.triu(places[:, None] != places[None, :], 1)
    shared = _shared(sides)
    areas = _areas(sides)
    iou = shared / (areas[:, None] + areas[None, :] - shared)
    if pair := _first((iou > rules.max_iou) & compared):
        detail = f"their IoU is {iou[pair]:.3f}, above {rules.max_iou:g}"
        return NotSeparate(Reason.OVERLAP, *pair, detail)
    gaps = _gaps(sides)
    if rules.min_gap and (pair := _first((gaps < rules.min_gap) & compared)):
        detail = f"they are {max(gaps[pair], 0):.0f} pixels apart, less than {rules.min_gap}"
        return NotSeparate(Reason.CLOSE, *pair, detail)
    areas = _areas(frames)
    share = _shared(frames) / np.minimum(areas[:, None], areas[None, :])
    is_cut = np.array([not candidate.detection.is_crowd for candidate in candidates])
    compared &= is_cut[:, None] & is_cut[None, :]
    if pair := _first((share > rules.max_overlap) & compared):
        found, limit = (f"{100 * ratio:.0f} %" for ratio in (share[pair], rules.max_overlap))
        detail = f"they share {found} of the smaller frame, more than {limit}"
        return NotSeparate(Reason.FRAMES, *pair, detail)
    return None


_Matrix = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def _areas(sides: _Matrix) -> _Matrix:
    return (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1])


def _gaps(sides: _Matrix) -> _Matrix:
    """Return the distances of all pairs of boxes, in pixels; negative where they overlap."""
    low = np.maximum(sides[:, None, :2], sides[None, :, :2])
    high = np.minimum(sides[:, None, 2:], sides[None, :, 2:])
    return np.asarray((low - high).max(axis=2))


def _shared(sides: _Matrix) -> _Matrix:
    """Return the areas that all pairs of boxes share."""
    low = np.maximum(sides[:, None, :2], sides[None, :, :2])
    high = np.minimum(sides[:, None, 2:], sides[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2))


def _first(found: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> tuple[int, int] | None:
    position = int(found.argmax())
    first, second = divmod(position, found.shape[1])
    return (first, second) if found[first, second] else None
