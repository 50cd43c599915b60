"""Run `sceneset init`, and kill the process before it writes one of its files.

Usage: kill_init.py NUMBER DIR: the file to be killed at, counted from 1. git and DVC are left out.
"""

import os
import signal
import sys
from pathlib import Path

from sceneset.cli import scaffold

write_text, remaining = scaffold.write_text, int(sys.argv[1])


def write_or_die(path: Path, text: str) -> None:
    """Write a file, or end the process."""
    global remaining  # noqa: PLW0603
    remaining -= 1
    if remaining == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    write_text(path, text)


scaffold.write_text = write_or_die
scaffold.dvc = lambda *_: None
scaffold.lay_out(Path(sys.argv[2]))
