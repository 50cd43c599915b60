"""Run a command of sceneset that stops at a point until a file appears.

Usage: pause_command.py POINT FILE WORD...: the point is "before MODULE FUNCTION N", as in
kill_points.py. The program writes FILE.reached when it has come there, and goes on once FILE
exists.
"""

import importlib
import sys
import time
from pathlib import Path

from sceneset.cli.main import main


def pause_at(point, file):
    """Make the process wait before a given call of a function."""
    _, module, function, number = point.split()
    owner = importlib.import_module(module)
    call, counter = getattr(owner, function), [0]

    def call_later(*args, **options):
        counter[0] += 1
        if counter[0] == int(number):
            file.with_suffix(".reached").touch()
            while not file.exists():
                time.sleep(0.02)
        return call(*args, **options)

    setattr(owner, function, call_later)


pause_at(sys.argv[1], Path(sys.argv[2]))
sys.exit(main(sys.argv[3:]))
