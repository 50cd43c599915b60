"""Perceptual hashes of images: they survive re-encoding, scaling and changes of brightness.

Only integer arithmetic is used, so that every machine computes the same bits.
"""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from sceneset.imaging.decode import scratch
from sceneset.schemas.orientation import STEPS

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Pixels = npt.NDArray[np.uint8]

_SIDE = 64
_SIGNS = np.where(np.arange(8) % 2, -1, 1)  # mirroring negates the odd horizontal frequencies
_LUMA = np.array((299, 587, 114))  # thousandths of red, green and blue: ITU-R BT.601


class ImageHashes(NamedTuple):
    """The perceptual hashes of one image, as integers."""

    phash: int
    """64 bits: the 8 x 8 lowest frequencies, compared with their median."""
    mirror: int
    """``phash`` of the horizontally mirrored image."""
    pdq: int
    """256 bits of 16 x 16 frequencies: decides where ``phash`` is uncertain."""
    turned: tuple[int, ...]
    """``phash`` of the image as the EXIF orientations 3 to 8 show it."""

    @property
    def orientations(self) -> tuple[int, ...]:
        """``phash`` of the image as each EXIF orientation from 1 to 8 shows it."""
        return (self.phash, self.mirror, *self.turned)


def hash_pixels(pixels: "Pixels") -> ImageHashes:
    """Return the perceptual hashes of an image.

    Both are computed from the frequencies (DCT-II) of one gray copy, averaged to 64 x 64 boxes.
    ``phash`` uses the lowest 8 x 8 with the mean brightness, like the ImageHash package. ``pdq``
    uses the next 16 x 16 without it, like PDQ (Facebook, "The TMK+PDQF video-hashing algorithm and
    the PDQ image-hashing algorithm", 2019).

    Args:
        pixels: height x width x 3 for RGB, or height x width for gray.
    """
    basis = _dct_basis()
    frequencies = basis @ _gray_boxes(pixels) @ basis.T
    phash, mirror, *turned = _all_orientations(frequencies[:8, :8])
    wide = frequencies[1:, 1:]
    [pdq] = _bits(wide[None, ::-1, ::-1])  # PDQ's bit order
    return ImageHashes(phash, mirror, pdq, tuple(turned))


def _all_orientations(low: "Numbers") -> list[int]:
    """Return the hashes of an image in the orientations 1 to 8, from the frequencies of one.

    The frequencies of a transposed image are the transposed frequencies. Mirroring an image negates
    the odd horizontal ones, and flipping it the odd vertical ones.
    """
    turned = np.empty((len(STEPS), 8, 8), np.int64)
    for place, (transpose, mirror, flip) in enumerate(STEPS.values()):
        turned[place] = low.T if transpose else low
        if mirror:
            turned[place] *= _SIGNS
        if flip:
            turned[place] *= _SIGNS[:, None]
    return _bits(turned)


def _gray_boxes(pixels: "Pixels") -> "Numbers":
    """Return the mean brightness of 64 x 64 boxes, in units of 1/256 gray level.

    Tall images are subsampled to every n-th row, with at least two rows in each box.
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
    """Return the indices of box corners in an integral image, and the boxes' weighted areas."""
    steps = np.arange(_SIDE + 1)
    rows, columns = ((steps * side + _SIDE // 2) // _SIDE for side in (height, width))
    areas = _LUMA.sum() * np.outer(np.diff(rows), np.diff(columns))
    return rows[:, None] * (width + 1) + columns, areas


def _box_sums(pixels: "Pixels", corners: "Numbers") -> "Numbers":
    import cv2

    height, width, *channels = pixels.shape
    integral = cv2.integral(
        pixels, scratch("integral", (height + 1, width + 1, *channels), np.int32)
    )
    # The integral image overflows modulo 2^32; differences between corners are still exact.
    at_corners = integral.reshape(-1, *channels).take(corners, axis=0).view(np.uint32)
    strips = at_corners[1:] - at_corners[:-1]
    sums: Numbers = (strips[:, 1:] - strips[:, :-1]).astype(np.int64)
    return sums


def _enlarged(pixels: "Pixels") -> "Pixels":
    """Repeat the pixels of an image with fewer rows or columns than there are boxes."""
    height, width = pixels.shape[:2]
    size = (max(width, _SIDE), max(height, _SIDE))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST))


def _bits(blocks: "Numbers") -> list[int]:
    """Return one hash for each block of frequencies: which of them are above their median."""
    flat = blocks.reshape(len(blocks), -1)
    # Compare twice each value with the sum of the two middle ones: a median without fractions.
    middle = flat.shape[1] // 2
    medians = np.sort(flat, axis=1)[:, middle - 1 : middle + 1].sum(axis=1)
    packed = np.packbits(2 * flat > medians[:, None], axis=1)
    return [int.from_bytes(row.tobytes()) for row in packed]


@cache
def _dct_basis() -> "Numbers":
    """Return the first 17 rows of the DCT-II of 64 points, scaled by 2^16 and rounded."""
    steps = np.pi * (2 * np.arange(_SIDE) + 1) / (2 * _SIDE)
    basis = np.rint(np.cos(np.outer(np.arange(17), steps)) * (1 << 16))
    return np.asarray(basis, np.int64)
