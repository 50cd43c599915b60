"""Rows of an earlier scan, found by what they were computed from: nothing is measured twice.

Memory holds 24 bytes a row and some row groups, so that a scan of ten million rows can be asked.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sceneset.catalog.scan_table import check_names, open_scan, scan_rows, without_waiting
from sceneset.schemas.scan_row import ScanRow

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    import pyarrow.parquet as pq

Contents = tuple[str, str, str]
"""Image md5, mask md5, image suffix: with the algorithm's number they decide a row."""

_GROUPS = 8  # row groups in memory, 50 MB each
_RUN = 64  # rows that are unpacked together: those that follow are asked for next


class KnownRows(Protocol):
    """Rows by content: a dictionary, or a scan file."""

    def get(self, contents: Contents, /) -> ScanRow | None:
        """Return the row of these contents, if there is one."""

    def __len__(self) -> int:
        """Return how many are known."""


def known_rows(path: Path, algorithm: int) -> KnownRows:
    """Return the rows of an earlier scan, or none if it can't be read or is another algorithm's."""
    import pyarrow as pa

    try:
        with open(path, "rb", opener=without_waiting) as file:
            scan = open_scan(file)
            said = scan.schema_arrow.metadata.get(b"sceneset.algorithm")
            if said != str(algorithm).encode():
                return {}
            return _ScanFile(path, scan)
    except (OSError, pa.ArrowException):
        return {}  # it is made anew from the pixels


class _ScanFile:
    """A scan on disk, with an index by the image's hash. May be asked from several threads."""

    def __init__(self, path: Path, scan: "pq.ParquetFile") -> None:
        import numpy as np

        self._path = path
        groups = range(scan.num_row_groups)
        self._ends = np.cumsum([scan.metadata.row_group(n).num_rows for n in groups])
        hashes = np.concatenate([np.empty(0, np.uint64), *(_leading(scan, n) for n in groups)])
        self._order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[self._order]
        self._group = lru_cache(_GROUPS)(self._read_group)
        self._run = lru_cache(_GROUPS)(self._read_run)

    def __len__(self) -> int:
        return len(self._order)

    def get(self, contents: Contents) -> ScanRow | None:
        import numpy as np

        wanted = np.uint64(int(contents[0][:16] or "0", 16))
        first = int(np.searchsorted(self._hashes, wanted))
        last = int(np.searchsorted(self._hashes, wanted, "right"))
        for place in self._order[first:last]:
            row = self._row(int(place))
            if row and (row.image_md5, row.mask_md5, Path(row.image).suffix) == contents:
                return row
        return None

    def _row(self, place: int) -> ScanRow | None:
        import numpy as np

        group = int(np.searchsorted(self._ends, place, "right"))
        within = place - (int(self._ends[group - 1]) if group else 0)
        run = self._run(group, within // _RUN)
        return run[within % _RUN] if run else None

    def _read_run(self, group: int, number: int) -> list[ScanRow]:
        table = self._group(group)
        try:
            return scan_rows(table.slice(number * _RUN, _RUN)) if table else []
        except (ValueError, LookupError, AttributeError, TypeError):
            return []  # damaged inside: what should be text or bytes is something else

    def _read_group(self, number: int) -> "pa.Table | None":
        import pyarrow as pa

        try:
            with open(self._path, "rb", opener=without_waiting) as file:
                table = open_scan(file).read_row_group(number, use_threads=False)
            table.validate(full=True)
            check_names(table)
        except (OSError, pa.ArrowException):
            return None
        return table


def _leading(scan: "pq.ParquetFile", group: int) -> "npt.NDArray[np.uint64]":
    """Return the first 8 of each image hash's 16 bytes, as a number."""
    import numpy as np
    import pyarrow as pa

    column = scan.read_row_group(group, columns=["image_md5"], use_threads=False)[
        "image_md5"
    ].combine_chunks()
    if column.null_count:
        raise pa.ArrowInvalid("a row has no hash")
    data = np.frombuffer(column.buffers()[1], np.dtype(">u8"), 2 * len(column), 16 * column.offset)
    return data[::2].astype(np.uint64)
