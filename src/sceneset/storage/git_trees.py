"""Find and read one file on many branches of a git repository, with few processes.

Trees are read directly, so a file that a branch does not have is told from one that can't be read:
in a damaged repository or a partial clone, git reports both as missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sceneset.errors import GitError
from sceneset.storage.git import git, output_lines, run_git

_OBJECT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_BATCH = 256  # objects that one process reads; their bytes are in memory together


def branch_commits(repo: Path) -> dict[str, str]:
    """Return the commits of HEAD and of all branches, local and as last fetched from any remote.

    HEAD is left out if it points at no commit, as in a bare repository whose default branch was
    never pushed.

    Raises:
        GitError: The branches can't be listed, or one points at an object that is missing.
    """
    patterns = ("refs/heads", "refs/remotes")
    listed = git(repo, "for-each-ref", "--format=%(objectname) %(refname)", *patterns)
    commits = {name: oid for oid, name in (line.split(" ", 1) for line in output_lines(listed))}
    head = git(repo, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).strip()
    return {"HEAD": head, **commits} if head else commits


def find_file(repo: Path, commits: Mapping[str, str], path: str) -> dict[str, list[str]]:
    """Return the git objects that a path has in some commits, each with the names of its commits.

    Args:
        repo: The git repository.
        commits: Commits by name.
        path: A path from the top folder of the repository, with forward slashes.

    Raises:
        GitError: An object that is needed is missing; commits without the file are no error.
    """
    names: dict[str, list[str]] = {}
    for name, commit in commits.items():
        names.setdefault(commit, []).append(name)
    # First the commits themselves, then their trees, level by level.
    level = _merged((_tree_of(data), names[oid]) for oid, data in read_objects(repo, names))
    parts = path.split("/")
    for number, part in enumerate(parts, 1):
        is_folder, found = number < len(parts), []
        for oid, data in read_objects(repo, level):
            if entry := _entry(data, part, len(oid) // 2, is_folder=is_folder):
                found.append((entry, level[oid]))
        level = _merged(found)
    return level


def _merged(found: Iterable[tuple[str, list[str]]]) -> dict[str, list[str]]:
    merged: dict[str, list[str]] = {}
    for oid, names in found:
        merged.setdefault(oid, []).extend(names)
    return merged


def _tree_of(commit: bytes) -> str:
    """Return the tree of a commit, from the content of the commit object."""
    first = commit.partition(b"\n")[0].decode("ascii", "replace")
    return first.removeprefix("tree ")


def _entry(tree: bytes, name: str, width: int, *, is_folder: bool) -> str:
    """Return the object with a name in a tree, or "".

    Args:
        tree: The content of the tree object.
        name: The name of a file or folder.
        width: Length of an object's hash in bytes.
        is_folder: Whether to look for a folder.
    """
    wanted, start = name.encode(), 0
    while start < len(tree):
        end = tree.index(b"\0", start)
        mode, _, found = tree[start:end].partition(b" ")
        if found == wanted and (mode == b"40000") == is_folder:
            return tree[end + 1 : end + 1 + width].hex()
        start = end + 1 + width
    return ""


def find_objects(repo: Path, names: Sequence[str]) -> list[str]:
    """Return the git object that each name stands for, or "" if there is none.

    One process answers for all names. They are names as `git rev-parse` takes them, for example
    ``refs/tags/1.0.0^{commit}`` or ``HEAD:registry/scans``.
    """
    if not names:
        return []
    if any({"\n", "\r"} & set(name) for name in names):  # git reads one name on each line
        return [git(repo, "rev-parse", "--verify", "-q", n, check=False).strip() for n in names]
    lines = "".join(f"{name}\n" for name in names)
    found = output_lines(git(repo, "cat-file", "--batch-check=%(objectname)", stdin=lines))
    # For a name without an object, git prints the name and what is wrong with it.
    return [line if _OBJECT.fullmatch(line) else "" for line in found]


def read_objects(repo: Path, oids: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the content of git objects; a partial clone downloads missing ones.

    Raises:
        GitError: An object is missing or can't be read.
    """
    waiting = list(oids)
    for start in range(0, len(waiting), _BATCH):
        batch = waiting[start : start + _BATCH]
        done = run_git(repo, "cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in batch))
        yield from _parse_batch(batch, done.stdout, done.stderr)


def _parse_batch(oids: Sequence[str], output: bytes, errors: bytes) -> Iterator[tuple[str, bytes]]:
    start = 0
    for oid in oids:
        end = output.find(b"\n", start)
        header = output[start:end].split() if end >= 0 else []
        if len(header) != 3 or header[0].decode("ascii", "replace") != oid:
            reason = errors.decode("utf-8", "replace").strip().splitlines()[:1]
            raise GitError(f"git has no object {oid}" + (f": {reason[0]}" if reason else ""))
        size = int(header[2])
        yield oid, output[end + 1 : end + 1 + size]
        start = end + 2 + size


def fetch_missing(repo: Path, revisions: Sequence[str], pathspec: str) -> None:
    """Fetch the missing objects of some files in all commits at once, if this is a partial clone.

    Git itself would fetch them one after the other. If the remote does not give them, nothing
    happens here: reading them reports why.

    Args:
        repo: The git repository.
        revisions: The commits to start from, as for `git rev-list`.
        pathspec: Which files.
    """
    promisors = git(repo, "config", "--get-regexp", r"^remote\..*\.promisor$", check=False)
    for line in output_lines(promisors):
        remote = line.partition(" ")[0].removeprefix("remote.").removesuffix(".promisor")
        listed = git(
            *(repo, "rev-list", "--objects", "--full-history", "--missing=print"),
            *(*revisions, "--", pathspec),
            check=False,
        )
        missing = [line[1:] for line in output_lines(listed) if line.startswith("?")]
        if not missing:
            return
        options = ("--no-tags", "--no-write-fetch-head", "--recurse-submodules=no")
        git(
            *(repo, "-c", "fetch.negotiationAlgorithm=noop", "fetch", remote, *options),
            *("--filter=blob:none", "--stdin"),
            stdin="".join(f"{oid}\n" for oid in missing),
            check=False,
        )
