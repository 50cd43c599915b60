"""DVC's own locks in .dvc/tmp: keep DVC away from files, and repair what a killed DVC leaves.

DVC has two: `lock`, which a command holds with flock while it reads and writes the project, but not
while a stage runs; and `rwlock`, a JSON file of the paths that running commands read and write.
DVC rewrites `rwlock` in place. A kill at that moment leaves an empty or half-written file, and
every later DVC command fails.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sceneset.errors import fail
from sceneset.storage.files import open_regular
from sceneset.storage.processes import (
    command_of,
    folder_of,
    is_alive,
    is_dvc,
    running_processes,
    shown_command,
    started_at,
)

_MAX_RWLOCK = 64 << 20  # bytes
_POLL_INTERVAL = 0.05  # seconds
_EDIT_TIMEOUT = 5  # seconds: DVC edits `rwlock` within milliseconds
_DVC_TIMEOUT = 30  # seconds
_PID = re.compile(rb'"pid":\s*(\d{1,10})\b')


def rwlock_problem(root: Path) -> str:
    """Return what is wrong with DVC's list of locked paths; "" if DVC can read it.

    An entry whose process does not exist is no problem: DVC removes it.
    """
    data = _read_rwlock(root)
    if data is None:
        return ""
    entries = _entries(data)
    if entries is None:
        what = "is empty" if not data.strip(b"\0 \n") else "is not what DVC writes"
        return f"{what}: DVC was killed while it wrote the file, and every DVC command fails"
    stale = [entry for entry in entries if _is_reused(root, entry["pid"])]
    if stale:
        pid = stale[0]["pid"]
        return f"names the process {pid} of a killed DVC; another program has this number now"
    return ""


def repair_rwlock(root: Path) -> bool:
    """Remove DVC's list of locked paths if DVC can't use it and no living DVC needs it.

    Returns:
        Whether the list was removed.
    """
    if not rwlock_problem(root):
        return False
    guard = _tmp(root) / "rwlock.lock"  # DVC holds it while it edits the list
    with suppress(OSError), _flock(guard, _EDIT_TIMEOUT) as is_held:
        if is_held and rwlock_problem(root) and not dvc_processes(root):
            (_tmp(root) / "rwlock").unlink(missing_ok=True)
            return True
    return False


def dvc_processes(root: Path) -> list[tuple[int, str]]:
    """Return the living DVC commands of a project: their process ids and command lines."""
    data = _read_rwlock(root) or b""
    listed = {int(digits) for digits in _PID.findall(data)} - {os.getpid()}
    found = {pid for pid in listed if is_alive(pid) and not _is_reused(root, pid)}
    top = os.path.realpath(root)
    for pid in running_processes():
        if is_dvc(command_of(pid)):
            folder = folder_of(pid)
            if folder == top or folder.startswith(f"{top}{os.sep}"):
                found.add(pid)
    return [(pid, shown_command(command_of(pid))) for pid in sorted(found)]


@contextmanager
def exclude_dvc(root: Path, *, timeout: float = _DVC_TIMEOUT) -> Iterator[None]:
    """Keep DVC commands from reading and writing the project for the block.

    A DVC command that starts meanwhile waits for three seconds and then says that another one is
    running. One that runs a stage meanwhile goes on; the stage waits for the write lock.

    Raises:
        FindingsError: A DVC command is still running after ``timeout``.
    """
    if not (root / ".dvc").is_dir():
        yield
        return
    _tmp(root).mkdir(exist_ok=True)
    with _flock(_tmp(root) / "lock", timeout) as is_held:
        if not is_held:
            running = [f"`{command}` (process {pid})" for pid, command in dvc_processes(root)]
            fail(
                "locked",
                f"{running[0] if running else 'a dvc command'} is running here",
                file=".dvc/tmp/lock",
                hint="wait until it has ended, then run the same command again; it goes on from "
                "here. `sceneset doctor` shows what runs",
            )
        yield


def _tmp(root: Path) -> Path:
    return root / ".dvc/tmp"


@contextmanager
def _flock(path: Path, timeout: float) -> Iterator[bool]:
    """Yield whether this process holds a file's lock now; the file is created."""
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        give_up = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up:
                    yield False
                    return
                time.sleep(_POLL_INTERVAL)
            else:
                yield True
                return
    finally:
        os.close(descriptor)


def _read_rwlock(root: Path) -> bytes | None:
    try:
        with open(_tmp(root) / "rwlock", "rb", opener=open_regular) as file:
            return file.read(_MAX_RWLOCK)
    except OSError:
        return None


def _entries(data: bytes) -> list[dict[str, Any]] | None:
    """Return the entries of the list, or None if it is not in DVC's format."""
    try:
        lists = json.loads(data)
        entries = list(lists.get("write", {}).values())
        for readers in lists.get("read", {}).values():
            entries += readers
    except (ValueError, AttributeError, TypeError, RecursionError):
        return None
    is_valid = lists.keys() <= {"read", "write"} and all(
        isinstance(entry, dict)
        and entry.keys() == {"pid", "cmd"}
        and type(entry["pid"]) is int
        and isinstance(entry["cmd"], str)
        for entry in entries
    )
    return entries if is_valid else None


def _is_reused(root: Path, pid: int) -> bool:
    """Return whether a process started after the list was written: its number was reused."""
    try:
        written = (_tmp(root) / "rwlock").stat().st_mtime
    except OSError:
        return False
    return is_alive(pid) and started_at(pid) > written + 2
