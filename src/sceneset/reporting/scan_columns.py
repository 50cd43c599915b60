"""The numeric columns of a scan as arrays, which statistics are computed from."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]

_MAX_INT64_PIXELS = 11_000_000  # below, pixels^2 * 255^2 fits into a signed 64-bit integer
_NUMERIC = (
    *("width", "height"),
    *("person", "ignore"),  # numbers of mask pixels with the values 1 and 255
    *("sum_r", "sum_g", "sum_b"),  # sums of the pixel values of a channel
    *("sq_r", "sq_g", "sq_b"),  # sums of their squares
)
STATISTICS_COLUMNS = ("phase", "stem", *_NUMERIC)
"""The columns of a scan that statistics read."""


class Measures:
    """The numeric columns of some samples: arrays of equal length, one entry per sample."""

    def __init__(self, columns: dict[str, "Ints"]) -> None:
        self.columns = columns

    @classmethod
    def from_scan(cls, table: "pa.Table") -> "Measures":
        """Return the columns of a scan."""
        import numpy as np

        return cls({name: table[name].to_numpy().astype(np.int64) for name in _NUMERIC})

    def take(self, indices: Sequence[int]) -> "Measures":
        """Return the samples at these indices."""
        import numpy as np

        rows = np.asarray(indices, np.int64)
        return Measures({name: column[rows] for name, column in self.columns.items()})

    @classmethod
    def concatenate(cls, parts: Sequence["Measures"]) -> "Measures":
        """Return the samples of all parts."""
        import numpy as np

        empty = [np.empty(0, np.int64)]
        return cls(
            {
                name: np.concatenate([part.columns[name] for part in parts] or empty)
                for name in _NUMERIC
            }
        )

    def is_possible(self) -> bool:
        """Return whether 8-bit images with these sizes, sums and sums of squares can exist."""
        columns = self.columns
        pixels = columns["width"] * columns["height"]
        if (pixels <= 0).any() or (columns["person"] + columns["ignore"] > pixels).any():
            return False
        for channel in "rgb":
            sums, squares = columns[f"sum_{channel}"], columns[f"sq_{channel}"]
            if (sums > pixels * 255).any():
                return False
            # For every integer value from 0 to 255: value <= value^2 <= 255 * value.
            if ((squares < sums) | (squares > sums * 255)).any():
                return False
            if (scaled_variances(pixels, sums, squares) < 0).any():
                return False
        return True

    def __len__(self) -> int:
        return len(self.columns["width"])


def scaled_variances(pixels: "Ints", sums: "Ints", squares: "Ints") -> "Ints":
    """Return the exact variance of each image's values, multiplied by its squared pixel count.

    The formula is n * (sum of squares) - (sum)^2 for an image of n pixels.

    Args:
        pixels: Number of pixels of each image.
        sums: Sum of the values of one channel.
        squares: Sum of the squared values of that channel.

    Returns:
        Integers of 64 bits, or Python integers if an image is too large for those.
    """
    import numpy as np

    kind = object if pixels.max(initial=0) > _MAX_INT64_PIXELS else np.int64
    n, total, total_squares = (column.astype(kind) for column in (pixels, sums, squares))
    variances: Ints = n * total_squares - total * total
    return variances
