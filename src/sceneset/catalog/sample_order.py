"""The orders in which samples are shown, and the places in them at which pages begin."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

SORTS = ("name", "person-share", "size")
"""Orders of samples, as in `sceneset view`: by subset, phase and stem, or by a number. Samples
without this number come last."""


class SampleOrder:
    """All samples in several orders; places are those in the order of names."""

    def __init__(self, count: int, ranges: "Mapping[str, Floats]") -> None:
        """Sort samples when it is first needed.

        Args:
            count: Number of samples.
            ranges: Their width, height and person_share.
        """
        self._count, self._ranges = count, ranges
        self._orders: dict[tuple[str, bool], tuple[Numbers, Floats]] = {}
        """Places of all samples in an order, and what they are sorted by."""

    def order(self, sort: str, *, reverse: bool) -> "Numbers | range":
        """Return the places of all samples in an order; a range for the order of names."""
        if sort == "name":
            count = self._count
            return range(count - 1, -1, -1) if reverse else range(count)
        return self._sorted(sort, reverse=reverse)[0]

    def _sorted(self, sort: str, *, reverse: bool) -> "tuple[Numbers, Floats]":
        import numpy as np

        if (sort, reverse) not in self._orders:
            values = self._ranges["person_share"]
            if sort == "size":
                values = self._ranges["width"] * self._ranges["height"]
            values = np.nan_to_num(-values if reverse else values, nan=np.inf)
            order = np.argsort(values, kind="stable")
            self._orders[sort, reverse] = order, values[order]
        return self._orders[sort, reverse]

    def prepare(self) -> None:
        """Sort all samples now, so that no query has to wait for it."""
        for sort in ("person-share", "size"):
            for reverse in (False, True):
                self._sorted(sort, reverse=reverse)

    def value(self, sort: str, place: int, *, reverse: bool) -> float:
        """Return what one sample is sorted by; 0 in the order of names."""
        if sort == "name":
            return 0.0
        value = float(self._ranges["person_share"][place])
        if sort == "size":
            value = float(self._ranges["width"][place] * self._ranges["height"][place])
        if math.isnan(value):
            return math.inf
        return -value if reverse else value

    def first(
        self, selected: "Mask", order: "Numbers | range", start: int, limit: int
    ) -> "Numbers":
        """Return the places of the first selected samples in an order, from a place in it."""
        import numpy as np

        if isinstance(order, range):
            ordered = selected if order.step > 0 else selected[::-1]
            found = np.flatnonzero(ordered[start:])[:limit] + start
            return found if order.step > 0 else len(selected) - 1 - found
        return order[start:][selected[order[start:]]][:limit]

    def start(self, sort: str, value: float, place: tuple[int, bool], *, reverse: bool) -> int:
        """Return where in an order the samples after one begin.

        Args:
            sort: The order.
            value: What the sample is sorted by.
            place: Its place and True, or the place where it would be and False.
            reverse: Whether the order is the opposite one.
        """
        import numpy as np

        number, is_there = place
        if sort == "name":
            return self._count - number if reverse else number + is_there
        order, values = self._sorted(sort, reverse=reverse)
        low = int(np.searchsorted(values, np.float32(value), "left"))
        high = int(np.searchsorted(values, np.float32(value), "right"))
        return low + int(np.searchsorted(order[low:high], number + is_there, "left"))
