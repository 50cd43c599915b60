"""Measure how much detail the outline of a mask has, and whether it follows the image.

Three numbers: the share of long straight edges, which polygons have many of; how far the outline
turns, which smoothing and simplifying reduce; and how much of the contrast near the outline is on
the outline itself. The border of the image and edges against ignored pixels are no outline.

Sums are of whole numbers, each from operations that all processors round in the same way, so equal
files give equal numbers on every machine.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Points = npt.NDArray[np.integer[Any] | np.floating[Any]]
    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

_IGNORE = 255
_MOST_LINES = 32
_MOST_POINTS = 1 << 18  # of all lines; outlines of persons have some thousands
_SHORTEST = 16  # points of a line that is measured
_SMOOTHING = np.array([1, 8, 28, 56, 70, 56, 28, 8, 1], np.float64)  # steps of pixels turn too
_ARMS = 64  # the arms of an angle are this part of the person's size, in points of the outline
_SHORTEST_ARM = 3
_TOLERANCE = 1.0  # pixels between a straight edge and the outline
_LONG = 1.2  # relative to an edge of a circle with the same outline length, see mask_shape.py
_UNITS = 256  # of a pixel: lengths are rounded, and then summed
_PROBES = 500  # points at which the image is compared
_TANGENT = 4  # points to each side that give the direction of the outline
_REACH = 6  # pixels to each side of the outline in which contrast is searched
_ON = 1  # pixels from the outline to contrast that counts as on the outline


class Detail(NamedTuple):
    """Measurements of the outlines of a mask."""

    outline: int = 0
    """Pixels of the measured outlines; 0 if nothing can be measured."""
    outline_straight: int | None = None
    """Share of long straight edges, in thousandths."""
    outline_turning: int | None = None
    """How far the outline turns on a way as long as the person is large (the square root of the
    area), in thousandths of a radian."""


class Probes(NamedTuple):
    """Points of an outline at which the image is compared, n x 2 each: x and y."""

    points: "Ints"
    normals: "Floats"
    """Of length 1."""


_NOWHERE = Probes(np.zeros((0, 2), np.int64), np.zeros((0, 2)))


def measure_detail(
    contours: "Sequence[Points]",
    areas: Sequence[int],
    frame: tuple[int, int],
    ignored: "Pixels | None",
) -> tuple[Detail, Probes]:
    """Measure the longest outlines, 32 at most, each of 16 points or more.

    Args:
        contours: Closed outlines of persons and of the holes in them, n x 2 points each: x and y.
        areas: Areas of the connected parts of the person, in pixels.
        frame: Width and height of the mask.
        ignored: The mask if it has ignored pixels, height x width.

    Returns:
        The measurements, and the points at which ``edge_agreement`` compares the image.
    """
    size_squared = sum(area * area for area in areas) / max(1, sum(areas))  # where most pixels are
    lines = _longest(contours)
    if not lines:
        return Detail(), _NOWHERE
    arm = max(_SHORTEST_ARM, round(np.sqrt(size_squared) / _ARMS))
    rings = _Rings.of(lines, arm + len(_SMOOTHING) // 2)
    free = _are_free(rings.points, frame, ignored)
    turned, turns = _turning(rings, free, arm)
    straight, length = _edges(lines, rings, free)
    if not turns or not length:
        return Detail(), _NOWHERE
    turning = turned * np.sqrt(size_squared) / (turns * arm)
    outline = int(np.count_nonzero(free[rings.places]))
    return Detail(outline, round(1000 * straight / length), round(turning)), _probes(rings, free)


def _longest(contours: "Sequence[Points]") -> "list[npt.NDArray[np.int32]]":
    """Return the outlines to measure, the longest first; what is beyond the limit is cut off."""
    found = sorted((line for line in contours if len(line) >= _SHORTEST), key=len, reverse=True)
    lines = []
    remaining = _MOST_POINTS
    for line in found[:_MOST_LINES]:
        if remaining >= _SHORTEST:
            lines.append(np.ascontiguousarray(line[:remaining], np.int32))
            remaining -= len(line)
    return lines


class _Rings(NamedTuple):
    """The points of all lines in one array, each line with some points of its other end around it.

    So the neighbors of a point are those beside it in the array.
    """

    points: "Ints"
    """n x 2."""
    places: "Ints"
    """The places of the points that are no copy, in their order."""
    lengths: "Ints"
    """The number of points of each line, without copies."""

    @classmethod
    def of(cls, lines: "Sequence[npt.NDArray[np.int32]]", around: int) -> "_Rings":
        """Return the points of lines, with this number of points around each."""
        lengths = np.array([len(line) for line in lines], np.int64)
        starts = np.cumsum(lengths) - lengths
        padded = lengths + 2 * around
        padded_starts = np.cumsum(padded) - padded
        offsets = np.arange(int(padded.sum())) - np.repeat(padded_starts + around, padded)
        source = offsets % np.repeat(lengths, padded) + np.repeat(starts, padded)
        shifts = np.repeat(padded_starts + around - starts, lengths)
        points = np.concatenate(lines).astype(np.int64)[source]
        return cls(points, np.arange(int(lengths.sum())) + shifts, lengths)


def _are_free(points: "Ints", frame: tuple[int, int], ignored: "Pixels | None") -> "Flags":
    """Return which points are neither on the border of the image nor next to ignored pixels."""
    x, y = points.T
    width, height = frame
    free: Flags = (x > 0) & (y > 0) & (x < width - 1) & (y < height - 1)
    if ignored is not None:
        x, y = np.clip(x, 1, max(1, width - 2)), np.clip(y, 1, max(1, height - 2))
        for right in (-1, 0, 1):
            for down in (-1, 0, 1):
                free &= ignored[y + down, x + right] != _IGNORE
    return free


def _turning(rings: _Rings, free: "Flags", arm: int) -> tuple[int, int]:
    """Return the sum of the angles between two arms, in thousandths, and their number.

    Where a point or the end of an arm is not free, the angle is no turn of the outline.
    """
    places = rings.places
    usable = free[places] & free[places + arm] & free[places - arm]
    usable &= np.repeat(rings.lengths > 2 * arm, rings.lengths)
    places = places[usable]
    x, y = (np.convolve(values.astype(np.float64), _SMOOTHING, "same") for values in rings.points.T)
    ahead_x, ahead_y = x[places + arm] - x[places], y[places + arm] - y[places]
    behind_x, behind_y = x[places] - x[places - arm], y[places] - y[places - arm]
    across = ahead_x * behind_y - ahead_y * behind_x
    along = ahead_x * behind_x + ahead_y * behind_y
    angles = np.rint(1000 * np.arctan2(np.abs(across), along)).astype(np.int64)
    return int(angles.sum()), len(places)


def _edges(
    lines: "Sequence[npt.NDArray[np.int32]]", rings: _Rings, free: "Flags"
) -> tuple[int, int]:
    """Return the length of the long edges and of all edges of outlines, in 1/256 pixels."""
    polygons = [cv2.approxPolyDP(line[:, None], _TOLERANCE, closed=True)[:, 0] for line in lines]
    counts = np.array([len(polygon) for polygon in polygons])
    starts = np.cumsum(counts) - counts
    corners = np.concatenate(polygons).astype(np.int64)
    following = np.arange(1, len(corners) + 1)
    following[starts + counts - 1] = starts
    steps = corners[following] - corners
    lengths = np.rint(_UNITS * np.sqrt((steps * steps).sum(axis=1))).astype(np.int64)
    if not free.all():
        flags = np.split(free[rings.places], np.cumsum(rings.lengths)[:-1])
        each = zip(lines, np.split(corners, starts[1:]), flags, strict=True)
        lengths *= np.concatenate([_are_middles_free(*one) for one in each])
    totals = np.add.reduceat(lengths, starts)
    least = _LONG * _UNITS * np.sqrt(totals / _UNITS * _TOLERANCE)
    return int(lengths[lengths >= np.repeat(least, counts)].sum()), int(totals.sum())


def _are_middles_free(line: "npt.NDArray[np.int32]", corners: "Ints", free: "Flags") -> "Flags":
    """Return for each corner whether the outline between it and the next one is free half way."""
    if free.all():
        return np.ones(len(corners), bool)
    width = int(line[:, 0].max()) + 1
    codes = line[:, 1].astype(np.int64) * width + line[:, 0]
    order = np.argsort(codes, kind="stable")
    places = order[np.searchsorted(codes[order], corners[:, 1] * width + corners[:, 0])]
    lengths = (np.roll(places, -1) - places) % len(line)
    middles: Flags = free[(places + lengths // 2) % len(line)]
    return middles


def _probes(rings: _Rings, free: "Flags") -> Probes:
    """Return evenly spread free points."""
    places = rings.places[free[rings.places]]
    if len(places) > _PROBES:
        places = places[np.arange(_PROBES) * len(places) // _PROBES]
    tangents = rings.points[places + _TANGENT] - rings.points[places - _TANGENT]
    lengths = np.sqrt((tangents * tangents).sum(axis=1))
    usable = lengths > 0
    normals = np.stack([-tangents[usable, 1], tangents[usable, 0]], 1) / lengths[usable, None]
    return Probes(rings.points[places[usable]], normals)


def edge_agreement(probes: Probes, plane: "Pixels") -> int | None:
    """Return how much of the contrast near an outline is on it, in thousandths.

    Contrast is the difference of the pixels before and behind a place on the normal of the outline.
    At each point, the largest one within a pixel of the outline is compared with the largest one
    within 6 pixels; points count by the latter, so an outline through a plain area counts little.

    Args:
        probes: Points of the outline.
        plane: One channel of the image, height x width.

    Returns:
        None if there is no point, or no contrast near any.
    """
    if not len(probes.points):
        return None
    height, width = plane.shape
    distances = np.arange(-_REACH - 1, _REACH + 2)[:, None]
    x, y = (
        np.rint(normal * distances).astype(np.int64) + point
        for normal, point in zip(probes.normals.T, probes.points.T, strict=True)
    )
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    values = plane[y, x].astype(np.int16)  # a row for each distance
    contrast = np.abs(values[2:] - values[:-2])
    best = int(contrast.max(axis=0).sum(dtype=np.int64))
    on = int(contrast[_REACH - _ON : _REACH + _ON + 1].max(axis=0).sum(dtype=np.int64))
    return round(1000 * on / best) if best else None
