"""Count how far two masks of persons agree: areas, boundary bands and outlines, in whole pixels.

Masks have one bit for each pixel here, and everything is counted inside the box around both,
because nothing is counted outside of it. So counting takes less time than decoding.

Ignored pixels are in no count. An edge against ignored pixels is no boundary, so what a mask says
inside of them changes no number.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import ceil, hypot, isqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.imaging.bit_planes import (
    BITS,
    WINDOW,
    Planes,
    box_around,
    cut,
    eroded,
    grown,
    inside,
    number_of,
    outlines,
    packed,
    places_of,
    windows,
)
from sceneset.imaging.shapes import IGNORE, PERSON

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.imaging.bit_planes import Places, Words

    Mask = npt.NDArray[np.uint8]

_AT_ONCE = 1 << 20
"""Rows of disks that are searched together, to bound memory."""
_MANY = 256
"""Pixels of outlines from which the square around the disk is worth its time."""


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


class PackedMask(NamedTuple):
    """A mask with one bit per pixel; packing is fastest right after decoding."""

    persons: "Words"
    """Height x words of 64 pixels."""
    ignored: "Words | None"
    """The same; None if no pixel is ignored."""
    width: int
    """In pixels."""

    @classmethod
    def of(cls, mask: "Mask") -> "PackedMask":
        """Pack a mask of height x width: 1 is person, 255 ignored, anything else background."""
        width = mask.shape[1]
        if mask.max(initial=0) <= PERSON:
            return cls(packed(mask), None, width)
        persons, ignored = (packed((mask == value).view(np.uint8)) for value in (PERSON, IGNORE))
        return cls(persons, ignored if ignored.any() else None, width)


def agreement(
    truth: PackedMask, predicted: PackedMask, distances: Sequence[int], radii: Sequence[int]
) -> Agreement:
    """Return the counts of a pair of masks.

    A band holds the pixels of a mask whose square of 2 d + 1 pixels reaches outside of the mask or
    of the picture: the band of Boundary IoU. The outline of DAVIS holds the pixels that differ from
    the next one to the right, below or diagonally; the picture's border is no outline. An outline
    pixel matches if the other outline has a pixel within the radius (Euclidean).

    Args:
        truth: One mask.
        predicted: The other mask, of the same size.
        distances: Widths of the bands in pixels, at least 1.
        radii: Distances of matching outlines in pixels.
    """
    pictures = [truth.persons, predicted.persons]
    number = 0
    found = [mask.ignored for mask in (truth, predicted) if mask.ignored is not None]
    if found:
        ignored_pixels = found[0] | found[-1]
        number = number_of(ignored_pixels)
        pictures = [*(words & ~ignored_pixels for words in pictures), ignored_pixels]
    around = 1 + (max(distances, default=0) if number else 0)
    width, margin = truth.width, max(radii, default=0) + 1
    box = box_around(pictures[0] | pictures[1], width, around)
    if box is None:
        empty = Band(0, 0, 0)
        nothing = Edges(0, 0, 0, 0)
        return Agreement(number, 0, 0, 0, (empty,) * len(distances), (nothing,) * len(radii))
    planes = cut(pictures, box, margin)
    persons = planes.with_bits(planes.bits[:2])
    ignored = planes.bits[2:] if number else None
    edges: tuple[Edges, ...] = ()
    if radii:
        valid = inside(width, box, margin)
        if ignored is not None:
            valid &= ~ignored
        both = persons.with_bits(outlines(persons, valid))
        edges = tuple(_edges(both, radius) for radius in radii)
    return Agreement(
        number,
        *_shared_counts(persons.bits),
        tuple(Band(*_band(persons, ignored, distance)) for distance in distances),
        edges,
    )


def _shared_counts(bits: "Words") -> tuple[int, int, int]:
    """Return the number of pixels of two planes, and of those in both."""
    return number_of(bits[0]), number_of(bits[1]), number_of(bits[0] & bits[1])


def _band(persons: Planes, ignored: "Words | None", distance: int) -> tuple[int, int, int]:
    solid = persons.bits if ignored is None else persons.bits | ignored
    core = eroded(persons.with_bits(solid), distance)
    if core is None:
        return _shared_counts(persons.bits)
    band = persons.with_bits(persons.bits.copy())
    rows = band.without_rows(distance)
    rows &= ~core
    return _shared_counts(band.bits)


def _edges(outlines: Planes, radius: int) -> Edges:
    """Return the pixels of two outlines, and those that are close to the other one.

    The square inside the disk decides most pixels, and the square around it decides others if many
    are left. The disk is searched for the rest.
    """
    inner = isqrt(radius * radius // 2)
    number = [number_of(bits) for bits in outlines.bits]
    far = outlines.with_bits(outlines.bits.copy())
    rows = far.without_rows(inner)
    rows &= ~grown(outlines, inner)[::-1]
    missed = [number_of(bits) for bits in far.bits]
    if sum(missed) > _MANY:
        rows = far.without_rows(radius)
        rows &= grown(outlines, radius)[::-1]
    found = _search(places_of(far.bits), outlines, radius)
    matched = [n - far + hits for n, far, hits in zip(number, missed, found, strict=True)]
    return Edges(number[0], matched[0], number[1], matched[1])


def _search(places: "Places", outlines: Planes, radius: int) -> tuple[int, int]:
    """Return how many pixels of each outline are within the radius of the other one.

    Args:
        places: The pixels, of both outlines, in order.
        outlines: The outlines, with a margin larger than the radius.
        radius: In pixels.
    """
    pixels = outlines.bits.shape[1] * BITS
    first = int(np.searchsorted(places, pixels))
    others = places - radius
    others[:first] += pixels
    others[first:] -= pixels
    rows = np.arange(-radius, radius + 1) * (outlines.stride * BITS)
    shown, parts = windows(outlines.bits), _disk(radius)
    step = max(1, _AT_ONCE // len(rows))
    is_match = np.zeros(len(places), np.bool_)
    for start in range(0, len(places), step):
        corners = others[start : start + step, None] + rows
        for number, part in enumerate(parts):
            left = corners + number * WINDOW
            words = shown[left >> 3] >> (left & 7).astype(np.uint64)
            is_match[start : start + step] |= ((words & part) != 0).any(axis=1)
    return int(np.count_nonzero(is_match[:first])), int(np.count_nonzero(is_match[first:]))


@lru_cache(maxsize=16)
def _disk(radius: int) -> "list[Words]":
    """Return the rows of a disk as words: a list of columns of ``WINDOW`` pixels, from the left."""
    ways = np.arange(-radius, radius + 1)
    halves = np.array([isqrt(radius * radius - way * way) for way in ways.tolist()])
    found = []
    for start in range(-radius, radius + 1, WINDOW):
        row = np.arange(start, start + BITS)
        is_in = (np.abs(row) <= halves[:, None]) & (row < start + WINDOW)
        found.append(np.packbits(is_in, axis=1, bitorder="little").view(np.uint64)[:, 0])
    return found
