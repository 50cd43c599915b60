"""Merge the scans of two branches by the content of samples, without reading an image.

A row of a scan is a function of the sample's files, so rows are compared by names and hashes. Only
samples that both sides changed are compared field by field.
"""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.scan_table import (
    arrow_schema,
    rows_from_table,
    scan_writer,
    table_from_file,
)
from sceneset.edits.merge_texts import Key, rekeyed
from sceneset.edits.merge_values import MISSING, ValueMerge
from sceneset.errors import fail
from sceneset.storage.git_index import Sides
from sceneset.storage.leftovers import temporary_folder

if TYPE_CHECKING:
    import pyarrow as pa

_IDENTITY = ("phase", "stem", "image", "mask", "image_md5", "mask_md5")
_PIXELS = {"picture", "mask_md5"}
"""Columns that differ if what a mask covers differs: measurements depend on both."""
_BATCH = 4096  # rows that are validated together


class _Row(NamedTuple):
    """A row of a scan by the names and hashes of its files, and its place."""

    files: tuple[Any, ...]
    table: int
    place: int


def merge_scans(
    sides: Sides, shown: str, merge: ValueMerge, renamed: Mapping[Key, Key], withdrawn: set[Key]
) -> tuple["pa.Table", int]:
    """Return the merged scan of a subset, and the number of the algorithm that computed it.

    Args:
        sides: The Parquet files.
        shown: The path in messages.
        merge: Collects conflicts.
        renamed: New names of samples that a side renamed or moved; see ``rekeyed``.
        withdrawn: Samples that a side withdrew; what the other side changed of them is dropped.

    Raises:
        FindingsError: A side can't be read, or the sides were scanned by different algorithms.
    """
    import pyarrow as pa

    tables = [
        read_table(data, f"{shown} ({side})")
        for data, side in zip(sides, sides._fields, strict=True)
    ]
    algorithm = _algorithm_of(tables[1:], shown)
    base, ours, theirs = rekeyed([_rows(table, n) for n, table in enumerate(tables)], renamed)
    taken: list[_Row] = []
    mixed: list[dict[str, Any]] = []
    for key in sorted(ours.keys() | theirs.keys()):
        rows = [side.get(key) for side in (base, ours, theirs)]
        before, one, other = (row and row.files for row in rows)
        if None in (one, other) and key in withdrawn:
            continue
        if other in (one, before):
            row = rows[1]
        elif one == before:
            row = rows[2]
        else:
            values = _mixed(key, [_values(tables, row) for row in rows], merge)
            row = _Row((), len(tables), len(mixed)) if values else None
            mixed += [values] if values else []
        if row:
            taken.append(row)
    tables.append(pa.Table.from_pylist(mixed, schema=tables[1].schema))
    return _united(tables, taken), algorithm


def encode_table(table: "pa.Table", algorithm: int) -> bytes:
    """Return the content of a scan file with the rows of a table, sorted by phase and stem."""
    with temporary_folder() as folder:
        path = folder / "scan.parquet"
        with scan_writer(path, algorithm) as write:
            for start in range(0, len(table), _BATCH):
                for row in rows_from_table(table.slice(start, _BATCH)):
                    write(row)
        return path.read_bytes()


def read_table(data: bytes | None, shown: str) -> "pa.Table":
    """Return the content of a scan file as a table; an empty one without a file.

    Raises:
        FindingsError: It is not a scan.
    """
    import pyarrow as pa

    if data is None:
        return arrow_schema().empty_table()
    try:
        return table_from_file(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        fail(
            "scan-broken",
            f"can't be read: {' '.join(str(error).splitlines()[:1])}",
            file=shown,
            hint="abort the merge, scan the subset on that branch with `dvc repro`, commit, and "
            "merge again",
        )


def _algorithm_of(tables: Sequence["pa.Table"], shown: str) -> int:
    """Return the number of the algorithm that both sides were scanned with."""
    numbers = {
        int(metadata[b"sceneset.algorithm"])
        for table in tables
        if (metadata := table.schema.metadata or {})
    }
    if len(numbers) > 1:
        listed = " and ".join(map(str, sorted(numbers)))
        fail(
            "merge-conflict",
            f"the sides were scanned with algorithms {listed}",
            file=shown,
            hint="abort the merge, run `dvc repro` with the newer sceneset on the older branch, "
            "commit, and merge again",
        )
    return numbers.pop() if numbers else 0


def _rows(table: "pa.Table", number: int) -> dict[Key, _Row]:
    columns = [table[name].to_pylist() for name in _IDENTITY]
    return {
        (files[0], files[1]): _Row(files, number, place)
        for place, files in enumerate(zip(*columns, strict=True))
    }


def _values(tables: Sequence["pa.Table"], row: _Row | None) -> Any:
    return tables[row.table].slice(row.place, 1).to_pylist()[0] if row else MISSING


def _mixed(key: Key, sides: Sequence[Any], merge: ValueMerge) -> dict[str, Any] | None:
    """Return a row with what each side changed; None if the sample is gone."""
    place = "/".join(key)
    if MISSING in sides:
        merged = merge.value((place,), *sides)
        return None if merged is MISSING else merged
    base, ours, theirs = sides
    changed = [{name for name in _PIXELS if side[name] != base[name]} for side in (ours, theirs)]
    if all(changed) or base["picture"] is None:
        # What is measured depends on the pixels of both files: no side has the result.
        hashes = [
            f"image {side['image_md5'].hex()[:8]}, mask {side['mask_md5'].hex()[:8]}"
            for side in (ours, theirs)
        ]
        chosen = merge.value((place,), None, *hashes)
        return dict(ours if chosen == hashes[0] else theirs)
    values = merge.mapping((place,), base, ours, theirs)
    return values | {"phase": key[0], "stem": key[1]}


def _united(tables: Sequence["pa.Table"], taken: Sequence[_Row]) -> "pa.Table":
    """Return the rows at some places of some tables, in this order."""
    import pyarrow as pa

    starts = [0]
    for table in tables:
        starts.append(starts[-1] + len(table))
    schema = tables[1].schema.remove_metadata()
    united = pa.concat_tables([table.cast(schema) for table in tables])
    places = [starts[row.table] + row.place for row in taken]
    return united.unify_dictionaries().combine_chunks().take(pa.array(places, pa.int64()))
