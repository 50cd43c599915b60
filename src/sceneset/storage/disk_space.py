"""Check that the disks have room for new files before anything is written."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sceneset.errors import fail
from sceneset.storage.dvc import folders_of

_BASE = 2 << 20
"""Bytes for what does not grow with the files: the 256 folders of DVC's cache (1 MiB in blocks of
4 KiB), the record of the change, empty databases."""
_DATABASE_ROW = 1 << 10
"""Bytes that DVC's databases need for a file, at most."""


class SpaceNeeded:
    """What files need on each disk. They occupy whole blocks."""

    def __init__(self) -> None:
        self._needs: dict[int, tuple[Path, int]] = {}

    def add(self, place: Path, sizes: Iterable[int]) -> None:
        """Add files of these sizes in a folder, which may be missing.

        Args:
            place: The folder. Findings name the first one of each disk.
            sizes: In bytes.
        """
        folder = _existing(place)
        device, block = folder.stat().st_dev, max(1, os.statvfs(folder).f_frsize)
        needed = sum(-(-size // block) * block for size in sizes)
        first, before = self._needs.get(device, (folder, 0))
        self._needs[device] = (first, before + needed)

    def check(
        self,
        hint: str,
        *,
        root: Path | None = None,
        reserve: Callable[[int], int] = lambda needed: 0,  # noqa: ARG005
    ) -> None:
        """Check that every disk has room.

        Args:
            hint: How to make room.
            root: A folder that findings name ".".
            reserve: Returns what a disk must have free beyond the bytes needed.

        Raises:
            FindingsError: A disk is too small; the finding names the bytes needed and free.
        """
        for place, needed in self._needs.values():
            total, free = needed + reserve(needed), shutil.disk_usage(place).free
            if needed and total > free:
                fail(
                    "disk-full",
                    f"{total:,} bytes are needed and {free:,} are free",
                    file="." if place == root else str(place),
                    hint=hint,
                )


def check_space(root: Path, sizes: Iterable[int], blobs: Mapping[str, int]) -> None:
    """Check that the disks have room for a new subset.

    The data root gets a copy of every file, and DVC's cache one of every content that it does not
    have: equal masks are one blob. A tenth more is required for scans, tables and folder listings.
    DVC's databases are often on the disk of /var/tmp.

    Args:
        root: The registry.
        sizes: The sizes of the files, in bytes.
        blobs: The size of each content, by hash.

    Raises:
        FindingsError: A disk is too small; the finding names the bytes needed and free.
        DvcError: DVC's configuration can't be read.
    """
    copies, folders = list(sizes), folders_of(root)
    space = SpaceNeeded()
    space.add(root, copies)
    space.add(
        folders.blobs,
        (size for md5, size in blobs.items() if not (folders.blobs / md5[:2] / md5[2:]).exists()),
    )
    space.add(folders.databases, [_DATABASE_ROW * len(copies)])
    space.check(
        "free some space: DVC's cache holds a second copy of every file. "
        "`sceneset rules disk-full` says how to remove files from it safely",
        root=root,
        reserve=lambda needed: needed // 10 + _BASE,
    )


def on_one_disk(first: Path, second: Path) -> bool:
    """Return whether two folders, which may be missing, can share hard links."""
    return _existing(first).stat().st_dev == _existing(second).stat().st_dev


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
