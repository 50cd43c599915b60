"""Find all pairs of 64-bit hashes within a Hamming distance, without comparing every pair.

Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): each hash is cut into three bands. Two
hashes within r bits agree in at least one band within r // 3 bits. So it is enough to compare, for
each band, the hashes whose band is one of the few hundred values within that distance.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sceneset.progress import Progress, no_progress

Hashes = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

MAX_BITS = 14
"""The largest distance that can be searched for; beyond it, too many bands have to be probed."""

_BANDS = ((0, 21), (21, 21), (42, 22))  # (first bit, number of bits)
_CHUNK = 1 << 22  # candidates compared at once; bounds memory where many hashes are close
_BLOCK = 1 << 16  # hashes probed at once, so that their data stays in the processor's cache
_BATCH = 1 << 18  # approximate number of pairs passed to the callback at once
_MAX_THREADS = 4  # each thread has its own candidates in memory, and all share its bandwidth
_SINGLE_STEPS = 4  # candidates of one probe that are compared one by one


class Pairs(NamedTuple):
    """Pairs within a distance: ``left[i]`` and ``right[i]`` are positions in the two inputs."""

    left: Positions
    right: Positions
    distance: npt.NDArray[np.uint8]
    """Hamming distance in bits."""


def search(
    left: Hashes,
    right: Hashes,
    bits: int,
    on_pairs: Callable[[Pairs], object],
    *,
    progress: Progress = no_progress,
) -> None:
    """Call ``on_pairs`` with every pair that differs in at most ``bits`` bits, in batches.

    The search is exact. Each pair is passed once, in no particular order. Time grows with the
    length of ``left`` and with the number of close pairs; memory grows with the number of threads
    only. If ``left`` is ``right`` (the same object), the search takes half the time.

    Args:
        left: 64-bit hashes.
        right: 64-bit hashes.
        bits: Maximum Hamming distance, 0 to 14.
        on_pairs: Receives the pairs. It is called by one thread at a time.
        progress: Called with the blocks of hashes that are searched for.

    Raises:
        ValueError: ``bits`` is out of range.
    """
    if not 0 <= bits <= MAX_BITS:
        raise ValueError(f"can't search for a distance of {bits} bits: at most {MAX_BITS}")
    if len(left) * len(right) <= _CHUNK:
        on_pairs(_compare_all(left, right, bits))
        return
    callback_lock = Lock()

    def emit(batch: list[Pairs]) -> None:
        if batch:
            pairs = _concatenated(batch)
            with callback_lock:
                on_pairs(pairs)

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS)) as pool:
        blocks = len(_BANDS) * -(-len(left) // _BLOCK)
        searched = (
            block
            for number in range(len(_BANDS))
            for block in _search_band(pool, left, right, _Band(number, bits), emit)
        )
        for _ in progress(searched, blocks, "compare images"):
            pass


def _concatenated(batch: list[Pairs]) -> Pairs:
    left, right, distance = zip(*batch, strict=True)
    return Pairs(np.concatenate(left), np.concatenate(right), np.concatenate(distance))


def _compare_all(left: Hashes, right: Hashes, bits: int) -> Pairs:
    """Compare every pair: for few hashes, this is faster than building tables of bands."""
    distance = np.bitwise_count(left[:, None] ^ right[None])
    one, other = np.nonzero(distance <= bits)
    return Pairs(one, other, distance[one, other])


class _Band(NamedTuple):
    """A range of bits of the hashes, used to find candidates."""

    number: int
    bits: int
    """Maximum distance of whole hashes."""

    @property
    def width(self) -> int:
        return _BANDS[self.number][1]

    def values(self, hashes: Hashes) -> Positions:
        """Return the bits of each hash that are in this band."""
        first, width = _BANDS[self.number]
        return ((hashes >> np.uint64(first)) & np.uint64((1 << width) - 1)).astype(np.int64)

    def is_first(self, difference: Hashes) -> "npt.NDArray[np.bool_]":
        """Return for each pair whether no earlier band finds it, given the XOR of its hashes."""
        first = np.ones(len(difference), np.bool_)
        for start, width in _BANDS[: self.number]:
            mask = np.uint64(((1 << width) - 1) << start)
            first &= np.bitwise_count(difference & mask) > self.bits // 3
        return first


class _SortedHashes(NamedTuple):
    """Hashes sorted by band value, so that look-ups walk through tables in order, in cache."""

    hashes: Hashes
    values: Positions
    """Band values."""
    positions: Positions
    """Positions in the unsorted input."""

    @classmethod
    def by(cls, band: _Band, hashes: Hashes) -> "_SortedHashes":
        values = band.values(hashes)
        order = np.argsort(values, kind="stable")
        return cls(hashes[order], values[order], order)

    def subset(self, selected: "slice | npt.NDArray[np.bool_]") -> "_SortedHashes":
        return _SortedHashes(self.hashes[selected], self.values[selected], self.positions[selected])


class _BandTable(NamedTuple):
    """For each band value, where its hashes start and how many there are."""

    hashes: _SortedHashes
    starts: Positions
    counts: Positions

    @classmethod
    def of(cls, band: _Band, hashes: _SortedHashes) -> "_BandTable":
        counts = np.bincount(hashes.values, minlength=1 << band.width)
        starts = np.cumsum(counts) - counts
        return cls(hashes, starts, counts.astype(np.min_scalar_type(counts.max(initial=0))))


def _search_band(
    pool: ThreadPoolExecutor,
    left: Hashes,
    right: Hashes,
    band: _Band,
    emit: Callable[[list[Pairs]], None],
) -> Iterator[None]:
    """Emit the pairs that this band finds and no earlier band does; yield after each block."""
    right_sorted = _SortedHashes.by(band, right)
    left_sorted = right_sorted if left is right else _SortedHashes.by(band, left)
    table = _BandTable.of(band, right_sorted)
    find_pairs = _pairs_from_one_side if left is right else _pairs

    def search_block(start: int) -> None:
        block = left_sorted.subset(slice(start, start + _BLOCK))
        batch, count = [], 0
        for pairs in find_pairs(block, table, band):
            batch.append(pairs)
            count += len(pairs.left)
            if count > _BATCH:
                emit(batch)
                batch, count = [], 0
        emit(batch)

    yield from pool.map(search_block, range(0, len(left), _BLOCK))


def _pairs(block: _SortedHashes, table: _BandTable, band: _Band) -> Iterator[Pairs]:
    for flip in _flips(band.width, band.bits // 3):
        yield from _pairs_at_flip(block, table, flip, band)


def _pairs_from_one_side(block: _SortedHashes, table: _BandTable, band: _Band) -> Iterator[Pairs]:
    """Find each pair from one of its two sides only; valid if both inputs are the same."""
    yield from _pairs_at_flip(block, table, 0, band)
    for top in range(band.width):
        lower_side = block.subset((block.values >> top) & 1 == 0)
        for flip in _flips(top, band.bits // 3 - 1) if band.bits >= 3 else ():
            for found in _pairs_at_flip(lower_side, table, flip | 1 << top, band):
                yield found
                yield Pairs(found.right, found.left, found.distance)


def _pairs_at_flip(
    block: _SortedHashes, table: _BandTable, flip: int, band: _Band
) -> Iterator[Pairs]:
    """Yield the pairs whose band values differ in exactly the bits of ``flip``."""
    probe = block.values ^ flip
    counts = table.counts.take(probe)
    [hits] = np.nonzero(counts)
    at, counts = table.starts.take(probe.take(hits)), counts.take(hits)
    for _ in range(_SINGLE_STEPS):
        if not len(hits):
            return
        yield from _close_pairs(block, table, hits, at, band)
        [more] = np.nonzero(counts > 1)
        hits, at, counts = hits.take(more), at.take(more) + 1, counts.take(more) - 1
    for one, other in _expanded(hits, at, counts):
        yield from _close_pairs(block, table, one, other, band)


def _close_pairs(
    block: _SortedHashes, table: _BandTable, rows: Positions, at: Positions, band: _Band
) -> Iterator[Pairs]:
    """Compare ``rows`` of the block with rows ``at`` of the table; yield those close enough."""
    difference = block.hashes.take(rows) ^ table.hashes.hashes.take(at)
    distance = np.bitwise_count(difference)
    [close] = np.nonzero(distance <= band.bits)
    if len(close):
        close = close[band.is_first(difference.take(close))]
        left = block.positions.take(rows.take(close))
        right = table.hashes.positions.take(at.take(close))
        yield Pairs(left, right, distance.take(close))


def _expanded(
    rows: Positions, starts: Positions, counts: Positions
) -> Iterator[tuple[Positions, Positions]]:
    """Yield each row with each of its ``counts`` positions from ``starts`` on, in chunks."""
    ends = np.cumsum(counts, dtype=np.int64)
    at, done = 0, 0
    while at < len(rows):
        # Take at least one row, even if it alone exceeds the chunk.
        stop = max(int(np.searchsorted(ends, done + _CHUNK, "right")), at + 1)
        chunk = counts[at:stop].astype(np.int64)
        offset = np.arange(chunk.sum()) - np.repeat(ends[at:stop] - chunk - done, chunk)
        yield np.repeat(rows[at:stop], chunk), np.repeat(starts[at:stop], chunk) + offset
        at, done = stop, int(ends[stop - 1])


def _flips(width: int, bits: int) -> Iterator[int]:
    """Yield every ``width``-bit number with at most ``bits`` bits set."""
    for count in range(bits + 1):
        for chosen in combinations(range(width), count):
            yield sum(1 << bit for bit in chosen)
