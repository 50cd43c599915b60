"""DVC's own locks in .dvc/tmp: keep DVC away from files, and repair what a killed DVC leaves.

DVC has two: `lock`, which a command holds with flock while it reads and writes the project, but not
while a stage runs; and `rwlock`, a JSON file of the paths that running commands read and write.
DVC rewrites `rwlock` in place. A kill at that moment leaves an empty or half-written file, and
every later DVC command fails.

With the option core.hardlink_lock, for file systems without flock, DVC's locks are hard links: who
can link a file of its own to the name of the lock holds it. There, a file that is not such a link
would block DVC for ever.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sceneset.errors import fail
from sceneset.storage.files import open_regular
from sceneset.storage.processes import (
    ancestors,
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
_NEVER = 365 * 24 * 3600  # seconds, as DVC has it
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


def repair_rwlock(root: Path, *, hard_links: bool = False) -> bool:
    """Remove DVC's list of locked paths if DVC can't use it and no living DVC needs it.

    Args:
        root: The DVC project.
        hard_links: Whether the project's locks are hard links (`dvc.has_hard_link_locks`).

    Returns:
        Whether the list was removed.
    """
    if not rwlock_problem(root):
        return False
    guard = _tmp(root) / "rwlock.lock"  # DVC holds it while it edits the list
    with suppress(OSError), _held(guard, _EDIT_TIMEOUT, hard_links=hard_links) as is_held:
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


def dvc_writers(root: Path, folders: Iterable[Path]) -> list[tuple[int, str]]:
    """Return the living DVC commands that write in ``folders``: process ids and command lines.

    A command writes the outputs of a stage from before it deletes them until it has recorded them.
    It lists no path between two stages; then it holds the lock. A command that has started this
    process does not count.

    Args:
        root: The DVC project.
        folders: Folders of the project.
    """
    try:
        written: dict[str, dict[str, Any]] = json.loads(_read_rwlock(root) or b"{}")["write"]
        entries = [(Path(path), int(entry["pid"])) for path, entry in written.items()]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return []
    tops = [Path(os.path.realpath(folder)) for folder in folders]
    pids = {pid for path, pid in entries if any(path.is_relative_to(top) for top in tops)}
    found = sorted(pids.difference(ancestors()))
    return [
        (pid, shown_command(command_of(pid)))
        for pid in found
        if is_alive(pid) and not _is_reused(root, pid)
    ]


@contextmanager
def exclude_dvc(
    root: Path, *, timeout: float = _DVC_TIMEOUT, hard_links: bool = False
) -> Iterator[None]:
    """Keep DVC commands from reading and writing the project for the block.

    A DVC command that starts meanwhile waits for three seconds and then says that another one is
    running. One that runs a stage meanwhile goes on; the stage waits for the write lock.

    Args:
        root: The DVC project; nothing is locked if it is none. The caller holds the write lock.
        timeout: Longest wait for a DVC command, in seconds.
        hard_links: Whether the project's locks are hard links (`dvc.has_hard_link_locks`).

    Raises:
        FindingsError: A DVC command is still running after ``timeout``.
    """
    if not (root / ".dvc").is_dir():
        yield
        return
    _tmp(root).mkdir(exist_ok=True)
    with _held(_tmp(root) / "lock", timeout, hard_links=hard_links) as is_held:
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
def _held(path: Path, timeout: float, *, hard_links: bool) -> Iterator[bool]:
    """Wait for a lock of DVC, and yield whether this process holds it now."""
    with (_hard_link if hard_links else _flock)(path) as try_lock:
        give_up = time.monotonic() + timeout
        while not (is_held := try_lock()) and time.monotonic() < give_up:
            time.sleep(_POLL_INTERVAL)
        yield is_held


@contextmanager
def _flock(path: Path) -> Iterator[Callable[[], bool]]:
    """Yield a function that tries to lock a file, which is created."""
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)

    def try_lock() -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    try:
        yield try_lock
    finally:
        os.close(descriptor)


@contextmanager
def _hard_link(path: Path) -> Iterator[Callable[[], bool]]:
    """Yield a function that tries to link a file to the name of a lock, as flufl.lock does.

    The file's own name is fixed, so that the next command finds what a killed one has left.
    """
    claim = path.with_name(f"{path.name}.sceneset")
    _release(path, claim)
    claim.write_text(str(claim))
    expires = time.time() + _NEVER  # DVC breaks a lock that has expired
    os.utime(claim, (expires, expires))

    def try_lock() -> bool:
        try:
            path.hardlink_to(claim)
        except FileExistsError:
            return False
        return True

    try:
        yield try_lock
    finally:
        _release(path, claim)


def _release(path: Path, claim: Path) -> None:
    """Free a lock if it is a link to a file of sceneset, and delete that file."""
    with suppress(FileNotFoundError):
        if os.path.samestat(path.lstat(), claim.lstat()):
            path.unlink()
    claim.unlink(missing_ok=True)


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
