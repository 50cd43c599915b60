"""Release versions: pinned states, each with a record in git and a tag, created atomically."""

import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, UsageError
from sceneset.progress import one_step
from sceneset.quality.evaluate import Reports, all_findings
from sceneset.quality.provenance_rules import restricted_findings
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.version import Version, VersionNumber
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, is_current
from sceneset.storage.dvc_writers import no_dvc_writer
from sceneset.storage.git import git
from sceneset.storage.leftovers import sweep
from sceneset.storage.locking import write_lock
from sceneset.versions.changelog import with_version
from sceneset.versions.committed import uncommitted_findings
from sceneset.versions.diff import STEPS, Diff, Step, change_text
from sceneset.versions.drift import drift_findings
from sceneset.versions.history import released_test_images
from sceneset.versions.index_table import (
    INDEX,
    INDEX_FILES,
    embedded_files,
    place_index,
    prepare_index,
)
from sceneset.versions.new_record import build_record
from sceneset.versions.records import read_records, record_text, reverted_versions
from sceneset.versions.release_commit import check_out, commit_and_tag, is_set
from sceneset.versions.resolve import ARTIFACT
from sceneset.versions.signatures import is_signed, sign_again, tagged_commit
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
    sign: bool = False,
) -> tuple[Version, str]:
    """Release the committed state as a version; return its record and tag.

    Calling it again after an interruption completes the release.

    Args:
        catalog: The working tree of the registry.
        number: The number of the new version.
        notes: Text for the record and the changelog, or "".
        remote: The name of the DVC remote that must have all blobs, and that the table of the
            samples is written to; None means the default one.
        derived: Compares the derived files with their sources.
        sign: Sign the tag with the user's key, as git is configured. A tag that an earlier call
            created without a signature is replaced.

    Raises:
        UsageError: The version exists, with other notes.
        FindingsError: The state is not committed, its pipeline is out of date, it has errors, a
            blob is missing on the remote, the number is too small for the changes, or another
            command is writing. Nothing is released.
        DvcError: The remote can't be read or written. Nothing is released.
        GitError: The tag can't be signed. Nothing is released.
    """
    # No command may change the files while they are read.
    with write_lock(catalog.paths.work), no_dvc_writer(catalog.paths):
        sweep(catalog.paths)
        return _release(catalog.again(), number, notes, remote, derived, sign=sign)


def _release(
    catalog: Catalog,
    number: VersionNumber,
    notes: str,
    remote: str | None,
    derived: Callable[[Catalog, Reports], list[Finding]],
    *,
    sign: bool,
) -> tuple[Version, str]:
    tag = f"{ARTIFACT}@v{number}"
    prefix = git(catalog.root, "rev-parse", "--show-prefix").strip()
    blobs = Blobs(catalog.project, remote)
    record_file = f"registry/versions/{number}.yaml"
    head = git(catalog.root, "rev-parse", "HEAD").strip()  # if it moves meanwhile, git refuses
    if _is_tagged(catalog.root, tag, head):
        # An earlier call created the tag, but may not have written the files.
        check_out(catalog.root, [f"{prefix}{path}" for path in (record_file, *INDEX_FILES)])
        check_out(catalog.root, embedded_files(catalog.root, blobs))
        place_index(catalog.root, blobs)
        _complete_changelog(catalog.root, head, prefix)
        record = next(v for v in read_records(catalog) if v.version == str(number))
        if notes.strip() not in {"", record.notes}:
            raise UsageError(
                f"{number} is released already, with {'other' if record.notes else 'no'} notes, "
                "and its record can't be changed. Write the notes into CHANGELOG.md by hand"
            )
        if sign and not is_signed(catalog.root, tag):
            sign_again(catalog.root, tag, head, _message(record))
        return record, tag
    records = read_records(catalog)
    findings = _state_findings(catalog, derived) + _number_findings(catalog, number, records)
    if findings:
        raise FindingsError(findings)
    record, diff = build_record(
        catalog, number, notes, records, _command(number, remote, sign=sign)
    )
    findings = (
        _step_findings(record, diff, records)
        or drift_findings(catalog, record)
        or _blob_findings(catalog, blobs)
    )
    # Again: people and DVC may have changed a file before it was read, which would explain others.
    findings = uncommitted_findings(catalog) or findings
    if findings:
        raise FindingsError(findings)
    texts = {record_file: record_text(record), _CHANGELOG: _changelog(catalog, record)}
    index = prepare_index(catalog, blobs, wanted=bool(record.subsets))
    files = {path: text.encode() for path, text in (texts | index.texts).items()}
    files = {f"{prefix}{path}": content for path, content in files.items()} | index.embedded
    _commit(catalog.root, head, files, tag, record, sign=sign)
    check_out(catalog.root, files)
    place_index(catalog.root, blobs)
    return record, tag


def _complete_changelog(root: Path, head: str, prefix: str) -> None:
    """Write CHANGELOG.md of HEAD, unless somebody has edited the file since the release."""
    here = git(root, "hash-object", "--no-filters", "--", _CHANGELOG, check=False).strip()
    before = git(root, "rev-parse", f"{head}^:{prefix}{_CHANGELOG}", check=False).strip()
    if here in {"", before}:
        check_out(root, [f"{prefix}{_CHANGELOG}"])
    else:
        git(root, "reset", "--quiet", "--", _CHANGELOG)


def _is_tagged(root: Path, tag: str, head: str) -> bool:
    return tagged_commit(root, tag) == head


def pipeline_findings(catalog: Catalog) -> list[Finding]:
    """Return a finding if derived files, such as statistics, are out of date."""
    try:
        catalog.params  # noqa: B018 - with wrong subsets, DVC takes long to say less
    except FindingsError:
        return []
    current = partial(is_current, catalog.root, TEXT_STAGES)
    if one_step(catalog.progress, "ask DVC what is current", current):
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
        findings += pipeline_findings(catalog)
    errors = errors_of(all_findings(catalog, released_test_images, derived=derived))
    # Missing provenance keeps a change out of the main branch, where `review` runs, not a release.
    errors = [error for error in errors if error.code != "entry-provenance"]
    return findings + (errors or restricted_findings(catalog))


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


def _blob_findings(catalog: Catalog, remote: Blobs) -> list[Finding]:
    """Return a finding for every blob of the state that the remote does not have."""
    # The table of the last release is about to be replaced.
    blobs = {md5: blob for md5, blob in expected_blobs(catalog).items() if blob.file != INDEX}
    if not blobs:
        return []
    return list(compare_sizes(blobs, remote.sizes(list(blobs), progress=catalog.progress)).values())


def _changelog(catalog: Catalog, record: Version) -> str:
    """Return the text of CHANGELOG.md with the version at the top of its data section."""
    path = catalog.root / _CHANGELOG
    return with_version(path.read_text("utf-8") if path.is_file() else "", record)


def _commit(
    root: Path, head: str, files: dict[str, bytes], tag: str, record: Version, *, sign: bool
) -> None:
    """Commit the files and tag the commit, in one step that fails if HEAD moved."""
    commit_and_tag(root, head, files, tag, _message(record), sign=sign)


def _command(number: VersionNumber, remote: str | None, *, sign: bool) -> str:
    """Return the command line of a release, without its notes."""
    options = ["--remote", shlex.quote(remote)] if remote else []
    return " ".join(["sceneset release", str(number), *options, *["--sign"] * sign])


def _message(record: Version) -> str:
    return f"Release {record.version}"


def unsigned_tag_note(root: Path, tag: str) -> str:
    """Return how to sign the tag of a release if the configuration asks for signed tags, or ""."""
    if not is_set(root, "tag.gpgSign") or is_signed(root, tag):
        return ""
    return (
        "the tag is not signed, although tag.gpgSign is set. To sign it: "
        f"sceneset release {tag.rpartition('@v')[2]} --sign"
    )
