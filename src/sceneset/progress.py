"""Callbacks through which library functions report progress, so that only the CLI prints."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

T = TypeVar("T")

Notify = Callable[[str], None]
"""Called with one sentence for the user, for example why a command waits."""


class Progress(Protocol):
    """Wraps an iterable and reports how many items were consumed, for example as a progress bar."""

    def __call__(self, items: Iterable[T], total: int, what: str) -> Iterable[T]:
        """Return an iterable of the same items.

        Args:
            items: The items to count.
            total: The number of items.
            what: A short label, such as "scan".
        """


def no_progress(items: Iterable[T], total: int, what: str) -> Iterable[T]:  # noqa: ARG001
    """Return ``items`` and report nothing."""
    return items


def one_step(progress: Progress, what: str, run: Callable[[], T]) -> T:
    """Return ``run()``, and report it as a step that can't be divided, such as a git fetch."""
    [result] = progress((run() for _ in range(1)), 1, what)
    return result


def no_notice(text: str) -> None:
    """Report nothing."""
