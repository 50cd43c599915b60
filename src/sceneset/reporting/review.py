"""Reviews: what a change to a registry adds, removes and breaks, for pull requests.

A review reads text files and tables only, so it runs where no image is available.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import samples_by_row
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import all_findings
from sceneset.reporting.markdown import MAX_LISTED, escape_markdown, findings_markdown
from sceneset.schemas.finding import Finding, errors_of
from sceneset.versions.diff import Diff, compare, counts_text
from sceneset.versions.history import released_test_images
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
    """Number of images of each row in the base."""
    after: Counter[TableRow] = field(default_factory=Counter)
    """Number of images of each row in the changed registry."""

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
    findings = [
        *pipeline_findings(changed.root),
        *all_findings(changed, released_test_images),
    ]
    try:
        known = {_identity(finding) for finding in all_findings(base, None)}
    except FindingsError:
        known = set()  # the base can't be checked: report every finding as new
    result = Review(findings, [finding for finding in findings if _identity(finding) not in known])
    try:
        result.before, result.after = _count_images(base), _count_images(changed)
        result.diff = compare(base, changed)
    except FindingsError:
        pass  # files that can't be read are among the findings
    return result


def _identity(finding: Finding) -> tuple[str, ...]:
    """Return the parts of a finding that stay the same when rows of a file move."""
    return (
        finding.code,
        finding.subset,
        finding.phase,
        finding.stem or finding.file,
        finding.message,
    )


def _count_images(catalog: Catalog) -> Counter[TableRow]:
    counts: Counter[TableRow] = Counter()
    for name in catalog.names:
        for row, tags in samples_by_row(catalog.entry(name).splits, catalog.tags(name)):
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
        "new": [finding.model_dump(mode="json") for finding in result.new],
        "problems": len(result.findings),
    }


def review_page(result: Review, base: str, *, lists_all: bool = False) -> str:
    """Return a review as Markdown, for the page of a pull request.

    Args:
        result: The review.
        base: The name of the base, for example "origin/main".
        lists_all: List all new findings, not only the first ones.
    """
    verdict = "✅ ready to merge" if result.is_good else "❌ not ready to merge"
    parts = [f"## sceneset: {verdict}\n"]
    if result.diff:
        parts.append(_changes(result.diff, result.changed_rows, base))
    listed = len(result.new) if lists_all else MAX_LISTED
    parts.append("### New findings\n\n" + findings_markdown(result.new, listed=listed))
    known = len(result.findings) - len(result.new)
    if known:
        parts.append(
            f"Findings that the base has too: {known}. `sceneset check --all` lists all.\n"
        )
    return "\n".join(parts)


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
