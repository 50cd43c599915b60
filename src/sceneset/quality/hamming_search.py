"""All pairs of 64-bit hashes that differ in few bits: exact, without comparing each with each.

Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): the hash is cut into three bands. Two
hashes within r bits agree in one of the bands within r // 3 bits, so it is enough to look, band by
band, at those whose band is one of the few hundred within that distance.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

_BANDS = ((0, 21), (21, 21), (42, 22))  # first bit, bits
_CHUNK = 1 << 22  # candidates compared at a time: bounds memory where many hashes are alike
_BLOCK = 1 << 16  # hashes looked up at a time: what belongs to them stays in the processor's cache
_GIVEN = 1 << 18  # pairs handed on at a time, about
_THREADS = 4  # at most: each holds candidates of its own, and they share the way to memory
_FEW = 4  # candidates of one place that are taken one after the other


class Pairs(NamedTuple):
    """Pairs within a distance: ``left[i]`` and ``right[i]`` are positions in the inputs."""

    left: Numbers
    right: Numbers
    distance: npt.NDArray[np.uint8]


def search(left: Hashes, right: Hashes, bits: int, take: Callable[[Pairs], object]) -> None:
    """Give ``take`` every pair that differs in at most ``bits``, once: some at a time, unsorted.

    Exact for any input. Cost grows with the length of ``left``, and with how many are alike; memory
    with neither, but with the threads. It is half of that if ``left`` is ``right``. ``take`` is
    called by one thread at a time.

    Raises:
        ValueError: ``bits`` is more than 14: too many bands would have to be looked at.
    """
    if not 0 <= bits <= 14:
        raise ValueError(f"{bits} bits: at most 14 can be searched for")
    if len(left) * len(right) <= _CHUNK:
        take(_each_with_each(left, right, bits))
        return
    alone = Lock()

    def give(parts: list[Pairs]) -> None:
        if parts:
            joined = _joined(parts)
            with alone:
                take(joined)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _THREADS)) as pool:
        for number in range(len(_BANDS)):
            _in_band(pool, left, right, _Band(number, bits), give)


def _joined(parts: list[Pairs]) -> Pairs:
    left, right, distance = zip(*parts, strict=True)
    return Pairs(np.concatenate(left), np.concatenate(right), np.concatenate(distance))


def _each_with_each(left: Hashes, right: Hashes, bits: int) -> Pairs:
    """Compare all: of few hashes that is quicker than making the tables of the bands."""
    apart = np.bitwise_count(left[:, None] ^ right[None])
    one, two = np.nonzero(apart <= bits)
    return Pairs(one, two, apart[one, two])


class _Band(NamedTuple):
    """Some bits of the hashes, by which candidates are found."""

    number: int
    bits: int
    """In which whole hashes may differ."""

    @property
    def width(self) -> int:
        return _BANDS[self.number][1]

    def of(self, hashes: Hashes) -> Numbers:
        first, width = _BANDS[self.number]
        return ((hashes >> np.uint64(first)) & np.uint64((1 << width) - 1)).astype(np.int64)

    def is_first(self, differing: Hashes) -> "npt.NDArray[np.bool_]":
        """Whether no band before this one finds pairs that differ in such bits."""
        first = np.ones(len(differing), np.bool_)
        for start, width in _BANDS[: self.number]:
            mask = np.uint64(((1 << width) - 1) << start)
            first &= np.bitwise_count(differing & mask) > self.bits // 3
        return first


class _Sorted(NamedTuple):
    """Hashes in the order of their bands: look-ups go through tables from end to end, in cache."""

    hashes: Hashes
    bands: Numbers
    places: Numbers
    """Where they stood."""

    @classmethod
    def by(cls, band: _Band, hashes: Hashes) -> "_Sorted":
        bands = band.of(hashes)
        order = np.argsort(bands, kind="stable")
        return cls(hashes[order], bands[order], order)

    def part(self, kept: "slice | npt.NDArray[np.bool_]") -> "_Sorted":
        return _Sorted(self.hashes[kept], self.bands[kept], self.places[kept])


class _Table(NamedTuple):
    """Where the hashes of each band begin, and how many there are."""

    hashes: _Sorted
    starts: Numbers
    counts: Numbers

    @classmethod
    def of(cls, band: _Band, hashes: _Sorted) -> "_Table":
        counts = np.bincount(hashes.bands, minlength=1 << band.width)
        starts = np.cumsum(counts) - counts
        return cls(hashes, starts, counts.astype(np.min_scalar_type(counts.max(initial=0))))


def _in_band(
    pool: ThreadPoolExecutor,
    left: Hashes,
    right: Hashes,
    band: _Band,
    give: Callable[[list[Pairs]], None],
) -> None:
    """Give the pairs that are found by one band and by none before it."""
    theirs = _Sorted.by(band, right)
    ours = theirs if left is right else _Sorted.by(band, left)
    table = _Table.of(band, theirs)

    def look(start: int) -> None:
        block = ours.part(slice(start, start + _BLOCK))
        parts, count = [], 0
        for found in (_halves if left is right else _whole)(block, table, band):
            parts.append(found)
            count += len(found.left)
            if count > _GIVEN:
                give(parts)
                parts, count = [], 0
        give(parts)

    for _ in pool.map(look, range(0, len(left), _BLOCK)):
        pass


def _whole(block: _Sorted, table: _Table, band: _Band) -> Iterator[Pairs]:
    for flip in _flips(band.width, band.bits // 3):
        yield from _candidates(block, table, flip, band)


def _halves(block: _Sorted, table: _Table, band: _Band) -> Iterator[Pairs]:
    """Look for each pair from one of its ends only, which is enough where both lists are one."""
    yield from _candidates(block, table, 0, band)
    for top in range(band.width):
        without = block.part((block.bands >> top) & 1 == 0)
        for flip in _flips(top, band.bits // 3 - 1) if band.bits >= 3 else ():
            for found in _candidates(without, table, flip | 1 << top, band):
                yield found
                yield Pairs(found.right, found.left, found.distance)


def _candidates(block: _Sorted, table: _Table, flip: int, band: _Band) -> Iterator[Pairs]:
    """Yield the pairs whose bands differ in just the bits of ``flip``."""
    probe = block.bands ^ flip
    many = table.counts.take(probe)
    [hits] = np.nonzero(many)
    at, many = table.starts.take(probe.take(hits)), many.take(hits)
    for _ in range(_FEW):
        if not len(hits):
            return
        yield from _close(block, table, hits, at, band)
        [more] = np.nonzero(many > 1)
        hits, at, many = hits.take(more), at.take(more) + 1, many.take(more) - 1
    for one, two in _expanded(hits, at, many):
        yield from _close(block, table, one, two, band)


def _close(
    block: _Sorted, table: _Table, mine: Numbers, at: Numbers, band: _Band
) -> Iterator[Pairs]:
    differing = block.hashes.take(mine) ^ table.hashes.hashes.take(at)
    apart = np.bitwise_count(differing)
    [close] = np.nonzero(apart <= band.bits)
    if len(close):
        close = close[band.is_first(differing.take(close))]
        left, right = block.places.take(mine.take(close)), table.hashes.places.take(at.take(close))
        yield Pairs(left, right, apart.take(close))


def _expanded(mine: Numbers, starts: Numbers, many: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield every ``mine`` with each of the ``many`` places from ``starts`` on, in parts."""
    ends = np.cumsum(many, dtype=np.int64)
    at, done = 0, 0
    while at < len(mine):
        # At least one, however many it is alike to.
        stop = max(int(np.searchsorted(ends, done + _CHUNK, "right")), at + 1)
        part = many[at:stop].astype(np.int64)
        within = np.arange(part.sum()) - np.repeat(ends[at:stop] - part - done, part)
        yield np.repeat(mine[at:stop], part), np.repeat(starts[at:stop], part) + within
        at, done = stop, int(ends[stop - 1])


def _flips(width: int, bits: int) -> Iterator[int]:
    """Yield every number of so many bits of which at most ``bits`` are set."""
    for count in range(bits + 1):
        for chosen in combinations(range(width), count):
            yield sum(1 << bit for bit in chosen)
