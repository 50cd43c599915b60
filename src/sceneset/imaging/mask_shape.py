"""Measure the shape of a mask: its parts, its holes, and how straight its outline is."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Points = npt.NDArray[np.integer[Any] | np.floating[Any]]

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, the last two exclusive."""

_MAX_LISTED = 32  # areas
_MAX_CHANGES = 60_000  # between neighbors in a row; masks of people have fewer than 10 a row
_MAX_CONTOURS = 20_000  # the time that OpenCV takes to outline them grows with the square
_ROWS_AT_ONCE = 256
_TOLERANCE = 1.0  # pixels between a straight edge and the outline
_MIN_LENGTH = 1.2  # relative to an edge of a circle with the same outline length
# A polygon with tolerance t approximates a circle of length p by edges of sqrt(4 / pi * p * t).


class Outline(NamedTuple):
    """Measurements of a mask's outline. Areas are exact, in pixels, largest first."""

    parts: tuple[int, ...] = ()
    """Areas of the connected parts (8-connected), 32 at most. Of a noisy mask, with more than
    20,000 parts and holes, the last area listed is the smallest."""
    parts_total: int = 0
    holes: tuple[int, ...] = ()
    """Areas of the holes inside the parts, 32 at most."""
    holes_total: int = 0
    straight: int = 0
    """Share of the largest part's outline that is long straight edges, in thousandths. Long means
    longer than the edges of a round shape with the same outline length. 0 for a noisy mask."""


class Traced(NamedTuple):
    """The outline of a mask with what it was measured from."""

    outline: Outline
    contours: "tuple[Points, ...]" = ()
    """Closed outlines of the parts and of the holes in them, n x 2 points each: x and y. None for a
    noisy mask, with more than 20,000 parts and holes."""
    areas: tuple[int, ...] = ()
    """Areas of all parts, in pixels; none for a noisy mask."""


def trace_outline(person: "Mask", box: Box, filled: "Mask | None" = None) -> Traced:
    """Outline a mask and measure its shape.

    Args:
        person: height x width; not 0 where the person is.
        box: Bounding box of the person.
        filled: ``person`` with everything that does not count as a hole, such as ignored pixels.
    """
    import cv2

    height, width = person.shape
    left, top, right, bottom = box
    inside = (slice(top, bottom), slice(left, right))
    masks = [person[inside]] if filled is None else [person[inside], filled[inside]]
    if any(_has_many_changes(mask) for mask in masks):
        outline = _areas_only(*masks)
        if outline.parts_total + outline.holes_total > _MAX_CONTOURS:
            return Traced(outline)
    contours, hierarchy = cv2.findContours(
        person[inside], cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left, top)
    )
    outer = [n for n, (_, _, _, parent) in enumerate(hierarchy[0]) if parent < 0]
    areas = dict.fromkeys(outer, 0)
    holes = []
    for n, (_, _, _, parent) in enumerate(hierarchy[0]):
        if parent < 0:
            areas[n] += _area(contours[n], 1)
        else:
            holes.append(_area(contours[n], -1))
            areas[parent] -= holes[-1]
    if filled is not None:
        holes = _hole_areas(filled[inside])
    largest = max(outer, key=lambda n: areas[n])
    outline = Outline(
        parts=tuple(sorted(areas.values(), reverse=True)[:_MAX_LISTED]),
        parts_total=len(areas),
        holes=tuple(sorted(holes, reverse=True)[:_MAX_LISTED]),
        holes_total=len(holes),
        straight=_straight_share(contours[largest][:, 0], width, height),
    )
    lines = tuple(contour[:, 0] for contour in contours)
    return Traced(outline, lines, tuple(areas.values()))


def _has_many_changes(mask: "Mask") -> bool:
    """Return whether rows change more often than a mask that is outlined quickly."""
    buffer = np.empty((_ROWS_AT_ONCE, max(0, mask.shape[1] - 1)), bool)
    changes = 0
    for start in range(0, len(mask), _ROWS_AT_ONCE):  # a buffer in the processor's cache is faster
        rows = mask[start : start + _ROWS_AT_ONCE]
        changed = np.not_equal(rows[:, 1:], rows[:, :-1], out=buffer[: len(rows)])
        changes += int(np.count_nonzero(changed))
        if changes > _MAX_CHANGES:
            return True
    return False


def _areas_only(person: "Mask", filled: "Mask | None" = None) -> Outline:
    """Measure parts and holes without outlining them, in time proportional to the pixels.

    The area of a hole is without the parts inside it.
    """
    import cv2

    def components(mask: "Mask", connectivity: int) -> "npt.NDArray[np.int32]":
        found = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)[2][1:]
        return np.asarray(found, np.int32)

    parts = components(person, 8)[:, cv2.CC_STAT_AREA]
    empty = components(((person if filled is None else filled) == 0).view(np.uint8), 4)
    left, top, width, height, area = empty.T
    is_hole = (left > 0) & (top > 0)
    is_hole &= (left + width < person.shape[1]) & (top + height < person.shape[0])
    holes = area[is_hole]
    return Outline(_listed(parts), len(parts), _listed(holes), len(holes))


def _listed(areas: "npt.NDArray[np.int32]") -> tuple[int, ...]:
    """Return the largest areas and the smallest one, so that rules on small areas notice it."""
    found = sorted(areas.tolist(), reverse=True)
    if len(found) > _MAX_LISTED:
        found[_MAX_LISTED - 1 :] = found[-1:]
    return tuple(found)


def _hole_areas(mask: "Mask") -> list[int]:
    import cv2

    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = zip(contours, hierarchy[0] if contours else (), strict=True)
    return [_area(contour, -1) for contour, (_, _, _, parent) in found if parent >= 0]


def _area(contour: "Points", side: int) -> int:
    """Return the number of pixels inside a contour, with its own pixels (1) or without (-1).

    Uses Pick's theorem on the polygon through the centres of the pixels.
    """
    import cv2

    if len(contour) == 1:
        return 1
    return round(cv2.contourArea(contour) + side * len(contour) / 2 + 1)


def _straight_share(outline: "Points", width: int, height: int) -> int:
    """Return the share of an outline that is long straight edges, in thousandths."""
    import cv2

    corners = cv2.approxPolyDP(outline[:, None], _TOLERANCE, closed=True)[:, 0].astype(np.float64)
    following = np.roll(corners, -1, axis=0)
    lengths = np.hypot(*(following - corners).T)
    # The border of the image cuts people off in straight lines, which is no annotation error.
    last = np.array((width - 1, height - 1))
    on_border = (corners == following) & ((corners == 0) | (corners == last))
    lengths = lengths[~on_border.any(axis=1)]
    total = lengths.sum()
    if not total:
        return 0
    long = lengths[lengths >= _MIN_LENGTH * np.sqrt(total * _TOLERANCE)]
    return round(1000 * float(long.sum() / total))
