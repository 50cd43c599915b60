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


def no_notice(text: str) -> None:
    """Report nothing."""
