"""Measuring on all cores of this machine."""

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from pebble import ProcessExpired, ProcessPool

from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measured, Pair, measure, measure_all
from sceneset.scanning.worker_pool import Batch, Errors, measured_by
from sceneset.schemas.params import Limits

_MANY = 2000
"""Pairs from where on processes are quicker than threads: to start them costs half a second, and
they spare each pair the waiting for Python's lock, half a millisecond on two cores."""


def measure_many(
    pairs: Sequence[Pair], limits: Limits, *, known: KnownRows | None = None
) -> Iterator[Measured]:
    """Measure pairs of files in their order, each file read and decoded once.

    Pairs with a ``known`` row are not read. Memory is bounded by the workers' pictures.
    """
    known = {} if known is None else known
    here = partial(measure_all, limits=limits, known=known)
    return by_processes(measure_batch, here, pairs, limits, known)


def by_processes(
    work: Callable[[Batch, Limits], list[Measured]],
    here: Callable[[Iterable[Pair]], Iterator[Measured]],
    pairs: Sequence[Pair],
    limits: Limits,
    known: KnownRows,
) -> Iterator[Measured]:
    """Hand ``work`` to as many processes as there are cores, or measure few pairs ``here``."""
    cores = os.cpu_count() or 1
    new = max(len(pairs) - len(known), sum(pair.thumbnail for pair in pairs))
    if cores == 1 or new < _MANY:
        yield from here(pairs)
        return
    crew = _Processes(cores, work, limits)
    try:
        yield from measured_by(crew, pairs, limits, known, here)
    finally:
        crew.pool.stop()
        crew.pool.join()


class _Processes:
    batch = 32
    died: Errors = (ProcessExpired,)
    gone: Errors = (RuntimeError,)

    def __init__(
        self, count: int, work: Callable[[Batch, Limits], list[Measured]], limits: Limits
    ) -> None:
        self.ahead, self.work, self.limits = 3 * count, work, limits
        self.pool = ProcessPool(
            max_workers=count,
            initializer=_begin,
            # A copy of a process with threads may wait for a lock that no thread of its own holds.
            context=multiprocessing.get_context("spawn"),
        )

    def submit(self, batch: Batch) -> "Future[list[Measured]]":
        future: Future[list[Measured]] = self.pool.schedule(self.work, (batch, self.limits))
        return future


def _begin() -> None:
    """Make a worker that is quiet, and that ends when its parent is no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # as in measure_all


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)


def measure_batch(batch: Batch, limits: Limits) -> list[Measured]:
    """Measure pairs; this runs in a worker."""
    return [measure(pair, limits) for pair in batch]
