"""Statistics as exact sums of scan rows: no pixel is read, and order changes nothing.

Sums are integers of any size, and means of per-image values are added by ``math.fsum``, which
rounds once: the same rows give the same digits on every machine.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import boxes_of, rows_of, table_order
from sceneset.errors import fail
from sceneset.reporting.scan_columns import COLUMNS, Measures, spreads
from sceneset.schemas.stats import (
    Colour,
    Foreground,
    Numbers,
    Rgb,
    RowStats,
    SetStats,
    Sizes,
    SubsetStats,
)
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_DIGITS = 12


def numbers(measures: Measures, boxes: int | None) -> Numbers:
    """Return all statistics of a group of samples."""
    if not len(measures):
        return Numbers(images=0, boxes=boxes)
    columns = measures.columns
    pixels = columns["width"] * columns["height"]
    return Numbers(
        images=len(measures),
        boxes=boxes,
        sizes=_sizes(columns["width"], columns["height"]),
        colour=_colour(columns, pixels),
        foreground=_foreground(columns, pixels),
    )


def _sizes(width: "Ints", height: "Ints") -> Sizes:
    import numpy as np

    found, counts = np.unique(width << 32 | height, return_counts=True)
    pairs = [(size >> 32, size & 0xFFFFFFFF) for size in found.tolist()]
    by_area = sorted(pairs, key=lambda size: (size[0] * size[1], size))
    often = dict(zip(pairs, counts.tolist(), strict=True))
    commonest = min(by_area, key=lambda size: -often[size])  # of several the first, the smallest
    return Sizes(distinct=len(pairs), smallest=by_area[0], largest=by_area[-1], commonest=commonest)


def _colour(columns: dict[str, "Ints"], pixels: "Ints") -> Colour:
    """Means and deviations of values 0-255, scaled to 0-1."""
    import numpy as np

    lines: list[tuple[float, ...]] = []
    n = exact_sum(pixels)
    for channel in "rgb":
        sums, squares = columns[f"sum_{channel}"], columns[f"sq_{channel}"]
        total, total_squares = exact_sum(sums), exact_sum(squares)
        means: Floats = sums / pixels / 255
        deviations: Floats = np.sqrt(spreads(pixels, sums, squares).astype(float)) / pixels / 255
        mean = mean_of(means.tolist())
        lines.append(
            (
                float(Fraction(total, n * 255)),
                math.sqrt(Fraction(n * total_squares - total * total, (n * 255) ** 2)),
                mean,
                mean_of(deviations.tolist()),
                math.sqrt(mean_of(np.square(means - mean).tolist())),
            )
        )
    by_name: list[Rgb] = [
        (round(r, _DIGITS), round(g, _DIGITS), round(b, _DIGITS))
        for r, g, b in zip(*lines, strict=True)
    ]
    return Colour(**dict(zip(Colour.model_fields, by_name, strict=True)))


def _foreground(columns: dict[str, "Ints"], pixels: "Ints") -> Foreground:
    n = exact_sum(pixels)
    shares: Floats = columns["person"] / pixels
    return Foreground(
        pooled=round(exact_sum(columns["person"]) / n, _DIGITS),
        image_mean=round(mean_of(shares.tolist()), _DIGITS),
        ignored=round(exact_sum(columns["ignore"]) / n, _DIGITS),
        without_person=int((columns["person"] == 0).sum()),
    )


def exact_sum(column: "Ints") -> int:
    """Add non-negative integers exactly, past 64 bits too: the halves of each never overflow."""
    high, low = column >> 32, column & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def mean_of(values: Sequence[float]) -> float:
    """Return the mean, rounded once and the same in any order."""
    return math.fsum(values) / len(values)


class _Group:
    """Samples of one scene, persons and phase, gathered over subsets."""

    def __init__(self) -> None:
        self.parts: list[Measures] = []
        self.boxes: list[int | None] = []
        self.phases: Counter[Phase] = Counter()

    def add(self, part: Measures, tags: Sequence[Tag]) -> None:
        """Take in the samples of one subset."""
        if tags:
            self.parts.append(part)
            self.boxes.append(boxes_of(tags))
            self.phases.update(tag.phase for tag in tags)

    def numbers(self) -> Numbers:
        """Return all statistics of the group."""
        known = [boxes for boxes in self.boxes if boxes is not None]
        all_known = known and len(known) == len(self.boxes)
        return numbers(Measures.joined(self.parts), sum(known) if all_known else None)


def all_statistics(catalog: Catalog) -> tuple[list[SubsetStats], SetStats]:
    """Return the statistics of every listed subset and of their union."""
    subsets: list[SubsetStats] = []
    groups: dict[tuple[str, Persons | None, Phase], _Group] = {}
    whole = _Group()
    for name, table in catalog.each(lambda name: (name, catalog.scan(name, COLUMNS))):
        entry, tags = catalog.entry(name), catalog.tags(name, keep=False)
        measures = _measures(catalog, name, table)
        place = {
            key: n
            for n, key in enumerate(
                zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
            )
        }
        if place.keys() != {tag.key for tag in tags} or len(place) != len(table):
            fail(
                "scan-incomplete",
                "holds other samples than the tags name",
                subset=name,
                file=catalog.paths.shown(catalog.paths.scan(name)),
                hint="run `sceneset check`, which names them",
            )
        stats: dict[SplitRow, Numbers] = {}
        for row, selected in rows_of(entry.splits, tags):
            part = measures.take([place[tag.key] for tag in selected])
            stats[row] = numbers(part, boxes_of(selected))
            if not row.source:
                group = groups.setdefault((row.scene, row.persons, row.phase), _Group())
                group.add(part, selected)
        whole.add(measures, tags)
        subsets.append(
            SubsetStats(
                subset=name,
                kind=entry.kind,
                samples=_by_phase(Counter(tag.phase for tag in tags)),
                numbers=numbers(measures, boxes_of(tags)),
                rows=tuple(
                    RowStats(
                        scene=row.scene,
                        persons=row.persons,
                        phase=row.phase,
                        file=row.file,
                        numbers=stats[row],
                    )
                    for row in table_order(catalog.vocabulary, entry.splits)
                ),
            )
        )
    rows = [
        SplitRow(
            scene=scene,
            persons=persons,
            phase=phase,
            file=catalog.vocabulary.split_file(scene, persons, phase),
        )
        for scene, persons, phase in groups
    ]
    union = SetStats(
        subsets=len(subsets),
        samples=_by_phase(whole.phases),
        numbers=whole.numbers(),
        rows=tuple(
            RowStats(
                scene=row.scene,
                persons=row.persons,
                phase=row.phase,
                file=None,
                numbers=groups[row.scene, row.persons, row.phase].numbers(),
            )
            for row in table_order(catalog.vocabulary, rows)
        ),
    )
    return subsets, union


def _measures(catalog: Catalog, name: str, table: "pa.Table") -> Measures:
    measures = Measures.of(table)
    if not measures.could_be():
        fail(
            "scan-broken",
            "holds sizes and sums that no picture has",
            subset=name,
            file=catalog.paths.shown(catalog.paths.scan(name)),
            hint=f"restore it with git, or delete it and run `dvc repro scan@{name}`",
        )
    return measures


def _by_phase(counts: Mapping[Phase, int]) -> dict[Phase, int]:
    return {phase: counts[phase] for phase in Phase if counts[phase]}
