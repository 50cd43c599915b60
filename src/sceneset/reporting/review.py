"""What a change to a registry comes to, told from texts and tables: for pull requests."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import rows_of
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import everything
from sceneset.reporting.sarif import markdown, plain
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.storage.dvc import TEXT_STAGES, is_current
from sceneset.versions.diff import Diff, compare
from sceneset.versions.history import tested_images

View = tuple[str, str, str, str, str]
"""Subset, split file, scene, persons, phase."""


@dataclass
class Review:
    """A registry beside what it grew from."""

    findings: list[Finding]
    """Every finding of the registry as it stands, errors first."""
    new: list[Finding]
    """Those that what it grew from does not have."""
    diff: Diff | None = None
    """None where one of the states can't be read."""
    before: Counter[View] = field(default_factory=Counter)
    after: Counter[View] = field(default_factory=Counter)
    """Images of each row of the scene tables."""

    @property
    def is_good(self) -> bool:
        """Whether it may be merged."""
        return not errors_of(self.findings)

    @property
    def moved(self) -> list[tuple[View, int, int]]:
        """Rows that came, went or hold other numbers of images."""
        views = sorted(self.before.keys() | self.after.keys())
        counts = [(view, self.before[view], self.after[view]) for view in views]
        known = self.before.keys() & self.after.keys()
        return [(v, one, two) for v, one, two in counts if one != two or v not in known]


def review(base: Catalog, here: Catalog) -> Review:
    """Compare the registry as it stands with ``base``, and judge it; no blob is read."""
    findings = everything(here, tested_images)
    if not is_current(here.root, TEXT_STAGES):
        findings.insert(0, _stale())
    try:
        old = {_same(p) for p in everything(base, None)}
    except FindingsError:
        old = set()  # what was broken is no measure
    found = Review(findings, [p for p in findings if _same(p) not in old])
    try:
        found.before, found.after = _counts(base), _counts(here)
        found.diff = compare(base, here)
    except FindingsError:
        pass  # what can't be read is among the findings
    return found


def _stale() -> Finding:
    return finding(
        "release-stale",
        "what is derived is not current",
        file="dvc.lock",
        hint="run `dvc repro --allow-missing`, and commit what it writes",
    )


def _same(p: Finding) -> tuple[str, ...]:
    return (p.code, p.subset, p.phase, p.stem or p.file, p.message)


def _counts(catalog: Catalog) -> Counter[View]:
    found: Counter[View] = Counter()
    for name in catalog.names:
        for row, tags in rows_of(catalog.entry(name).splits, catalog.tags(name)):
            found[name, row.file, row.scene, row.persons or "", row.phase] = len(tags)
    return found


def review_json(found: Review) -> dict[str, Any]:
    """Return a review as `sceneset review --json` prints it."""
    columns = ("subset", "file", "scene", "persons", "phase", "before", "after")
    return {
        "good": found.is_good,
        "step": found.diff and found.diff.step,
        "samples": found.diff and found.diff.counts,
        "scenes": found.diff
        and {"added": found.diff.scenes_added, "removed": found.diff.scenes_removed},
        "rows": [dict(zip(columns, (*v, *n), strict=True)) for v, *n in found.moved],
        "new": [p.model_dump(mode="json") for p in found.new],
        "problems": len(found.findings),
    }


def review_page(found: Review, base: str) -> str:
    """Return a review as Markdown, for the page of a pull request."""
    verdict = "✅ may be merged" if found.is_good else "❌ must not be merged as it is"
    parts = [f"## sceneset: {verdict}\n"]
    if found.diff:
        parts.append(_changes(found, base))
    parts.append("### Findings that are new\n\n" + markdown(found.new))
    old = len(found.findings) - len(found.new)
    if old:
        parts.append(f"{old} findings were there before: `sceneset check` shows all.\n")
    return "\n".join(parts)


def _changes(found: Review, base: str) -> str:
    diff = found.diff
    assert diff is not None, "the caller has looked"
    lines = [f"### What changed since `{base}`", ""]
    counts = [f"{count} {kind}" for kind, count in diff.counts.items() if count]
    lines.append(f"Samples: {', '.join(counts) or 'none'}.")
    for what, names in (
        ("Subsets added", diff.subsets_added),
        ("Subsets removed", diff.subsets_removed),
        ("Scenes added", diff.scenes_added),
        ("Scenes removed", diff.scenes_removed),
    ):
        if names:
            lines.append(f"{what}: {', '.join(map(plain, names))}.")
    if counts or found.moved:
        lines.append(f"A version after this is at least a {diff.step} step.")
    if found.moved:
        lines += ["", "| subset | split file | scene | persons | phase | before | after |"]
        lines.append("| --- | --- | --- | --- | --- | ---: | ---: |")
        lines += [
            "| " + " | ".join([*map(plain, view), str(one), str(two)]) + " |"
            for view, one, two in found.moved
        ]
    return "\n".join([*lines, ""])
