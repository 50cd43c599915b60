"""Scans as Parquet: one row a sample, fixed columns, the same bytes for the same rows."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sceneset.errors import fail
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.storage.files import replacing

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FORMAT = "2"
"""Version of the columns below; readers refuse another one."""

_GROUP, _CHUNK = 1 << 17, 1 << 12  # rows written, and turned into columns, at a time

_HEX = {"image_md5", "mask_md5", "pdq"}  # stored as bytes
_HASHES = {"phash", "phash_mirror"}  # stored as unsigned integers of 64 bits


def arrow_schema() -> "pa.Schema":
    """Return the columns of a scan file, in their order."""
    import pyarrow as pa

    small = pa.dictionary(pa.int8(), pa.string())
    types: dict[str, Any] = {
        "phase": small,
        "stem": pa.string(),
        "image": pa.string(),
        "mask": pa.string(),
        "image_md5": pa.binary(16),
        "mask_md5": pa.binary(16),
        "image_bytes": pa.int64(),
        "mask_bytes": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "mode": small,
        "traits": pa.list_(pa.string()),
        "orientation": pa.int8(),
        **{f"{what}_{c}": pa.int64() for what in ("sum", "sq") for c in "rgb"},
        "phash": pa.uint64(),
        "phash_mirror": pa.uint64(),
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
    }
    return pa.schema([(name, types[name]) for name in ScanRow.model_fields])


def table_of(rows: Iterable[ScanRow], algorithm: int) -> "pa.Table":
    """Return rows as a scan's table, sorted by phase and stem."""
    return _table(sorted(rows, key=lambda row: row.key), algorithm)


def _table(rows: Iterable[ScanRow], algorithm: int) -> "pa.Table":
    import pyarrow as pa

    columns: dict[str, list[Any]] = {name: [] for name in ScanRow.model_fields}
    for row in rows:
        for name, values in columns.items():
            value = getattr(row, name)
            if name in _HEX:
                value = bytes.fromhex(value)
            elif name in _HASHES:
                value = int(value, 16)
            values.append(value)
    schema = arrow_schema().with_metadata(
        {"sceneset.format": FORMAT, "sceneset.algorithm": str(algorithm)}
    )
    return pa.table(columns, schema=schema)


def write_scan(path: Path, rows: Iterable[ScanRow], algorithm: int) -> None:
    """Write a subset's scan whole or not at all, sorted by phase and stem."""
    with replacing(path) as aside, scan_writer(aside, algorithm) as write:
        for row in sorted(rows, key=lambda row: row.key):
            write(row)


@contextmanager
def scan_writer(path: Path, algorithm: int) -> Iterator[Callable[[ScanRow], None]]:
    """Lend a function that takes rows, sorted by phase and stem, and writes them to ``path``.

    Memory holds one row group of columns, whatever the number of rows.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[ScanRow] = []
    tables = [_table((), algorithm)]

    with pq.ParquetWriter(
        path,
        tables[0].schema,
        compression="zstd",
        use_dictionary=["phase", "mode"],
        write_statistics=["phase", "stem"],
    ) as file:

        def flush() -> None:
            group = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
            file.write_table(group, row_group_size=_GROUP)
            del tables[1:]

        def write(row: ScanRow) -> None:
            if waiting and row.key <= waiting[-1].key:
                raise ValueError(f"{row.key} comes after {waiting[-1].key}")
            waiting.append(row)
            if len(waiting) == _CHUNK:  # rows take ten times what their columns take
                tables.append(_table(waiting, algorithm))
                waiting.clear()
                if len(tables) * _CHUNK > _GROUP:
                    flush()

        yield write
        tables.append(_table(waiting, algorithm))
        flush()


def read_scan(
    path: Path, shown: str, *, columns: Sequence[str] | None = None, subset: str = ""
) -> "pa.Table":
    """Return a subset's scan as an Arrow table; ``columns`` reads those alone.

    Raises:
        ProblemsFoundError: it is missing, unreadable, or of another format.
    """
    import pyarrow as pa

    again = f"dvc repro scan@{subset or path.stem}"
    try:
        with open(path, "rb", opener=without_waiting) as file:
            return scan_table(file, columns)
    except FileNotFoundError:
        fail(
            "scan-missing",
            "the subset is listed but has no scan",
            subset=subset,
            file=shown,
            hint=f"run `{again}` where its images are (`dvc pull` gets them)",
        )
    except (pa.ArrowException, OSError) as error:
        fail(
            "scan-broken",
            f"can't be read: {' '.join(str(error).splitlines()[:1])}",
            subset=subset,
            file=shown,
            hint=f"restore it with git, or run `{again}`",
        )


def scan_table(file: BinaryIO, columns: Sequence[str] | None = None) -> "pa.Table":
    """Return a scan from an open file.

    Raises:
        pyarrow.ArrowException: it is none, or of another format.
    """
    table = open_scan(file).read(columns=list(columns) if columns else None, use_threads=False)
    check_names(table)
    return table


def open_scan(file: BinaryIO) -> "pq.ParquetFile":
    """Return a scan to read parts of; their names are to be checked.

    It is to be read with ``use_threads=False``: a thread of Arrow that lets go of a file of
    Python's while Python ends aborts the process (apache/arrow issue 34314).

    Raises:
        pyarrow.ArrowException: it is none, or of another format.
    """
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file)
    _check_columns(parquet.schema_arrow)
    return parquet


def without_waiting(path: str, flags: int) -> int:
    """Open a pipe that stands where a file should, without waiting for its other end."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_columns(found: "pa.Schema") -> None:
    import pyarrow as pa

    if (found.metadata or {}).get(b"sceneset.format") != FORMAT.encode():
        raise pa.ArrowInvalid(f"its format is not {FORMAT}")
    if found.remove_metadata() != arrow_schema():
        raise pa.ArrowInvalid("its columns are other ones")


def check_names(table: "pa.Table") -> None:
    """Refuse names that leave their folder: files are read, written and deleted by them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in {"stem", "image", "mask"}.intersection(table.column_names):
        unsafe = pc.match_substring_regex(table[name], r"^$|^\.|[/\\\x00-\x1f]")
        if pc.any(unsafe).as_py() or table[name].null_count:
            raise pa.ArrowInvalid(f"its column {name} names what is no file of its folder")
    if "phase" in table.column_names:
        said = set(table["phase"].unique().to_pylist())
        if not said <= set(Phase):
            raise pa.ArrowInvalid(f"its phases are {', '.join(sorted(map(str, said)))}")


def scan_rows(table: "pa.Table") -> list[ScanRow]:
    """Return a whole scan as checked rows."""
    rows = table.to_pylist()
    for row in rows:
        for name in _HEX:
            row[name] = row[name].hex()
        for name in _HASHES:
            row[name] = f"{row[name]:016x}"
    return [ScanRow.model_validate(row) for row in rows]
