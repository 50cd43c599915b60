"""Temporary files and folders: where they are, and how those of killed processes are removed."""

import fcntl
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sceneset.paths import DATA_ROOT, Paths
from sceneset.storage.processes import is_alive

MIN_AGE = 3600.0
"""Seconds after which a temporary file that nothing locks counts as abandoned."""
_PREFIX = "sceneset-"
_FOLDER = re.compile(rf"{_PREFIX}(\d+)-\w+")
_PART = re.compile(r"\..*\.part")
USED_PART = ".used.csv.part"
"""The temporary file of `sceneset used`, which does not wait for the write lock: not swept.

Its name is fixed, so that the next run replaces what a killed one leaves.
"""
_DVC_PART = re.compile(r"\.[\w-]{22}\.tmp")
"""DVC's temporary files in its cache."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a new folder for temporary files, and delete it at the end of the block.

    Its name holds the process id and the process locks it, so that ``sweep_temporary_folders``
    finds those of killed processes, also where containers share the folder for temporary files.
    """
    with tempfile.TemporaryDirectory(
        prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True
    ) as name:
        descriptor = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(descriptor)


def abandoned_temporary_folders() -> list[Path]:
    """Return the temporary folders of this user's processes that were killed."""
    found = []
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            match = _FOLDER.fullmatch(entry.name)
            # The number of a killed process may belong to another one by now.
            if match and (not is_alive(int(match[1])) or age(Path(entry.path)) > MIN_AGE):
                if not _is_own_and_free(entry):
                    continue
                found.append(Path(entry.path))
    return sorted(found)


def _is_own_and_free(entry: "os.DirEntry[str]") -> bool:
    try:
        if entry.stat(follow_symlinks=False).st_uid != os.getuid():
            return False
        descriptor = os.open(entry.path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def abandoned_parts(paths: Paths) -> list[Path]:
    """Return the temporary files of killed writers beside the files of a registry.

    Call it only while nothing else writes in the registry, that is, under its write lock. Parts
    beside images are not looked for: the transaction that they belong to replaces them.
    """
    folders = [paths.root, paths.registry, *_folders(paths.registry)]
    folders += [folder / "split_dir" for folder in _folders(paths.root / DATA_ROOT)]
    found = [part for folder in folders for part in _matching(folder, _PART)]
    return [part for part in found if part.name != USED_PART]


def abandoned_cache_parts(cache: Path, *, min_age: float = 0) -> list[Path]:
    """Return the temporary files of killed processes in DVC's cache (``files/md5``).

    Args:
        cache: The folder. Pulls write there without a lock, and other registries and machines may
            share it.
        min_age: Files that were changed in the last ``min_age`` seconds may be in use.
    """
    found = []
    for folder in (cache, *_folders(cache)):
        found += [*_matching(folder, _PART), *_matching(folder, _DVC_PART)]
    return [path for path in found if age(path) >= min_age]


def age(path: Path) -> float:
    """Return how many seconds ago a file or folder was changed last; 0 if it is gone."""
    with suppress(OSError):
        status = path.lstat()
        return max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
    return 0.0


def sweep(paths: Paths) -> None:
    """Delete what killed processes have left; see ``abandoned_parts`` for when to call it."""
    for part in abandoned_parts(paths):
        with suppress(OSError):
            part.unlink()
    sweep_temporary_folders()


def sweep_temporary_folders() -> None:
    """Delete the temporary folders of killed processes."""
    for folder in abandoned_temporary_folders():
        shutil.rmtree(folder, ignore_errors=True)


def _folders(parent: Path) -> list[Path]:
    with suppress(OSError), os.scandir(parent) as entries:
        return [Path(e.path) for e in entries if e.is_dir(follow_symlinks=False)]
    return []


def _matching(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    with suppress(OSError), os.scandir(folder) as entries:
        return sorted(
            Path(entry.path)
            for entry in entries
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        )
    return []
