"""How a picture looks, in few bits: hashes that survive re-encoding, scaling and brightness.

Integers alone are used, so that every machine gets the same bits.
"""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from sceneset.imaging.decode import scratch

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Pixels = npt.NDArray[np.uint8]

_SIDE = 64
_MIRROR = np.where(np.arange(8) % 2, -1, 1)
_LUMA = np.array((299, 587, 114))  # thousandths of red, green and blue: ITU-R BT.601


class Looks(NamedTuple):
    """The perceptual hashes of one picture, as numbers."""

    phash: int
    """64 bits: the signs of the 8 x 8 lowest frequencies against their median."""
    mirror: int
    """The same of its mirror image."""
    pdq: int
    """256 bits of 16 x 16 frequencies: the second opinion where the first is in doubt."""


def looks(pixels: "Pixels") -> Looks:
    """Return the hashes of a picture: height x width x 3, or height x width where it is gray.

    Both are taken from the frequencies (DCT-II) of one gray copy, box-averaged to 64 x 64 pixels:
    ``phash`` as the ImageHash package does, of the lowest 8 x 8, with the mean brightness;
    ``pdq`` as PDQ does (Facebook, "The TMK+PDQF video-hashing algorithm and the PDQ image-hashing
    algorithm", 2019), of the next 16 x 16 without it.
    """
    basis = _dct_basis()
    frequencies = basis @ _gray(pixels) @ basis.T
    low = frequencies[:8, :8]
    # Mirroring an image negates its odd horizontal frequencies.
    mirrored = low * _MIRROR
    wide = frequencies[1:, 1:]
    return Looks(_bits(low), _bits(mirrored), _bits(wide[::-1, ::-1]))  # PDQ's order of bits


def _gray(pixels: "Pixels") -> "Numbers":
    """Return the brightness of 64 x 64 boxes, in 1/256 of a level.

    Of tall pictures every second, third... row is looked at: two rows of each box at least.
    """
    if min(pixels.shape[:2]) < _SIDE:
        pixels = _enlarged(pixels)
    pixels = pixels[:: max(1, pixels.shape[0] // (2 * _SIDE))]
    corners, areas = _grid(*pixels.shape[:2])
    sums = _box_sums(pixels, corners)
    gray: Numbers = (sums @ _LUMA if pixels.ndim == 3 else sums * _LUMA.sum()) * 256 // areas
    return gray


@lru_cache(maxsize=64)
def _grid(height: int, width: int) -> "tuple[Numbers, Numbers]":
    """Return where corners of boxes stand in an integral image, and the boxes' areas by weight."""
    steps = np.arange(_SIDE + 1)
    rows, columns = ((steps * side + _SIDE // 2) // _SIDE for side in (height, width))
    areas = _LUMA.sum() * np.outer(np.diff(rows), np.diff(columns))
    return rows[:, None] * (width + 1) + columns, areas


def _box_sums(pixels: "Pixels", corners: "Numbers") -> "Numbers":
    import cv2

    height, width, *channels = pixels.shape
    whole = cv2.integral(pixels, scratch("integral", (height + 1, width + 1, *channels), np.int32))
    # It counts modulo 2^32, which differences of boxes do not mind.
    till = whole.reshape(-1, *channels).take(corners, axis=0).view(np.uint32)
    down = till[1:] - till[:-1]
    sums: Numbers = (down[:, 1:] - down[:, :-1]).astype(np.int64)
    return sums


def _enlarged(pixels: "Pixels") -> "Pixels":
    """Repeat pixels of a picture that has fewer than there are boxes."""
    height, width = pixels.shape[:2]
    size = (max(width, _SIDE), max(height, _SIDE))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))


def _bits(frequencies: "Numbers") -> int:
    # Twice each value against the sum of the two middle ones: the median without a fraction.
    middle = frequencies.size // 2
    median = np.sort(frequencies, axis=None)[middle - 1 : middle + 1].sum()
    return int.from_bytes(np.packbits(2 * frequencies > median).tobytes())


@cache
def _dct_basis() -> "Numbers":
    """Return the first 17 rows of a DCT-II of 64 points, scaled by 2^16 and rounded."""
    steps = np.pi * (2 * np.arange(_SIDE) + 1) / (2 * _SIDE)
    basis = np.rint(np.cos(np.outer(np.arange(17), steps)) * (1 << 16))
    return np.asarray(basis, np.int64)
