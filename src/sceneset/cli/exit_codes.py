"""The edge: exceptions become messages and exit codes here, and nowhere else.

0 fine, 1 problems found, 2 wrong use.
"""

import gc
import os
import sys
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

FINE, PROBLEMS, WRONG_USE, STOPPED = 0, 1, 2, 130


class UsageError(Exception):
    """A command was asked for something that makes no sense; the message teaches what does."""


def guarded(run: Callable[[], int]) -> int:
    """Call ``run`` and return its exit code, or the one of what it raised."""
    # A large registry is millions of small objects that live until the end. To look for cycles
    # among them after each 700 takes as long as all the rest.
    gc.set_threshold(200_000, 20, 100)
    _open_both()
    code = FINE
    try:
        with read_enough():
            code = run()
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what is not known is raised
        code = _told(error)
        try:
            sys.stdout.flush()
        except OSError:  # the disk is full, and Python would try once more at its end
            _let_go(sys.stdout)
    return code


def _open_both() -> None:
    """Let talk go nowhere where stdout or stderr was closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, nowhere)


class read_enough:  # noqa: N801 - reads as the statement it is
    """Go on after a block in which nobody reads a stream any more, as in `sceneset lookup | head`.

    Another pipe that broke is an error as any other.
    """

    def __init__(self, stream: "TextIO | None" = None) -> None:
        self.stream = stream or sys.stdout

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, BrokenPipeError) or not _is_left(self.stream):
            return False
        _let_go(self.stream)
        return True


def _let_go(stream: "TextIO") -> None:
    """Let what is still written to a stream go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_left(stream: "TextIO") -> bool:
    """Whether the other end of a stream is closed; what failed to be written may be gone."""
    import select

    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


def _told(error: BaseException) -> int:
    """Say what went wrong and return the exit code; raise what is a fault of ours."""
    from sceneset.registry.gitrepo import GitError
    from sceneset.registry.places import NoRegistryError
    from sceneset.registry.remote import DvcError
    from sceneset.registry.render import print_problems, say
    from sceneset.registry.revisions import UnknownRevisionError
    from sceneset.schemas.problem import ProblemsFoundError

    if isinstance(error, ProblemsFoundError):
        print_problems(error.problems)
        return PROBLEMS
    if isinstance(error, UsageError | NoRegistryError | UnknownRevisionError):
        say(f"sceneset: {error}", style="red")
        return WRONG_USE
    if isinstance(error, DvcError | GitError | OSError):
        say(f"sceneset: {error}", style="red")
        return PROBLEMS
    if isinstance(error, KeyboardInterrupt):
        say("sceneset: stopped")
        return STOPPED
    raise error
