"""Find rows of an earlier scan by file contents, so that no sample is measured twice.

Memory holds 24 bytes for each row and a few row groups, so that the scan can have ten million rows.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sceneset.catalog.scan_bounds import check_safe_names
from sceneset.catalog.scan_table import open_scan, rows_from_table
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import open_regular

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    import pyarrow.parquet as pq

Contents = tuple[str, str, str]
"""Image MD5, mask MD5 and image suffix. Together with the algorithm number they define a row."""

_CACHE_SIZE = 8  # row groups kept in memory, 50 MB each; also blocks of rows
_BLOCK_ROWS = 64  # rows that are converted together, because the next rows are needed next


class KnownRows(Protocol):
    """Rows of an earlier scan by contents: a dictionary or a scan file."""

    def get(self, contents: Contents, /) -> ScanRow | None:
        """Return the row of these contents, or None."""

    def __len__(self) -> int:
        """Return the number of rows."""


def known_rows(path: Path, algorithm: int) -> KnownRows:
    """Return the rows of a scan file.

    There are none if the file can't be read or has another algorithm number. The caller then
    measures every sample again.
    """
    import pyarrow as pa

    try:
        with open(path, "rb", opener=open_regular) as file:
            scan = open_scan(file)
            recorded = scan.schema_arrow.metadata.get(b"sceneset.algorithm")
            if recorded != str(algorithm).encode():
                return {}
            return _ScanFile(path, scan)
    except (OSError, pa.ArrowException):
        return {}


class _ScanFile:
    """A scan file with an index by image hash. It can be used from several threads."""

    def __init__(self, path: Path, scan: "pq.ParquetFile") -> None:
        import numpy as np

        self._path = path
        groups = range(scan.num_row_groups)
        self._ends = np.cumsum([scan.metadata.row_group(number).num_rows for number in groups])
        prefixes = (_hash_prefixes(scan, number) for number in groups)
        hashes = np.concatenate([np.empty(0, np.uint64), *prefixes])
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]
        self._group = lru_cache(_CACHE_SIZE)(self._read_group)
        self._block = lru_cache(_CACHE_SIZE)(self._read_block)

    def __len__(self) -> int:
        return len(self._order)

    def get(self, contents: Contents) -> ScanRow | None:
        import numpy as np

        prefix = np.uint64(int(contents[0][:16] or "0", 16))
        first = int(np.searchsorted(self._hashes, prefix))
        last = int(np.searchsorted(self._hashes, prefix, "right"))
        for position in self._order[first:last]:
            row = self._row(int(position))
            # A row without a picture comes from an older scan: measure the image again.
            if (
                row
                and row.picture
                and (row.image_md5, row.mask_md5, Path(row.image).suffix) == contents
            ):
                return row
        return None

    def _row(self, position: int) -> ScanRow | None:
        import numpy as np

        group = int(np.searchsorted(self._ends, position, "right"))
        offset = position - (int(self._ends[group - 1]) if group else 0)
        block = self._block(group, offset // _BLOCK_ROWS)
        return block[offset % _BLOCK_ROWS] if block else None

    def _read_block(self, group: int, number: int) -> list[ScanRow]:
        table = self._group(group)
        try:
            return rows_from_table(table.slice(number * _BLOCK_ROWS, _BLOCK_ROWS)) if table else []
        except (ValueError, LookupError, AttributeError, TypeError):
            return []  # the file is damaged: a value has another type than its column

    def _read_group(self, number: int) -> "pa.Table | None":
        import pyarrow as pa

        try:
            with open(self._path, "rb", opener=open_regular) as file:
                table = open_scan(file).read_row_group(number, use_threads=False)
            table.validate(full=True)
            check_safe_names(table)
        except (OSError, pa.ArrowException):
            return None
        return table


def _hash_prefixes(scan: "pq.ParquetFile", group: int) -> "npt.NDArray[np.uint64]":
    """Return the first 8 of the 16 bytes of each image hash, as a number."""
    import numpy as np
    import pyarrow as pa

    column = scan.read_row_group(group, columns=["image_md5"], use_threads=False)[
        "image_md5"
    ].combine_chunks()
    if column.null_count:
        raise pa.ArrowInvalid("a row has no image hash")
    data = np.frombuffer(column.buffers()[1], np.dtype(">u8"), 2 * len(column), 16 * column.offset)
    return data[::2].astype(np.uint64)
