"""Find how much each crop of an original image overlaps an earlier one, for very many crops.

Crops are sorted by their left edge (or top, if fewer are equal) in groups of similar size. Only
crops that are near enough to overlap are compared, and of equal boxes only the first. So time grows
with the number of different crops side by side, and not with the square of all crops.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sceneset.schemas.tag import Box

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Sides = npt.NDArray[np.float64]

_FEW = 32  # crops that are compared one by one
_MAX_COORDINATE = 10**100  # products of such numbers are finite


class Overlap(NamedTuple):
    """The largest overlap of a crop with an earlier one."""

    share: float
    """Share (0 to 1) of the smaller of the two boxes that is inside the other one."""
    other: int
    """Position of the earlier crop, the first of those with this share; -1 if there is none."""


_NONE = Overlap(0.0, -1)


def worst_overlaps(boxes: Sequence[Box]) -> Iterator[Overlap]:
    """Yield the largest overlap of each crop with an earlier one.

    Args:
        boxes: The crops of one original image, in order.
    """
    if len(boxes) > _FEW:
        yield from _swept(boxes)
        return
    for number, box in enumerate(boxes):
        worst = _NONE
        for other in range(number):
            share = _share(box, boxes[other])
            worst = Overlap(share, other) if share > worst.share else worst
        yield worst


def _share(box: Box, other: Box) -> float:
    """Return the share (0 to 1) of the smaller box that is inside the other box."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return max(width, 0) * max(height, 0) / smaller


def _swept(boxes: Sequence[Box]) -> Iterator[Overlap]:
    """Yield what ``worst_overlaps`` does."""
    first: dict[Box, int] = {}
    for number, box in enumerate(boxes):
        first.setdefault(box, number)
    different = _Boxes(list(first), list(first.values()))
    for number, box in enumerate(boxes):
        yield different.worst(box, number)


class _Group(NamedTuple):
    """Boxes of similar size, sorted by their start; arrays have one value for each box."""

    size: int
    """More than the size of any of them."""
    starts: list[int]
    sides: "tuple[Sides, Sides, Sides, Sides]"
    """Left, top, right and bottom."""
    areas: "Sides"
    numbers: "npt.NDArray[np.int64]"
    """Positions among all crops."""


class _Boxes:
    """Different boxes, sorted for finding those near a box."""

    def __init__(self, boxes: Sequence[Box], numbers: Sequence[int]) -> None:
        import numpy as np

        lefts, tops = ({box[side] for box in boxes} for side in (0, 1))
        self._axis = axis = 0 if len(lefts) >= len(tops) else 1
        by_size: dict[int, list[tuple[int, Box, int]]] = defaultdict(list)
        for box, number in zip(boxes, numbers, strict=True):
            by_size[(box[axis + 2] - box[axis]).bit_length()].append((box[axis], box, number))
        self._groups = []
        for bits, members in by_size.items():
            members.sort(key=lambda member: member[0])
            left, top, right, bottom = np.array([_floats(box) for _, box, _ in members]).T.copy()
            self._groups.append(
                _Group(
                    1 << bits,
                    [start for start, _, _ in members],
                    (left, top, right, bottom),
                    (right - left) * (bottom - top),
                    np.array([number for *_, number in members]),
                )
            )

    def worst(self, box: Box, number: int) -> Overlap:
        """Return the largest overlap of a box with those of a lower number."""
        import numpy as np

        worst, axis = _NONE, self._axis
        left, top, right, bottom = _floats(box)
        area = (right - left) * (bottom - top)
        for size, starts, sides, areas, numbers in self._groups:
            low = bisect_right(starts, box[axis] - size)
            high = bisect_left(starts, box[axis + 2])
            if low >= high:
                continue
            lefts, tops, rights, bottoms = (side[low:high] for side in sides)
            shares = np.minimum(rights, right) - np.maximum(lefts, left)
            np.maximum(shares, 0, out=shares)
            shares *= np.maximum(np.minimum(bottoms, bottom) - np.maximum(tops, top), 0)
            shares /= np.maximum(np.minimum(areas[low:high], area), 1)
            shares *= numbers[low:high] < number
            share = float(shares.max())
            if share > 0 and share >= worst.share:
                other = int(numbers[low:high][shares == share].min())
                if share > worst.share or other < worst.other:
                    worst = Overlap(share, other)
        return worst


def _floats(box: Box) -> list[float]:
    return [float(min(side, _MAX_COORDINATE)) for side in box]
