"""Handle closed output streams: `sceneset lookup | head`, `2>&-`, a full disk."""

import os
import sys

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import TextIO


def replace_missing_streams() -> None:
    """Replace stdout or stderr with /dev/null if the caller closed it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            null = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
            setattr(sys, name, null)


class ignore_closed_pipe:  # noqa: N801 - used as a statement: `with ignore_closed_pipe():`
    """Leave the block silently if the reader of a stream has closed it, as `head` does.

    A BrokenPipeError of another stream or connection is raised as usual.
    """

    def __init__(self, stream: "TextIO | None" = None) -> None:
        self.stream = stream or sys.stdout

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, BrokenPipeError) or not _is_closed(self.stream):
            return False
        discard(self.stream)
        return True


def discard(stream: "TextIO") -> None:
    """Redirect a stream to /dev/null, together with the output that is still buffered."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _is_closed(stream: "TextIO") -> bool:
    """Return whether the reading end of a stream is closed.

    Only polling is reliable: a failed write may have left the buffer empty.
    """
    import select

    poll = select.poll()
    poll.register(stream, select.POLLOUT)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
