"""Measuring on all cores of this machine."""

import multiprocessing
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from pebble import ProcessExpired, ProcessPool

from sceneset.registry.crews import Batch, Errors, measured_by
from sceneset.registry.knownrows import KnownRows
from sceneset.registry.measure import Measured, Pair, measure, measure_all
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
    cores = os.cpu_count() or 1
    if cores == 1 or len(pairs) - len(known) < _MANY:
        yield from measure_all(pairs, limits, known=known)
        return
    crew = _Processes(cores, limits)
    try:
        yield from measured_by(
            crew, pairs, limits, known, partial(measure_all, limits=limits, known=known)
        )
    finally:
        crew.pool.stop()
        crew.pool.join()


class _Processes:
    batch = 32
    died: Errors = (ProcessExpired,)
    gone: Errors = (RuntimeError,)

    def __init__(self, count: int, limits: Limits) -> None:
        self.ahead, self.limits = 3 * count, limits
        self.pool = ProcessPool(
            max_workers=count,
            initializer=_begin,
            # A copy of a process with threads may wait for a lock that no thread of its own holds.
            context=multiprocessing.get_context("spawn"),
        )

    def submit(self, batch: Batch) -> "Future[list[Measured]]":
        future: Future[list[Measured]] = self.pool.schedule(measure_batch, (batch, self.limits))
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
