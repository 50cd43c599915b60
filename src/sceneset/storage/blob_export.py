"""Export blobs from DVC's cache or the remote into a folder, each verified by its hash."""

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import BlobError, DestinationError
from sceneset.storage.blobs import Blobs
from sceneset.storage.disk_space import SpaceNeeded, on_one_disk
from sceneset.storage.files import atomic_write, copy_file, md5_of
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads

LINKS = ("copy", "hard", "sym", "ref")
_BATCH = 128  # blobs; an interrupt takes effect and the progress bar moves between batches


class BlobRequest(NamedTuple):
    """One blob to export and all of its destinations: equal masks are one blob."""

    md5: str
    bytes: int
    paths: tuple[str, ...]
    """Relative to the destination folder."""


@dataclass
class ExportResult:
    """The result of an export."""

    fetched: int = 0
    """Number of blobs downloaded from the remote; the others were in the cache or in place."""
    bad: dict[str, str] = field(default_factory=dict)
    """The reason for each file that could not be exported, by path."""


def check_space(requests: Iterable[BlobRequest], blobs: Blobs, to: Path, link: str) -> None:
    """Check that the disks of the cache and of ``to`` have room for an export.

    Blobs that are not in the cache are stored there first; copies need the same space again.

    Raises:
        FindingsError: A disk is too small; the finding names the bytes needed and free.
    """
    space, target, cache = SpaceNeeded(), to.absolute(), blobs.path("0" * 32).parent
    is_copied = link in {"copy", "ref"} or (link == "hard" and not on_one_disk(cache, target))
    absent, copies = list[int](), list[int]()
    for blob in requests:
        if not blobs.path(blob.md5).exists():
            absent.append(blob.bytes)
        if is_copied:
            copies += [blob.bytes for path in blob.paths if not (to / path).exists()]
    space.add(cache, absent)
    space.add(target, copies)
    space.check("make room, name a folder on another disk, or pull with --link sym")


class Export:
    """Exports blobs: keeps files that are in place, then uses the cache, then the remote."""

    def __init__(self, blobs: Blobs, to: Path, link: str) -> None:
        """Prepare an export from ``blobs`` into the folder ``to``; ``link`` is one of LINKS."""
        self.blobs, self.to, self.link = blobs, to, link
        self.result = ExportResult()
        self._lock = threading.Lock()

    def run(self, requests: Iterable[BlobRequest]) -> None:
        """Export all requested blobs; ``result`` lists those that failed.

        Raises:
            DvcError: The remote can't be reached.
            OSError: A file can't be written.
        """
        iterator = iter(requests)
        while batch := list(islice(iterator, _BATCH)):
            self.probe_remote(batch)
            self._export_batch(batch)

    def probe_remote(self, requests: Iterable[BlobRequest]) -> None:
        """Check that the remote answers, if any of the blobs must come from it.

        Raises:
            DvcError: There is no remote, or it does not answer.
        """
        absent = (
            blob.md5
            for blob in requests
            if not self.blobs.path(blob.md5).exists()
            and not all((self.to / path).exists() for path in blob.paths)
        )
        self._add_fetched(self.blobs.probe(absent))

    def _export_batch(self, batch: Sequence[BlobRequest]) -> None:
        for _ in map_in_threads(self._export, batch, WORKERS):
            pass

    def _add_fetched(self, count: int) -> None:
        with self._lock:
            self.result.fetched += count

    def _export(self, blob: BlobRequest) -> None:
        for path in blob.paths:
            refuse_links_above(self.to, self.to / path)
        missing = [path for path in blob.paths if not _is_exported(self.to / path, blob)]
        if not missing:
            return
        data = self.blobs.cached(blob.md5)
        if data is None:
            try:
                data = self.blobs.fetch(blob.md5)
            except BlobError as error:
                with self._lock:
                    self.result.bad.update(dict.fromkeys(missing, str(error)))
                return
            self._add_fetched(1)
        for path in missing:
            self._write(blob.md5, data, self.to / path)

    def _write(self, md5: str, data: bytes, target: Path) -> None:
        """Write, link or clone a verified blob to ``target`` atomically."""
        source = self.blobs.path(md5)
        # The temporary name is fixed, so that the next pull removes what a killed one left.
        temporary = target.with_name(f".{target.name}.part")
        with atomic_write(target, fsync=False, temporary=temporary):
            if self.link == "hard":
                try:
                    os.link(source, temporary)
                except OSError:  # the cache is on another file system
                    _write_new(temporary, data)
            elif self.link == "sym":
                temporary.symlink_to(source)
            elif self.link == "ref":
                copy_file(source, temporary)
            else:
                _write_new(temporary, data)


def _write_new(path: Path, data: bytes) -> None:
    """Create a file; fail if there is anything at its path, a symbolic link too."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def refuse_links_above(to: Path, path: Path) -> None:
    """Refuse a path below ``to`` with a folder that is a symbolic link: it leads elsewhere.

    ``to`` itself, which the user chose, may be one.

    Raises:
        DestinationError: A folder is a link; the message names it.
    """
    for folder in path.relative_to(to).parents[:-1]:
        if (to / folder).is_symlink():
            raise DestinationError(
                f"{to / folder} is a symbolic link, and a pull does not write through links; "
                "delete it, or choose another folder"
            )


def _is_exported(path: Path, blob: BlobRequest) -> bool:
    try:
        return path.stat().st_size == blob.bytes and md5_of(path.read_bytes()) == blob.md5
    except OSError:
        return False
