"""Repairs of `sceneset doctor`: broken dvc.lock, generated files, leftovers of killed commands."""

import shutil
from contextlib import suppress
from pathlib import Path

from sceneset.counts import counted
from sceneset.errors import DvcError, FindingsError
from sceneset.paths import Paths
from sceneset.storage.dvc import TEXT_STAGES, Project, dvc
from sceneset.storage.dvc_lock_file import LOCK, check_complete_lock
from sceneset.storage.dvc_locks import dvc_processes
from sceneset.storage.files import atomic_write, copy_file, write_text
from sceneset.storage.git import git
from sceneset.storage.leftovers import (
    MIN_AGE,
    abandoned_cache_parts,
    abandoned_parts,
    abandoned_temporary_folders,
)
from sceneset.storage.locking import processes_that_hold, write_lock
from sceneset.storage.transaction_record import UNFINISHED_CHANGE
from sceneset.storage.work_folder import free_name, refuse_tracked


def restore_lock(paths: Paths) -> None:
    """Replace a dvc.lock that can't be read, and derive what it no longer describes.

    Raises:
        FindingsError: Another command is writing, or a clone brought links or .sceneset along.
    """
    lock = paths.root / LOCK
    refuse_tracked(paths.work, UNFINISHED_CHANGE)
    with write_lock(paths.work) as descriptor:  # it refuses links in .sceneset
        with atomic_write(free_name(paths.work / "kept", LOCK)) as temporary:
            copy_file(lock, temporary)
        if committed := _committed_lock(paths.root):
            write_text(lock, committed)
        else:
            lock.unlink()
        _run_text_stages(paths, descriptor)


def _committed_lock(root: Path) -> str:
    """Return the last committed dvc.lock; "" if there is none, or if it can't be read either."""
    with suppress(FindingsError, OSError):
        committed = git(root, "show", f"HEAD:./{LOCK}", check=False)
        check_complete_lock(committed)
        return committed
    return ""


def reproduce(paths: Paths) -> None:
    """Run the stages that need no images.

    Raises:
        FindingsError: Another command is writing.
        DvcError: A stage failed.
    """
    with write_lock(paths.work) as descriptor:
        _run_text_stages(paths, descriptor)


def _run_text_stages(paths: Paths, descriptor: int) -> None:
    # With --quiet, DVC would not say that another command holds its lock.
    dvc(paths.root, "repro", "--allow-missing", *TEXT_STAGES, lend=descriptor)


def find_leftovers(paths: Paths, *, is_locked: bool) -> list[Path]:
    """Return the temporary files of killed commands, without those that may be in use.

    Args:
        paths: The paths of the registry.
        is_locked: Whether this process holds the write lock.
    """
    found = abandoned_temporary_folders()
    if is_locked or not processes_that_hold(paths.work / "lock"):
        found += abandoned_parts(paths)
    if not dvc_processes(paths.root):
        with suppress(DvcError, OSError):
            cache = Project(paths.root).blob_path("0" * 32).parents[1]
            found += abandoned_cache_parts(cache, min_age=MIN_AGE)
    return found


def delete_leftovers(paths: Paths) -> None:
    """Delete the temporary files of killed commands.

    Raises:
        FindingsError: Another command is writing.
    """
    with write_lock(paths.work):
        # Looked for again: a command may have started and ended since.
        for path in find_leftovers(paths, is_locked=True):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def shown_age(seconds: float) -> str:
    """Return a time in its largest whole unit, for example "3 days"."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return counted(int(seconds // length), unit)
    return counted(int(seconds), "second")
