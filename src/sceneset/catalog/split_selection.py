"""Select the samples of each row of a subset's scene table; a split file lists one selection."""

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

    Tags are grouped by phase and scene first, so that a row does not examine all of them.
    """
    by_scene: dict[tuple[Phase, str], list[Tag]] = {}
    for tag in sorted(tags, key=lambda tag: tag.key):
        for scene in {TOTAL, *(scene for scene, _ in tag.scenes)}:
            by_scene.setdefault((tag.phase, scene), []).append(tag)
    return [(row, select(by_scene.get((row.phase, row.scene), ()), row)) for row in rows]


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
