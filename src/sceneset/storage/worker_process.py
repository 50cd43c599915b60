"""What every worker process does first."""

import multiprocessing
import os
import signal
import threading
import warnings


def start_worker() -> None:
    """Prepare a worker process: ignore SIGINT, end with the parent, and show no warnings.

    On Ctrl-C the parent process stops its workers.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
