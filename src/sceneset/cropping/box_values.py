"""Check the numbers of boxes, which may come from anybody."""

import math
from collections.abc import Sequence

from sceneset.formats.classes import number
from sceneset.schemas.crop import Sides


def sides_of(values: object) -> Sides:
    """Return left, top, right and bottom of a box given as x, y, width and height.

    Raises:
        ValueError: It is no box; the message says why.
    """
    if not isinstance(values, list | tuple) or len(values) != 4:
        raise ValueError("is not a list of four numbers: x, y, width, height")
    x, y, width, height = map(number, values)
    if not all(map(math.isfinite, (x, y, width, height))):
        raise ValueError(f"has a value that is no finite number: {_shown(values)}")
    if width <= 0 or height <= 0:
        raise ValueError(f"has a width or height that is not above 0: {_shown(values)}")
    return checked((x, y, x + width, y + height))


def checked(sides: Sides) -> Sides:
    """Return the sides of a box if they are in order.

    Raises:
        ValueError: They are not; the message says why.
    """
    if not all(map(math.isfinite, sides)):
        raise ValueError(f"has a value that is no finite number: {_shown(sides)}")
    left, top, right, bottom = sides
    if left >= right or top >= bottom:
        raise ValueError(f"has a width or height that is not above 0: {_shown(sides)}")
    return sides


def floats(words: Sequence[str]) -> list[float]:
    """Return words as numbers.

    Raises:
        ValueError: One is no number.
    """
    try:
        return [float(word) for word in words]
    except ValueError:
        raise ValueError(f"has something else than numbers: {_shown(words)}") from None


def _shown(values: Sequence[object]) -> str:
    return " ".join(str(value)[:20] for value in values[:8])
