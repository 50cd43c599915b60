"""Split rows as views: which samples of a subset a row of its scene table selects."""

from collections.abc import Iterable, Mapping, Sequence

from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Persons, Phase


def select(tags: Iterable[Tag], row: SplitRow) -> list[Tag]:
    """Return the tags that ``row`` selects, in their order."""
    return [tag for tag in tags if _selects(row, tag)]


def _selects(row: SplitRow, tag: Tag) -> bool:
    if tag.phase is not row.phase or (row.source and tag.source != row.source):
        return False
    if row.scene == TOTAL:
        return row.persons is None or row.persons in persons_said(tag)
    return any(
        scene == row.scene and row.persons in {None, persons} for scene, persons in tag.memberships
    )


def persons_said(tag: Tag) -> set[Persons | None]:
    """Return what the sample counts as in any of its scenes, or by itself where it is in none."""
    return {persons for _, persons in tag.memberships} or {tag.persons}


def split_files(entry: Subset, tags: Sequence[Tag]) -> dict[str, str]:
    """Return the text of every split file of a subset, by file name."""
    return {row.file: split_text(selected) for row, selected in rows_of(entry.splits, tags)}


def split_text(selected: Iterable[Tag]) -> str:
    """Return the split file of a row that selects these, which are sorted.

    A line is one stem, LF after each: what the strictest reader of the Custom layout takes (no
    blank line, no mark, no suffix). A row that selects nothing gives an empty text.
    """
    return "".join(f"{tag.stem}\n" for tag in selected)


def rows_of(rows: Iterable[SplitRow], tags: Iterable[Tag]) -> list[tuple[SplitRow, list[Tag]]]:
    """Return every row with the tags it selects, sorted by stem; each tag is looked at once."""
    by_scene: dict[tuple[Phase, str], list[Tag]] = {}
    for tag in sorted(tags, key=lambda tag: tag.key):
        for scene in {TOTAL, *(scene for scene, _ in tag.scenes)}:
            by_scene.setdefault((tag.phase, scene), []).append(tag)
    return [(row, select(by_scene.get((row.phase, row.scene), ()), row)) for row in rows]


def boxes_of(tags: Sequence[Tag]) -> int | None:
    """Return the number of detection boxes of samples, or None unless every sample has a count."""
    known = [tag.boxes for tag in tags if tag.boxes is not None]
    return sum(known) if known and len(known) == len(tags) else None


def table_order(vocabulary: Vocabulary, rows: Iterable[SplitRow]) -> list[SplitRow]:
    """Sort rows as the document's table has them: total, then scene by scene, single first."""
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
