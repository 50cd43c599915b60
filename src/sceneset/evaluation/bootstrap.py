"""Intervals and comparisons by resampling sources.

Frames of one clip resemble each other, so resampling single images would give intervals that are
too narrow. The unit is the source (a clip, a session, an original image); an image without one is a
source of its own. Sources are resampled within strata by scene, so each resampling has as many
sources of a scene as the data.

Each group starts with the same random numbers, so it has the same interval whichever other groups
are computed, and two groups of the same samples have the same one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.evaluation.measures import Group, Terms, measures_of
from sceneset.schemas.terms import fold_name

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sceneset.evaluation.counts import Widths

    Numbers = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

REPLICATES = 2000
FEW = 10
"""Intervals of fewer sources are narrower than they should be."""
LEVEL = 0.95

_AT_ONCE = 1 << 22  # weights in memory


class Sources(NamedTuple):
    """The source of each compared sample, and the stratum of each source."""

    of_row: "Ids"
    stratum: "Ids"


class Interval(NamedTuple):
    """A measure with its interval."""

    value: float
    low: float
    high: float


class Estimate(NamedTuple):
    """The measures of a group of samples."""

    group: Group
    sources: int
    measures: dict[str, Interval]
    """Low and high are NaN with fewer than two sources."""


def sources_of(table: "pa.Table") -> Sources:
    """Return the sources of the rows of a table of counts.

    Names of sources are compared as names of scenes are: "Clip 7" is "clip-7", in any subset. The
    stratum of a source is the scene that most of its samples have, the first by name if several do.
    """
    ids: dict[str | int, int] = {}
    folded: dict[str, str] = {}
    of_row: list[int] = []
    scenes: list[Counter[str]] = []
    columns = (table["source"].to_pylist(), table["scenes"].to_pylist())
    for row, (source, names) in enumerate(zip(*columns, strict=True)):
        if source and source not in folded:
            folded[source] = fold_name(source)
        number = ids.setdefault(folded[source] if source else row, len(ids))
        if number == len(scenes):
            scenes.append(Counter(names))
        else:
            scenes[number].update(names)
        of_row.append(number)
    main = [min(found, key=lambda name: (-found[name], name), default="") for found in scenes]
    strata = np.unique(main, return_inverse=True)[1] if main else np.zeros(0, np.int64)
    return Sources(np.array(of_row, np.int64), strata.astype(np.int64))


def estimate(
    terms: Terms,
    widths: "Widths",
    sources: Sources,
    groups: Iterable[Group],
    *,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> list[Estimate]:
    """Return the measures of groups with percentile intervals.

    Args:
        terms: Of all compared samples.
        widths: Of the boundary measures.
        sources: Of all compared samples.
        groups: The groups.
        seed: Of the random numbers.
        replicates: Number of resamplings.
    """
    found = []
    for group in groups:
        values = measures_of(terms, terms.sums(group.rows), widths)
        units = _Units.of(terms.matrix, sources, group.rows)
        drawn: dict[str, Numbers] = {}
        if len(units.stratum) > 1 and replicates:
            sums = units.resampled(np.random.default_rng(seed), replicates)
            drawn = measures_of(terms, sums, widths)
        found.append(
            Estimate(
                group,
                len(units.stratum),
                {
                    name: Interval(float(value), *_bounds(drawn.get(name)))
                    for name, value in values.items()
                },
            )
        )
    return found


class _Units(NamedTuple):
    """The sums of each source of a group, sorted by stratum."""

    matrix: "Numbers"
    stratum: "Ids"

    @classmethod
    def of(cls, matrix: "Numbers", sources: Sources, rows: "Ids") -> "_Units":
        """Return the sums of the rows of each source."""
        used, place = np.unique(sources.of_row[rows], return_inverse=True)
        sums = np.zeros((len(used), matrix.shape[1]))
        np.add.at(sums, place, matrix[rows])
        order = np.argsort(sources.stratum[used], kind="stable")
        return cls(sums[order], sources.stratum[used][order])

    def resampled(self, random: np.random.Generator, replicates: int) -> "Numbers":
        """Return sums over resampled sources, replicates x terms.

        Each stratum gets multinomial weights; weights times sums give the sums of a resampling.
        """
        sizes = np.unique(self.stratum, return_counts=True)[1]
        found = np.empty((replicates, self.matrix.shape[1]))
        step = max(1, _AT_ONCE // len(self.stratum))
        for start in range(0, replicates, step):
            number = min(step, replicates - start)
            weights = np.concatenate([_weights(random, size, number) for size in sizes], axis=1)
            found[start : start + number] = weights @ self.matrix
        return found


def _weights(random: np.random.Generator, size: int, number: int) -> "Numbers":
    """Return how often each of ``size`` sources is drawn, in ``number`` resamplings."""
    drawn = random.integers(0, size, (number, size))
    drawn += size * np.arange(number)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=number * size)
    return counts.reshape(number, size).astype(np.float64)


def _bounds(drawn: "Numbers | None") -> tuple[float, float]:
    """Return the percentiles of resampled values; those that are not defined are left out."""
    if drawn is None or np.isnan(drawn).all():
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail))
    return float(low), float(high)


class Difference(NamedTuple):
    """A measure of two runs on the same samples."""

    first: float
    second: float
    low: float
    """Interval of second - first."""
    high: float
    p: float
    """Probability of a difference at least as large if it did not matter which run is which."""


class Comparison(NamedTuple):
    """Two runs on one group."""

    group: Group
    sources: int
    measures: dict[str, Difference]


def compare(
    first: Terms,
    second: Terms,
    widths: "Widths",
    *,
    sources: Sources,
    groups: Iterable[Group],
    seed: int = 0,
    replicates: int = REPLICATES,
) -> list[Comparison]:
    """Return the differences of two runs on the same samples, paired by source.

    The interval resamples sources with the same weights for both runs. For ``p``, the two runs are
    exchanged on a random half of the sources, as often as there are replicates.

    Args:
        first: Terms of the first run.
        second: Terms of the second run, of the same samples in the same order.
        widths: Of the boundary measures.
        sources: Of these samples.
        groups: The groups.
        seed: Of the random numbers.
        replicates: Number of resamplings.
    """
    joined = np.concatenate([first.matrix, second.matrix], axis=1)
    found = []
    for group in groups:
        units = _Units.of(joined, sources, group.rows)
        one, two = np.hsplit(units.matrix, 2)
        before, after = (measures_of(first, part.sum(axis=0), widths) for part in (one, two))
        resampled: dict[str, Numbers] = {}
        exchanged: dict[str, Numbers] = {}
        if len(units.stratum) > 1 and replicates:
            random = np.random.default_rng(seed)
            ones, twos = np.hsplit(units.resampled(random, replicates), 2)
            resampled = _differences(first, ones, twos, widths)
            moved = _exchanged(random, two - one, replicates)
            ones, twos = one.sum(axis=0) + moved, two.sum(axis=0) - moved
            exchanged = _differences(first, ones, twos, widths)
        measures = {
            name: Difference(
                float(before[name]),
                float(after[name]),
                *_bounds(resampled.get(name)),
                _probability(float(after[name] - before[name]), exchanged.get(name)),
            )
            for name in before
        }
        found.append(Comparison(group, len(units.stratum), measures))
    return found


def _differences(
    terms: Terms, first: "Numbers", second: "Numbers", widths: "Widths"
) -> "dict[str, Numbers]":
    one, two = (measures_of(terms, sums, widths) for sums in (first, second))
    return {name: two[name] - one[name] for name in one}


def _exchanged(random: np.random.Generator, change: "Numbers", replicates: int) -> "Numbers":
    """Return the sum of the changes of a random half of the sources, replicates x terms."""
    found = np.empty((replicates, change.shape[1]))
    step = max(1, _AT_ONCE // len(change))
    for start in range(0, replicates, step):
        number = min(step, replicates - start)
        found[start : start + number] = (
            random.integers(0, 2, (number, len(change))).astype(np.float64) @ change
        )
    return found


def _probability(observed: float, exchanged: "Numbers | None") -> float:
    """Return the two-sided p value; the observed arrangement counts as one of them."""
    if exchanged is None or np.isnan(observed):
        return float("nan")
    tolerance = 1e-12  # exchanging all sources or none gives the same difference up to rounding
    known = exchanged[~np.isnan(exchanged)]
    extreme = int(np.count_nonzero(np.abs(known) >= abs(observed) - tolerance))
    return (extreme + 1) / (len(known) + 1)


def holm(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Return p values that are adjusted for the number of comparisons, as Holm (1979) does.

    Values that are NaN stay so, and do not count as comparisons.
    """
    known = sorted((p, name) for name, p in probabilities.items() if not np.isnan(p))
    adjusted, largest = {}, 0.0
    for number, (p, name) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - number)))
        adjusted[name] = largest
    return {name: adjusted.get(name, float("nan")) for name in probabilities}


class Moved(NamedTuple):
    """A sample whose value differs between two runs."""

    row: int
    first: float
    second: float


def moved_samples(first: "Numbers", second: "Numbers", least: float) -> Sequence[Moved]:
    """Return the samples that differ by at least ``least``, the largest differences first."""
    change = second - first
    rows = np.flatnonzero(np.abs(change) >= least)
    order = rows[np.argsort(-np.abs(change[rows]), kind="stable")]
    return [Moved(int(row), float(first[row]), float(second[row])) for row in order]
