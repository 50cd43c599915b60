"""Exceptions become messages and exit codes here, and nowhere else.

0: fine. 1: problems found. 2: wrong use. 130: stopped by Ctrl-C.
"""

import gc
import sys
from collections.abc import Callable

from sceneset.cli.streams import discard, ignore_closed_pipe, replace_missing_streams

FINE, FINDINGS, WRONG_USE, STOPPED = 0, 1, 2, 130


def guarded(run: Callable[[], int]) -> int:
    """Call ``run`` and return its exit code, or the exit code of the exception it raised."""
    # A large registry is millions of small objects that live until the process ends. Python's
    # default, a search for cycles after every 700 new objects, would double the run time.
    gc.set_threshold(200_000, 20, 100)
    replace_missing_streams()
    code = FINE
    try:
        with ignore_closed_pipe():
            code = run()
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - unknown ones are raised again
        code = _report(error)
        try:
            sys.stdout.flush()
        except OSError:  # the disk is full; Python would try again at exit and print a traceback
            discard(sys.stdout)
    return code


def _report(error: BaseException) -> int:
    """Print what went wrong and return the exit code; raise exceptions that are bugs."""
    from sceneset.cli.output import print_findings, say
    from sceneset.errors import DvcError, FindingsError, GitError, UsageError

    if isinstance(error, FindingsError):
        print_findings(error.findings)
        return FINDINGS
    if isinstance(error, UsageError):
        say(f"sceneset: {error}", style="red")
        return WRONG_USE
    if isinstance(error, DvcError | GitError | OSError):
        say(f"sceneset: {error}", style="red")
        return FINDINGS
    if isinstance(error, KeyboardInterrupt):
        say("sceneset: stopped")
        return STOPPED
    raise error
