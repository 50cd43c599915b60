"""The exit codes of `sceneset`, and the message and code that each exception leads to.

0: fine. 1: problems found. 2: wrong use. 130: interrupted with Ctrl-C.
"""

import gc
import sys
from collections.abc import Callable

from sceneset.cli.streams import discard, ignore_closed_pipe, replace_missing_streams

FINE, FINDINGS, WRONG_USE, INTERRUPTED = 0, 1, 2, 130


def guarded(run: Callable[[], int]) -> int:
    """Call ``run`` and return its exit code, or the exit code of the exception it raised."""
    # Commands on a large registry create millions of small objects and keep them until the end.
    # Collecting garbage after every 700 new objects, Python's default, would double the run time.
    gc.set_threshold(200_000, 20, 100)
    replace_missing_streams()
    code = FINE
    try:
        with ignore_closed_pipe():
            code = run()
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - _report raises unknown ones
        code = _report(error)
        try:
            sys.stdout.flush()
        except OSError:  # disk full: Python would flush again at exit and print a traceback
            discard(sys.stdout)
    return code


def _report(error: BaseException) -> int:
    """Print the message of an exception and return its exit code; raise it again if it is a bug."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import say
    from sceneset.errors import DvcError, ExportError, FindingsError, GitError, UsageError

    if isinstance(error, FindingsError):
        from sceneset.cli.findings import View, print_findings

        # Only stages end here; a stage that refuses to run says so in one line of DVC's output.
        print_findings(error.findings, view=View(everything=len(error.findings) == 1))
        return FINDINGS
    if isinstance(error, UsageError):
        say(f"sceneset: {translate(str(error))}", style="red")
        return WRONG_USE
    if isinstance(error, DvcError | GitError | ExportError | OSError):
        say(f"sceneset: {translate(str(error))}", style="red")
        return FINDINGS
    if isinstance(error, KeyboardInterrupt):
        say("sceneset: interrupted")
        return INTERRUPTED
    raise error
