"""Who measures pairs: threads, processes, or machines; and what to do when one of them dies.

Pairs are handed out in batches, a few ahead, and come back in their order: memory is bounded by
the workers, not by the number of pairs, and results can be written as they come.
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


class Crew(Protocol):
    """Workers that batches can be handed to."""

    batch: int
    """Pairs of one batch."""
    died: Errors
    """Raised for a batch whose workers died, be it of this one or of another beside it."""
    gone: Errors
    """Raised when there is no worker left; others have to go on."""

    @property
    def ahead(self) -> int:
        """Batches that are handed out before the first comes back."""

    def submit(self, batch: Batch) -> "Future[list[Measured]]":
        """Begin to measure a batch."""


class _Handed(NamedTuple):
    pairs: Batch
    rows: Sequence[ScanRow | None]
    """What is known already."""
    future: Any


def measured_by(
    crew: Crew,
    pairs: Iterable[Pair],
    limits: Limits,
    known: KnownRows,
    instead: Callable[[Iterable[Pair]], Iterator[Measured]],
) -> Iterator[Measured]:
    """Yield what becomes of each pair, in their order.

    A pair that kills whoever measures it, and it alone, is named. ``instead`` measures what is left
    when the crew is gone.
    """
    coming = iter(pairs)
    waiting = iter(lambda: tuple(islice(coming, crew.batch)), ())
    handed: deque[_Handed] = deque()
    while True:
        while len(handed) < crew.ahead and (batch := next(waiting, None)):
            handed.append(_hand(crew, batch, limits, known))
        if not handed:
            return
        first = handed.popleft()
        try:
            found = _found(crew, first, handed)
        except crew.gone:
            left = (batch.pairs for batch in (first, *handed))
            yield from instead(chain(*left, chain.from_iterable(waiting)))
            return
        results = iter(found)
        for pair, row in zip(first.pairs, first.rows, strict=True):
            yield Measured(pair, row, (), is_new=False) if row else next(results)


def _found(crew: Crew, first: _Handed, others: Iterable[_Handed]) -> list[Measured]:
    """Return what came of a batch; where its workers died, of each pair measured by itself."""
    try:
        return _result(first.future)
    except crew.died:
        for other in others:  # nothing else is at work then that might be the cause
            with suppress(*crew.died, *crew.gone):
                other.future.exception()
        rows = zip(first.pairs, first.rows, strict=True)
        return [_by_itself(crew, pair) for pair, row in rows if row is None]


def _by_itself(crew: Crew, pair: Pair) -> Measured:
    try:
        [found] = _result(crew.submit((pair,)))
    except crew.died:
        return _killer(pair)
    return found


def _result(future: Any) -> list[Measured]:
    result: list[Measured] = future.result()
    return result


def _hand(crew: Crew, batch: Batch, limits: Limits, known: KnownRows) -> _Handed:
    rows = [known_row(pair, limits, known) for pair in batch]
    new = tuple(pair for pair, row in zip(batch, rows, strict=True) if row is None)
    future: Future[list[Measured]] = Future()
    try:
        if new:
            future = crew.submit(new)
        else:
            future.set_result([])
    except crew.gone as error:
        future.set_exception(error)  # it is told in its turn
    return _Handed(batch, rows, future)


def _killer(pair: Pair) -> Measured:
    told = finding(
        "image-unreadable",
        "kills every process that decodes it, or its mask",
        file=pair.shown(pair.image),
        phase=pair.phase,
        stem=pair.stem,
        hint="leave the sample out; and keep the file for the decoder's makers",
    )
    return Measured(pair, None, (told,))
