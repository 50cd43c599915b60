"""Judge a mask by the values that it holds: 0 is background, 1 person, 255 ignored."""

import io
from collections.abc import Collection

import numpy as np
from PIL import Image

_MAX_CLASS = 127  # higher values, such as 128 and 254, are often levels of gray
_SOFT_VALUES = 24  # more values besides 0, 1 and 255 than any table of classes or instances has


def is_void(person: int, ignore: int, other: Collection[int] = ()) -> bool:
    """Return whether a mask holds 255 and, besides it, 0 alone.

    Args:
        person: Number of pixels of value 1.
        ignore: Number of pixels of value 255.
        other: Values other than 0, 1 and 255.
    """
    return ignore > 0 and not person and not other


def is_soft(other: Collection[int]) -> bool:
    """Return whether values besides 0, 1 and 255 are levels of gray, and no classes."""
    return len(other) >= _SOFT_VALUES


def uses_1(person: int, other: Collection[int]) -> bool:
    """Return whether a mask has the class number 1 somewhere; the arguments are as above."""
    return person > 0 and not is_soft(other)


def uses_classes(person: int, other: Collection[int]) -> bool:
    """Return whether a mask has class numbers besides 0 and 255; the arguments are as above."""
    return (
        (person > 0 or bool(other)) and not is_soft(other) and max(other, default=1) <= _MAX_CLASS
    )


def is_void_file(mask: bytes) -> bool:
    """Return whether a mask file is 8-bit gray, and ``is_void``.

    Raises:
        OSError: The data is not a JPEG or PNG, or does not decode.
    """
    try:
        with Image.open(io.BytesIO(mask), formats=["JPEG", "PNG"]) as opened:
            if opened.mode != "L":
                return False
            counts = opened.histogram()
    except Exception as error:  # decoders raise exceptions of many types
        raise OSError("does not decode completely") from error
    other = [value for value in range(2, 255) if counts[value]]
    return is_void(counts[1], counts[255], other)


def values_of_file(mask: bytes) -> tuple[int, frozenset[int]]:
    """Return the values of a mask file that is not 8-bit gray, as ``uses_1`` takes them.

    Indices of a palette and equal channels of a colour image count. A file that does not decode has
    none.

    Returns:
        Whether 1 is used, as a number; and the values other than 0, 1 and 255.
    """
    try:
        with Image.open(io.BytesIO(mask), formats=["JPEG", "PNG"]) as opened:
            values = np.asarray(opened)
    except Exception:  # noqa: BLE001 - decoders raise exceptions of many types
        return 0, frozenset()
    if values.dtype == bool:
        return 0, frozenset()
    if values.ndim == 3:
        colours = values[..., : 1 if values.shape[2] == 2 else 3]
        if (colours != colours[..., :1]).any():
            return 0, frozenset()
        values = colours[..., 0]
    found = frozenset(int(value) for value in np.unique(values))
    return int(1 in found), found - {0, 1, 255}
