"""Masks with one bit per pixel, on which neighbourhoods of thousands of pixels cost one operation.

A row is a whole number of words of 64 pixels, the lowest bit first. Rows follow each other without
a break, each ends with words of zeros, and rows of zeros are above and below: the margin. So moving
a mask sideways is one shift of all words, moving it up or down is an offset, and what leaves a row
stays in the margin.

Squares are built by doubling: a row of 8 pixels is a row of 4 pixels, joined with itself 4 pixels
further.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Words = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int64]
    """Numbers of pixels from the start of all planes."""

BITS = 64
WINDOW = BITS - 7
"""Pixels that one word shows from any pixel on."""
_ALL = (1 << BITS) - 1


class Box(NamedTuple):
    """A part of a picture, in rows of pixels and columns of words; the ends are not in it."""

    top: int
    bottom: int
    left: int
    right: int


class Planes(NamedTuple):
    """The same box of several masks."""

    bits: "Words"
    """Masks x words; see the top of this module."""
    stride: int
    """Words of a row, with the margin at its end."""
    margin: int
    """Rows of zeros above, and as many below. The margin of a row has at least as many pixels."""

    def with_bits(self, bits: "Words") -> "Planes":
        """Return planes of the same layout."""
        return self._replace(bits=bits)

    def without_rows(self, number: int) -> "Words":
        """Return the words without so many rows at the top and at the bottom."""
        words = number * self.stride
        return self.bits[:, words : self.bits.shape[1] - words]


def packed(mask: "Mask") -> "Words":
    """Return the pixels of a mask that are not 0, height x words."""
    found = np.ascontiguousarray(np.packbits(mask, axis=1, bitorder="little"))
    height, used = found.shape
    if missing := -used % 8:
        found = np.concatenate([found, np.zeros((height, missing), np.uint8)], axis=1)
    return found.view(np.uint64)


def number_of(words: "Words") -> int:
    """Return the number of set bits."""
    return int(cv2.sumElems(np.bitwise_count(words))[0]) if words.size else 0


def box_around(words: "Words", width: int, around: int) -> Box | None:
    """Return the box of all set pixels and so many pixels around them; None if there are none.

    Args:
        words: A picture, height x words.
        width: Of the picture in pixels.
        around: Number of pixels, cut off at the picture's border.
    """
    is_used = words.ravel() != 0
    first = int(is_used.argmax()) if len(is_used) else 0
    if not len(is_used) or not is_used[first]:
        return None
    height, stride = words.shape
    last = len(is_used) - 1 - int(is_used[::-1].argmax())
    top, bottom = max(0, first // stride - around), min(height, last // stride + 1 + around)
    columns = np.bitwise_or.reduce(words[top:bottom], axis=0)
    used = np.flatnonzero(columns)
    start, end = int(used[0]), int(used[-1])
    low, high = int(columns[start]), int(columns[end])
    left = max(0, start * BITS + (low & -low).bit_length() - 1 - around)
    right = min(width, end * BITS + high.bit_length() + around)
    return Box(top, bottom, left // BITS, -(-right // BITS))


def cut(pictures: "Sequence[Words]", box: Box, margin: int) -> Planes:
    """Return a box of pictures, height x words each, with a margin of so many pixels."""
    rows, used = box.bottom - box.top, box.right - box.left
    stride = used + max(1, -(-margin // BITS))
    bits = np.zeros((len(pictures), rows + 2 * margin, stride), np.uint64)
    for plane, words in zip(bits, pictures, strict=True):
        plane[margin : margin + rows, :used] = words[box.top : box.bottom, box.left : box.right]
    return Planes(bits.reshape(len(pictures), -1), stride, margin)


def inside(width: int, box: Box, margin: int) -> "Words":
    """Return a plane whose set pixels are those of the picture, as ``cut`` gives it."""
    rows, used = box.bottom - box.top, box.right - box.left
    stride = used + max(1, -(-margin // BITS))
    bits = np.zeros((rows + 2 * margin, stride), np.uint64)
    bits[margin : margin + rows, :used] = _ALL
    if box.right * BITS > width:
        bits[margin : margin + rows, used - 1] = _ALL >> (box.right * BITS - width)
    return bits.reshape(1, -1)


def moved_left(bits: "Words", pixels: int) -> "Words":
    """Return planes whose every pixel is that of ``bits`` so many pixels to the right of it."""
    flat = bits.ravel()
    whole, part = divmod(pixels, BITS)
    if whole >= len(flat):
        return np.zeros_like(bits)
    found = np.empty_like(flat)
    if pixels % 8:
        kept = len(flat) - whole
        np.right_shift(flat[whole:], part, out=found[:kept])
        found[: kept - 1] |= flat[whole + 1 :] << (BITS - part)
        found[kept:] = 0
    else:
        target, source = found.view(np.uint8), flat.view(np.uint8)
        kept = len(target) - pixels // 8
        target[:kept], target[kept:] = source[pixels // 8 :], 0
    return found.reshape(bits.shape)


def moved_right(bits: "Words", pixels: int) -> "Words":
    """Return planes whose every pixel is that of ``bits`` so many pixels to the left of it."""
    flat = bits.ravel()
    whole, part = divmod(pixels, BITS)
    if whole >= len(flat):
        return np.zeros_like(bits)
    found = np.empty_like(flat)
    if pixels % 8:
        kept = len(flat) - whole
        np.left_shift(flat[:kept], part, out=found[whole:])
        found[whole + 1 :] |= flat[: kept - 1] >> (BITS - part)
        found[:whole] = 0
    else:
        target, source = found.view(np.uint8), flat.view(np.uint8)
        gone = pixels // 8
        target[gone:], target[:gone] = source[: len(source) - gone], 0
    return found.reshape(bits.shape)


def eroded(planes: Planes, distance: int) -> "Words | None":
    """Return the pixels whose square of 2 d + 1 pixels is set; None if there are none.

    Pixels outside of the box are not set. The result has ``distance`` rows less at the top and at
    the bottom.
    """
    if (2 * distance + 1) * planes.stride > planes.bits.shape[1]:
        return None
    return _squares(planes, distance, np.bitwise_and)


def grown(planes: Planes, distance: int) -> "Words":
    """Return planes whose set pixels are squares of 2 d + 1 pixels, up to the margin.

    The result has ``distance`` rows less at the top and at the bottom, and set pixels in margins.
    """
    return _squares(planes, distance, np.bitwise_or)


def _squares(planes: Planes, distance: int, join: np.ufunc) -> "Words":
    side, stride = 2 * distance + 1, planes.stride
    bits, done = planes.bits, 1
    while done < side:
        step = min(done, side - done)
        bits = join(bits[:, : -step * stride], bits[:, step * stride :])
        done += step
    done = 1
    while done < side:
        step = min(done, side - done)
        moved = moved_left(bits, step)
        bits = join(bits, moved, out=moved)
        done += step
    return moved_right(bits, distance) if distance else bits


def outlines(planes: Planes, valid: "Words") -> "Words":
    """Return the pixels that differ from the next one to the right, below or diagonally.

    Args:
        planes: The masks.
        valid: A plane; pixels that are not set in it differ from none.
    """
    stride = planes.stride
    here, aside = planes.bits, moved_left(planes.bits, 1)
    # Of a pixel and the next three, is one set, and is one not set?
    some, other = here | aside, (here ^ valid) | (aside ^ moved_left(valid, 1))
    differs = some[:, :-stride] | some[:, stride:]
    differs &= other[:, :-stride] | other[:, stride:]
    differs &= valid[:, :-stride]
    return np.concatenate([differs, np.zeros((len(here), stride), np.uint64)], axis=1)


def places_of(bits: "Words") -> "Places":
    """Return the places of the set pixels of all planes, in order."""
    flat = bits.ravel()
    used = np.flatnonzero(flat != 0)
    pixels = np.unpackbits(flat[used].view(np.uint8), bitorder="little")
    ones = np.flatnonzero(pixels)
    found: Places = used[ones // BITS] * BITS + ones % BITS
    return found


def windows(bits: "Words") -> "Words":
    """Return a word for each eighth pixel, which shows the next 64 pixels; a view, not aligned."""
    flat = bits.ravel()
    return np.ndarray((flat.nbytes - 7,), np.uint64, flat.data, strides=(1,))
