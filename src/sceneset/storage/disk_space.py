"""Check that the disks have room for a new subset before anything is written."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from sceneset.errors import fail
from sceneset.storage.dvc import cache_folder

_BASE = 1 << 20
"""Bytes for what does not grow with the files: DVC's databases, the record of the change."""


def check_space(root: Path, sources: Sequence[Path]) -> None:
    """Check that the disks can hold two copies of some files: the data root's and the cache's.

    Files occupy whole blocks. A tenth more is required for scans, tables, folder listings and
    DVC's databases.

    Raises:
        FindingsError: A disk is too small; the finding names the bytes needed and free.
    """
    sizes = [source.stat().st_size for source in sources]
    needs: dict[int, tuple[Path, int]] = {}
    for place in (root, _existing(cache_folder(root))):
        device = place.stat().st_dev
        block = max(1, os.statvfs(place).f_frsize)
        needed = sum(-(-size // block) * block for size in sizes)
        first, before = needs.get(device, (place, 0))
        needs[device] = (first, before + needed)
    for place, needed in needs.values():
        total, free = needed + needed // 10 + _BASE, shutil.disk_usage(place).free
        if total > free:
            fail(
                "disk-full",
                f"{total:,} bytes are needed and {free:,} bytes are free",
                file="." if place == root else str(place),
                hint="free some space: DVC's cache holds a second copy of every file. "
                "`sceneset rules disk-full` says how to remove files from it safely",
            )


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())
