"""How a picture looks, in few bits: hashes that survive re-encoding, scaling and brightness.

Integers alone are used, so that every machine gets the same bits.
"""

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

_SIDE = 64


class Looks(NamedTuple):
    """The perceptual hashes of one picture, as numbers."""

    phash: int
    """64 bits: the signs of the 8 x 8 lowest frequencies against their median."""
    mirror: int
    """The same of its mirror image."""
    pdq: int
    """256 bits of 16 x 16 frequencies: the second opinion where the first is in doubt."""


def looks(image: Image.Image) -> Looks:
    """Return the hashes of a fully decoded picture, whatever its size and mode.

    Both start from one gray copy, box-averaged to 64 x 64 pixels. ``phash`` goes on as the
    ImageHash package does, by a copy of 32 x 32; ``pdq`` as PDQ does (Facebook, "The TMK+PDQF
    video-hashing algorithm and the PDQ image-hashing algorithm", 2019).
    """
    gray = image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    small = np.asarray(gray.resize((32, 32), Image.Resampling.LANCZOS), np.int64)
    low = _frequencies(small, 0, 8)
    # Mirroring an image negates its odd horizontal frequencies.
    mirrored = low * np.where(np.arange(8) % 2, -1, 1)
    wide = _frequencies(np.asarray(gray, np.int64), 1, 17)
    return Looks(_bits(low), _bits(mirrored), _bits(wide[::-1, ::-1]))  # PDQ's order of bits


def _frequencies(pixels: "Numbers", first: int, end: int) -> "Numbers":
    basis = _dct_basis(len(pixels))[first:end]
    return basis @ pixels @ basis.T


def _bits(frequencies: "Numbers") -> int:
    # Twice each value against the sum of the two middle ones: the median without a fraction.
    middle = frequencies.size // 2
    median = np.sort(frequencies, axis=None)[middle - 1 : middle + 1].sum()
    return int.from_bytes(np.packbits(2 * frequencies > median).tobytes())


@cache
def _dct_basis(points: int) -> "Numbers":
    """Return the rows of a DCT-II of so many points, scaled by 2^16 and rounded."""
    steps = np.pi * (2 * np.arange(points) + 1) / (2 * points)
    basis = np.rint(np.cos(np.outer(np.arange(points), steps)) * (1 << 16))
    return np.asarray(basis, np.int64)
