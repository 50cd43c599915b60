"""One writer at a time: a lock that dies with its holder, and with the children it was lent to."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.schemas.problem import ProblemsFoundError, problem


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Wait until no other process is in here, for as long as it takes; the file stays."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:  # which empties nothing that somebody linked it to
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def writing(work: Path) -> Iterator[int]:
    """Hold the registry's write lock; yield its file descriptor, to lend to child processes.

    The kernel frees it when every holder has ended: after kill -9 it stays held until a dvc
    command that was lent it has ended too, so nobody cleans up under its hands.

    Raises:
        ProblemsFoundError: somebody else is writing.
    """
    work.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(work / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProblemsFoundError(
                [
                    problem(
                        "locked",
                        "another sceneset command, or a dvc it started, is writing here",
                        file=".sceneset/lock",
                        hint="wait until it has ended",
                    )
                ]
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)
