"""Write to stdout, or fail, inside `guarded`, and exit with its exit code.

Usage: write_guarded.py write|writelines|broken-connection
"""

import sys

from sceneset.cli.exit_codes import guarded


def run() -> int:
    """Do what the argument says."""
    if sys.argv[1] == "broken-connection":
        raise BrokenPipeError(32, "the server closed the connection")
    if sys.argv[1] == "write":
        sys.stdout.write("line\n" * 100_000)
    else:
        sys.stdout.writelines(["line\n" * 4000] * 25)
    return 0


sys.exit(guarded(run))
