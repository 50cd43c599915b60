"""Intervals by resampling sources.

Frames of one clip resemble each other, so resampling single images would give intervals that are
too narrow. The unit is the source (a clip, a session, an original image); an image without one is a
source of its own. Sources are resampled within strata by scene, so each resampling has as many
sources of a scene as the data.

Each group starts with the same random numbers, so it has the same interval whichever other groups
are computed, and two groups of the same samples have the same one.
"""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.evaluation.measures import Group, Terms, measures_of
from sceneset.reporting.fineness_intervals import LEVEL, REPLICATES
from sceneset.schemas.terms import fold_name

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sceneset.evaluation.counts import Widths

    Numbers = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]


AT_ONCE = 1 << 22
"""Weights in memory."""


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
    """Low and high are NaN if no scene has two sources."""


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
    found: list[Estimate] = []
    known: dict[bytes, Estimate] = {}  # all samples are often of one phase, for example
    for group in groups:
        if same := known.get(group.rows.tobytes()):
            found.append(same._replace(group=group))
            continue
        values = measures_of(terms, terms.sums(group.rows), widths)
        units = Units.of(terms.matrix, sources, group.rows)
        drawn: dict[str, Numbers] = {}
        if units.can_vary and replicates:
            sums = units.resampled(np.random.default_rng(seed), replicates)
            drawn = measures_of(terms, sums, widths)
        found.append(
            Estimate(
                group,
                len(units.stratum),
                {
                    name: Interval(float(value), *bounds(drawn.get(name)))
                    for name, value in values.items()
                },
            )
        )
        known[group.rows.tobytes()] = found[-1]
    return found


class Units(NamedTuple):
    """The sums of each source of a group, sorted by stratum."""

    matrix: "Numbers"
    stratum: "Ids"

    @classmethod
    def of(cls, matrix: "Numbers", sources: Sources, rows: "Ids") -> "Units":
        """Return the sums of the rows of each source."""
        used, place = np.unique(sources.of_row[rows], return_inverse=True)
        sums = np.zeros((len(used), matrix.shape[1]))
        np.add.at(sums, place, matrix[rows])
        order = np.argsort(sources.stratum[used], kind="stable")
        return cls(sums[order], sources.stratum[used][order])

    @property
    def can_vary(self) -> bool:
        """Whether resamplings can differ: a single source of a scene is drawn in each of them."""
        return len(np.unique(self.stratum)) < len(self.stratum)

    def resampled(self, random: np.random.Generator, replicates: int) -> "Numbers":
        """Return sums over resampled sources, replicates x terms.

        Each stratum gets multinomial weights; weights times sums give the sums of a resampling.
        """
        sizes = np.unique(self.stratum, return_counts=True)[1]
        found = np.empty((replicates, self.matrix.shape[1]))
        step = max(1, AT_ONCE // len(self.stratum))
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


def bounds(drawn: "Numbers | None") -> tuple[float, float]:
    """Return the percentiles of resampled values; those that are not defined are left out."""
    if drawn is None or np.isnan(drawn).all():
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, (tail, 1 - tail))
    return float(low), float(high)
