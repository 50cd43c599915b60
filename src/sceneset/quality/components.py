"""Connected components of samples that are related, found from very many pairs."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.quality.sample_table import Rows

    Bits = npt.NDArray[np.uint8]


class Components:
    """Sets of items that grow together as pairs of related items come in.

    Each set may have marks: bits that related things outside of the items leave on it.
    """

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count)  # of each item, an item of the same set with a lower number
        self._marks = np.zeros(count, np.uint8)

    def roots(self) -> "Rows":
        """Return for each item the lowest item of its set."""
        return self._parent.copy()

    def marks(self) -> "Bits":
        """Return for each item the marks of its set."""
        found = np.zeros_like(self._marks)
        np.bitwise_or.at(found, self._parent, self._marks)
        return found[self._parent]

    def join(self, left: "Rows", right: "Rows") -> None:
        """Join the sets of the items of each pair."""
        while True:
            one, other = self._parent[left], self._parent[right]
            [differ] = np.nonzero(one != other)
            if not len(differ):
                return
            left, right = left[differ], right[differ]
            one, other = one[differ], other[differ]
            # Of several pairs with one upper root, one wins; the others are seen in the next round.
            np.minimum.at(self._parent, np.maximum(one, other), np.minimum(one, other))
            self._shorten()

    def join_equal(self, numbers: "Rows") -> None:
        """Join the items with equal numbers; items with a negative number stay alone.

        Args:
            numbers: One number for each item.
        """
        [items] = np.nonzero(numbers >= 0)
        _, first, place = np.unique(numbers[items], return_index=True, return_inverse=True)
        self.join(items, items[first[place]])

    def mark(self, items: "Rows", marks: "Bits") -> None:
        """Leave marks on the sets of items, one for each item."""
        np.bitwise_or.at(self._marks, items, marks)

    def _shorten(self) -> None:
        """Let every item have the lowest item of its set as its parent."""
        while True:
            upper = self._parent[self._parent]
            if (upper == self._parent).all():
                return
            self._parent = upper
