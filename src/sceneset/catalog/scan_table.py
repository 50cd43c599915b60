"""Read and write scans as Parquet files: one row per sample, fixed columns, reproducible bytes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sceneset.catalog.scan_bounds import check_row_count, check_safe_names, check_size
from sceneset.errors import fail
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import atomic_write, open_regular

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FORMAT = "4"
"""Version of the columns below."""

_OUTLINES = ("outline", "outline_straight", "outline_turning", "outline_edge")
_ADDED = {"2": ("picture", "mask_traits", "phash_turned", *_OUTLINES), "3": _OUTLINES}
"""Earlier formats that can be read, with the columns that came later; these are read as null."""

_GROUP_ROWS = 1 << 17  # rows of a Parquet row group
_CHUNK_ROWS = 1 << 12  # rows that are converted to columns together

_HEX_COLUMNS = {  # stored as bytes
    "image_md5", "mask_md5", "picture", "phash_turned", "pdq",
}  # fmt: skip
_UINT64_COLUMNS = {"phash", "phash_mirror"}  # hexadecimal in rows, unsigned integers in the file


def arrow_schema() -> "pa.Schema":
    """Return the columns of a scan file, in the order of the fields of `ScanRow`."""
    import pyarrow as pa

    small = pa.dictionary(pa.int8(), pa.string())
    types: dict[str, Any] = {
        "phase": small,
        "stem": pa.string(),
        "image": pa.string(),
        "mask": pa.string(),
        "image_md5": pa.binary(16),
        "mask_md5": pa.binary(16),
        "picture": pa.binary(16),
        "image_bytes": pa.int64(),
        "mask_bytes": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "mode": small,
        "traits": pa.list_(pa.string()),
        "mask_traits": pa.list_(pa.string()),
        "orientation": pa.int8(),
        **{f"{what}_{c}": pa.int64() for what in ("sum", "sq") for c in "rgb"},
        "phash": pa.uint64(),
        "phash_mirror": pa.uint64(),
        "phash_turned": pa.binary(48),
        "person": pa.int64(),
        "ignore": pa.int64(),
        "pdq": pa.binary(32),
        "box": pa.list_(pa.int32()),
        "parts": pa.list_(pa.int32()),
        "parts_total": pa.int32(),
        "holes": pa.list_(pa.int32()),
        "holes_total": pa.int32(),
        "straight": pa.int16(),
        "contrast": pa.int16(),
        "outline": pa.int32(),
        "outline_straight": pa.int16(),
        "outline_turning": pa.int32(),
        "outline_edge": pa.int16(),
    }
    return pa.schema([(name, types[name]) for name in ScanRow.model_fields])


def table_from_rows(rows: Iterable[ScanRow], algorithm: int) -> "pa.Table":
    """Return rows as an Arrow table, sorted by phase and stem.

    Args:
        rows: Rows of one subset, in any order.
        algorithm: The number in params.yaml of the algorithm that computed the rows.
    """
    return _arrow_table(sorted(rows, key=lambda row: row.key), algorithm)


def _arrow_table(rows: Iterable[ScanRow], algorithm: int) -> "pa.Table":
    import pyarrow as pa

    columns: dict[str, list[Any]] = {name: [] for name in ScanRow.model_fields}
    for row in rows:
        for name, values in columns.items():
            value = getattr(row, name)
            if name in _HEX_COLUMNS:
                value = None if value is None else bytes.fromhex(value)
            elif name in _UINT64_COLUMNS:
                value = int(value, 16)
            values.append(value)
    schema = arrow_schema().with_metadata(
        {"sceneset.format": FORMAT, "sceneset.algorithm": str(algorithm)}
    )
    return pa.table(columns, schema=schema)


def write_scan(path: Path, rows: Iterable[ScanRow], algorithm: int) -> None:
    """Write a subset's scan atomically, sorted by phase and stem; see `table_from_rows`."""
    with atomic_write(path) as temporary, scan_writer(temporary, algorithm) as write:
        for row in sorted(rows, key=lambda row: row.key):
            write(row)


@contextmanager
def scan_writer(path: Path, algorithm: int) -> Iterator[Callable[[ScanRow], None]]:
    """Yield a function that appends one row to a new scan at ``path``.

    Rows must come sorted by phase and stem. Memory holds the columns of one row group, whatever
    the number of rows.

    Raises:
        ValueError: A row comes out of order.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    pending: list[ScanRow] = []
    tables = [_arrow_table((), algorithm)]

    with pq.ParquetWriter(
        path,
        tables[0].schema,
        compression="zstd",
        use_dictionary=["phase", "mode"],
        write_statistics=["phase", "stem"],
    ) as file:

        def flush() -> None:
            group = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
            file.write_table(group, row_group_size=_GROUP_ROWS)
            del tables[1:]

        def write(row: ScanRow) -> None:
            if pending and row.key <= pending[-1].key:
                raise ValueError(f"{row.key} comes after {pending[-1].key}")
            pending.append(row)
            if len(pending) == _CHUNK_ROWS:  # rows take ten times the memory of columns
                tables.append(_arrow_table(pending, algorithm))
                pending.clear()
                if len(tables) * _CHUNK_ROWS > _GROUP_ROWS:
                    flush()

        yield write
        tables.append(_arrow_table(pending, algorithm))
        flush()


def read_scan(
    path: Path, shown: str, *, columns: Sequence[str] | None = None, subset: str = ""
) -> "pa.Table":
    """Return a subset's scan as an Arrow table.

    Args:
        path: The scan file.
        shown: The path in messages.
        columns: The columns to read; without it, all columns.
        subset: The subset's name in messages.

    Raises:
        FindingsError: The file is missing, unreadable, or has another format.
    """
    import pyarrow as pa

    command = f"dvc repro scan@{subset or path.stem}"
    try:
        with open(path, "rb", opener=open_regular) as file:
            return table_from_file(file, columns)
    except FileNotFoundError:
        fail(
            "scan-missing",
            "the subset is listed in params.yaml but has no scan",
            subset=subset,
            file=shown,
            hint=f"run `{command}` where the images are (`dvc pull` fetches them)",
        )
    except (pa.ArrowException, OSError) as error:
        fail(
            "scan-broken",
            f"can't be read: {' '.join(str(error).splitlines()[:1])}",
            subset=subset,
            file=shown,
            hint=f"restore the file with git, or run `{command}`",
        )


def count_samples(path: Path) -> int | None:
    """Return the number of samples in a scan, from its footer; None if it can't be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open(path, "rb", opener=open_regular) as file:
            return int(pq.read_metadata(file).num_rows)
    except (pa.ArrowException, OSError):
        return None


def table_from_file(file: BinaryIO, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return a scan from an open file; see `read_scan`.

    Columns that an earlier format does not have are null.

    Raises:
        pyarrow.ArrowException: The file is not a scan, or has another format.
    """
    table = open_scan(file).read(columns=list(columns) if columns else None, use_threads=False)
    check_safe_names(table)
    return _with_added_columns(table, columns)


def _with_added_columns(table: "pa.Table", columns: Sequence[str] | None) -> "pa.Table":
    """Return a table with all requested columns, null where its format does not have them."""
    import pyarrow as pa

    missing = set(columns or ScanRow.model_fields).difference(table.column_names)
    for column in arrow_schema() if missing else ():
        if column.name in missing:
            table = table.append_column(column, pa.nulls(len(table), column.type))
    return table.select([name for name in ScanRow.model_fields if name in table.column_names])


def open_scan(file: BinaryIO) -> "pq.ParquetFile":
    """Return an open scan, to read parts of it; pass each part to `check_safe_names`.

    Read with ``use_threads=False``: if a thread of Arrow releases a Python file object while the
    interpreter shuts down, the process aborts (apache/arrow issue 34314).

    Raises:
        pyarrow.ArrowException: The file is not a scan, or has another format.
    """
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file)
    _check_columns(parquet.schema_arrow)
    check_row_count(file, parquet.metadata.num_rows)
    check_size(parquet.metadata)
    return parquet


def _check_columns(found: "pa.Schema") -> None:
    import pyarrow as pa

    version = (found.metadata or {}).get(b"sceneset.format", b"").decode("ascii", "replace")
    if version != FORMAT and version not in _ADDED:
        raise pa.ArrowInvalid(f"the format is not {FORMAT} or {' or '.join(_ADDED)}")
    expected = arrow_schema()
    for name in _ADDED.get(version, ()):
        expected = expected.remove(expected.get_field_index(name))
    if found.remove_metadata() != expected:
        raise pa.ArrowInvalid(f"the columns are not those of format {version}")


def rows_from_table(table: "pa.Table") -> list[ScanRow]:
    """Return the rows of a table that has all columns of its format, validated."""
    rows = table.to_pylist()
    for row in rows:
        for name in _HEX_COLUMNS & row.keys():
            row[name] = None if row[name] is None else row[name].hex()
        for name in _UINT64_COLUMNS:
            row[name] = f"{row[name]:016x}"
    return [ScanRow.model_validate(row) for row in rows]
