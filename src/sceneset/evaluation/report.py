"""What an evaluation shows: measures, groups, worst samples, and the difference to another run."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.errors import UsageError
from sceneset.evaluation.bootstrap import (
    FEW,
    LEVEL,
    REPLICATES,
    Comparison,
    Estimate,
    compare,
    estimate,
    holm,
    moved_samples,
    sources_of,
)
from sceneset.evaluation.counts import Counts, keys_of
from sceneset.evaluation.measures import (
    GROUPINGS,
    Empty,
    Group,
    groups_of,
    image_values,
    terms_of,
)
from sceneset.evaluation.names import Key, Matches
from sceneset.evaluation.run import PROBLEMS

if TYPE_CHECKING:
    import pyarrow as pa

LEAST_MOVE = 0.1
"""Samples whose IoU differs by less between two runs are not listed as moved."""
ALL = "all"


class Sample(NamedTuple):
    """A sample with its IoU."""

    key: Key
    iou: float
    before: float | None = None
    """Its IoU in the other run."""

    def as_json(self) -> dict[str, Any]:
        """Return the object that --json prints."""
        found: dict[str, Any] = {"sample": "/".join(self.key), "image_iou": _rounded(self.iou)}
        return found if self.before is None else found | {"before": _rounded(self.before)}


class Refused(NamedTuple):
    """A sample without counts."""

    key: Key
    problem: str
    detail: str


@dataclass
class RunDifference:
    """This run compared with another one, on the samples that both have."""

    common: int
    only_here: int
    only_there: int
    comparisons: list[Comparison]
    """Of all samples, then of the groups."""
    adjusted: dict[str, dict[str, float]]
    """For each measure, the p value of each scene, adjusted for the number of scenes."""
    moved: list[Sample]
    """The largest differences first."""
    about: dict[str, str]


@dataclass
class Evaluation:
    """An evaluation of predictions."""

    counts: Counts
    empty: Empty
    estimates: list[Estimate]
    """Of all samples, then of the groups."""
    worst: list[Sample]
    refused: list[Refused]
    """Samples without a usable prediction, sorted by kind of problem."""
    matches: Matches = field(default_factory=Matches)
    other_files: Counter[str] = field(default_factory=Counter)
    difference: RunDifference | None = None

    @property
    def compared(self) -> int:
        """Number of samples with counts."""
        return self.estimates[0].group.rows.size

    @property
    def values(self) -> "Counter[str]":
        """Number of predictions by the meaning of their values."""
        return Counter(filter(None, self.counts.table["values"].to_pylist()))

    @property
    def has_problems(self) -> bool:
        """Whether a sample or a prediction was left out."""
        return bool(self.refused or self.matches.surplus)

    def as_json(self) -> dict[str, Any]:
        """Return the object that --json prints."""
        widths = self.counts.widths
        return {
            **self.counts.about,
            "empty": self.empty.value,
            "bands": list(widths.bands),
            "radii": list(widths.radii),
            "level": LEVEL,
            "replicates": REPLICATES,
            "selected": len(self.counts.table),
            "compared": self.compared,
            "values": dict(sorted(self.values.items())),
            "problems": dict(Counter(refused.problem for refused in self.refused)),
            "problem_samples": [
                {"sample": "/".join(r.key), "problem": r.problem, "detail": r.detail}
                for r in self.refused
            ],
            "surplus": self.matches.surplus,
            "unselected": self.matches.unselected,
            "other_files": dict(sorted(self.other_files.items())),
            "groups": [_estimate_json(found) for found in self.estimates],
            "worst": [sample.as_json() for sample in self.worst],
            "difference": _difference_json(self.difference) if self.difference else None,
        }


def _estimate_json(found: Estimate) -> dict[str, Any]:
    return {
        "by": found.group.kind,
        "name": found.group.name,
        "images": found.group.rows.size,
        "sources": found.sources,
        "few_sources": found.sources < FEW,
        "measures": {
            name: {part: _rounded(value) for part, value in interval._asdict().items()}
            for name, interval in found.measures.items()
        },
    }


def _difference_json(difference: RunDifference) -> dict[str, Any]:
    groups = []
    for found in difference.comparisons:
        measures: dict[str, Any] = {}
        for name, value in found.measures.items():
            entry = {
                "before": _rounded(value.first),
                "after": _rounded(value.second),
                "low": _rounded(value.low),
                "high": _rounded(value.high),
                "p": _rounded(value.p),
            }
            if found.group.kind == "scene":
                entry["p_holm"] = _rounded(difference.adjusted[name][found.group.name])
            measures[name] = entry
        groups.append(
            {
                "by": found.group.kind,
                "name": found.group.name,
                "images": found.group.rows.size,
                "sources": found.sources,
                "measures": measures,
            }
        )
    return {
        **{f"other_{name}": text for name, text in difference.about.items()},
        "common": difference.common,
        "only_here": difference.only_here,
        "only_there": difference.only_there,
        "groups": groups,
        "moved": [sample.as_json() for sample in difference.moved],
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def evaluate(
    counts: Counts,
    *,
    empty: Empty = Empty.ONE,
    by: Collection[str] = GROUPINGS,
    worst: int = 10,
) -> Evaluation:
    """Return the measures of all samples and of groups.

    Args:
        counts: The counts.
        empty: What images without a person add to means.
        by: The kinds of groups.
        worst: Number of samples with the lowest IoU to list.
    """
    table = counts.compared
    refused = _refused(counts.table)
    terms = terms_of(counts, empty)
    return Evaluation(
        counts,
        empty,
        estimate(terms, counts.widths, sources_of(table), _groups(table, by)),
        _worst(counts, empty, worst),
        refused,
    )


def _groups(table: "pa.Table", by: Collection[str]) -> list[Group]:
    everything = Group(ALL, "", np.arange(len(table)))
    return [everything, *(group for group in groups_of(table) if group.kind in by)]


def _worst(counts: Counts, empty: Empty, number: int) -> list[Sample]:
    values, is_counted = image_values(counts, empty)["image_iou"]
    rows = np.flatnonzero(is_counted)
    order = rows[np.argsort(values[rows], kind="stable")][:number]
    keys = list(keys_of(counts.compared.take(order)))
    return [Sample(key, float(values[row])) for key, row in zip(keys, order, strict=True)]


def _refused(table: "pa.Table") -> list[Refused]:
    import pyarrow.compute as pc

    without = table.filter(pc.is_null(table["both"]))
    columns = (without[name].to_pylist() for name in ("problem", "detail"))
    found = [Refused(*row) for row in zip(keys_of(without), *columns, strict=True)]
    rank = {name: number for number, name in enumerate(PROBLEMS)}
    return sorted(found, key=lambda one: (rank.get(one.problem, len(rank)), one.key))


def difference_to(
    counts: Counts, other: Counts, *, empty: Empty, by: Sequence[str] = GROUPINGS
) -> RunDifference:
    """Return how a run differs from another one, on the samples that both have.

    Args:
        counts: The counts of this run.
        other: The counts of the other one; they come first in each comparison.
        empty: What images without a person add to means.
        by: The kinds of groups.

    Raises:
        UsageError: The runs have no sample in common, or were measured with other widths.
    """
    if counts.widths != other.widths:
        raise UsageError(
            "the two runs were measured with different boundary widths "
            f"({_widths_text(other)} and {_widths_text(counts)}); evaluate one of them again"
        )
    here, there = counts.compared, other.compared
    row_of = {key: row for row, key in enumerate(_identities(there))}
    pairs = [(row, row_of[key]) for row, key in enumerate(_identities(here)) if key in row_of]
    if not pairs:
        raise UsageError("the two runs have no sample with the same true mask in common")
    second = counts._replace(table=here.take([row for row, _ in pairs]))
    first = other._replace(table=there.take([row for _, row in pairs]))
    table = second.table
    before_terms, after_terms = (terms_of(run, empty) for run in (first, second))
    comparisons = compare(
        before_terms,
        after_terms,
        counts.widths,
        sources=sources_of(table),
        groups=_groups(table, by),
    )
    scenes = [found for found in comparisons if found.group.kind == "scene"]
    adjusted = {
        name: holm({found.group.name: found.measures[name].p for found in scenes})
        for name in comparisons[0].measures
    }
    (before, is_before), (after, is_after) = (
        image_values(run, empty)["image_iou"] for run in (first, second)
    )
    is_in_both = is_before & is_after
    moved = moved_samples(
        np.where(is_in_both, before, 0), np.where(is_in_both, after, 0), LEAST_MOVE
    )
    keys = list(keys_of(table))
    return RunDifference(
        len(pairs),
        len(here) - len(pairs),
        len(there) - len(pairs),
        comparisons,
        adjusted,
        [Sample(keys[one.row], one.second, one.first) for one in moved],
        other.about,
    )


def _identities(table: "pa.Table") -> list[tuple[Key, bytes]]:
    """Return what tells samples apart: the name and the true mask."""
    return list(zip(keys_of(table), table["mask_md5"].to_pylist(), strict=True))


def _widths_text(counts: Counts) -> str:
    return ", ".join(f"{ratio:g}" for ratio in (*counts.widths.bands, *counts.widths.radii))
