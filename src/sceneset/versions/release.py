"""Release versions: pinned states, each with a record in git and a tag, created atomically."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import summarize_all
from sceneset.errors import FindingsError, UsageError
from sceneset.quality.evaluate import Reports, all_findings
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.version import (
    Version,
    VersionChanges,
    VersionNumber,
    VersionSelection,
    VersionSubset,
)
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, is_current
from sceneset.storage.files import md5_of
from sceneset.storage.git import git, without_filters
from sceneset.storage.leftovers import sweep, temporary_folder
from sceneset.storage.locking import write_lock
from sceneset.versions.changelog import with_version
from sceneset.versions.committed import uncommitted_findings
from sceneset.versions.diff import STEPS, Diff, Step, change_text, compare
from sceneset.versions.history import released_test_images
from sceneset.versions.manifest import manifest, manifest_text
from sceneset.versions.records import read_records, record_text, reverted_versions
from sceneset.versions.resolve import ARTIFACT
from sceneset.versions.revisions import open_at
from sceneset.versions.verify import compare_sizes, expected_blobs

_CHANGELOG = "CHANGELOG.md"
_MAX_LISTED = 10  # samples that a message lists


def release(
    catalog: Catalog,
    number: VersionNumber,
    *,
    notes: str,
    remote: str | None,
    derived: Callable[[Catalog, Reports], list[Finding]],
) -> tuple[Version, str]:
    """Release the committed state as a version; return its record and tag.

    Calling it again after an interruption completes the release.

    Args:
        catalog: The working tree of the registry.
        number: The number of the new version.
        notes: Text for the record and the changelog, or "".
        remote: The name of the DVC remote that must have all blobs; None means the default one.
        derived: Compares the derived files with their sources.

    Raises:
        UsageError: The version exists, with other notes.
        FindingsError: The state is not committed, its pipeline is out of date, it has errors, a
            blob is missing on the remote, the number is too small for the changes, or another
            command is writing. Nothing is written.
    """
    with write_lock(catalog.paths.work):  # no command may change the files while they are read
        sweep(catalog.paths)
        return _release(Catalog(catalog.root), number, notes, remote, derived)


def _release(
    catalog: Catalog,
    number: VersionNumber,
    notes: str,
    remote: str | None,
    derived: Callable[[Catalog, Reports], list[Finding]],
) -> tuple[Version, str]:
    tag = f"{ARTIFACT}@v{number}"
    prefix = git(catalog.root, "rev-parse", "--show-prefix").strip()
    paths = [f"registry/versions/{number}.yaml", _CHANGELOG]
    head = git(catalog.root, "rev-parse", "HEAD").strip()  # if it moves meanwhile, git refuses
    if _is_tagged(catalog.root, tag, head):
        # An earlier call created the tag, but may not have written the files.
        _check_out(catalog.root, paths[:1])
        _complete_changelog(catalog.root, head, prefix)
        record = next(v for v in read_records(catalog) if v.version == str(number))
        if notes.strip() not in {"", record.notes}:
            raise UsageError(
                f"{number} is released already, with {'other' if record.notes else 'no'} notes, "
                "and its record can't be changed. Write the notes into CHANGELOG.md by hand"
            )
        return record, tag
    records = read_records(catalog)
    findings = _state_findings(catalog, derived) + _number_findings(catalog, number, records)
    if findings:
        raise FindingsError(findings)
    record, diff = _build_record(catalog, number, notes, records)
    findings = (
        _step_findings(record, diff, records)
        or _blob_findings(catalog, remote)
        # Again: people and DVC may have changed a file before it was read for the record.
        or uncommitted_findings(catalog)
    )
    if findings:
        raise FindingsError(findings)
    texts = dict(zip(paths, (record_text(record), _changelog(catalog, record)), strict=True))
    texts = {f"{prefix}{path}": text for path, text in texts.items()}
    _commit(catalog.root, head, texts, tag, record)
    _check_out(catalog.root, paths)
    return record, tag


def _check_out(root: Path, paths: Sequence[str]) -> None:
    """Write files of HEAD into the working tree, without running a filter of the repository."""
    words = ("checkout", "--quiet", "HEAD", "--", *paths)
    git(root, *words, env=without_filters(root))


def _complete_changelog(root: Path, head: str, prefix: str) -> None:
    """Write CHANGELOG.md of HEAD, unless somebody has edited the file since the release."""
    here = git(root, "hash-object", "--no-filters", "--", _CHANGELOG, check=False).strip()
    before = git(root, "rev-parse", f"{head}^:{prefix}{_CHANGELOG}", check=False).strip()
    if here in {"", before}:
        _check_out(root, [_CHANGELOG])
    else:
        git(root, "reset", "--quiet", "--", _CHANGELOG)


def _is_tagged(root: Path, tag: str, head: str) -> bool:
    words = ("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    commit = git(root, *words, check=False).strip()
    return bool(commit) and commit == head


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


def _state_findings(
    catalog: Catalog, derived: Callable[[Catalog, Reports], list[Finding]]
) -> list[Finding]:
    """Return the findings that prevent releasing this state under any number."""
    findings = uncommitted_findings(catalog)
    if not findings:
        findings += pipeline_findings(catalog.root)
    return findings + errors_of(all_findings(catalog, released_test_images, derived=derived))


def _number_findings(
    catalog: Catalog, number: VersionNumber, records: Sequence[Version]
) -> list[Finding]:
    """Return a finding if the number is not greater than that of the last version."""
    reverted = reverted_versions(catalog, records)
    if reverted and number <= (last := reverted[-1]):
        record = f"registry/versions/{last}.yaml"
        return [
            finding(
                "release-number",
                f"{number} is not greater than {last}, whose release was reverted: the tag "
                f"{ARTIFACT}@v{last} exists, but its record does not",
                file=record,
                hint=f"run `git checkout {ARTIFACT}@v{last} -- {record}`, commit the record, and "
                f"choose a number greater than {last}",
            )
        ]
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
        selections=_selections(catalog),
        changes=changes,
    )
    return record, diff


def _selections(catalog: Catalog) -> dict[str, VersionSelection]:
    summaries = summarize_all(catalog, sorted(catalog.params.selections))
    return {s.name: VersionSelection(samples=s.samples, digest=s.digest) for s in summaries}


def _step_findings(record: Version, diff: Diff | None, records: Sequence[Version]) -> list[Finding]:
    """Return a finding if the state is released already, or its number increases too little."""
    file = f"registry/versions/{record.version}.yaml"
    same = [
        version.version
        for version in records
        if (version.state, version.selections) == (record.state, record.selections)
    ]
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
    reasons = [f"{change.sample.place} ({change_text(change.kind)})" for change in decisive]
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
    path = catalog.root / _CHANGELOG
    return with_version(path.read_text("utf-8") if path.is_file() else "", record)


def _commit(root: Path, head: str, texts: dict[str, str], tag: str, record: Version) -> None:
    """Commit ``texts`` on top of HEAD and tag the commit, in one transaction of references.

    It fails if HEAD is no longer ``head``, the commit that was checked.
    The index and the working tree are not used, so unrelated changes there are not committed.
    """
    with temporary_folder() as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        git(root, "read-tree", head, env=index)
        for number, (path, text) in enumerate(texts.items()):
            source = folder / str(number)
            source.write_bytes(text.encode())
            blob = git(root, "hash-object", "-w", "--no-filters", "--", str(source)).strip()
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
        tree = git(root, "write-tree", env=index).strip()
        message = f"Release {record.version}"
        sign = ["-S"] * _is_set(root, "commit.gpgSign")
        commit = git(root, "commit-tree", tree, "-p", head, "-m", message, *sign).strip()
        tagger = git(root, "var", "GIT_COMMITTER_IDENT").strip()
        body = f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{message}\n"
        tag_object = git(root, "mktag", stdin=body).strip()
        updates = f"update HEAD {commit} {head}\ncreate refs/tags/{tag} {tag_object}\n"
        git(root, "update-ref", "--stdin", stdin=f"start\n{updates}commit\n")


def _is_set(root: Path, option: str) -> bool:
    """Return whether a yes-or-no option of git's configuration is set to yes."""
    return git(root, "config", "--type=bool", option, check=False).strip() == "true"


def unsigned_tag_note(root: Path, tag: str) -> str:
    """Return how to sign the tag of a release if the configuration asks for signed tags, or ""."""
    if not _is_set(root, "tag.gpgSign"):
        return ""
    return (
        "the tag is not signed, although tag.gpgSign is set: `sceneset release` creates branch and "
        f"tag in one step, and git can't sign in it. To sign it: git tag -s -f {tag} {tag}^{{}}"
    )
