"""Locks between processes. The kernel frees a lock when its holder ends, however it ends.

``exclusive_lock`` waits for its turn. ``write_lock`` does not wait, and lends its file descriptor
to child processes, which file-locking libraries don't offer. ``stage_lock`` is for the stages of
the pipeline, which people run with `dvc repro` at any time.
"""

import fcntl
import math
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import fail
from sceneset.progress import Notify, no_notice
from sceneset.storage.files import not_regular, open_regular
from sceneset.storage.processes import ancestors, command_of, running_processes, shown_command
from sceneset.storage.work_folder import refuse_links

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import NoReturn

_POLL_INTERVAL = 0.05  # seconds
_NOTIFY_AFTER = 1  # seconds
_STAGE_TIMEOUT = 10  # seconds
_LENT = "SCENESET_LOCK"
"""Environment variable: the number of the write lock's descriptor that a child inherits."""


@contextmanager
def exclusive_lock(
    path: Path, *, timeout: float = math.inf, message: str = "", notify: Notify = no_notice
) -> Iterator[None]:
    """Wait for an exclusive lock and hold it for the block; the lock file stays.

    Args:
        path: The lock file. It and missing parent folders are created.
        timeout: Longest wait, in seconds.
        message: What to tell the user when the wait takes longer than a second.
        notify: Called at most once, with ``message``.

    Raises:
        TimeoutError: Another process held the lock for longer than ``timeout``.
        OSError: The lock file can't be created, or there is something else at its path.
    """
    import filelock  # imported here, because most look-ups need no lock

    path.parent.mkdir(parents=True, exist_ok=True)
    _refuse_special_file(path)
    # A soft lock, filelock's fallback, would outlive a killed holder and block everybody after it.
    lock = filelock.FileLock(path, poll_interval=_POLL_INTERVAL, fallback_to_soft=False)
    started = time.monotonic()
    if message and timeout > _NOTIFY_AFTER:
        with suppress(filelock.Timeout):
            lock.acquire(timeout=_NOTIFY_AFTER)
        if not lock.is_locked:
            notify(message)
    if not lock.is_locked:
        lock.acquire(timeout=max(0, timeout - (time.monotonic() - started)))
    try:
        yield
    finally:
        lock.release()


def _refuse_special_file(path: Path) -> None:
    """Raise OSError if the path holds anything but a regular file.

    filelock does not follow a symbolic link, but it opens and locks pipes and devices, which can
    block or have side effects.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise not_regular()


@contextmanager
def write_lock(work: Path) -> Iterator[int]:
    """Hold the registry's write lock for the block; yield its descriptor for child processes.

    The lock is free when all processes that hold the descriptor have ended. After kill -9 it
    stays held until the dvc commands that inherited it have ended too, so that no other command
    cleans up files that they still write.

    Args:
        work: The registry's folder ``.sceneset``.

    Raises:
        FindingsError: Another command or a stage holds the lock.
        OSError: The lock file can't be created, or there is something else at its path.
    """
    with _open_lock(work) as descriptor:
        if not _try_lock(descriptor, fcntl.LOCK_EX):
            _fail_locked(work)
        yield descriptor


@contextmanager
def destination_lock(path: Path) -> Iterator[None]:
    """Keep other commands from writing a file or folder that this one creates for the block.

    The lock file is beside ``path`` and is deleted at the end, because the folder is the user's.

    Raises:
        FindingsError: Another command writes there.
        OSError: The lock file can't be created, or there is something else at its path.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    descriptor = -1
    try:
        while not _is_locked_file(descriptor, lock):  # its last holder may delete it meanwhile
            if descriptor >= 0:
                os.close(descriptor)
            descriptor = open_regular(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
            if not _try_lock(descriptor, fcntl.LOCK_EX):
                fail(
                    "locked",
                    "another command is writing it",
                    file=str(path),
                    hint="wait until it has ended, or name another folder",
                )
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _is_locked_file(descriptor: int, path: Path) -> bool:
    """Return whether a descriptor, which holds a lock, is that of the file at ``path``."""
    try:
        return descriptor >= 0 and os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


@contextmanager
def stage_lock(
    work: Path, *, timeout: float = _STAGE_TIMEOUT, sweep: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Keep commands that change the registry away while a stage of the pipeline runs.

    Stages share the lock with each other: DVC itself keeps them from each other's files. A stage
    of a `dvc repro` that a sceneset command started runs under that command's lock.

    Args:
        work: The registry's folder ``.sceneset``.
        timeout: Longest wait for a command that is writing, in seconds.
        sweep: Called while nothing else runs in the registry, if that is the case now.

    Raises:
        FindingsError: A command is still writing after ``timeout``.
        OSError: The lock file can't be created, or there is something else at its path.
    """
    if is_lent_to_this_process(work):
        yield
        return
    with _open_lock(work) as descriptor:
        if _try_lock(descriptor, fcntl.LOCK_EX):
            sweep()
        give_up = time.monotonic() + timeout
        while not _try_lock(descriptor, fcntl.LOCK_SH):
            if time.monotonic() >= give_up:
                _fail_locked(work)
            time.sleep(_POLL_INTERVAL)
        yield


def lending_environment(descriptor: int) -> dict[str, str]:
    """Return the environment variables of a child process that inherits the write lock."""
    return {_LENT: str(descriptor)}


def is_lent_to_this_process(work: Path) -> bool:
    """Return whether this process runs under a write lock that its ancestors hold.

    DVC closes inherited descriptors when it starts a stage. So the stage looks for an ancestor
    that has the lock file open and holds the lock with it; the variable in the environment, which
    anybody can set, only says that it is worth looking.
    """
    if _LENT not in os.environ:
        return False
    return any(_holds_any_lock(pid, work / "lock") for pid in ancestors())


def processes_that_hold(path: Path) -> list[tuple[int, str]]:
    """Return the processes that hold a lock file: their ids and command lines, as text.

    Empty where the system has no /proc, and for processes of other users.
    """
    return [
        (pid, shown_command(command_of(pid)))
        for pid in running_processes()
        if _holds_any_lock(pid, path)
    ]


def _open_lock(work: Path) -> "AbstractContextManager[int]":
    refuse_links(work)
    work.mkdir(parents=True, exist_ok=True)
    return _closing(open_regular(work / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW))


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fail_locked(work: Path) -> "NoReturn":
    running = [
        f"`{command}` (process {pid})"
        for pid, command in processes_that_hold(work / "lock")
        if command
    ]
    who = running[0] if running else "another sceneset command, or a dvc command it started,"
    fail(
        "locked",
        f"{who} is writing here",
        file=".sceneset/lock",
        hint="wait until it has ended, then run this again; `sceneset doctor` shows what runs",
    )


def _holds_any_lock(pid: int, path: Path) -> bool:
    """Return whether a process holds a lock on ``path`` with one of its descriptors."""
    try:
        numbers = [entry.name for entry in os.scandir(f"/proc/{pid}/fd")]
    except OSError:
        return False
    return any(_holds_lock(pid, number, path) for number in numbers)


def _holds_lock(pid: int, number: str, path: Path) -> bool:
    """Return whether a process holds a lock on ``path`` with its descriptor ``number``."""
    try:
        if not os.path.samestat(Path(f"/proc/{pid}/fd/{number}").stat(), path.stat()):
            return False
        return "FLOCK" in Path(f"/proc/{pid}/fdinfo/{number}").read_text("ascii", "replace")
    except OSError:
        return False
