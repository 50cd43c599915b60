"""The order of samples in an epoch: a function of seed and epoch alone, on every machine.

NumPy's and PyTorch's shuffles may differ between their versions, so samples are sorted by a hash.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Positions = npt.NDArray[np.int64]

_STEP = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def _mixed(values: "npt.NDArray[np.uint64]") -> "npt.NDArray[np.uint64]":
    """Return the hash of each value by splitmix64 (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(_STEP)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _hashes(count: int, *words: int) -> "npt.NDArray[np.uint64]":
    """Return a hash for each of the numbers 0 to count - 1, which depends on ``words``."""
    key = np.zeros(1, np.uint64)
    for word in words:
        key = _mixed(key ^ np.uint64(word & _MASK))
    return _mixed(_mixed(np.arange(count, dtype=np.uint64)) ^ key)


def epoch_order(
    weights: "npt.NDArray[np.float64]", seed: int, epoch: int, *, shuffle: bool = True
) -> "Positions":
    """Return the positions of the samples to draw in an epoch.

    A sample of weight 2 is drawn twice. Of the samples of weight 0.25, each epoch draws another
    quarter. All epochs have the same length.

    Args:
        weights: The weight of each sample.
        seed: Any whole number.
        epoch: The number of the epoch.
        shuffle: Without it, samples come in their order.
    """
    times = np.floor(weights).astype(np.int64)
    rest = weights - times
    ranks = _hashes(len(weights), seed, epoch, 1)
    for weight in np.unique(weights[rest > 0]):
        members = np.flatnonzero(weights == weight)
        extra = round(float(weight) % 1 * len(members))
        times[members[np.argsort(ranks[members], kind="stable")[:extra]]] += 1
    positions = np.repeat(np.arange(len(weights), dtype=np.int64), times)
    if not shuffle:
        return positions
    return positions[np.argsort(_hashes(len(positions), seed, epoch, 2), kind="stable")]


def shard(order: "Positions", rank: int, world: int, *, drop_last: bool = False) -> "Positions":
    """Return the part of an epoch that one of ``world`` processes draws; all parts have one length.

    Args:
        order: The whole epoch.
        rank: The number of the process, from 0.
        world: The number of processes.
        drop_last: Leave samples out if they can't be divided evenly; otherwise the first samples
            are drawn again.
    """
    if drop_last:
        order = order[: len(order) // world * world]
    elif len(order) % world:
        missing = world - len(order) % world
        order = np.concatenate([order, np.resize(order, missing)])
    return order[rank::world]
