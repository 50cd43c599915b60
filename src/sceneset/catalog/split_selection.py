"""Select the samples of each row of a subset's scene table; a split file lists one selection."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import SceneMembership, Tag, memberships_of
from sceneset.schemas.terms import TOTAL, Persons, Phase

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog


class Selection(NamedTuple):
    """A subset's tags and what its rows select."""

    name: str
    entry: Subset
    tags: list[Tag]
    """Sorted by phase and stem."""
    rows: list[tuple[SplitRow, list[Tag]]]
    """Every row of the scene table with its tags; see ``samples_by_row``."""

    @property
    def split_files(self) -> dict[str, str]:
        """The text of every split file, by file name."""
        return {row.file: split_text(selected) for row, selected in self.rows}


def read_selection(catalog: "Catalog", name: str) -> Selection:
    """Return the tags of a listed subset and what its rows select."""
    entry, tags = catalog.entry(name), catalog.tags(name, cache=False)
    return Selection(name, entry, tags, samples_by_row(entry.splits, tags))


def select(tags: Iterable[Tag], row: SplitRow) -> list[Tag]:
    """Return the tags that ``row`` selects, in their order."""
    return [tag for tag in tags if _selects(row, tag)]


def _selects(row: SplitRow, tag: Tag) -> bool:
    if tag.phase is not row.phase or (row.source and tag.source != row.source):
        return False
    if row.scene == TOTAL:
        return row.persons is None or row.persons in persons_of(tag)
    return any(
        scene == row.scene and row.persons in {None, persons} for scene, persons in tag.memberships
    )


def persons_of(tag: Tag) -> set[Persons | None]:
    """Return what the sample counts as in its scenes, or its own value if it is in no scene."""
    return {persons for _, persons in tag.memberships} or {tag.persons}


def split_files(entry: Subset, tags: Sequence[Tag]) -> dict[str, str]:
    """Return the text of every split file of a subset, by file name."""
    return {row.file: split_text(selected) for row, selected in samples_by_row(entry.splits, tags)}


def split_text(selected: Iterable[Tag]) -> str:
    """Return the text of a split file that lists samples, in their order.

    Each line is one stem and LF, as the strictest reader of the Custom layout needs it: no blank
    line, no byte order mark, no suffix. Without samples, the text is empty.
    """
    return "".join(f"{tag.stem}\n" for tag in selected)


def samples_by_row(
    rows: Iterable[SplitRow], tags: Iterable[Tag]
) -> list[tuple[SplitRow, list[Tag]]]:
    """Return every row with the tags that it selects, sorted by stem.

    All rows are filled in one pass over the tags.
    """
    rows = list(rows)
    selected: dict[tuple[Phase, str, Persons | None], list[Tag]] = {
        (row.phase, row.scene, row.persons): [] for row in rows
    }
    for tag in sorted(tags, key=attrgetter("phase", "stem")):
        for scene, persons in _selections(tag.scenes, tag.persons):
            group = selected.get((tag.phase, scene, persons))
            if group is not None:
                group.append(tag)
    return [(row, _of_source(selected[row.phase, row.scene, row.persons], row)) for row in rows]


@lru_cache(maxsize=4096)  # even a million tags have few different values
def _selections(
    scenes: tuple[SceneMembership, ...], persons: Persons | None
) -> frozenset[tuple[str, Persons | None]]:
    """Return the scene and persons of every row that selects a sample with these values."""
    pairs = memberships_of(scenes, persons)
    totals = {(TOTAL, value) for _, value in pairs} or {(TOTAL, persons)}
    return frozenset({(TOTAL, None), *totals, *pairs, *((scene, None) for scene, _ in pairs)})


def _of_source(tags: list[Tag], row: SplitRow) -> list[Tag]:
    """Return the tags of the source that a row names; a row without a source takes all."""
    return [tag for tag in tags if tag.source == row.source] if row.source else list(tags)


def count_boxes(tags: Sequence[Tag]) -> int | None:
    """Return the number of detection boxes of samples, or None unless every sample has a count."""
    known = [tag.boxes for tag in tags if tag.boxes is not None]
    return sum(known) if known and len(known) == len(tags) else None


def in_table_order(vocabulary: Vocabulary, rows: Iterable[SplitRow]) -> list[SplitRow]:
    """Sort rows as in the document's table: the totals first, then by phase, scene and persons."""
    phases: Mapping[Phase, int] = {phase: n for n, phase in enumerate(Phase)}
    persons = {None: 0, Persons.SINGLE: 1, Persons.MULTI: 2}
    return sorted(
        rows,
        key=lambda row: (
            row.scene != TOTAL and phases[row.phase],
            vocabulary.order.get(row.scene, len(vocabulary.order)),
            phases[row.phase],
            persons[row.persons],
            row.source,
            row.file,
        ),
    )
