"""Versions: pinned states, each with a record in git and a tag, made wholly or not at all."""

import json
import tempfile
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.quality.evaluate import everything
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.version import Number, Version, VersionChanges, VersionSubset
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, is_current
from sceneset.storage.files import md5_of
from sceneset.storage.git import git
from sceneset.versions.diff import STEPS, Diff, Step, compare
from sceneset.versions.history import tested_images
from sceneset.versions.manifest import manifest, manifest_text
from sceneset.versions.records import record_text, versions
from sceneset.versions.revisions import ARTIFACT, open_at
from sceneset.versions.verify import blobs_of, lacking

_SHOWN = 10  # files or samples that are named
_HEAD = "## Data"


def release(
    catalog: Catalog, number: Number, *, notes: str, remote: str | None
) -> tuple[Version, str]:
    """Make a version of the committed state; return its record and tag.

    Raises:
        ProblemsFoundError: the state is not committed, not current, not good, not on the remote,
            or the number does not fit what changed. Nothing is written then.
    """
    tag = f"{ARTIFACT}@v{number}"
    prefix = git(catalog.root, "rev-parse", "--show-prefix").strip()
    paths = [f"registry/versions/{number}.yaml", "CHANGELOG.md"]
    if _tagged_here(catalog.root, tag):
        # An earlier call was cut off after the tag, or ended: bring its files into place.
        git(catalog.root, "checkout", "--quiet", "HEAD", "--", *paths)
        return next(v for v in versions(catalog) if v.version == str(number)), tag
    findings = _obstacles(catalog, number)
    if findings:
        raise FindingsError(findings)
    record, diff = _draft(catalog, number, notes)
    findings = _step_findings(record, diff, versions(catalog)) or _absent(catalog, remote)
    if findings:
        raise FindingsError(findings)
    texts = dict(zip(paths, (record_text(record), _changelog(catalog, record)), strict=True))
    _commit(catalog.root, {f"{prefix}{path}": text for path, text in texts.items()}, tag, record)
    git(catalog.root, "checkout", "--quiet", "HEAD", "--", *paths)
    return record, tag


def _tagged_here(root: Path, tag: str) -> bool:
    words = ("rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}")
    found = git(root, *words, check=False).strip()
    return bool(found) and found == git(root, "rev-parse", "HEAD").strip()


def _obstacles(catalog: Catalog, number: Number) -> list[Finding]:
    """Return what keeps the state from being released under this number, whatever changed."""
    root = catalog.root
    dirty = git(root, "status", "--porcelain", "--", ".").splitlines()
    findings = [
        finding("release-dirty", "is not committed", file=line[3:], hint="commit it first")
        for line in dirty[:_SHOWN]
    ]
    if not dirty and not is_current(root, TEXT_STAGES):
        findings.append(
            finding(
                "release-stale",
                "the pipeline is not current",
                file="dvc.lock",
                hint="run `dvc repro --allow-missing`, and commit what it writes",
            )
        )
    findings += errors_of(everything(catalog, tested_images))
    made = versions(catalog)
    if made and number <= Number.of(made[-1].version):
        last = Number.of(made[-1].version)
        findings.append(
            finding(
                "release-number",
                f"{number} is not after {last}",
                file="registry/versions",
                hint=f"the next are {', '.join(str(last.next(s)) for s in Step)}",
            )
        )
    return findings


def _draft(catalog: Catalog, number: Number, notes: str) -> tuple[Version, Diff | None]:
    made = versions(catalog)
    last = made[-1].version if made else None
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


def _step_findings(record: Version, diff: Diff | None, made: list[Version]) -> list[Finding]:
    file = f"registry/versions/{record.version}.yaml"
    same = [version.version for version in made if version.state == record.state]
    if same:
        return [
            finding(
                "release-same",
                f"this state is {same[-1]} already",
                file=file,
                hint="a second name for it would only confuse",
            )
        ]
    if diff is None or record.previous is None:
        return []
    least = Number.of(record.previous).next(diff.step)
    if Number.of(record.version) >= least:
        return []
    forcing = [change for change in diff.changes if STEPS[change.kind] == diff.step]
    named = [f"{change.sample.place} ({change.kind})" for change in forcing]
    named += [*diff.subsets_added, *diff.subsets_removed, *diff.scenes_added, *diff.scenes_removed]
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return [
        finding(
            "release-step",
            f"{record.version} moves too little after {record.previous}: a "
            f"{diff.step} step is asked for by {', '.join(named[:_SHOWN])}{more}",
            file=file,
            hint=f"release it as {least}",
        )
    ]


def _absent(catalog: Catalog, remote: str | None) -> list[Finding]:
    """Return a finding for every blob of the state that the remote does not have."""
    held = blobs_of(catalog)
    if not held:
        return []
    return list(lacking(held, Blobs(catalog.project, remote).sizes(list(held))).values())


def _changelog(catalog: Catalog, record: Version) -> str:
    """Return CHANGELOG.md with the version on top of its data part."""
    path = catalog.root / "CHANGELOG.md"
    text = path.read_text("utf-8") if path.is_file() else "# Changelog\n"
    if _HEAD not in text.splitlines():
        text = f"{text.rstrip()}\n\n{_HEAD}\n"
    changes = record.changes
    said = [f"{count} {kind}" for kind, count in changes.samples.items()]
    lines = [f"- {record.samples} samples" + (f": {', '.join(said)}" if said else "")]
    for what, names in (
        ("new subsets", changes.subsets_added),
        ("subsets gone", changes.subsets_removed),
        ("new scenes", changes.scenes_added),
        ("scenes gone", changes.scenes_removed),
    ):
        if names:
            lines.append(f"- {what}: {', '.join(names)}")
    if record.notes:
        lines.append(f"- {record.notes}")
    entry = "\n".join([f"### {record.version}", "", *lines])
    before, _, after = text.partition(f"\n{_HEAD}\n")
    return f"{before}\n{_HEAD}\n\n{entry}\n\n{after.strip()}".rstrip() + "\n"


def _commit(root: Path, texts: dict[str, str], tag: str, record: Version) -> None:
    """Commit ``texts`` on top of HEAD and tag it: branch and tag move together or not at all."""
    head = git(root, "rev-parse", "HEAD").strip()
    with tempfile.TemporaryDirectory(prefix="sceneset-") as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git(root, "read-tree", head, env=own)
        for number, (path, text) in enumerate(texts.items()):
            source = Path(folder) / str(number)
            source.write_bytes(text.encode())
            blob = git(root, "hash-object", "-w", "--no-filters", "--", str(source)).strip()
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=own)
        tree = git(root, "write-tree", env=own).strip()
        message = f"Release {record.version}"
        commit = git(root, "commit-tree", tree, "-p", head, "-m", message).strip()
        who = git(root, "var", "GIT_COMMITTER_IDENT").strip()
        body = f"object {commit}\ntype commit\ntag {tag}\ntagger {who}\n\n{message}\n"
        made = git(root, "mktag", stdin=body).strip()
        moves = f"start\nupdate HEAD {commit} {head}\ncreate refs/tags/{tag} {made}\ncommit\n"
        git(root, "update-ref", "--stdin", stdin=moves)
