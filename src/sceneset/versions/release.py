"""Release versions: pinned states, each with a record in git and a tag, created atomically."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import all_findings
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.version import Version, VersionChanges, VersionNumber, VersionSubset
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, is_current
from sceneset.storage.files import md5_of
from sceneset.storage.git import git
from sceneset.versions.diff import STEPS, Diff, Step, compare
from sceneset.versions.history import released_test_images
from sceneset.versions.manifest import manifest, manifest_text
from sceneset.versions.records import read_records, record_text
from sceneset.versions.resolve import ARTIFACT
from sceneset.versions.revisions import open_at
from sceneset.versions.verify import compare_sizes, expected_blobs

_MAX_LISTED = 10  # files or samples that a message lists
_CHANGELOG_HEADING = "## Data"


def release(
    catalog: Catalog, number: VersionNumber, *, notes: str, remote: str | None
) -> tuple[Version, str]:
    """Release the committed state as a version; return its record and tag.

    Calling it again after an interruption completes the release.

    Args:
        catalog: The working tree of the registry.
        number: The number of the new version.
        notes: One line for the record and the changelog, or "".
        remote: The name of the DVC remote that must have all blobs; None means the default one.

    Raises:
        FindingsError: The state is not committed, its pipeline is out of date, it has errors, a
            blob is missing on the remote, or the number is too small for the changes. Nothing is
            written.
    """
    tag = f"{ARTIFACT}@v{number}"
    prefix = git(catalog.root, "rev-parse", "--show-prefix").strip()
    paths = [f"registry/versions/{number}.yaml", "CHANGELOG.md"]
    if _is_head_tagged(catalog.root, tag):
        # An earlier call created the tag, but may not have written the files.
        git(catalog.root, "checkout", "--quiet", "HEAD", "--", *paths)
        return next(v for v in read_records(catalog) if v.version == str(number)), tag
    records = read_records(catalog)
    findings = _state_findings(catalog) + _number_findings(number, records)
    if findings:
        raise FindingsError(findings)
    record, diff = _build_record(catalog, number, notes, records)
    findings = _step_findings(record, diff, records) or _blob_findings(catalog, remote)
    if findings:
        raise FindingsError(findings)
    texts = dict(zip(paths, (record_text(record), _changelog(catalog, record)), strict=True))
    _commit(catalog.root, {f"{prefix}{path}": text for path, text in texts.items()}, tag, record)
    git(catalog.root, "checkout", "--quiet", "HEAD", "--", *paths)
    return record, tag


def _is_head_tagged(root: Path, tag: str) -> bool:
    words = ("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    commit = git(root, *words, check=False).strip()
    return bool(commit) and commit == git(root, "rev-parse", "HEAD").strip()


def pipeline_findings(root: Path) -> list[Finding]:
    """Return a finding if derived files, such as statistics, are out of date."""
    if is_current(root, TEXT_STAGES):
        return []
    return [
        finding(
            "release-stale",
            "the pipeline is out of date",
            file="dvc.lock",
            hint="run `dvc repro --allow-missing` and commit the files it writes",
        )
    ]


def _state_findings(catalog: Catalog) -> list[Finding]:
    """Return the findings that prevent releasing this state under any number."""
    changed = git(catalog.root, "status", "--porcelain", "--", ".").splitlines()
    findings = [
        finding("release-dirty", "is not committed", file=line[3:], hint="commit it first")
        for line in changed[:_MAX_LISTED]
    ]
    if not changed:
        findings += pipeline_findings(catalog.root)
    return findings + errors_of(all_findings(catalog, released_test_images))


def _number_findings(number: VersionNumber, records: Sequence[Version]) -> list[Finding]:
    """Return a finding if the number is not greater than that of the last version."""
    if not records or number > (last := VersionNumber.parse(records[-1].version)):
        return []
    choices = ", ".join(str(last.next(step)) for step in Step)
    return [
        finding(
            "release-number",
            f"{number} is not greater than {last}",
            file="registry/versions",
            hint=f"choose one of {choices}",
        )
    ]


def _build_record(
    catalog: Catalog, number: VersionNumber, notes: str, records: Sequence[Version]
) -> tuple[Version, Diff | None]:
    """Return the record of a new version, and its differences from the last version, if any."""
    last = records[-1].version if records else None
    diff = compare(open_at(catalog.root, last), catalog) if last else None
    parts = manifest(catalog)["subsets"]
    subsets = {
        name: VersionSubset(
            kind=part["kind"],
            samples=part["samples"],
            img_dir=part["img_dir"]["md5"],
            ann_dir=part["ann_dir"]["md5"],
            entry=part["entry"],
            tags=part["tags"],
            splits=md5_of(json.dumps(part["splits"], sort_keys=True).encode()),
        )
        for name, part in parts.items()
    }
    changes = (
        VersionChanges(step="major")
        if diff is None
        else VersionChanges(
            step=diff.step,
            samples={kind: n for kind, n in diff.counts.items() if n},
            subsets_added=tuple(diff.subsets_added),
            subsets_removed=tuple(diff.subsets_removed),
            scenes_added=tuple(diff.scenes_added),
            scenes_removed=tuple(diff.scenes_removed),
        )
    )
    record = Version(
        version=str(number),
        previous=last,
        notes=notes,
        state=md5_of(manifest_text(catalog).encode()),
        samples=sum(sum(part.samples.values()) for part in subsets.values()),
        subsets=subsets,
        changes=changes,
    )
    return record, diff


def _step_findings(record: Version, diff: Diff | None, records: Sequence[Version]) -> list[Finding]:
    """Return a finding if the state is released already, or its number increases too little."""
    file = f"registry/versions/{record.version}.yaml"
    same = [version.version for version in records if version.state == record.state]
    if same:
        return [
            finding(
                "release-same",
                f"this state is already released as {same[-1]}",
                file=file,
                hint=f"use version {same[-1]}",
            )
        ]
    if diff is None or record.previous is None:
        return []
    smallest = VersionNumber.parse(record.previous).next(diff.step)
    if VersionNumber.parse(record.version) >= smallest:
        return []
    decisive = [change for change in diff.changes if STEPS[change.kind] == diff.step]
    reasons = [f"{change.sample.place} ({change.kind})" for change in decisive]
    reasons += [*diff.subsets_added, *diff.subsets_removed]
    reasons += [*diff.scenes_added, *diff.scenes_removed]
    more = f" and {len(reasons) - _MAX_LISTED} more" if len(reasons) > _MAX_LISTED else ""
    return [
        finding(
            "release-step",
            f"the changes since {record.previous} require a {diff.step} step: "
            f"{', '.join(reasons[:_MAX_LISTED])}{more}",
            file=file,
            hint=f"release it as {smallest}",
        )
    ]


def _blob_findings(catalog: Catalog, remote: str | None) -> list[Finding]:
    """Return a finding for every blob of the state that the remote does not have."""
    blobs = expected_blobs(catalog)
    if not blobs:
        return []
    sizes = Blobs(catalog.project, remote).sizes(list(blobs))
    return list(compare_sizes(blobs, sizes).values())


def _changelog(catalog: Catalog, record: Version) -> str:
    """Return the text of CHANGELOG.md with the version at the top of its data section."""
    path = catalog.root / "CHANGELOG.md"
    text = path.read_text("utf-8") if path.is_file() else "# Changelog\n"
    if _CHANGELOG_HEADING not in text.splitlines():
        text = f"{text.rstrip()}\n\n{_CHANGELOG_HEADING}\n"
    changes = record.changes
    counts = ", ".join(f"{count} {kind}" for kind, count in changes.samples.items())
    lines = [f"- {record.samples} samples" + (f": {counts}" if counts else "")]
    for label, names in (
        ("new subsets", changes.subsets_added),
        ("removed subsets", changes.subsets_removed),
        ("new scenes", changes.scenes_added),
        ("removed scenes", changes.scenes_removed),
    ):
        if names:
            lines.append(f"- {label}: {', '.join(names)}")
    if record.notes:
        lines.append(f"- {record.notes}")
    entry = "\n".join([f"### {record.version}", "", *lines])
    before, _, after = text.partition(f"\n{_CHANGELOG_HEADING}\n")
    return f"{before}\n{_CHANGELOG_HEADING}\n\n{entry}\n\n{after.strip()}".rstrip() + "\n"


def _commit(root: Path, texts: dict[str, str], tag: str, record: Version) -> None:
    """Commit ``texts`` on top of HEAD and tag the commit, in one transaction of references.

    The index and the working tree are not used, so unrelated changes there are not committed.
    """
    head = git(root, "rev-parse", "HEAD").strip()
    with tempfile.TemporaryDirectory(prefix="sceneset-") as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(root, "read-tree", head, env=index)
        for number, (path, text) in enumerate(texts.items()):
            source = Path(folder) / str(number)
            source.write_bytes(text.encode())
            blob = git(root, "hash-object", "-w", "--no-filters", "--", str(source)).strip()
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
        tree = git(root, "write-tree", env=index).strip()
        message = f"Release {record.version}"
        commit = git(root, "commit-tree", tree, "-p", head, "-m", message).strip()
        tagger = git(root, "var", "GIT_COMMITTER_IDENT").strip()
        body = f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{message}\n"
        tag_object = git(root, "mktag", stdin=body).strip()
        updates = f"update HEAD {commit} {head}\ncreate refs/tags/{tag} {tag_object}\n"
        git(root, "update-ref", "--stdin", stdin=f"start\n{updates}commit\n")
