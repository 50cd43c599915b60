"""Locks between processes. The kernel frees a lock when its holder ends, however it ends.

``exclusive_lock`` waits for its turn. ``write_lock`` does not wait, and lends its file descriptor
to child processes, which file-locking libraries don't offer.
"""

import fcntl
import math
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sceneset.errors import fail
from sceneset.progress import Notify, no_notice
from sceneset.storage.files import not_regular, open_regular

_POLL_INTERVAL = 0.05  # seconds
_NOTIFY_AFTER = 1  # seconds


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
        FindingsError: Another command holds the lock.
        OSError: The lock file can't be created, or there is something else at its path.
    """
    work.mkdir(parents=True, exist_ok=True)
    descriptor = open_regular(work / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fail(
                "locked",
                "another sceneset command, or a dvc command it started, is writing here",
                file=".sceneset/lock",
                hint="wait until it has ended",
            )
        yield descriptor
    finally:
        os.close(descriptor)
