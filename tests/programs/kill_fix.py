"""Run `sceneset fix` on a delivery, and kill it before or after it copies the files beside images.

Usage: kill_fix.py before|after DELIVERY DIR
"""

import os
import signal
import sys

from sceneset.cli.main import main
from sceneset.edits import fix_delivery

copy_other_files = fix_delivery.copy_other_files
point, delivery, to = sys.argv[1:]


def copy_and_die(*arguments):
    """Copy the files, and end the process."""
    if point == "after":
        copy_other_files(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


fix_delivery.copy_other_files = copy_and_die
main(["fix", delivery, "--to", to])
