"""The report of `sceneset fineness`: groups with intervals, and the samples of least detail."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.progress import Progress, no_progress
from sceneset.reporting.fineness import PARTS, Selected, Values
from sceneset.reporting.fineness_intervals import (
    Group,
    Interval,
    finer_share,
    median,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ids = npt.NDArray[np.int64]

Key = tuple[str, str, str]
"""Subset, phase and stem."""


class GroupRow(NamedTuple):
    """The masks of one group."""

    kind: str
    """all, subset, scene or reference."""
    name: str
    samples: int
    sources: int
    fineness: Interval
    """The median."""
    parts: dict[str, float]
    """Medians by the names of PARTS."""
    finer: Interval | None
    """Probability that a mask of the group is finer than one of the reference."""
    finer_same_size: Interval | None
    """The same for masks with about as many person pixels."""


class Worst(NamedTuple):
    """A sample with low fineness."""

    key: Key
    fineness: float
    parts: dict[str, float]


@dataclass
class Report:
    """The fineness of a selection."""

    groups: list[GroupRow]
    worst: list[Worst] = field(default_factory=list)
    reference: str = ""

    def as_json(self, selected: Selected) -> dict[str, Any]:
        """Return the report as JSON values; undefined numbers are null."""
        choice = selected.choice
        return {
            "reference": self.reference or None,
            "selected": choice.selected,
            "measured": sum(map(len, selected.subsets)),
            "older_scan": sum(values.older for values in selected.subsets),
            "without_outline": sum(values.without for values in selected.subsets),
            "withdrawn": choice.withdrawn,
            "restricted": choice.restricted,
            "groups": [
                {
                    "by": row.kind,
                    "group": row.name,
                    "samples": row.samples,
                    "sources": row.sources,
                    "fineness": _interval_json(row.fineness),
                    **{name: _number(value) for name, value in row.parts.items()},
                    "finer": _interval_json(row.finer),
                    "finer_same_size": _interval_json(row.finer_same_size),
                }
                for row in self.groups
            ],
            "worst": [
                {
                    "sample": "/".join(sample.key),
                    "fineness": _number(sample.fineness),
                    **{name: _number(value) for name, value in sample.parts.items()},
                }
                for sample in self.worst
            ],
        }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _interval_json(interval: Interval | None) -> dict[str, float | None] | None:
    if interval is None:
        return None
    return {name: _number(value) for name, value in interval._asdict().items()}


class _Part(NamedTuple):
    """Some samples of one subset."""

    values: Values
    sources: "Ids"
    """Numbers of the sources of all samples of the subset."""
    rows: "Ids"


def report_of(
    subsets: Sequence[Values],
    reference: Values | None,
    *,
    by: Collection[str],
    scenes: Mapping[str, int],
    worst: int,
    progress: Progress = no_progress,
) -> Report:
    """Return the report of measured samples.

    Args:
        subsets: The values, by subset, without the reference.
        reference: What all groups are compared with.
        by: "subset", "scene" or both.
        scenes: The keys of scenes with their places in the vocabulary.
        worst: Number of samples with the lowest fineness to list.
        progress: Called with the groups.
    """
    groups = list(_groups(_numbered(subsets), by, scenes))
    parts = _numbered([reference] if reference else [])
    base = _joined(parts) if parts else None
    rows = [
        _row(kind, name, parts, base)
        for kind, name, parts in progress(groups, len(groups), "compare")
    ]
    if reference:
        rows.append(_row("reference", reference.subset, parts, None))
    return Report(rows, _worst(subsets, worst), reference.subset if reference else "")


def _numbered(subsets: Sequence[Values]) -> list[_Part]:
    """Return all measured samples of subsets; a source is the same in every subset."""
    import numpy as np

    ids: dict[object, int] = {}
    parts = []
    for values in subsets:
        names = enumerate(values.source)
        numbers = [ids.setdefault(name or (values.subset, row), len(ids)) for row, name in names]
        if numbers:
            parts.append(_Part(values, np.array(numbers, np.int64), np.arange(len(numbers))))
    return parts


def _groups(
    measured: list[_Part], by: Collection[str], scenes: Mapping[str, int]
) -> Iterator[tuple[str, str, list[_Part]]]:
    yield "all", "", measured
    if "subset" in by:
        for part in measured:
            yield "subset", part.values.subset, [part]
    if "scene" not in by:
        return
    by_scene: dict[str, list[_Part]] = {}
    for part in measured:
        for scene, rows in part.values.rows_by_scene().items():
            by_scene.setdefault(scene, []).append(part._replace(rows=rows))
    for scene in sorted(by_scene, key=scenes.__getitem__):
        yield "scene", scene, by_scene[scene]


def _joined(parts: Sequence[_Part]) -> Group:
    """Return the values of a group; its sources are numbered from 0 on."""
    import numpy as np

    sources = np.concatenate([part.sources[part.rows] for part in parts])
    return Group(
        np.concatenate([part.values.fineness[part.rows] for part in parts]),
        np.unique(sources, return_inverse=True)[1].astype(np.int64),
        np.concatenate([part.values.sizes[part.rows] for part in parts]),
    )


def _row(kind: str, name: str, parts: Sequence[_Part], reference: Group | None) -> GroupRow:
    import numpy as np

    group = _joined(parts)
    medians = {
        column: float(np.median(np.concatenate([p.values.parts[column][p.rows] for p in parts])))
        for column in PARTS
    }
    return GroupRow(
        kind,
        name,
        len(group.values),
        group.source_count,
        median(group),
        medians,
        finer_share(group, reference) if reference else None,
        finer_share(group, reference, same_size=True) if reference else None,
    )


def _worst(subsets: Sequence[Values], number: int) -> list[Worst]:
    """Return the samples with the lowest fineness; equal ones are in the order of their names."""
    import numpy as np

    found: list[Worst] = []
    for values in subsets:
        order = np.argsort(values.fineness, kind="stable")[:number]
        found += [
            Worst(
                values.key(row),
                float(values.fineness[row]),
                {name: float(column[row]) for name, column in values.parts.items()},
            )
            for row in order.tolist()
        ]
    return sorted(found, key=lambda sample: (sample.fineness, sample.key))[:number]
