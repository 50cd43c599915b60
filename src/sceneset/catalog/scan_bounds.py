"""Refuse scan files that would fill the memory, or whose names lead out of their folders."""

import io
from typing import TYPE_CHECKING, BinaryIO

from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_LONG_SCAN = 100_000  # rows; a longer scan is compared with the size of its file
_SMALLEST_ROW = 8  # bytes; the hashes and sums of different images take more than 60
_LARGEST_ROW = 4 << 10  # bytes; a row has three file names, at most 64 areas, and small numbers
_SLACK = 1 << 20  # bytes of a row group that do not depend on the number of rows
_MAX_NAME = 1020  # bytes; a file name has at most 255 characters of 4 bytes


def check_size(metadata: "pq.FileMetaData") -> None:
    """Refuse columns that take more memory than different rows can need.

    A compressed file of a few kilobytes can hold a string of a gigabyte.
    """
    import pyarrow as pa

    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        # Not the sizes of columns: if those of a damaged file are read, Arrow aborts the process.
        size, limit = group.total_byte_size, _SLACK + group.num_rows * _LARGEST_ROW
        if size > limit:
            raise pa.ArrowInvalid(f"{group.num_rows:,} rows can't take {size:,} bytes")


def check_row_count(file: BinaryIO, rows: int) -> None:
    """Refuse a file that has more rows than different images can have in its size.

    A few megabytes can hold millions of equal rows, which would fill the memory.
    """
    import pyarrow as pa

    size = file.seek(0, io.SEEK_END)
    if rows > _LONG_SCAN + size // _SMALLEST_ROW:
        raise pa.ArrowInvalid(f"a file of {size:,} bytes can't have {rows:,} different rows")


def check_safe_names(table: "pa.Table") -> None:
    """Check that no name leads out of its folder: files are read, written and deleted by name.

    Raises:
        pyarrow.ArrowInvalid: A name or a phase is not valid.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in {"stem", "image", "mask"}.intersection(table.column_names):
        longest = pc.max(pc.binary_length(table[name])).as_py() or 0
        if longest > _MAX_NAME:
            raise pa.ArrowInvalid(f"column {name} holds a name of {longest:,} bytes")
        unsafe = pc.match_substring_regex(table[name], r"^$|^\.|[/\\\x00-\x1f]")
        if pc.any(unsafe).as_py() or table[name].null_count:
            raise pa.ArrowInvalid(f"column {name} holds a value that is not a plain file name")
    if "phase" in table.column_names:
        phases = set(table["phase"].unique().to_pylist())
        if not phases <= set(Phase):
            raise pa.ArrowInvalid(f"the phases are {', '.join(sorted(map(str, phases)))}")
