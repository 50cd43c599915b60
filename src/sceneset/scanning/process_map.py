"""Call a function for many items on all cores, and keep their order."""

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain, islice
from typing import Generic, TypeVar

from pebble import ProcessExpired, ProcessPool

from sceneset.storage.safe_path import safe_path
from sceneset.storage.worker_process import keep_freed_memory, start_worker

S = TypeVar("S")
T = TypeVar("T")

_MIN_ITEMS = 1000
"""Number of items from which the start of processes is worth its time."""
_BATCH = 32


def map_on_all_cores(
    call: Callable[[S], T], items: Iterable[S], number: int, crashed: Callable[[S], T]
) -> Iterator[T]:
    """Yield ``call(item)`` for every item, in order.

    Memory depends on the number of cores and not on the number of items. An item that crashes its
    process is isolated, and all other items are computed. Few items are computed in this process,
    one after the other: threads that make many short calls of NumPy take longer than one thread.

    Args:
        call: Must be picklable, as items and results must be.
        items: The items; they are drawn in this process, only a few ahead of the results.
        number: Of items, about.
        crashed: Returns the result for an item that crashes its process.
    """
    cores = os.cpu_count() or 1
    if cores == 1 or number < _MIN_ITEMS:
        keep_freed_memory()
        yield from map(call, items)
        return
    pool = _Processes(call, cores)
    try:
        yield from pool.results(items, crashed)
    finally:
        pool.close()


class _Processes(Generic[S, T]):
    """One process for each core."""

    def __init__(self, call: Callable[[S], T], cores: int) -> None:
        self._call, self._ahead = call, 3 * cores
        # `python -c`, which starts each process, would import modules from the registry's folder.
        os.environ.update(safe_path())
        self._pool = ProcessPool(
            max_workers=cores,
            initializer=start_worker,
            # A fork of a process with threads can wait forever for a lock that a thread held.
            context=multiprocessing.get_context("spawn"),
        )

    def results(self, items: Iterable[S], crashed: Callable[[S], T]) -> Iterator[T]:
        """Yield the results; if the pool is lost, this process computes the remaining ones."""
        remaining = iter(items)
        batches = iter(lambda: tuple(islice(remaining, _BATCH)), ())
        pending: deque[tuple[tuple[S, ...], Future[list[T]]]] = deque()
        while True:
            while len(pending) < self._ahead and (batch := next(batches, None)):
                pending.append((batch, self._submit(batch)))
            if not pending:
                return
            first, future = pending.popleft()
            try:
                found = self._result(first, future, [other for _, other in pending], crashed)
            except RuntimeError:
                submitted = (batch for batch, _ in pending)
                yield from map(self._call, chain(first, *submitted, chain.from_iterable(batches)))
                return
            yield from found

    def _submit(self, batch: Sequence[S]) -> "Future[list[T]]":
        future: Future[list[T]]
        try:
            future = self._pool.schedule(_call_each, (self._call, batch))
        except RuntimeError as error:
            future = Future()
            future.set_exception(error)  # raised when the result of this batch is due
        return future

    def _result(
        self,
        batch: Sequence[S],
        future: "Future[list[T]]",
        others: "Sequence[Future[list[T]]]",
        crashed: Callable[[S], T],
    ) -> list[T]:
        try:
            return future.result()
        except ProcessExpired:
            # Wait for the others, so that only an item computed alone can cause the next crash.
            for other in others:
                with suppress(ProcessExpired, RuntimeError):
                    other.exception()
        return [self._alone(item, crashed) for item in batch]

    def _alone(self, item: S, crashed: Callable[[S], T]) -> T:
        try:
            [found] = self._submit((item,)).result()
        except ProcessExpired:
            return crashed(item)
        return found

    def close(self) -> None:
        """Stop all processes and wait until they have ended."""
        self._pool.stop()
        self._pool.join()


def _call_each(call: Callable[[S], T], batch: Sequence[S]) -> list[T]:
    return [call(item) for item in batch]
