"""Statistics of every subset and of their union, by scene, persons and phase."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import (
    Selection,
    count_boxes,
    in_table_order,
    read_selection,
)
from sceneset.errors import fail
from sceneset.reporting.group_statistics import group_statistics
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS, Measures
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import GroupStats, RowStats, SetStats, SubsetStats
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase
from sceneset.storage.yaml_files import dump_yaml

if TYPE_CHECKING:
    import pyarrow as pa


class _Group:
    """Samples of one scene, persons and phase, collected over subsets."""

    def __init__(self) -> None:
        self.parts: list[Measures] = []
        self.boxes: list[int | None] = []
        self.phases: Counter[Phase] = Counter()

    def add(self, part: Measures, tags: Sequence[Tag]) -> None:
        """Add the samples of one subset."""
        if tags:
            self.parts.append(part)
            self.boxes.append(count_boxes(tags))
            self.phases.update(tag.phase for tag in tags)

    def statistics(self) -> GroupStats:
        """Return all statistics of the group; boxes only if every subset has their number."""
        known = [boxes for boxes in self.boxes if boxes is not None]
        all_known = known and len(known) == len(self.boxes)
        return group_statistics(Measures.concatenate(self.parts), sum(known) if all_known else None)


class Union:
    """The samples of all subsets, grouped by scene, persons and phase."""

    def __init__(self) -> None:
        self.subsets = 0
        self.whole = _Group()
        self.groups: dict[tuple[str, Persons | None, Phase], _Group] = {}

    def add_row(self, row: SplitRow, part: Measures, tags: Sequence[Tag]) -> None:
        """Add the samples of a row; rows of a single source have no equivalent elsewhere."""
        if not row.source:
            group = self.groups.setdefault((row.scene, row.persons, row.phase), _Group())
            group.add(part, tags)

    def statistics(self, vocabulary: Vocabulary) -> SetStats:
        """Return the statistics of the union."""
        rows = [
            SplitRow(
                scene=scene,
                persons=persons,
                phase=phase,
                file=vocabulary.split_file(scene, persons, phase),
            )
            for scene, persons, phase in self.groups
        ]
        return SetStats(
            subsets=self.subsets,
            samples=_by_phase(self.whole.phases),
            numbers=self.whole.statistics(),
            rows=tuple(
                RowStats(
                    scene=row.scene,
                    persons=row.persons,
                    phase=row.phase,
                    file=None,
                    numbers=self.groups[row.scene, row.persons, row.phase].statistics(),
                )
                for row in in_table_order(vocabulary, rows)
            ),
        )


def statistics_texts(subsets: Iterable[SubsetStats], union: SetStats) -> dict[str, str]:
    """Return the text of each file of registry/stats, by file name."""
    return {
        **{f"{stats.subset}.yaml": statistics_text(stats) for stats in subsets},
        "dataset.yaml": statistics_text(union),
    }


def statistics_text(stats: SubsetStats | SetStats) -> str:
    """Return statistics as YAML; equal statistics give equal bytes."""
    return dump_yaml(stats.model_dump(mode="json", exclude_none=True), compact=True)


def compute_statistics(catalog: Catalog) -> tuple[list[SubsetStats], SetStats]:
    """Return the statistics of every listed subset and of their union.

    Raises:
        FindingsError: A scan is damaged, or has other samples than the tags.
    """
    union = Union()

    def subset(name: str) -> SubsetStats:
        table = catalog.scan(name, STATISTICS_COLUMNS)
        return subset_statistics(catalog, read_selection(catalog, name), table, union)

    return list(catalog.each(subset)), union.statistics(catalog.vocabulary)


def subset_statistics(
    catalog: Catalog, selection: Selection, table: "pa.Table", union: Union
) -> SubsetStats:
    """Return the statistics of a subset, and add its samples to the union.

    Args:
        catalog: The registry.
        selection: The subset's tags and what its rows select.
        table: Its scan, with at least STATISTICS_COLUMNS.
        union: What the samples are added to.
    """
    name, entry, tags = selection.name, selection.entry, selection.tags
    measures = _measures(catalog, name, table)
    row_of = _rows_of_tags(catalog, name, table, tags)
    by_row: dict[SplitRow, GroupStats] = {}
    for row, selected in selection.rows:
        part = measures.take([row_of[id(tag)] for tag in selected])
        by_row[row] = group_statistics(part, count_boxes(selected))
        union.add_row(row, part, selected)
    union.subsets += 1
    union.whole.add(measures, tags)
    return SubsetStats(
        subset=name,
        kind=entry.kind,
        samples=_by_phase(Counter(tag.phase for tag in tags)),
        numbers=group_statistics(measures, count_boxes(tags)),
        rows=tuple(
            RowStats(
                scene=row.scene,
                persons=row.persons,
                phase=row.phase,
                file=row.file,
                numbers=by_row[row],
            )
            for row in in_table_order(catalog.vocabulary, entry.splits)
        ),
    )


def _rows_of_tags(
    catalog: Catalog, name: str, table: "pa.Table", tags: Sequence[Tag]
) -> dict[int, int]:
    """Return the row of each tag in a scan, by the identity of the tag."""
    phases, stems = table["phase"].to_pylist(), table["stem"].to_pylist()
    # Both are sorted by phase and stem.
    if len(tags) == len(stems) and all(
        tag.stem == stem and tag.phase == phase
        for tag, phase, stem in zip(tags, phases, stems, strict=True)
    ):
        return dict(zip(map(id, tags), range(len(tags)), strict=True))
    index_of = {key: row for row, key in enumerate(zip(phases, stems, strict=True))}
    if index_of.keys() != {tag.key for tag in tags} or len(index_of) != len(table):
        fail(
            "scan-incomplete",
            "the scan and the tags have different samples",
            subset=name,
            file=catalog.paths.relative(catalog.paths.scan(name)),
            hint="run `sceneset check` to list the differences",
        )
    return {id(tag): index_of[tag.key] for tag in tags}


def _measures(catalog: Catalog, name: str, table: "pa.Table") -> Measures:
    measures = Measures.from_scan(table)
    if not measures.is_possible():
        fail(
            "scan-broken",
            "contains sizes and sums that no image can have",
            subset=name,
            file=catalog.paths.relative(catalog.paths.scan(name)),
            hint=f"restore it with git, or delete it and run `dvc repro scan@{name}`",
        )
    return measures


def _by_phase(counts: Mapping[Phase, int]) -> dict[Phase, int]:
    return {phase: counts[phase] for phase in Phase if counts[phase]}
