"""Distribute pairs to a pool of workers, and recover when workers crash.

Pairs are submitted in batches, only a few batches ahead of the results, and results come back in
the order of the pairs. Memory therefore depends on the number of workers and not on the number of
pairs, and results can be written as they arrive.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol

from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measured, Pair, known_row
from sceneset.schemas.finding import finding
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow

Batch = tuple[Pair, ...]
Errors = tuple[type[BaseException], ...]


class WorkerPool(Protocol):
    """Workers that measure batches of pairs."""

    batch_size: int
    """Number of pairs in a batch."""
    task_errors: Errors
    """Raised for a batch whose worker crashed, because of this batch or of another one."""
    pool_errors: Errors
    """Raised when the pool itself is lost, so that no worker can be expected to finish."""

    @property
    def max_pending(self) -> int:
        """Number of batches to submit before waiting for the first result."""

    def submit(self, batch: Batch) -> "Future[list[Measured]]":
        """Start to measure a batch."""


class _Pending(NamedTuple):
    """A submitted batch."""

    pairs: Batch
    rows: Sequence[ScanRow | None]
    """The known row of each pair. Only pairs without one are submitted."""
    future: Any


def measure_in_pool(
    pool: WorkerPool,
    pairs: Iterable[Pair],
    limits: Limits,
    known: KnownRows,
    fallback: Callable[[Iterable[Pair]], Iterator[Measured]],
) -> Iterator[Measured]:
    """Measure pairs with a pool of workers and yield the results in the order of ``pairs``.

    A pair that crashes its worker is isolated and reported; all other pairs are measured.

    Args:
        pool: The workers.
        pairs: The files to measure.
        limits: The largest sizes to decode.
        known: Rows of an earlier scan. The files of their pairs are not read.
        fallback: Measures the remaining pairs if the pool is lost.
    """
    remaining = iter(pairs)
    batches = iter(lambda: tuple(islice(remaining, pool.batch_size)), ())
    pending: deque[_Pending] = deque()
    while True:
        while len(pending) < pool.max_pending and (batch := next(batches, None)):
            pending.append(_submit(pool, batch, limits, known))
        if not pending:
            return
        first = pending.popleft()
        try:
            new = iter(_results(pool, first, pending))
        except pool.pool_errors:
            submitted = (batch.pairs for batch in (first, *pending))
            yield from fallback(chain(*submitted, chain.from_iterable(batches)))
            return
        for pair, row in zip(first.pairs, first.rows, strict=True):
            yield Measured(pair, row, (), is_new=False) if row else next(new)


def _submit(pool: WorkerPool, batch: Batch, limits: Limits, known: KnownRows) -> _Pending:
    rows = [known_row(pair, limits, known) for pair in batch]
    new = tuple(pair for pair, row in zip(batch, rows, strict=True) if row is None)
    future: Future[list[Measured]] = Future()
    try:
        if new:
            future = pool.submit(new)
        else:
            future.set_result([])
    except pool.pool_errors as error:
        future.set_exception(error)  # raised when the result of this batch is due
    return _Pending(batch, rows, future)


def _results(pool: WorkerPool, first: _Pending, others: Iterable[_Pending]) -> list[Measured]:
    """Return the results of a batch; if its worker crashed, measure its pairs one by one."""
    try:
        return _result(first.future)
    except pool.task_errors:
        # Wait for the other batches, so that only a pair measured alone can cause the next crash.
        for other in others:
            with suppress(*pool.task_errors, *pool.pool_errors):
                other.future.exception()
        rows = zip(first.pairs, first.rows, strict=True)
        return [_measure_alone(pool, pair) for pair, row in rows if row is None]


def _measure_alone(pool: WorkerPool, pair: Pair) -> Measured:
    try:
        [found] = _result(pool.submit((pair,)))
    except pool.task_errors:
        return _crashing_pair(pair)
    return found


def _result(future: Any) -> list[Measured]:
    result: list[Measured] = future.result()
    return result


def _crashing_pair(pair: Pair) -> Measured:
    """Return the result for a pair that crashed its worker although nothing else was running."""
    error = finding(
        "image-unreadable",
        "decoding the image or its mask crashes the process",
        file=pair.relative(pair.image),
        phase=pair.phase,
        stem=pair.stem,
        hint="remove the sample, and keep the file for a bug report to the decoder's authors",
    )
    return Measured(pair, None, (error,))
