"""Medians of fineness, and how often one group is finer than another, with intervals.

Frames of one source resemble each other, so sources are resampled, not samples. For this, values
are sorted into bins, and a resampling adds up the bins of the sources that it draws; so its cost
does not depend on the number of samples. Sources beyond 1,024 are put together in groups of equal
numbers of sources, which changes an interval very little.
"""

from collections.abc import Hashable, Sequence
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
_UNITS = 1024
_BINS = 256
_SEED = 0


class Interval(NamedTuple):
    """A value with its interval; NaN where there is none."""

    value: float
    low: float
    high: float


class Group(NamedTuple):
    """Values of samples with the source of each."""

    values: "Floats"
    sources: "Ids"
    """Numbers from 0 on."""

    @property
    def source_count(self) -> int:
        """The number of sources."""
        return int(self.sources.max(initial=-1)) + 1


def number_sources(names: Sequence[Hashable]) -> "Ids":
    """Return a number from 0 on for the source of each sample; equal names get equal numbers."""
    ids: dict[Hashable, int] = {}
    return np.array([ids.setdefault(name, len(ids)) for name in names], np.int64)


def median(group: Group) -> Interval:
    """Return the median of a group."""
    if not len(group.values):
        return Interval(float("nan"), float("nan"), float("nan"))
    value = float(np.median(group.values))
    if group.source_count < 2:
        return Interval(value, float("nan"), float("nan"))
    edges = _edges(group.values)
    counts = _resampled(group, edges, _SEED)
    reached = np.cumsum(counts, axis=1)
    half = reached[:, -1:] / 2
    place = (reached >= half).argmax(axis=1)
    drawn = _centres(group.values, edges)[place]
    return _interval(value, drawn)


def finer_share(group: Group, reference: Group) -> Interval:
    """Return the probability that a mask of a group is finer than one of a reference.

    Equal values count half: it is the area under the ROC curve. Sources of both are resampled; a
    source that both have is resampled in each.
    """
    if not len(group.values) or not len(reference.values):
        return Interval(float("nan"), float("nan"), float("nan"))
    ordered = np.sort(reference.values)
    below = np.searchsorted(ordered, group.values, "left")
    up_to = np.searchsorted(ordered, group.values, "right")
    value = float((below + up_to).mean() / 2 / len(ordered))
    if min(group.source_count, reference.source_count) < 2:
        return Interval(value, float("nan"), float("nan"))
    edges = _edges(np.concatenate([group.values, reference.values]))
    first = _resampled(group, edges, _SEED)
    second = _resampled(reference, edges, _SEED + 1)
    second_below = np.cumsum(second, axis=1) - second / 2
    pairs = first.sum(axis=1) * second.sum(axis=1)
    return _interval(value, (first * second_below).sum(axis=1) / pairs)


def _edges(values: "Floats") -> "Floats":
    """Return the lowest value of each bin: every value, or quantiles of them."""
    distinct = np.unique(values)
    if len(distinct) <= _BINS:
        return distinct
    places = np.arange(_BINS) * len(values) // _BINS
    return np.unique(np.sort(values)[places])


def _centres(values: "Floats", edges: "Floats") -> "Floats":
    """Return the mean of the values of each bin."""
    bins = np.searchsorted(edges, values, "right") - 1
    counts = np.bincount(bins, minlength=len(edges))
    centres: Floats = np.bincount(bins, values, minlength=len(edges)) / counts
    return centres


def _resampled(group: Group, edges: "Floats", seed: int) -> "Floats":
    """Return the number of values in each bin, replicates x bins."""
    random = np.random.default_rng(seed)
    bins = np.searchsorted(edges, group.values, "right") - 1
    sources, number = group.sources, group.source_count
    if number > _UNITS:
        # At random: neighbors in a subset can be of one recording, even with different sources.
        sources = random.permutation(number)[sources] % _UNITS
        number = _UNITS
    counts = np.zeros((number, len(edges)))
    np.add.at(counts, (sources, bins), 1)
    drawn = random.integers(0, number, (REPLICATES, number))
    drawn += number * np.arange(REPLICATES)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=REPLICATES * number)
    found: Floats = weights.reshape(REPLICATES, number).astype(np.float64) @ counts
    return found


def _interval(value: float, drawn: "Floats") -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail))
    return Interval(value, min(value, float(low)), max(value, float(high)))
