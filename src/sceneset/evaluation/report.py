"""What an evaluation shows: measures, groups, worst samples, and the difference to another run."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.evaluation.bootstrap import Estimate, estimate, sources_of
from sceneset.evaluation.counts import Counts, keys_of
from sceneset.evaluation.difference import RunDifference, Sample, groups_with_all, rounded
from sceneset.evaluation.doubts import doubts
from sceneset.evaluation.measures import GROUPINGS, Empty, image_values, terms_of
from sceneset.evaluation.names import Key, Matches
from sceneset.evaluation.run import PROBLEMS
from sceneset.reporting.fineness_intervals import FEW, LEVEL, REPLICATES
from sceneset.schemas.base import Localized

if TYPE_CHECKING:
    import pyarrow as pa


class Refused(NamedTuple):
    """A sample without counts."""

    key: Key
    problem: str
    detail: str


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
    other_results: Counter[str] = field(default_factory=Counter)
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
    def doubts(self) -> list[Localized]:
        """What is probably wrong with the predictions as a whole."""
        return list(doubts(self.counts.compared))

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
            "doubts": [doubt.en for doubt in self.doubts],
            "problems": dict(Counter(refused.problem for refused in self.refused)),
            "problem_samples": [
                {"sample": "/".join(r.key), "problem": r.problem, "detail": r.detail}
                for r in self.refused
            ],
            "surplus": self.matches.surplus,
            "unselected": self.matches.unselected,
            "other_files": dict(sorted(self.other_files.items())),
            "other_results": dict(sorted(self.other_results.items())),
            "groups": [_estimate_json(found) for found in self.estimates],
            "worst": [sample.as_json() for sample in self.worst],
            "difference": self.difference.as_json() if self.difference else None,
        }


def _estimate_json(found: Estimate) -> dict[str, Any]:
    return {
        "by": found.group.kind,
        "name": found.group.name,
        "images": found.group.rows.size,
        "sources": found.sources,
        "few_sources": found.sources < FEW,
        "measures": {
            name: {part: rounded(value) for part, value in interval._asdict().items()}
            for name, interval in found.measures.items()
        },
    }


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
        estimate(terms, counts.widths, sources_of(table), groups_with_all(table, by)),
        _worst(counts, empty, worst),
        refused,
    )


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
