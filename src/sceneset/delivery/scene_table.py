"""Build the scene table of a delivery from --entry, split files and tags."""

from collections.abc import Iterable, Sequence

from sceneset.catalog.split_selection import samples_by_row
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Persons, Phase


def complete_rows(
    vocabulary: Vocabulary, rows: Iterable[SplitRow], tags: Sequence[Tag], *, from_tags: bool
) -> list[SplitRow]:
    """Return ``rows`` with a total row for each phase.

    Args:
        vocabulary: Names the split files of new rows.
        rows: The rows of --entry and of the delivered split files.
        tags: The tags of all samples.
        from_tags: Also add a row for each (phase, scene, persons) that occurs in the tags.
    """
    result = list(rows)
    selections = {row.selection for row in result}
    wanted: set[tuple[Phase, str, Persons | None]] = {(tag.phase, TOTAL, None) for tag in tags}
    if from_tags:
        wanted |= {
            (tag.phase, scene, persons)
            for tag in tags
            for scene, persons in tag.memberships
            if scene in vocabulary.order
        }
    for phase, scene, persons in wanted:
        file = vocabulary.split_file(scene, persons, phase)
        row = SplitRow(scene=scene, persons=persons, phase=phase, file=file)
        if row.selection not in selections:
            result.append(row)
    return result


def without_empty_rows(
    rows: Iterable[SplitRow], tags: Sequence[Tag]
) -> tuple[list[SplitRow], list[Finding]]:
    """Remove rows that select no sample; return the other rows, and a finding for each removed."""
    kept, findings = [], []
    for row, selected in samples_by_row(rows, tags):
        if selected:
            kept.append(row)
        else:
            findings.append(
                finding(
                    "row-left-out",
                    f"{row.file} has no sample left, so its row is left out of the scene table",
                    file=f"split_dir/{row.file}",
                )
            )
    return kept, findings


def duplicate_row_findings(rows: Iterable[SplitRow]) -> list[Finding]:
    """Report rows that select the same samples as an earlier row, or are written to its file."""
    findings = []
    seen: dict[object, SplitRow] = {}
    for row in rows:
        for identity in (row.selection, row.file.casefold()):
            first = seen.setdefault(identity, row)
            if first is not row:
                words = " ".join(filter(None, row.selection))
                findings.append(
                    finding(
                        "row-duplicate",
                        f"{first.file} and {row.file} are both the row {words!r}"
                        if first.selection == row.selection
                        else f"two rows are written to {row.file}",
                        file=f"split_dir/{row.file}",
                        hint="deliver one of the two files, or correct the row in --entry",
                    )
                )
                break
    return findings
