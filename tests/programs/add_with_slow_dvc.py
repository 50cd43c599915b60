"""Run `sceneset add`, and kill it while dvc runs; "dvc" ends when something is written to a pipe.

Usage: add_with_slow_dvc.py PIPE DELIVERY NAME
"""

import os
import signal
import subprocess
import sys

from sceneset.cli import main as cli
from sceneset.storage import dvc as storage_dvc

pipe, delivery, name = sys.argv[1:]


run = subprocess.run


def start_slow_dvc(command, *, pass_fds=(), **options):
    """Start a process that inherits the write lock like `dvc add` does, and kill this one."""
    if not {"dvc", "add"} <= set(command):
        return run(command, pass_fds=pass_fds, **options)
    subprocess.Popen(
        [sys.executable, "-c", f"open({pipe!r}).read()"],
        pass_fds=pass_fds,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.kill(os.getpid(), signal.SIGKILL)
    return None  # never reached


storage_dvc.subprocess.run = start_slow_dvc
cli.main(["add", delivery, "--name", name])
