"""Tags and scans that several passes over a registry share, up to a limit.

A check goes over all subsets three times. With many small subsets, opening and parsing their files
takes most of the time, so each is read once. With many samples, passes read the files again:
memory must not depend on the size of the registry.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import FindingsError
from sceneset.storage.dvc_digests import Digest, digests_of_scan

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.schemas.tag import Tag

    ReadScan = Callable[[Sequence[str] | None], pa.Table]

Hashes = dict[tuple[str, str], tuple[str, str]]
"""The md5 of image and mask of samples, by phase and stem."""
MAX_SAMPLES = 20_000
"""Samples whose tags and scans are kept: about 20 MB."""
_ROW = 200  # bytes of a scan file for each sample, about


class SharedReads:
    """The tags and scans that were read since it was created."""

    def __init__(self) -> None:
        self._tags: dict[str, list[Tag]] = {}
        self._scans: dict[str, pa.Table] = {}
        self._digests: dict[str, dict[str, Digest]] = {}
        self._hashes: dict[str, Hashes] = {}
        self._room = {"tags": MAX_SAMPLES, "scans": MAX_SAMPLES}

    def tags(self, name: str, read: "Callable[[], list[Tag]]") -> "list[Tag]":
        """Return the tags of a subset, by ``read`` if they are not here."""
        if name in self._tags:
            return self._tags[name]
        tags = read()
        if self._takes("tags", len(tags)):
            self._tags[name] = tags
        return tags

    def scan(
        self, name: str, path: Path, columns: Sequence[str] | None, read: "ReadScan"
    ) -> "pa.Table":
        """Return columns of the scan of a subset; all columns if None.

        Args:
            name: The subset.
            path: The scan file.
            columns: The columns.
            read: Reads columns of the file, and raises FindingsError.
        """
        if name not in self._scans and self._may_fit(path):
            try:
                table = read(None)
            except FindingsError:  # a column that nobody asks for may be the damaged one
                return read(columns)
            if not self._takes("scans", len(table)):
                return _select(table, columns)
            self._scans[name] = table
        return _select(self._scans[name], columns) if name in self._scans else read(columns)

    def digests(self, name: str, scan: "pa.Table") -> dict[str, Digest]:
        """Return the digests of a subset's folders from its scan with DIGEST_COLUMNS."""
        if name not in self._digests:
            self._digests[name] = digests_of_scan(scan)
        return self._digests[name]

    def hashes(self, name: str, read: "Callable[[], Hashes]") -> Hashes:
        """Return the md5 of image and mask of a subset's samples, by ``read`` if not here."""
        if name in self._hashes:
            return self._hashes[name]
        found = read()
        if name in self._scans:
            self._hashes[name] = found
        return found

    def _may_fit(self, path: Path) -> bool:
        try:
            return path.stat().st_size <= self._room["scans"] * _ROW
        except OSError:
            return False  # reading it reports why

    def _takes(self, what: str, samples: int) -> bool:
        fits = samples <= self._room[what]
        self._room[what] -= samples if fits else 0
        return fits


def _select(table: "pa.Table", columns: Sequence[str] | None) -> "pa.Table":
    """Return columns of a scan in the order of its file, as reading them does."""
    if columns is None:
        return table
    return table.select([name for name in table.column_names if name in columns])
