"""Rules that compare tags with the scene table and with the images.

`sceneset check` evaluates them on a registered subset, `sceneset add` on a delivery.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sceneset.catalog.split_selection import samples_by_row
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

_MAX_CONFLICTS = 10_000
"""More than of other findings, because each may have a waiver."""

Locate = Callable[[int, SplitRow, str], dict[str, Any]]
"""Returns where a finding about a row of a scene table is to be fixed, as keyword arguments of
``finding``. It gets the row's number (from 1), the row, and the name of a field as ".images"."""


def scene_table_findings(
    entry: Subset, tags: Sequence[Tag], *, file: str, locate: Locate | None = None
) -> list[Finding]:
    """Compare a scene table with the tags: empty rows, wrong counts, samples that are in no row.

    Args:
        entry: Holds the scene table.
        tags: All tags of the subset.
        file: The file to name in findings.
        locate: Locates a row; None means the row's position in ``file``.
    """
    rows = samples_by_row(entry.splits, tags)

    def in_entry(number: int, _: SplitRow, field: str) -> dict[str, Any]:
        return {"file": file, "field": f"splits[{number}]{field}"}

    locate = locate or in_entry
    numbered = [(number, row, len(selected)) for number, (row, selected) in enumerate(rows, 1)]
    empty = [item for item in numbered if not item[2]]
    wrong = [item for item in numbered if item[1].images is not None and item[1].images != item[2]]

    def row_empty(item: tuple[int, SplitRow, int]) -> Finding:
        number, row, _ = item
        return finding(
            "row-empty",
            f"{row.file} selects no sample",
            subset=entry.name,
            **locate(number, row, ""),
            hint=f"tag samples with {row.scene} or remove the row: mmsegmentation rejects "
            "empty split files",
        )

    def count_differs(item: tuple[int, SplitRow, int]) -> Finding:
        number, row, count = item
        return finding(
            "count-differs",
            f"{row.file} declares {_images(row.images or 0)}, but the tags select {count}",
            subset=entry.name,
            **locate(number, row, ".images"),
            hint=f"correct the tags, or declare {count}",
        )

    findings = capped(empty, row_empty) + capped(wrong, count_differs)
    missing = _uncovered(rows, tags)
    return findings + capped(
        missing.items(), lambda found: _missing_row_finding(entry, found[0], found[1], file)
    )


def _images(count: int) -> str:
    return f"{count} image{'s' if count != 1 else ''}"


def uncovered_memberships(
    rows: Sequence[SplitRow], tags: Sequence[Tag]
) -> Counter[tuple[Phase, str, Persons | None]]:
    """Count the samples of each (phase, scene, persons) that no row of the scene table selects."""
    return _uncovered(samples_by_row(rows, tags), tags)


def _uncovered(
    rows: Sequence[tuple[SplitRow, list[Tag]]], tags: Sequence[Tag]
) -> Counter[tuple[Phase, str, Persons | None]]:
    in_scene_rows: dict[str, set[tuple[str, str]]] = {}
    in_persons_rows: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row, selected in rows:
        keys = {tag.key for tag in selected}
        if row.persons:
            in_persons_rows.setdefault((row.scene, row.persons), set()).update(keys)
        else:
            in_scene_rows.setdefault(row.scene, set()).update(keys)
    return Counter(
        (tag.phase, scene, persons)
        for tag in tags
        for scene, persons in tag.memberships
        if tag.key not in in_scene_rows.get(scene, ())
        and tag.key not in in_persons_rows.get((scene, persons or ""), ())
    )


def _missing_row_finding(
    entry: Subset, membership: tuple[str, str, str | None], count: int, file: str
) -> Finding:
    phase, scene, persons = membership
    fields = {"scene": scene, "persons": persons, "phase": phase}
    row = ", ".join(f"{name}: {value}" for name, value in fields.items() if value)
    samples, are = ("sample", "is") if count == 1 else ("samples", "are")
    tagged = f"{scene} ({persons or 'persons not set'})"
    return finding(
        "row-missing",
        f"{count} {phase} {samples} tagged {tagged} {are} in no row",
        subset=entry.name,
        file=file,
        hint=f"add to splits: - {{{row}, file: <name>.txt}}",
    )


def persons_conflict_findings(tags: Sequence[Tag], *, subset: str, file: str) -> list[Finding]:
    """Report samples that are single in one scene and multi in another. Both tags are kept."""
    return capped(
        (tag for tag in tags if tag.persons_summary == "mixed"),
        lambda tag: finding(
            "persons-conflict",
            f"{tag.stem} is tagged "
            + ", ".join(f"{persons} in {scene}" for scene, persons in tag.memberships if persons),
            subset=subset,
            file=file,
            phase=tag.phase,
            stem=tag.stem,
            hint="both are kept; if one is wrong, correct its tags",
        ),
        limit=_MAX_CONFLICTS,
    )


def tag_without_image_finding(
    key: tuple[str, str], *, subset: str, file: str, hint: str, row: int | None = None
) -> Finding:
    """Return the finding on the tags of a sample (phase, stem) that has no image."""
    phase, stem = key
    return finding(
        "tag-without-image",
        f"{phase} {stem!r} has tags but no image",
        subset=subset,
        file=file,
        row=row,
        phase=phase,
        stem=stem,
        hint=hint,
    )


def image_without_tag_finding(key: tuple[str, str], *, subset: str, file: str) -> Finding:
    """Return the finding on the image of a sample (phase, stem) that has no tags."""
    phase, stem = key
    return finding(
        "image-without-tag",
        f"{phase} {stem!r} has an image but no tags",
        subset=subset,
        file=file,
        phase=phase,
        stem=stem,
        hint=f"add the row {phase},{stem}",
    )
