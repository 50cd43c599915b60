"""What every worker process does first."""

import ctypes
import multiprocessing
import os
import signal
import threading
import warnings
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt, from malloc.h."""
_LARGEST_KEPT = 32 << 20  # bytes


def start_worker() -> None:
    """Prepare a worker process: ignore SIGINT, end with the parent, and show no warnings.

    On Ctrl-C the parent process stops its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    keep_freed_memory()


def keep_freed_memory() -> None:
    """Let malloc keep the memory of freed arrays for the next picture.

    glibc returns it to the system and takes it again for each array, which is a third of the time
    in which two masks are compared. These limits are those that glibc would choose by itself after
    an array of 32 MiB was freed. Other C libraries keep their own.
    """
    with suppress(AttributeError, OSError, TypeError):  # there is no mallopt
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST_KEPT)


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
