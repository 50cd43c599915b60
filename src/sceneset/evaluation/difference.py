"""How a run differs from another one, on the samples that both have."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.errors import UsageError
from sceneset.evaluation.bootstrap import sources_of
from sceneset.evaluation.comparison import Comparison, compare, holm, moved_samples
from sceneset.evaluation.counts import Counts, keys_of
from sceneset.evaluation.measures import (
    GROUPINGS,
    Empty,
    Group,
    groups_of,
    image_values,
    terms_of,
)
from sceneset.evaluation.names import Key
from sceneset.reporting.fineness_intervals import FEW

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
        found: dict[str, Any] = {"sample": "/".join(self.key), "image_iou": rounded(self.iou)}
        return found if self.before is None else found | {"before": rounded(self.before)}


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

    def as_json(self) -> dict[str, Any]:
        """Return the object that --json prints."""
        groups = []
        for found in self.comparisons:
            measures: dict[str, Any] = {}
            for name, value in found.measures.items():
                entry = {
                    "before": rounded(value.first),
                    "after": rounded(value.second),
                    "low": rounded(value.low),
                    "high": rounded(value.high),
                    "p": rounded(value.p),
                }
                if found.group.kind == "scene":
                    entry["p_holm"] = rounded(self.adjusted[name][found.group.name])
                measures[name] = entry
            groups.append(
                {
                    "by": found.group.kind,
                    "name": found.group.name,
                    "images": found.group.rows.size,
                    "sources": found.sources,
                    "few_sources": found.sources < FEW,
                    "measures": measures,
                }
            )
        return {
            **{f"other_{name}": text for name, text in self.about.items()},
            "common": self.common,
            "only_here": self.only_here,
            "only_there": self.only_there,
            "groups": groups,
            "moved": [sample.as_json() for sample in self.moved],
        }


def rounded(value: float) -> float | None:
    """Return a number for JSON; None if it is not defined."""
    return None if math.isnan(value) else round(float(value), 6)


def groups_with_all(table: "pa.Table", by: Collection[str]) -> list[Group]:
    """Return the group of all samples, and the groups of some kinds."""
    everything = Group(ALL, "", np.arange(len(table)))
    return [everything, *(group for group in groups_of(table) if group.kind in by)]


def difference_to(
    counts: Counts, other: Counts, *, empty: Empty, by: Collection[str] = GROUPINGS
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
        groups=groups_with_all(table, by),
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
