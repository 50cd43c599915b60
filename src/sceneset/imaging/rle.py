"""Run-length codecs of annotation tools: COCO, CVAT, Label Studio brushes and V7.

Each decoder checks the runs before it allocates: their sum must be the area of the mask. The input
may come from anybody, so every fault is a ValueError with one line of text.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Runs = npt.NDArray[np.int64]

Counts = str | bytes | Sequence[int]
"""A COCO RLE: the compressed text, or run lengths."""

_BITS_OF_CHARACTER = 5
_FIRST_CHARACTER = 48  # "0"


def decode_coco(counts: Counts, width: int, height: int) -> "Mask":
    """Return the mask of a COCO RLE: column-major runs, the first of value 0.

    Args:
        counts: The compressed string, or the list of run lengths.
        width: Width of the mask in pixels.
        height: Height of the mask in pixels.

    Returns:
        An array of height x width with the values 0 and 1.

    Raises:
        ValueError: The runs do not fill the mask exactly.
    """
    runs = checked_coco_runs(counts, width, height)
    values = (np.arange(len(runs)) % 2).astype(np.uint8)
    return np.repeat(values, runs).reshape(width, height).T


def checked_coco_runs(counts: Counts, width: int, height: int) -> "Runs":
    """Return the run lengths of a COCO RLE, which fill a mask of this size exactly.

    Raises:
        ValueError: They do not.
    """
    runs = coco_runs(counts) if isinstance(counts, str | bytes) else _checked_runs(counts)
    _check_sum(runs, width * height)
    return runs


def encode_coco(mask: "npt.NDArray[np.bool_ | np.uint8]") -> str:
    """Return a mask (height x width, nonzero is inside) as a compressed COCO RLE."""
    return _compressed(_column_runs(mask))


def uncompressed_coco(mask: "npt.NDArray[np.bool_ | np.uint8]") -> list[int]:
    """Return the run lengths of a mask (height x width) in COCO's column-major order."""
    return [int(run) for run in _column_runs(mask)]


def _column_runs(mask: "npt.NDArray[np.bool_ | np.uint8]") -> "Runs":
    """Return the column-major runs of a mask; only columns that have pixels are transposed."""
    height, width = mask.shape
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns):
        return runs_of(mask.ravel())
    left, right = int(columns[0]), int(columns[-1]) + 1
    runs = runs_of(mask[:, left:right].T.ravel())
    runs[0] += left * height
    after = (width - right) * height
    if len(runs) % 2:  # the last run is of value 0
        runs[-1] += after
    elif after:
        runs = np.append(runs, after)
    return runs


def runs_of(values: "npt.NDArray[np.bool_ | np.uint8]") -> "Runs":
    """Return the lengths of the runs of zero and nonzero values by turns, zeros first."""
    inside = values.astype(np.bool_)
    if not len(inside):
        return np.zeros(0, np.int64)
    ends = np.append(np.flatnonzero(inside[1:] != inside[:-1]) + 1, len(inside))
    runs = np.diff(ends, prepend=0)
    return np.concatenate([[0], runs]) if inside[0] else runs


def coco_runs(text: str | bytes) -> "Runs":
    """Return the run lengths in a compressed COCO RLE.

    A number is written in groups of five bits from 48 ("0") on, the lowest group first; bit 5 says
    that another group follows, and bit 4 of the last group is the sign. From the fourth number on,
    the difference to the number two before is written. Source: maskApi.c of the COCO API.

    Raises:
        ValueError: The text has other characters, or ends within a number.
    """
    data = np.frombuffer(
        text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text, "u1"
    )
    codes = data.astype(np.int64) - _FIRST_CHARACTER
    if len(codes) and (codes.min() < 0 or codes.max() > 63):
        raise ValueError("the RLE contains characters that COCO does not use")
    is_last = (codes & 32) == 0
    if len(codes) and not is_last[-1]:
        raise ValueError("the RLE ends within a number")
    ends = np.flatnonzero(is_last)
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    lengths = ends - starts + 1
    if len(lengths) and lengths.max() > 8:
        raise ValueError("the RLE contains a run that is longer than any image")
    shifts = (np.arange(len(codes)) - np.repeat(starts, lengths)) * _BITS_OF_CHARACTER
    values = np.add.reduceat((codes & 31) << shifts, starts) if len(starts) else starts
    is_negative = (codes[ends] & 16) != 0
    values = np.where(is_negative, values - (np.int64(1) << (lengths * _BITS_OF_CHARACTER)), values)
    # Undo the differences: numbers 3, 5, 7... build on number 1, numbers 4, 6, 8... on number 2.
    runs = values.copy()
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return _checked_runs(runs)


def decode_row_major(
    runs: Sequence[int], width: int, height: int, *, repeated: bool = False
) -> "Mask":
    """Return the mask of row-major runs of 0 and 1 by turns, as CVAT and Datumaro write them.

    Args:
        runs: Run lengths, the first of value 0; or pairs of value and length if ``repeated``.
        width: Width of the mask, for CVAT that of the shape's box.
        height: Height of the mask.
        repeated: Whether ``runs`` alternates values and lengths, as V7's dense_rle does. The
            values are then returned as they are, up to 255.

    Raises:
        ValueError: The runs do not fill the mask exactly.
    """
    if not repeated:
        return _fill(_checked_runs(runs), width * height).reshape(height, width)
    if len(runs) % 2:
        raise ValueError("the RLE has a value without a length")
    lengths = _checked_runs(runs[1::2])
    values = np.asarray(runs[::2], np.int64)
    if len(values) and (values.min() < 0 or values.max() > 255):
        raise ValueError("the RLE contains a value outside 0 to 255")
    _check_sum(lengths, width * height)
    return np.repeat(values.astype(np.uint8), lengths).reshape(height, width)


def decode_brush(data: Sequence[int] | bytes, width: int, height: int) -> "Mask":
    """Return the mask of a Label Studio brush: the alpha of RGBA pixels, packed in bits.

    The stream starts with the number of values (32 bits), the bits of a value less one (5), and
    four bit widths less one (4 bits each) of which a run's length uses one. A run is a bit (1:
    one value, repeated; 0: values one by one), the index of the width (2 bits), the length less
    one, and the value or values. Source: label_studio_sdk.converter.brush, decode_rle.

    Returns:
        An array of height x width with values from 0 to 255.

    Raises:
        ValueError: The stream is broken or describes another size.
    """
    try:
        raw = bytes(data)
    except (TypeError, ValueError):
        raise ValueError("the RLE is not a list of bytes") from None
    total = len(raw) * 8
    position = 0

    def take(count: int) -> int:
        nonlocal position
        position += count
        if position > total:
            raise ValueError("the RLE ends within a run")
        window = raw[(position - count) // 8 : (position + 7) // 8]
        return (int.from_bytes(window, "big") >> (-position % 8)) & ((1 << count) - 1)

    count, value_bits = take(32), take(5) + 1
    if count != width * height * 4 or value_bits != 8:
        raise ValueError(
            f"the RLE describes {count:,} values of {value_bits} bits, not {width} x {height} "
            "pixels of 4 bytes"
        )
    widths = [take(4) + 1 for _ in range(4)]
    out = np.zeros(count, np.uint8)
    filled = 0
    while filled < count:
        is_run = take(1)
        length = take(widths[take(2)]) + 1
        if filled + length > count:
            raise ValueError("the RLE has more values than pixels")
        if is_run:
            out[filled : filled + length] = take(8)
        else:
            block = take(8 * length).to_bytes(length, "big")
            out[filled : filled + length] = np.frombuffer(block, np.uint8)
        filled += length
    return out.reshape(height, width, 4)[:, :, 3]


def _compressed(runs: "Runs") -> str:
    written = []
    for index, run in enumerate(runs):
        value = int(run) - (int(runs[index - 2]) if index > 2 else 0)
        while True:
            group = value & 31
            value >>= _BITS_OF_CHARACTER
            is_done = value == (-1 if group & 16 else 0)
            written.append(group + _FIRST_CHARACTER + (0 if is_done else 32))
            if is_done:
                break
    return bytes(written).decode("ascii")


def _checked_runs(runs: "Sequence[int] | Runs") -> "Runs":
    try:
        array = np.asarray(runs)
        is_whole = array.ndim == 1 and (array.dtype.kind in "iu" or not array.size)
    except (TypeError, ValueError, OverflowError):
        is_whole = False
    if not is_whole:
        raise ValueError("the RLE is not a list of whole numbers")
    array = array.astype(np.int64)
    if array.size and array.min() < 0:
        raise ValueError("the RLE contains a negative run")
    return array


def _check_sum(runs: "Runs", area: int) -> None:
    total = sum(map(int, runs)) if runs.size and runs.max() > area else int(runs.sum())
    if total != area:
        raise ValueError(f"the runs of the RLE add up to {total:,} pixels, not {area:,}")


def _fill(runs: "Runs", area: int) -> "Mask":
    _check_sum(runs, area)
    values = (np.arange(len(runs)) % 2).astype(np.uint8)
    return np.repeat(values, runs)
