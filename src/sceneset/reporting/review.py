"""Reviews: what a change to a registry adds, removes and breaks, for pull requests.

A review reads text files and tables only, so it runs where no image is available.
"""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import samples_by_row
from sceneset.counts import counted
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import RELATION_CODES, all_findings
from sceneset.reporting.derived import stale_files
from sceneset.reporting.markdown import escape_markdown
from sceneset.reporting.provenance import ProvenanceChange, provenance_changes
from sceneset.schemas.finding import Finding, errors_of
from sceneset.versions.changed_samples import check_samples, have_same_bytes
from sceneset.versions.diff import Diff, compare, counts_text
from sceneset.versions.history import released_test_images
from sceneset.versions.new_findings import new_findings
from sceneset.versions.release import pipeline_findings


class TableRow(NamedTuple):
    """Identifies a row of the scene table of a subset."""

    subset: str
    file: str
    scene: str
    persons: str
    phase: str


class RowChange(NamedTuple):
    """A row with its number of images before and after the change; 0 if there is no such row."""

    row: TableRow
    before: int
    after: int


@dataclass
class Review:
    """The differences and findings of a changed registry."""

    findings: list[Finding]
    """All findings of the changed registry."""
    new: list[Finding]
    """The findings that the base does not have."""
    diff: Diff | None = None
    """The differences from the base; None if one of the states can't be read."""
    before: Counter[TableRow] = field(default_factory=Counter)
    """Number of images of each row in the base, of subsets that have other tags or rows now."""
    after: Counter[TableRow] = field(default_factory=Counter)
    """Number of images of these rows in the changed registry."""
    provenance: list[ProvenanceChange] = field(default_factory=list)
    """The subsets with another provenance than in the base."""
    base_error: Finding | None = None
    """Why the base could not be compared; errors of the changed registry are in ``findings``."""
    is_base_checked: bool = True
    """Whether the findings of the base are known; otherwise all findings are new."""

    @property
    def is_good(self) -> bool:
        """Whether the changed registry has no errors."""
        return not errors_of(self.findings)

    @property
    def changed_rows(self) -> list[RowChange]:
        """Rows that were added, removed, or select another number of images."""
        in_both = self.before.keys() & self.after.keys()
        changes = (
            RowChange(row, self.before[row], self.after[row])
            for row in sorted(self.before.keys() | self.after.keys())
        )
        return [c for c in changes if c.before != c.after or c.row not in in_both]


def review(base: Catalog, changed: Catalog) -> Review:
    """Compare a changed registry with its base and collect its findings; no blob is read."""
    with base.shared_reads(), changed.shared_reads():
        return _review(base, changed)


def _review(base: Catalog, changed: Catalog) -> Review:
    tested = cache(lambda: released_test_images(changed))  # the base is judged as the change is
    findings = [
        *pipeline_findings(changed),
        *all_findings(changed, lambda _: tested(), derived=stale_files),
    ]
    result, in_base = Review(findings, findings), None
    try:
        # Findings that the change does not have need not be known of the base.
        relations = any(finding.code in RELATION_CODES for finding in findings)
        in_base = all_findings(base, lambda _: tested(), relations=relations)
    except FindingsError:
        result.is_base_checked = False
    try:
        same = _unchanged_subsets(base, changed)
        before = _count_images(base, same)
        after = _count_images(changed, same)
        result.diff = compare(base, changed)
        result.before, result.after = before, after
        result.provenance = provenance_changes(base, changed)
    except FindingsError:
        result.base_error = _error_of(base)
    if in_base is not None:
        result.new = new_findings(findings, in_base, before=base, after=changed, diff=result.diff)
    return result


def _error_of(catalog: Catalog) -> Finding | None:
    """Return why a registry can't be compared with any other, or None if it can."""
    try:
        _count_images(catalog)
        check_samples(catalog)
        compare(catalog, catalog)
    except FindingsError as error:
        return error.findings[0]
    return None


def _unchanged_subsets(base: Catalog, changed: Catalog) -> set[str]:
    """Return the subsets whose entry and tags are the same bytes in both states."""
    first, second = base.paths, changed.paths
    return {
        name
        for name in {*base.names} & {*changed.names}
        if have_same_bytes(first.entry(name), second.entry(name))
        and have_same_bytes(first.tags(name), second.tags(name))
    }


def _count_images(catalog: Catalog, skipped: Container[str] = ()) -> Counter[TableRow]:
    counts: Counter[TableRow] = Counter()
    for name in catalog.names:
        if name in skipped:
            continue
        for row, tags in samples_by_row(
            catalog.entry(name).splits, catalog.tags(name, cache=False)
        ):
            key = TableRow(name, row.file, row.scene, row.persons or "", row.phase)
            counts[key] = len(tags)
    return counts


def review_json(result: Review) -> dict[str, Any]:
    """Return a review in the format of `sceneset review --json`."""
    diff = result.diff
    return {
        "good": result.is_good,
        "step": diff and diff.step,
        "samples": diff and diff.counts,
        "scenes": diff and {"added": diff.scenes_added, "removed": diff.scenes_removed},
        "rows": [
            {**change.row._asdict(), "before": change.before, "after": change.after}
            for change in result.changed_rows
        ],
        "provenance": [change._asdict() for change in result.provenance],
        "new": [finding.model_dump(mode="json") for finding in result.new],
        "problems": len(result.findings),
        "base_checked": result.is_base_checked,
        "base_error": result.base_error and result.base_error.model_dump(mode="json"),
    }


def review_page(result: Review, base: str, new: str) -> str:
    """Return a review as Markdown, for the page of a pull request.

    Args:
        result: The review.
        base: The name of the base, for example "origin/main".
        new: The new findings that are shown, as Markdown.
    """
    verdict = "✅ ready to merge" if result.is_good else "❌ not ready to merge"
    parts = [f"## sceneset: {verdict}\n"]
    if result.diff:
        parts.append(_changes(result.diff, result.changed_rows, base))
    if result.provenance:
        rows = [f"| {' | '.join(map(escape_markdown, row))} |" for row in result.provenance]
        head = ("| subset | provenance before | after |", "| --- | --- | --- |")
        parts.append("\n".join(("### Whose data it is", "", *head, *rows, "")))
    if reason := not_compared_text(result, base):
        parts.append(f"⚠️ {reason}.\n")
    if result.base_error:
        parts.append(f"{escape_markdown(str(result.base_error))}\n")
    parts.append(f"### New findings\n\n{new}")
    if not result.is_base_checked:
        parts.append(f"{base_not_checked_text(base)}.\n")
    known = len(result.findings) - len(result.new)
    if known:
        parts.append(f"{known_text(known)}: `sceneset check --all` lists all.\n")
    return "\n".join(parts)


def not_compared_text(result: Review, base: str) -> str:
    """Return why there are no differences; "" if there are."""
    if result.diff:
        return ""
    if result.base_error:
        return f"the changes since {base} can't be shown, because {base} has an error"
    return f"the changes since {base} can't be shown before the errors are fixed"


def base_not_checked_text(base: str) -> str:
    """Return the sentence for a base whose findings are not known."""
    return f"{base} can't be checked, so all findings are shown as new"


def known_text(known: int) -> str:
    """Return how many findings are not new."""
    return counted(known, "finding is in the base too", "findings are in the base too")


def _changes(diff: Diff, rows: list[RowChange], base: str) -> str:
    counts = counts_text(diff.counts)
    lines = [f"### Changes since `{base}`", "", f"Samples: {counts or 'no changes'}."]
    for label, names in (
        ("Subsets added", diff.subsets_added),
        ("Subsets removed", diff.subsets_removed),
        ("Scenes added", diff.scenes_added),
        ("Scenes removed", diff.scenes_removed),
    ):
        if names:
            lines.append(f"{label}: {', '.join(map(escape_markdown, names))}.")
    if counts or rows:
        lines.append(f"The next version requires at least a {diff.step} step.")
    if rows:
        lines += ["", "| subset | split file | scene | persons | phase | before | after |"]
        lines.append("| --- | --- | --- | --- | --- | ---: | ---: |")
        for row, before, after in rows:
            cells = [*map(escape_markdown, row), str(before), str(after)]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])
