"""Putting blobs into a folder, each verified by its hash, from the cache or the remote."""

import os
import shutil
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import BlobError, fail
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import copy_file, md5_of
from sceneset.storage.object_store import WORKERS

LINKS = ("copy", "hard", "sym", "ref")
_BATCH = 128  # blobs asked for at a time: between two batches a stop is heard, the bar moves


class Wanted(NamedTuple):
    """One blob to export, and everywhere it goes: masks that are equal are one blob."""

    md5: str
    bytes: int
    paths: tuple[str, ...]
    """Below the destination."""


@dataclass
class Exported:
    """What came of it."""

    fetched: int = 0
    """Blobs that came from the remote; the others were in the cache or in place."""
    bad: dict[str, str] = field(default_factory=dict)
    """Files that could not be had, by path, and why."""


def check_space(wanted: Iterable[Wanted], blobs: Blobs, to: Path, link: str) -> None:
    """Refuse early what would fill a disk: blobs stay in the cache, and copies lie beside it.

    Raises:
        ProblemsFoundError: with what is needed and what is free.
    """
    needs: dict[int, tuple[Path, int]] = {}

    def need(place: Path, size: int) -> None:
        device = place.stat().st_dev
        needs[device] = (place, needs.get(device, (place, 0))[1] + size)

    there = next(folder for folder in (to.absolute(), *to.absolute().parents) if folder.exists())
    cache = next(folder for folder in blobs.path("0" * 32).parents if folder.exists())
    for blob in wanted:
        if not blobs.path(blob.md5).exists():
            need(cache, blob.bytes)
        if link in {"copy", "ref"}:
            need(there, sum(blob.bytes for path in blob.paths if not (to / path).exists()))
    for place, needed in needs.values():
        free = shutil.disk_usage(place).free
        if needed > free:
            fail(
                "disk-full",
                f"{needed:,} bytes are needed and {free:,} are free",
                file=str(place),
                hint="make room, name a folder on another disk, or pull with --link sym",
            )


class Export:
    """Brings blobs into place: from what is there, from the cache, then from the remote."""

    def __init__(self, blobs: Blobs, to: Path, link: str) -> None:
        """Take blobs from ``blobs`` into the folder ``to``; ``link`` is one of LINKS."""
        self.blobs, self.to, self.link = blobs, to, link
        self.done = Exported()
        self._lock = threading.Lock()

    def bring(self, wanted: Iterable[Wanted]) -> None:
        """Bring all into place; what can't be had is named in ``done``, the good ones are there.

        Raises:
            DvcError: the remote can't be reached.
            OSError: the disk can't take it.
        """
        iterator = iter(wanted)
        while batch := list(islice(iterator, _BATCH)):
            self.reach(batch)
            self._bring_batch(batch)

    def reach(self, wanted: Iterable[Wanted]) -> None:
        """Let the remote answer once, if anything has to come from there.

        Raises:
            DvcError: there is none, or it does not answer.
        """
        absent = (
            blob.md5
            for blob in wanted
            if not self.blobs.path(blob.md5).exists()
            and not all((self.to / path).exists() for path in blob.paths)
        )
        self._count(self.blobs.reach(absent))

    def _bring_batch(self, batch: Sequence[Wanted]) -> None:
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for _ in pool.map(self._bring, batch):
                    pass
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _count(self, fetched: int) -> None:
        with self._lock:
            self.done.fetched += fetched

    def _bring(self, blob: Wanted) -> None:
        lacking = [path for path in blob.paths if not _same(self.to / path, blob)]
        if not lacking:
            return
        data = self.blobs.cached(blob.md5)
        if data is None:
            try:
                data = self.blobs.fetch(blob.md5)
            except BlobError as error:
                with self._lock:
                    self.done.bad.update(dict.fromkeys(lacking, str(error)))
                return
            self._count(1)
        for path in lacking:
            self._place(blob.md5, data, self.to / path)

    def _place(self, md5: str, data: bytes, target: Path) -> None:
        """Put a verified blob at ``target``, whole or not at all."""
        source = self.blobs.path(md5)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.part")
        aside.unlink(missing_ok=True)  # left by a kill
        try:
            if self.link == "hard":
                try:
                    os.link(source, aside)
                except OSError:  # another file system
                    aside.write_bytes(data)
            elif self.link == "sym":
                aside.symlink_to(source)
            elif self.link == "ref":
                copy_file(source, aside)
            else:
                aside.write_bytes(data)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)


def _same(path: Path, blob: Wanted) -> bool:
    try:
        return path.stat().st_size == blob.bytes and md5_of(path.read_bytes()) == blob.md5
    except OSError:
        return False
