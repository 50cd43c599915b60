"""Compare the files of a state with what the last commit really holds, by content.

`git status` can be told to leave files out: by ignore files of the user, by
`status.showUntrackedFiles`, `assume-unchanged` and `skip-worktree`, and by sparse checkouts.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.state_files import is_state_file, state_files, state_folders
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import open_regular
from sceneset.storage.git import git, without_filters
from sceneset.storage.git_ignore import ignored_files

_CHUNK = 1 << 20  # bytes
_COMMIT_HINT = "commit it first"
_FLAGS = {
    "assume-unchanged": "--no-assume-unchanged",
    "skip-worktree": "--no-skip-worktree",
}


def uncommitted_findings(catalog: Catalog) -> list[Finding]:
    """Return a finding for every file of the state that the last commit has not or differently.

    Files that do not belong to the state are reported if `git status` lists them.
    """
    root = catalog.root
    committed = _committed_objects(catalog)
    here = state_files(catalog)
    new_hash = _hash_function(root)
    absent = [path for path in here if path not in committed]
    changed = [
        path
        for path in here
        if path in committed and _object_of(root, path, new_hash) != committed[path]
    ]
    deleted = sorted(committed.keys() - set(here))
    ignored = ignored_files(root, absent)
    flags = _index_flags(root) if changed or deleted else {}
    findings = []
    for path in absent:
        reason = ignored.get(path)
        if reason is None:
            findings.append(_finding(path, "is not in the last commit", _COMMIT_HINT))
            continue
        findings.append(
            _finding(
                path,
                f"is not in the last commit, because git ignores it: {reason}",
                f"change that line, or run `git add --force {path}`; then commit the file",
            )
        )
    for path in changed:
        flag = flags.get(path, "")
        message = "differs from the file in the last commit"
        if flag:
            message += f", and git does not report it: it is marked as {flag}"
        hint = f"run `git update-index {_FLAGS[flag]} {path}`, then commit it" if flag else ""
        findings.append(_finding(path, message, hint or _difference_hint(root, path, committed)))
    for path in deleted:
        message = "is in the last commit, but not in the working tree"
        if flags.get(path) == "skip-worktree":
            message += ": a sparse checkout leaves it out"
        hint = f"run `git sparse-checkout disable`, or `git checkout HEAD -- {path}`"
        hint += "; if it was deleted on purpose, commit that"
        findings.append(_finding(path, message, hint))
    known = {*absent, *changed, *deleted}
    return findings + _other_findings(root, known)


def _finding(path: str, message: str, hint: str) -> Finding:
    return finding("release-dirty", message, file=path, hint=hint)


def _other_findings(root: Path, known: set[str]) -> list[Finding]:
    """Report files that `git status` lists and that are not ``known``."""
    words = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal", "--", ".")
    prefix = git(root, "rev-parse", "--show-prefix").strip("\n")
    # `git status` would run a clean filter on each file whose time it can't trust.
    lines = filter(None, git(root, *words, env=without_filters(root)).split("\0"))
    paths = (line[3:].removeprefix(prefix) for line in lines)
    return [
        _finding(path, "is not committed", _COMMIT_HINT)
        for path in paths
        # A new folder is listed as one path that ends with a slash.
        if path not in known and not (path.endswith("/") and any(k.startswith(path) for k in known))
    ]


def _committed_objects(catalog: Catalog) -> dict[str, str]:
    """Return the objects of the state's files in the last commit, by path."""
    folders = state_folders(catalog)
    listed = git(catalog.root, "ls-tree", "-r", "-z", "HEAD", check=False)
    found = {}
    for line in filter(None, listed.split("\0")):
        fields, _, path = line.partition("\t")
        if is_state_file(path, folders):
            found[path] = fields.split()[2]
    return found


def _hash_function(root: Path) -> Callable[[], Any]:
    """Return the hash function that the repository uses for its objects."""
    name = git(root, "rev-parse", "--show-object-format").strip()
    return lambda: hashlib.new(name, usedforsecurity=False)


def _object_of(root: Path, path: str, new_hash: Callable[[], Any]) -> str:
    """Return the name of the git object with the bytes of a file, or "" if it can't be read."""
    digest = new_hash()
    try:
        with open(root / path, "rb", opener=open_regular) as file:
            digest.update(b"blob %d\0" % os.fstat(file.fileno()).st_size)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError:
        return ""
    return str(digest.hexdigest())


def _index_flags(root: Path) -> dict[str, str]:
    """Return the files that the index marks as not to be compared, each with its mark."""
    found = {}
    for line in filter(None, git(root, "ls-files", "-v", "-z").split("\0")):
        mark, path = line[0], line[2:]
        if mark in "Ss":
            found[path] = "skip-worktree"
        elif mark.islower():
            found[path] = "assume-unchanged"
    return found


def _difference_hint(root: Path, path: str, committed: dict[str, str]) -> str:
    """Return how to commit a file; line ends that git converts can't be committed as they are."""
    try:
        data = (root / path).read_bytes()
    except OSError:
        return _COMMIT_HINT
    digest = _hash_function(root)()
    text = data.replace(b"\r\n", b"\n")
    digest.update(b"blob %d\0" % len(text) + text)
    if text != data and digest.hexdigest() == committed[path]:
        return (
            "git converts its line ends (core.autocrlf); put `* -text` into .gitattributes, "
            f"and run `git rm --cached {path}` and `git add {path}`"
        )
    return _COMMIT_HINT
