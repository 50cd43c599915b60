"""Measure pairs on all cores of this machine, with processes or threads."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial

from pebble import ProcessExpired, ProcessPool

from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measured, Pair, measure_in_threads, measure_pair
from sceneset.scanning.worker_pool import Batch, Errors, measure_in_pool
from sceneset.schemas.params import Limits
from sceneset.storage.safe_path import safe_path
from sceneset.storage.worker_process import start_worker

_MIN_PAIRS = 2000
"""Number of pairs from which processes are faster than threads. Processes take half a second to
start, but avoid the interpreter lock, which costs each pair half a millisecond on two cores."""


def measure_files(
    pairs: Sequence[Pair], limits: Limits, *, known: KnownRows | None = None
) -> Iterator[Measured]:
    """Measure pairs of files on all cores and yield the results in the order of ``pairs``.

    Each file is read and decoded once. Files of pairs with a ``known`` row are not read. Memory
    depends on the number of cores and not on the number of pairs.
    """
    known = {} if known is None else known
    in_threads = partial(measure_in_threads, limits=limits, known=known)
    return measure_in_processes(measure_file_batch, in_threads, pairs, limits, known)


def measure_in_processes(
    work: Callable[[Batch, Limits], list[Measured]],
    fallback: Callable[[Iterable[Pair]], Iterator[Measured]],
    pairs: Sequence[Pair],
    limits: Limits,
    known: KnownRows,
) -> Iterator[Measured]:
    """Measure pairs with one process per core and yield the results in the order of ``pairs``.

    Args:
        work: Measures one batch in a worker process; it must be picklable.
        fallback: Measures pairs in this process: all of them if they are too few for processes to
            be faster, or the remaining ones if the pool is lost.
        pairs: The files to measure.
        limits: The largest sizes to decode.
        known: Rows of an earlier scan. The files of their pairs are not read.
    """
    cores = os.cpu_count() or 1
    new = max(len(pairs) - len(known), sum(pair.thumbnail for pair in pairs))
    if cores == 1 or new < _MIN_PAIRS:
        yield from fallback(pairs)
        return
    pool = _ProcessWorkers(cores, work, limits)
    try:
        yield from measure_in_pool(pool, pairs, limits, known, fallback)
    finally:
        pool.close()


class _ProcessWorkers:
    """A WorkerPool of processes on this machine."""

    batch_size = 32
    task_errors: Errors = (ProcessExpired,)
    pool_errors: Errors = (RuntimeError,)

    def __init__(
        self, count: int, work: Callable[[Batch, Limits], list[Measured]], limits: Limits
    ) -> None:
        self.max_pending, self._work, self._limits = 3 * count, work, limits
        # `python -c`, which starts each process, would import modules from the registry's folder.
        os.environ.update(safe_path())
        self._pool = ProcessPool(
            max_workers=count,
            initializer=start_worker,
            # A fork of a process with threads can wait forever for a lock that a thread held.
            context=multiprocessing.get_context("spawn"),
        )

    def submit(self, batch: Batch) -> "Future[list[Measured]]":
        future: Future[list[Measured]] = self._pool.schedule(self._work, (batch, self._limits))
        return future

    def close(self) -> None:
        """Stop all processes and wait until they have ended."""
        self._pool.stop()
        self._pool.join()


def measure_file_batch(batch: Batch, limits: Limits) -> list[Measured]:
    """Measure pairs of files one after another; this function runs in a worker process."""
    return [measure_pair(pair, limits) for pair in batch]
