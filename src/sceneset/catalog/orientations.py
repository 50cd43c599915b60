"""Perceptual hashes of an image in all eight orientations, computed from those in a scan.

A phone stores a portrait turned and says so in EXIF; `sceneset fix` turns its pixels. Both files
show one picture, but their perceptual hashes have nothing in common, so look-alikes are compared
in all orientations.
"""

from collections.abc import Iterable
from functools import lru_cache

_SIDE = 8  # a hash holds 8 x 8 frequencies; the first bit is row 0, column 0
_ODD_ROWS = 0x00FF_00FF_00FF_00FF


def all_orientations(phash: int, mirror: int, turned: Iterable[int] = ()) -> tuple[int, ...]:
    """Return the eight hashes of an image in all orientations: its own, its mirror's, and others.

    Args:
        phash: The hash of the image as stored.
        mirror: The hash of the mirrored image.
        turned: The hashes of the other six orientations, if the scan has them. Without them, they
            are computed from the first two, exactly (transposed images) or with an error of few
            bits (images upside down), since a hash keeps only the sign of most frequencies.
    """
    return (phash, mirror, *(tuple(turned) or _turned(phash, mirror)))


@lru_cache(maxsize=1 << 12)
def _turned(phash: int, mirror: int) -> tuple[int, ...]:
    pair = (phash, mirror)
    flipped = tuple(value ^ _ODD_ROWS for value in pair)  # negates the odd vertical frequencies
    return (*flipped, *map(_transposed, (*pair, *flipped)))


def _transposed(value: int) -> int:
    """Return the hash of the transposed image: rows of frequencies become columns."""
    result = 0
    for row in range(_SIDE):
        for column in range(_SIDE):
            bit = value >> (63 - _SIDE * row - column) & 1
            result |= bit << (63 - _SIDE * column - row)
    return result
