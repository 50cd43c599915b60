"""Mirrors: bare clones of remote repositories, kept in the user's cache without blobs."""

import hashlib
import re
from pathlib import Path

from sceneset.errors import GitError, UnknownRevisionError
from sceneset.storage.files import atomic_folder
from sceneset.storage.git import git, output_lines
from sceneset.storage.locking import exclusive_lock
from sceneset.storage.user_cache import cache_folder

_REFS_PER_FETCH = 500  # the length of a command line is limited


def updated_mirror(url: str) -> Path:
    """Return the mirror of ``url``, cloned on first use and fetched on every later one.

    Raises:
        UnknownRevisionError: The repository can't be cloned.
        GitError: The repository can't be fetched.
    """
    key = hashlib.sha256(url.encode()).hexdigest()[:24]
    folder = cache_folder() / "repositories" / key
    with exclusive_lock(
        folder.with_suffix(".lock")
    ):  # the jobs of one training run may start together
        if folder.exists():
            _update(folder)
        else:
            _clone(url, folder)
    return folder


def _clone(url: str, folder: Path) -> None:
    try:
        with atomic_folder(folder) as temporary:
            git(temporary, "clone", "--quiet", "--bare", "--filter=blob:none", "--", url, ".")
    except GitError as error:
        raise UnknownRevisionError(str(error)) from None


def _update(mirror: Path) -> None:
    """Fetch new branches and tags.

    Tags that moved at the origin are not overwritten: their new targets are recorded below
    refs/moved, where ``resolve`` finds them.
    """
    git(mirror, "fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/heads/*", "--no-tags")
    _follow_default_branch(mirror)
    at_origin = _parse_refs(git(mirror, "ls-remote", "--tags", "--refs", "origin"))
    in_mirror = _list_refs(mirror, "refs/tags")
    new = [tag for tag in at_origin if tag not in in_mirror]
    moved = [tag for tag, commit in at_origin.items() if in_mirror.get(tag, commit) != commit]
    for ref in _list_refs(mirror, "refs/moved").keys() - {f"refs/moved/{tag}" for tag in moved}:
        git(mirror, "update-ref", "-d", ref)  # the tag was moved back
    refspecs = [f"{tag}:{tag}" for tag in new] + [f"+{tag}:refs/moved/{tag}" for tag in moved]
    for start in range(0, len(refspecs), _REFS_PER_FETCH):
        batch = refspecs[start : start + _REFS_PER_FETCH]
        git(mirror, "fetch", "--quiet", "--no-tags", "origin", *batch)


def _follow_default_branch(mirror: Path) -> None:
    """Point the mirror's HEAD at the current default branch of its origin."""
    symref = git(mirror, "ls-remote", "--symref", "origin", "HEAD")
    match = re.match(r"ref: (refs/heads/[^\t\n]+)\tHEAD", symref)
    if match and git(mirror, "rev-parse", "--verify", "--quiet", match[1], check=False):
        git(mirror, "symbolic-ref", "HEAD", match[1])


def _list_refs(mirror: Path, below: str) -> dict[str, str]:
    return _parse_refs(git(mirror, "for-each-ref", "--format=%(objectname) %(refname)", below))


def _parse_refs(listing: str) -> dict[str, str]:
    """Return the object of each reference, from lines of object and reference."""
    pairs = (re.split(r"[ \t]", line, maxsplit=1) for line in output_lines(listing))
    return {ref: oid for oid, ref in pairs}
