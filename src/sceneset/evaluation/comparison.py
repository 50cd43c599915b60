"""Two runs on the same samples: differences with intervals, and how likely they are by chance."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.evaluation.bootstrap import AT_ONCE, Sources, Units, bounds
from sceneset.evaluation.measures import Group, Terms, measures_of
from sceneset.reporting.fineness_intervals import REPLICATES

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.evaluation.counts import Widths

    Numbers = npt.NDArray[np.float64]


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
    found: list[Comparison] = []
    known: dict[bytes, Comparison] = {}
    for group in groups:
        if same := known.get(group.rows.tobytes()):
            found.append(same._replace(group=group))
            continue
        units = Units.of(joined, sources, group.rows)
        one, two = np.hsplit(units.matrix, 2)
        before, after = (measures_of(first, part.sum(axis=0), widths) for part in (one, two))
        resampled: dict[str, Numbers] = {}
        exchanged: dict[str, Numbers] = {}
        if len(units.stratum) > 1 and replicates:
            random = np.random.default_rng(seed)
            ones, twos = np.hsplit(units.resampled(random, replicates), 2)
            if units.can_vary:
                resampled = _differences(first, ones, twos, widths)
            moved = _exchanged(random, two - one, replicates)
            ones, twos = one.sum(axis=0) + moved, two.sum(axis=0) - moved
            exchanged = _differences(first, ones, twos, widths)
        measures = {
            name: Difference(
                float(before[name]),
                float(after[name]),
                *bounds(resampled.get(name)),
                _probability(float(after[name] - before[name]), exchanged.get(name)),
            )
            for name in before
        }
        found.append(Comparison(group, len(units.stratum), measures))
        known[group.rows.tobytes()] = found[-1]
    return found


def _differences(
    terms: Terms, first: "Numbers", second: "Numbers", widths: "Widths"
) -> "dict[str, Numbers]":
    one, two = (measures_of(terms, sums, widths) for sums in (first, second))
    return {name: two[name] - one[name] for name in one}


def _exchanged(random: np.random.Generator, change: "Numbers", replicates: int) -> "Numbers":
    """Return the sum of the changes of a random half of the sources, replicates x terms."""
    found = np.empty((replicates, change.shape[1]))
    step = max(1, AT_ONCE // len(change))
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
