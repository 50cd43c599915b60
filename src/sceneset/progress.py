"""How library functions report progress: through callbacks, so that only the CLI prints."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")

Notify = Callable[[str], None]
"""Called with one sentence for the user, for example why a command waits."""


class Progress(Protocol):
    """Wraps an iterable and reports how far its consumer is, for example as a progress bar."""

    def __call__(self, items: Iterable[T], total: int, what: str) -> Iterable[T]:
        """Return ``items`` unchanged; ``what`` is a short label and ``total`` their number."""


def no_progress(items: Iterable[T], total: int, what: str) -> Iterable[T]:  # noqa: ARG001
    """Report nothing."""
    return items


def no_notice(text: str) -> None:
    """Report nothing."""
