"""Medians of fineness, and how often one group is finer than another, with intervals.

Frames of one source resemble each other, so sources are resampled, not samples. For this, values
are sorted into bins, and a resampling adds up the bins of the sources that it draws; so its cost
does not depend on the number of samples. Sources beyond 512 are put together in groups of equal
numbers of sources, which changes an interval very little.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

REPLICATES = 2000
LEVEL = 0.95
FEW = 10
"""Intervals of fewer sources are narrower than they should be."""
_UNITS = 512
_BINS = 128
_BINS_BY_SIZE = 32
_SEED = 0


class Interval(NamedTuple):
    """A value with its interval; NaN where there is none."""

    value: float
    low: float
    high: float


_UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


class Group(NamedTuple):
    """Values of samples with the source and the size of each."""

    values: "Floats"
    sources: "Ids"
    """Numbers from 0 on."""
    sizes: "Ids"
    """Classes of sizes of persons."""

    @property
    def source_count(self) -> int:
        """The number of sources."""
        return int(self.sources.max(initial=-1)) + 1

    def of_size(self, size: int) -> "Floats":
        """Return the values of a class of sizes."""
        values: Floats = self.values[self.sizes == size]
        return values


def median(group: Group) -> Interval:
    """Return the median of a group."""
    if not len(group.values):
        return _UNKNOWN
    value = float(np.median(group.values))
    edges = _edges(group.values, _BINS)
    centres = _centres(group.values, edges)
    counts = _resampled(group, _bins(group.values, edges), len(edges), _SEED)
    reached = np.cumsum(counts, axis=1)
    drawn = centres[(reached >= reached[:, -1:] / 2).argmax(axis=1)]
    return _interval(value, drawn, group.source_count)


def finer_share(group: Group, reference: Group, *, same_size: bool = False) -> Interval:
    """Return the probability that a mask of a group is finer than one of a reference.

    Equal values count half: it is the area under the ROC curve. Sources of both are resampled; a
    source that both have is resampled in each.

    Args:
        group: The group.
        reference: The reference.
        same_size: Whether only masks with persons of one class of sizes are compared.
    """
    if not same_size:
        group, reference = (one._replace(sizes=0 * one.sizes) for one in (group, reference))
    sizes = np.intersect1d(group.sizes, reference.sizes)
    if not len(sizes):
        return _UNKNOWN
    pairs = [(group.of_size(size), reference.of_size(size)) for size in sizes.tolist()]
    wins = sum(_wins(one, other) for one, other in pairs)
    value = wins / sum(len(one) * len(other) for one, other in pairs)
    bins = _BINS_BY_SIZE if same_size else _BINS
    edges = _edges(np.concatenate([group.values, reference.values]), bins)
    first, second = (
        _by_size(one, sizes, edges, _SEED + number) for number, one in enumerate((group, reference))
    )
    shares = _shares(first, second)
    # Values of one bin count as equal, which moves all shares by a little.
    shift = value - float(_shares(*(_by_size(one, sizes, edges) for one in (group, reference)))[0])
    drawn = np.clip(shares + shift, 0, 1)
    return _interval(value, drawn, min(group.source_count, reference.source_count))


def _wins(values: "Floats", others: "Floats") -> float:
    """Return the number of pairs in which the value is larger; equal ones count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return float(below.sum()) / 2


def _shares(first: "Floats", second: "Floats") -> "Floats":
    """Return the share of pairs in which the first is finer.

    Args:
        first: replicates x sizes x bins: the number of values.
        second: The same of what they are compared with.
    """
    below = np.cumsum(second, axis=2) - second / 2
    pairs = (first.sum(axis=2) * second.sum(axis=2)).sum(axis=1)
    with np.errstate(invalid="ignore"):  # a resampling may have no size in common
        shares: Floats = (first * below).sum(axis=(1, 2)) / pairs
    return shares


def _by_size(group: Group, sizes: "Ids", edges: "Floats", seed: int | None = None) -> "Floats":
    """Return the number of values of each size and bin, replicates x sizes x bins.

    Without a seed, nothing is resampled, and there is one replicate.
    """
    is_used = np.isin(group.sizes, sizes)
    places = np.searchsorted(sizes, group.sizes[is_used])
    bins = places * len(edges) + _bins(group.values[is_used], edges)
    columns = len(sizes) * len(edges)
    if seed is None:
        counts = np.bincount(bins, minlength=columns).astype(np.float64)[None]
    else:
        used = group._replace(sources=group.sources[is_used])
        counts = _resampled(used, bins, columns, seed, number=group.source_count)
    return counts.reshape(len(counts), len(sizes), len(edges))


def _edges(values: "Floats", number: int) -> "Floats":
    """Return the lowest value of each bin: every value, or quantiles of them."""
    distinct = np.unique(values)
    if len(distinct) <= number:
        return distinct
    places = np.arange(number) * len(values) // number
    return np.unique(np.sort(values)[places])


def _bins(values: "Floats", edges: "Floats") -> "Ids":
    return np.searchsorted(edges, values, "right") - 1


def _centres(values: "Floats", edges: "Floats") -> "Floats":
    """Return the mean of the values of each bin."""
    bins = _bins(values, edges)
    counts = np.bincount(bins, minlength=len(edges))
    centres: Floats = np.bincount(bins, values, minlength=len(edges)) / counts
    return centres


def _resampled(
    group: Group, bins: "Ids", columns: int, seed: int, *, number: int | None = None
) -> "Floats":
    """Return the number of values in each bin, replicates x bins.

    Args:
        group: Its sources are resampled.
        bins: The bin of each value.
        columns: The number of bins.
        seed: Of the random numbers.
        number: The number of sources, with those that have no value here.
    """
    random = np.random.default_rng(seed)
    sources, number = group.sources, number or group.source_count
    if number > _UNITS:
        # At random: neighbors in a subset can be of one recording, even with different sources.
        sources = random.permutation(number)[sources] % _UNITS
        number = _UNITS
    counts = np.bincount(sources * columns + bins, minlength=number * columns)
    drawn = random.integers(0, number, (REPLICATES, number))
    drawn += number * np.arange(REPLICATES)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=REPLICATES * number)
    found: Floats = weights.reshape(REPLICATES, number).astype(np.float64) @ counts.reshape(
        number, columns
    ).astype(np.float64)
    return found


def _interval(value: float, drawn: "Floats", sources: int) -> Interval:
    if sources < 2 or np.isnan(drawn).all():
        return Interval(value, float("nan"), float("nan"))
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail))
    return Interval(value, min(value, float(low)), max(value, float(high)))
