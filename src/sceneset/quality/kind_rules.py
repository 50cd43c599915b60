"""Rules that depend on a subset's kind: what samples of full and of crop subsets must satisfy."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from sceneset.quality.crop_overlaps import worst_overlaps
from sceneset.rules.person_rules import person_findings
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind, Persons, fold_name

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_ALIKE = 10_000
"""More than of other findings, because each may have a waiver."""


def kind_findings(
    entry: Subset, tags: Sequence[Tag], table: "pa.Table", params: Params, *, folder: str, file: str
) -> Iterator[Finding]:
    """Yield the findings of the rules for a subset's kind.

    Args:
        entry: The subset.
        tags: Its tags.
        table: Its scan, with at least SAMPLE_COLUMNS.
        params: Thresholds.
        folder: Prefix of image and mask files in findings.
        file: The file to name in findings about tags.
    """
    if entry.kind is Kind.FULL:
        yield from person_findings(entry.name, tags, table, params, folder=folder)
        yield from _unspecified_persons(entry, file=file)
    else:
        yield from _crop_findings(entry, tags, file=file)
        yield from _overlaps(entry, tags, params.kinds.max_overlap, file=file)


def _unspecified_persons(entry: Subset, *, file: str) -> list[Finding]:
    return capped(
        (row for row in entry.splits if not row.is_total and row.persons is None),
        lambda row: finding(
            "persons-untold",
            f"the row {row.file} does not specify single or multi",
            subset=entry.name,
            file=file,
            hint="set persons in the row, or split it into a single and a multi row",
        ),
    )


def _crop_findings(entry: Subset, tags: Sequence[Tag], *, file: str) -> Iterator[Finding]:
    """Yield crops that show several persons, or whose origin is unknown."""

    def report(code: str, message: Callable[[Tag], str], hint: str) -> Callable[[Tag], Finding]:
        return lambda tag: _tag_finding(entry, tag, file, code, message=message(tag), hint=hint)

    yield from capped(
        (t for t in tags if Persons.MULTI in {p for _, p in t.memberships} | {t.persons}),
        report(
            "crop-multi",
            lambda _: "is tagged multi, but a crop shows one person",
            "correct its tags, crop it closer, or move it to a full subset",
        ),
        limit=_MAX_ALIKE,
    )
    yield from capped(
        (tag for tag in tags if tag.boxes is None),
        report(
            "crop-boxes",
            lambda _: "has no number of boxes",
            "write the number of boxes of its original in the boxes column",
        ),
        limit=_MAX_ALIKE,
    )
    yield from capped(
        (tag for tag in tags if not tag.source or tag.origin is None),
        report(
            "crop-origin",
            lambda tag: f"has no {'origin' if tag.source else 'source'}",
            "write its original as source, and origin as: left top right bottom",
        ),
        limit=_MAX_ALIKE,
    )


def _overlaps(
    entry: Subset, tags: Sequence[Tag], max_overlap: float, *, file: str
) -> list[Finding]:
    """Report crops that overlap an earlier crop of the same original, with the worst overlap."""
    crops_by_source: dict[str, list[Tag]] = defaultdict(list)
    for tag in tags:
        if tag.source and tag.origin:
            crops_by_source[fold_name(tag.source)].append(tag)

    def report(found: tuple[Tag, float, str]) -> Finding:
        tag, share, stem = found
        message = f"overlaps {stem!r} by {share:.0%} in the original {tag.source!r}"
        hint = "keep one of the two, or correct their origins"
        return _tag_finding(entry, tag, file, "crop-overlap", message=message, hint=hint)

    overlaps = (
        (tag, worst.share, crops[worst.other].stem)
        for crops in crops_by_source.values()
        for tag, worst in zip(
            crops, worst_overlaps([tag.origin for tag in crops if tag.origin]), strict=True
        )
        if worst.share > max_overlap
    )
    found = list(islice(overlaps, _MAX_ALIKE + 1))  # more would only be counted
    is_complete = len(found) <= _MAX_ALIKE
    return capped(found, report, limit=_MAX_ALIKE, total=len(found), is_complete=is_complete)


def _tag_finding(
    entry: Subset, tag: Tag, file: str, code: str, *, message: str, hint: str
) -> Finding:
    return finding(
        code,
        f"the sample {tag.phase} {tag.stem!r} {message}",
        subset=entry.name,
        file=file,
        phase=tag.phase,
        stem=tag.stem,
        hint=hint,
    )
