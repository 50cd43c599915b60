"""The numbers of a scan as arrays."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]

_FIT = 11_000_000  # pixels up to which a spread fits 63 bits: pixels^2 * 255^2
COLUMNS = (
    "phase",
    "stem",
    "width",
    "height",
    "person",
    "ignore",
    "sum_r",
    "sum_g",
    "sum_b",
    "sq_r",
    "sq_g",
    "sq_b",
)
"""The columns of a scan that statistics read."""


class Measures:
    """The numeric columns of some samples, as arrays of one length."""

    def __init__(self, columns: dict[str, "Ints"]) -> None:
        self.columns = columns

    @classmethod
    def of(cls, table: "pa.Table") -> "Measures":
        """Take the columns from a scan."""
        import numpy as np

        return cls({name: table[name].to_numpy().astype(np.int64) for name in COLUMNS[2:]})

    def take(self, indices: Sequence[int]) -> "Measures":
        """Return those samples alone."""
        import numpy as np

        chosen = np.asarray(indices, np.int64)
        return Measures({name: column[chosen] for name, column in self.columns.items()})

    @classmethod
    def joined(cls, parts: Sequence["Measures"]) -> "Measures":
        """Return the samples of all parts."""
        import numpy as np

        empty = [np.empty(0, np.int64)]
        return cls(
            {
                name: np.concatenate([part.columns[name] for part in parts] or empty)
                for name in COLUMNS[2:]
            }
        )

    def could_be(self) -> bool:
        """Whether there are pictures that measure so."""
        columns = self.columns
        pixels = columns["width"] * columns["height"]
        if (pixels <= 0).any() or (columns["person"] + columns["ignore"] > pixels).any():
            return False
        for channel in "rgb":
            sums, squares = columns[f"sum_{channel}"], columns[f"sq_{channel}"]
            least, most = sums, sums * 255  # of squares: a value is 0, or from 1 to 255
            if (sums > pixels * 255).any() or ((squares < least) | (squares > most)).any():
                return False
            if (spreads(pixels, sums, squares) < 0).any():
                return False
        return True

    def __len__(self) -> int:
        return len(self.columns["width"])


def spreads(pixels: "Ints", sums: "Ints", squares: "Ints") -> "Ints":
    """Return the variance of each picture's values times its pixels squared, exactly."""
    import numpy as np

    # Past 64 bits, in large pictures, Python's integers are taken.
    kind = object if pixels.max(initial=0) > _FIT else np.int64
    n, total, total_squares = (column.astype(kind) for column in (pixels, sums, squares))
    found: Ints = n * total_squares - total * total
    return found
