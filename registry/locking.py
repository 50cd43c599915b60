"""One writer at a time: a lock that dies with its holder, and with the children it was lent to."""

import fcntl
import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sceneset.registry.render import say
from sceneset.schemas.problem import ProblemsFoundError, problem

_PAUSE = 0.05  # seconds between two looks whether a lock is free


@contextmanager
def alone(lock: Path, *, patience: float = math.inf, told: str = "") -> Iterator[None]:
    """Wait until no other process is in here; the file stays.

    Whoever waits longer than a second is ``told`` why.

    Raises:
        TimeoutError: it took longer than ``patience`` seconds.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:  # which empties nothing that somebody linked it to
        start = time.monotonic()
        while not _got(file):
            waited = time.monotonic() - start
            if waited > patience:
                raise TimeoutError(f"{lock} is held by another process")
            if told and waited > 1:
                say(told)
                told = ""
            time.sleep(_PAUSE)
        yield


def _got(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
