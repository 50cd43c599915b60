"""Parquet files with vectors."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_vectors(
    path: Path,
    names: Mapping[str, Sequence[str]],
    vectors: Sequence[Any],
    *,
    kind: Any = None,
    row_group_size: int = 1 << 20,
) -> Path:
    """Write rows with names and vectors.

    Args:
        path: The file.
        names: Columns that name samples.
        vectors: A sequence of numbers, or None, for each row.
        kind: The type of the column; by default lists of float32.
        row_group_size: Rows of a row group.
    """
    column = pa.array(
        [None if v is None else list(v) for v in vectors], kind or pa.list_(pa.float32())
    )
    table = pa.table({**{name: list(values) for name, values in names.items()}, "clip": column})
    pq.write_table(table, path, row_group_size=row_group_size)
    return path
