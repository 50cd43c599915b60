"""The shape of a mask: its parts, its holes, and how straight its outline is."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Points = npt.NDArray[np.integer[Any] | np.floating[Any]]

Box = tuple[int, int, int, int]
"""Left, top, right and bottom, the last two exclusive."""

LISTED = 32  # areas that are kept one by one
_SAG = 1.0  # pixels a straight edge may lie beside the outline
_LONG = 1.2  # a circle of length p gives edges of sqrt(4 / pi * p * _SAG); these are longer


class Outline(NamedTuple):
    """What the outline of a mask says. Areas are exact, in pixels, largest first."""

    parts: tuple[int, ...] = ()
    """Areas of the separate parts (neighbours at a corner are one part), 32 at most."""
    parts_total: int = 0
    holes: tuple[int, ...] = ()
    """Areas of what the parts enclose, 32 at most."""
    holes_total: int = 0
    straight: int = 0
    """How much of the largest part's outline lies in long straight edges, in thousandths: in such
    as no round shape of its length has."""


def outline_of(person: "Mask", box: Box, filled: "Mask | None" = None) -> Outline:
    """Measure a mask, height x width, whose person is not 0 and lies in ``box``.

    ``filled`` is the person and all that is no hole in it, such as ignored pixels.
    """
    import cv2

    height, width = person.shape
    left, top, right, bottom = box
    around = (slice(top, bottom), slice(left, right))  # the rest is background
    contours, nesting = cv2.findContours(
        person[around], cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE, offset=(left, top)
    )
    outer = [n for n, (_, _, _, parent) in enumerate(nesting[0]) if parent < 0]
    areas = dict.fromkeys(outer, 0)
    inner = []
    for n, (_, _, _, parent) in enumerate(nesting[0]):
        if parent < 0:
            areas[n] += _area(contours[n], 1)
        else:
            inner.append(_area(contours[n], -1))
            areas[parent] -= inner[-1]
    if filled is not None:
        inner = _holes(filled[around])
    largest = max(outer, key=lambda n: areas[n])
    return Outline(
        parts=tuple(sorted(areas.values(), reverse=True)[:LISTED]),
        parts_total=len(areas),
        holes=tuple(sorted(inner, reverse=True)[:LISTED]),
        holes_total=len(inner),
        straight=_straight(contours[largest][:, 0], width, height),
    )


def _holes(mask: "Mask") -> list[int]:
    import cv2

    contours, nesting = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    found = zip(contours, nesting[0] if contours else (), strict=True)
    return [_area(contour, -1) for contour, (_, _, _, parent) in found if parent >= 0]


def _area(contour: "Points", side: int) -> int:
    """Count the pixels a contour encloses, with those it runs over (1) or without them (-1).

    By Pick's theorem, on the polygon through the centres of the pixels.
    """
    import cv2

    if len(contour) == 1:
        return 1
    return round(cv2.contourArea(contour) + side * len(contour) / 2 + 1)


def _straight(outline: "Points", width: int, height: int) -> int:
    import cv2

    corners = cv2.approxPolyDP(outline[:, None], _SAG, closed=True)[:, 0].astype(np.float64)
    following = np.roll(corners, -1, axis=0)
    lengths = np.hypot(*(following - corners).T)
    # Where the frame cuts people, the edge is straight, and nobody's fault.
    last = np.array((width - 1, height - 1))
    edge = (corners == following) & ((corners == 0) | (corners == last))
    lengths = lengths[~edge.any(axis=1)]
    whole = lengths.sum()
    if not whole:
        return 0
    long = lengths[lengths >= _LONG * np.sqrt(whole * _SAG)]
    return round(1000 * float(long.sum() / whole))
