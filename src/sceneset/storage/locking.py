"""One writer at a time: a lock that dies with its holder, and with the children it was lent to."""

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.errors import fail
from sceneset.progress import Notify, no_notice
from sceneset.storage.files import open_regular

_PAUSE = 0.05  # seconds between two looks whether a lock is free


@contextmanager
def alone(
    lock: Path, *, patience: float = math.inf, message: str = "", notify: Notify = no_notice
) -> Iterator[None]:
    """Wait until no other process is in here; the file stays.

    After one second of waiting, ``notify`` is called once with ``message``.

    Raises:
        TimeoutError: it took longer than ``patience`` seconds.
        OSError: there can be no lock.
    """
    with _opened(lock) as descriptor:
        start = time.monotonic()
        while not _got(descriptor):
            waited = time.monotonic() - start
            if waited > patience:
                raise TimeoutError(f"{lock} is held by another process")
            if message and waited > 1:
                notify(message)
                message = ""
            time.sleep(_PAUSE)
        yield


@contextmanager
def _opened(lock: Path) -> Iterator[int]:
    """Lend a descriptor of a lock's file, which is made where there is none.

    A link is not followed, and nothing but a file is waited for.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = open_regular(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _got(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def writing(work: Path) -> Iterator[int]:
    """Hold the registry's write lock; yield its file descriptor, to lend to child processes.

    The kernel frees it when every holder has ended: after kill -9 it stays held until a dvc
    command that was lent it has ended too, so nobody cleans up under its hands.

    Raises:
        ProblemsFoundError: somebody else is writing.
    """
    with _opened(work / "lock") as descriptor:
        if not _got(descriptor):
            fail(
                "locked",
                "another sceneset command, or a dvc it started, is writing here",
                file=".sceneset/lock",
                hint="wait until it has ended",
            )
        yield descriptor
