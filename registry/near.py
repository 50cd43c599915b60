"""All pairs of 64-bit hashes that differ in few bits: exact, without comparing each with each.

Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): the hash is cut into three bands. Two
hashes within r bits agree in one of the bands within r // 3 bits, so it is enough to look, band by
band, at those whose band is one of the few hundred within that distance.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

_BANDS = ((0, 21), (21, 21), (42, 22))  # first bit, bits
_CHUNK = 1 << 22  # candidates compared at a time: bounds memory where many hashes are alike


class Pairs(NamedTuple):
    """Pairs within a distance, sorted: ``left[i]`` and ``right[i]`` are positions in the inputs."""

    left: Numbers
    right: Numbers
    distance: npt.NDArray[np.uint8]


def near_pairs(left: Hashes, right: Hashes, bits: int) -> Pairs:
    """Return every pair of a hash of ``left`` and one of ``right`` that differ in at most ``bits``.

    Exact for any input. Cost grows with the length of ``left``, and with how many are alike.

    Raises:
        ValueError: ``bits`` is more than 14: too many bands would have to be looked at.
    """
    if not 0 <= bits <= 14:
        raise ValueError(f"{bits} bits: at most 14 can be searched for")
    if len(left) * len(right) <= _CHUNK:
        return _each_with_each(left, right, bits)
    found = [part for first, width in _BANDS for part in _in_band(left, right, first, width, bits)]
    if not found:
        return _each_with_each(left[:0], right, bits)
    # A pair may agree in several bands.
    keys = np.unique(np.concatenate(found))
    one, two = np.divmod(keys, np.int64(max(len(right), 1)))
    return Pairs(one, two, np.bitwise_count(left[one] ^ right[two]))


def _each_with_each(left: Hashes, right: Hashes, bits: int) -> Pairs:
    """Compare all: of few hashes that is quicker than making the tables of the bands."""
    apart = np.bitwise_count(left[:, None] ^ right[None])
    one, two = np.nonzero(apart <= bits)
    return Pairs(one, two, apart[one, two])


def _in_band(left: Hashes, right: Hashes, first: int, width: int, bits: int) -> Iterator[Numbers]:
    """Yield the pairs found by one band, each as left x len(right) + right."""
    mask = np.uint64((1 << width) - 1)
    shift = np.uint64(first)
    theirs = ((right >> shift) & mask).astype(np.int32)
    order = np.argsort(theirs, kind="stable").astype(np.int32)
    starts = np.zeros((1 << width) + 1, np.int32)
    np.cumsum(np.bincount(theirs, minlength=1 << width), out=starts[1:])
    ours = ((left >> shift) & mask).astype(np.int32)
    # In the order of their bands, look-ups go through the table from end to end, in cache.
    mine = np.argsort(ours, kind="stable")
    ours = ours[mine]
    counts = np.diff(starts)
    for flip in _flips(width, bits // 3):
        probe = ours ^ flip
        many = counts[probe]
        [hits] = np.nonzero(many)
        for one, two in _expanded(mine[hits], starts[probe[hits]], many[hits]):
            other = order[two]
            close = np.bitwise_count(left[one] ^ right[other]) <= bits
            if close.any():
                yield one[close].astype(np.int64) * len(right) + other[close]


def _expanded(
    mine: Numbers, starts: npt.NDArray[np.int32], many: npt.NDArray[np.int32]
) -> Iterator[tuple[Numbers, Numbers]]:
    """Yield every ``mine`` with each of the ``many`` places from ``starts`` on, in parts."""
    ends = np.cumsum(many, dtype=np.int64)
    at, done = 0, 0
    while at < len(mine):
        # At least one, however many it is alike to.
        stop = max(int(np.searchsorted(ends, done + _CHUNK, "right")), at + 1)
        part = many[at:stop]
        within = np.arange(part.sum()) - np.repeat(ends[at:stop] - part - done, part)
        yield np.repeat(mine[at:stop], part), np.repeat(starts[at:stop], part) + within
        at, done = stop, int(ends[stop - 1])


def _flips(width: int, bits: int) -> Iterator[np.int32]:
    """Yield every band with at most ``bits`` bits set."""
    for count in range(bits + 1):
        for chosen in combinations(range(width), count):
            yield np.int32(sum(1 << bit for bit in chosen))
