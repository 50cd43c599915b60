"""Names of revisions resolved to commits: version numbers, tags, branches and commits."""

import difflib
import posixpath
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from sceneset.errors import GitError, UnknownRevisionError
from sceneset.schemas.version import VersionNumber
from sceneset.storage.files import md5_of
from sceneset.storage.git import git, output_lines, read_object
from sceneset.storage.git_trees import find_objects

ARTIFACT = "insta360-semantic-seg"
"""The DVC artifact that is versioned: tags are named insta360-semantic-seg@v1.2.0."""

LATEST = "latest"
"""Names the newest released version, unless a branch or tag has this name."""

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")


def resolve(repo: Path, rev: str, prefix: str = "") -> str:
    """Return the commit of a version number, tag, branch or commit, or of the latest version.

    A version is found by its tag, or by the commit that added its record if tags were not
    fetched.

    Args:
        repo: The git repository.
        rev: The name to resolve.
        prefix: The registry's folder in the repository, with a slash at its end, or "".

    Raises:
        UnknownRevisionError: There is no such revision, or the version is ambiguous.
    """
    match = _VERSION.fullmatch(rev.removeprefix(f"{ARTIFACT}@"))
    if match:
        commit = _version_commit(repo, match[1], f"{prefix}registry/versions/{match[1]}.yaml")
        if commit:
            return commit
    commit = _parse_commit(repo, rev)
    if commit:
        return commit
    if rev == LATEST:
        return resolve(repo, latest_version(repo, prefix), prefix)
    if rev == "HEAD" and (branches := _branches(repo)):
        default = git(repo, "symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip()
        raise UnknownRevisionError(
            f"HEAD of the repository names the branch {default!r}, which does not exist. Say which "
            f"revision to read, for example --rev {branches[0]}, or correct HEAD in that "
            f"repository: git symbolic-ref HEAD refs/heads/{branches[0]}"
        )
    raise UnknownRevisionError(f"there is no revision {rev!r}. {_suggestion(repo, rev)}")


def latest_version(repo: Path, prefix: str = "") -> str:
    """Return the number of the newest version that HEAD has a record of or that has a tag.

    Tags of other branches count too. A version whose release was reverted does not count: its tag
    is in the history of HEAD, but HEAD has no record of it any more.

    Args:
        repo: The git repository.
        prefix: The registry's folder in the repository, with a slash at its end, or "".

    Raises:
        UnknownRevisionError: There is no version.
    """
    folder = f"{prefix}registry/versions"
    files = output_lines(git(repo, "ls-tree", "--name-only", f"HEAD:{folder}", check=False))
    records = _numbers(file.removesuffix(".yaml") for file in files if file.endswith(".yaml"))
    tagged, merged = _tagged_numbers(repo), _tagged_numbers(repo, "--merged=HEAD")
    for number in sorted(records | tagged, reverse=True):
        tag, record = f"refs/tags/{ARTIFACT}@v{number}", f"{folder}/{number}.yaml"
        if number not in merged - records or not _has_file(repo, tag, record):
            return str(number)
    raise UnknownRevisionError("there is no version yet; `sceneset release` creates one")


def _tagged_numbers(repo: Path, *options: str) -> set[VersionNumber]:
    """Return the numbers of the version tags that options of `git for-each-ref` select."""
    words = ("for-each-ref", *options, "--format=%(refname)", f"refs/tags/{ARTIFACT}@v*")
    tags = output_lines(git(repo, *words, check=False))
    return _numbers(tag.rpartition("@v")[2] for tag in tags)


def _numbers(names: Iterable[str]) -> set[VersionNumber]:
    """Return those names that are version numbers."""
    numbers = set()
    for name in names:
        with suppress(ValueError):
            numbers.add(VersionNumber.parse(name))
    return numbers


def version_of(repo: Path, rev: str, prefix: str = "") -> str | None:
    """Return the number of the version that a name means, or None if it means something else."""
    if rev == LATEST and not _parse_commit(repo, LATEST):
        return latest_version(repo, prefix)
    match = _VERSION.fullmatch(rev.removeprefix(f"{ARTIFACT}@"))
    return match[1] if match else None


def resolve_versions(
    repo: Path, numbers: Sequence[str], prefix: str = ""
) -> dict[str, str | UnknownRevisionError]:
    """Return the commit of each version, or why there is none; see ``resolve``.

    One process finds all versions whose tag names a commit that has their record.
    """
    tags = [f"refs/tags/{ARTIFACT}@v{number}^{{commit}}" for number in numbers]
    moved = [f"refs/moved/{tag}" for tag in tags]
    records = [
        f"{tag}:{prefix}registry/versions/{number}.yaml"
        for tag, number in zip(tags, numbers, strict=True)
    ]
    count = len(numbers)
    try:
        objects = find_objects(repo, [*tags, *moved, *records])
    except GitError:  # a partial clone can't fetch a record
        objects = [""] * (3 * count)
    parts = (objects[:count], objects[count : 2 * count], objects[2 * count :])
    found: dict[str, str | UnknownRevisionError] = {}
    for number, tagged, at_move, record in zip(numbers, *parts, strict=True):
        if tagged and record and at_move in {"", tagged}:
            found[number] = tagged
            continue
        try:
            found[number] = resolve(repo, number, prefix)
        except UnknownRevisionError as error:
            found[number] = error
    return found


def version_at(repo: Path, commit: str) -> str | None:
    """Return the version number that a commit is tagged with, or None."""
    tags = git(repo, "tag", "--points-at", commit, "--list", f"{ARTIFACT}@v*", check=False)
    numbers = [tag.removeprefix(f"{ARTIFACT}@v") for tag in output_lines(tags)]
    return numbers[0] if len(numbers) == 1 else None


def _version_commit(repo: Path, number: str, record: str) -> str:
    """Return the commit of a version, or "" if there is no such version."""
    tagged = _tagged_commit(repo, number)
    if tagged and _has_file(repo, tagged, record):
        return tagged
    paths = ("--", f":(top,literal){record}")
    found = git(repo, "log", "--all", "--diff-filter=A", "--format=%H", *paths).split()
    added = [commit for commit in found if _has_recorded_state(repo, commit, record)]
    if found and not added and not tagged:
        raise UnknownRevisionError(
            f"version {number} can't be found: its history is incomplete (a shallow clone) or was "
            "squashed. Fetch the full history: git fetch --unshallow --tags"
        )
    if tagged and added:
        raise UnknownRevisionError(
            f"version {number} is ambiguous: its tag is at commit {tagged[:12]}, which has no "
            f"record of it, and commit {added[0][:12]} added its record. Pass the commit you mean"
        )
    if tagged:
        return tagged
    if len(added) > 1:
        raise UnknownRevisionError(
            f"version {number} is ambiguous: {len(added)} commits added its record "
            f"({', '.join(commit[:12] for commit in added)}) and there is no tag. Fetch the tags "
            "(git fetch --tags) or pass the commit you mean"
        )
    return added[0] if added else ""


def _has_file(repo: Path, commit: str, path: str) -> bool:
    """Return whether a commit has a file; a partial clone does not fetch it."""
    return bool(git(repo, "ls-tree", "--full-tree", "--name-only", commit, "--", path))


def _tagged_commit(repo: Path, number: str) -> str:
    """Return the commit that a version's tag names, or "" if there is no tag."""
    tag = f"refs/tags/{ARTIFACT}@v{number}"
    tagged, moved = _parse_commit(repo, tag), _parse_commit(repo, f"refs/moved/{tag}")
    if moved not in {"", tagged}:
        raise UnknownRevisionError(
            f"version {number} is ambiguous: its tag was at commit {tagged[:12]} when it was first "
            f"fetched and is now at {moved[:12]}. Tags of versions must not move: ask the owner of "
            "the repository, or pass the commit you mean"
        )
    return tagged


def _has_recorded_state(repo: Path, commit: str, record: str) -> bool:
    """Return whether a commit has the manifest whose digest a version's record gives.

    In a shallow clone the oldest commit seems to add every record there is.
    """
    # `git show` would run a textconv program of the configuration.
    text = git(repo, "cat-file", "blob", f"{commit}:{record}", check=False)
    state = re.search(r"(?m)^state: ([0-9a-f]{32})$", text)
    manifest = posixpath.join(posixpath.dirname(posixpath.dirname(record)), "manifest.json")
    try:
        return state is not None and state[1] == md5_of(read_object(repo, f"{commit}:{manifest}"))
    except GitError:
        return False


def _parse_commit(repo: Path, name: str) -> str:
    """Return the commit that git finds by a name, or ""."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return git(repo, *words, check=False).strip()


def _branches(repo: Path) -> list[str]:
    """Return the names of the branches, those that are often the default branch first."""
    listed = git(repo, "for-each-ref", "--format=%(refname:lstrip=2)", "refs/heads")
    return sorted(output_lines(listed), key=lambda name: (name not in {"main", "master"}, name))


def _suggestion(repo: Path, rev: str) -> str:
    """Return a sentence with the names most similar to ``rev``."""
    if _VERSION.fullmatch(rev) and not git(repo, "tag", "--list", f"{ARTIFACT}@v*").strip():
        return "There is no version yet; `sceneset release` creates one."
    refs = git(repo, "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads")
    names = [name.removeprefix(f"{ARTIFACT}@v") for name in output_lines(refs)]
    near = difflib.get_close_matches(rev.removeprefix("v"), names, n=3, cutoff=0.3) or names[:5]
    return f"Nearest: {', '.join(near)}." if near else "There is no tag or branch yet."
