"""The columns of a scan that rules on samples read, as arrays."""

import unicodedata
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sceneset.schemas.params import Params

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Mask = npt.NDArray[np.bool_]

SAMPLE_COLUMNS = (
    *("phase", "stem", "image", "mask", "width", "height", "mode", "traits", "orientation"),
    "mask_traits",
    *("person", "ignore", "box", "parts", "parts_total", "holes", "holes_total"),
    *("straight", "contrast"),
)
"""The columns of a scan to read for rules on samples."""


class SampleColumns:
    """A scan's columns as arrays, and tests of whole columns.

    ``columns["width"]`` is a column as stored. A test returns one boolean for each row.
    """

    def __init__(self, table: "pa.Table", params: Params) -> None:
        self.table, self.params = table, params

    def __getitem__(self, name: str) -> Any:
        return self.table[name].to_numpy()

    def rows_of(self, mask: "Mask") -> list[dict[str, Any]]:
        """Return the rows for which a test is true, by column."""
        import numpy as np

        rows = np.flatnonzero(mask)
        found: list[dict[str, Any]] = self.table.take(rows).to_pylist() if len(rows) else []
        return found

    @cached_property
    def pixels(self) -> Any:
        """Number of pixels of each image."""
        return self["width"].astype("int64") * self["height"]

    def has_trait(self, *prefixes: str, column: str = "traits") -> "Mask":
        """Return for each row whether it has a trait that starts with one of ``prefixes``.

        Args:
            prefixes: The prefixes.
            column: The column of the traits: of the image, or of the mask.
        """
        import numpy as np
        import pyarrow.compute as pc

        lists = self.table[column].combine_chunks()
        rows, traits = pc.list_parent_indices(lists).to_numpy(), pc.list_flatten(lists)
        result = np.zeros(len(self.table), bool)
        for prefix in prefixes:
            result[rows[pc.starts_with(traits, prefix).to_numpy(zero_copy_only=False)]] = True
        return result

    def small_areas(self, name: str, min_share: float) -> Any:
        """Count for each row the "parts" or "holes" smaller than a share of the image.

        A scan lists the largest areas only. If one of these is small, so are all that it omits.
        """
        import numpy as np
        import pyarrow.compute as pc

        column = self.table[name].combine_chunks()
        rows = pc.list_parent_indices(column).to_numpy()
        areas = pc.list_flatten(column).to_numpy()
        small_rows = rows[areas < min_share * self.pixels[rows]]
        small = np.bincount(small_rows, minlength=len(self.table))
        listed = np.bincount(rows, minlength=len(self.table))
        return np.where(small > 0, small + self[f"{name}_total"] - listed, 0)

    def stem_matches(self, pattern: str) -> "Mask":
        """Return for each row whether its stem contains a match of a regular expression."""
        import pyarrow.compute as pc

        matches: Mask = pc.match_substring_regex(self.table["stem"], pattern).to_numpy()
        return matches

    def is_not_nfc(self) -> "Mask":
        """Return for each row whether its stem is not in Unicode normal form NFC."""
        import numpy as np
        import pyarrow.compute as pc

        result = np.zeros(len(self.table), bool)
        non_ascii = np.flatnonzero(~pc.string_is_ascii(self.table["stem"]).to_numpy())
        stems = self.table["stem"].take(non_ascii).to_pylist()
        result[non_ascii] = [not unicodedata.is_normalized("NFC", stem) for stem in stems]
        return result

    def is_cut(self) -> "Mask":
        """Return for each row whether the person touches the top or a side of the image."""
        import numpy as np
        import pyarrow.compute as pc

        column = self.table["box"].combine_chunks()
        result = np.zeros(len(self.table), bool)
        rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        left, top, right, _ = pc.list_flatten(column).to_numpy().reshape(-1, 4).T
        result[rows] = (left == 0) | (top == 0) | (right == self["width"][rows])
        return result
