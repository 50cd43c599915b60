"""The columns of a Parquet file with vectors: which ones they are, and their rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.int64]

_MOST_NUMBERS = 1 << 16  # of a vector
_NAMES = ("stem", "name")  # columns with the stem; the first one that the file has is used


class Columns(NamedTuple):
    """Which columns name a sample, and which one has the vectors."""

    keys: tuple[str, ...]
    """Columns that name a sample: subset and phase, as far as the file has them, and the stem."""
    vector: str
    kind: Any
    """The type that vectors are kept in."""


def columns_of(schema: "pa.Schema", path: Path) -> Columns:
    """Return the columns that a file has.

    Raises:
        UsageError: It has no column of stems, or not one column of vectors.
    """
    import pyarrow as pa

    stem = next((name for name in _NAMES if name in schema.names), None)
    if stem is None:
        raise UsageError(f"{path} has no column stem or name; its columns: {_listed(schema.names)}")
    lists = [
        field
        for field in schema
        if (
            pa.types.is_list(field.type)
            or pa.types.is_large_list(field.type)
            or pa.types.is_fixed_size_list(field.type)
        )
        and pa.types.is_floating(field.type.value_type)
    ]
    if len(lists) != 1:
        raise UsageError(
            f"{path} has {len(lists)} columns with lists of fractions; it must have one, the "
            f"vectors; its columns: {_listed(schema.names)}"
        )
    keys = (*(name for name in ("subset", "phase") if name in schema.names), stem)
    is_half = pa.types.is_float16(lists[0].type.value_type)
    return Columns(keys, lists[0].name, np.float16 if is_half else np.float32)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")


def length_of(vectors: Any) -> int:
    """Return the most frequent number of numbers of the first vectors."""
    import pyarrow.compute as pc

    lengths = Counter(pc.list_value_length(vectors).to_pylist())
    del lengths[None]
    [(length, _)] = lengths.most_common(1) or [(0, 0)]
    return length if 0 < length <= _MOST_NUMBERS else 0


def row_names(
    batch: "pa.RecordBatch", columns: Columns, numbers: "Numbers"
) -> Iterator[tuple[Any, ...]]:
    """Yield the names of some rows."""
    taken = (batch[name].take(numbers).to_pylist() for name in columns.keys)
    return zip(*taken, strict=True)


def row_name(batch: "pa.RecordBatch", columns: Columns, row: int) -> str:
    """Return the name of a row for messages."""
    return "/".join(str(batch[name][row].as_py()) for name in columns.keys)
