"""The files that a merge, rebase or cherry-pick of git left unmerged, with their three sides."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import GitError
from sceneset.storage.git import git, read_object, run_git
from sceneset.storage.git_trees import read_objects

_BATCH = 500  # paths for each process


class Sides(NamedTuple):
    """The content of a file in the three states of a merge; None where the file does not exist."""

    base: bytes | None
    """In the last common commit."""
    ours: bytes | None
    """On the current branch; during a rebase, on the branch that commits are moved to."""
    theirs: bytes | None
    """On the other branch; during a rebase, in the commit that is moved."""


class Unmerged(NamedTuple):
    """The git objects of an unmerged file; "" where the file does not exist."""

    base: str = ""
    ours: str = ""
    theirs: str = ""


def unmerged_files(root: Path) -> dict[str, Unmerged]:
    """Return the unmerged files below a folder, by path relative to it.

    Raises:
        GitError: The folder is in no git repository.
    """
    stages: dict[str, dict[str, str]] = {}
    for entry in filter(None, git(root, "ls-files", "--unmerged", "-z").split("\0")):
        details, _, path = entry.partition("\t")
        _, oid, stage = details.split(" ")
        stages.setdefault(path, {})[Unmerged._fields[int(stage) - 1]] = oid
    return {path: Unmerged(**found) for path, found in stages.items()}


def read_sides(root: Path, objects: Unmerged) -> Sides:
    """Return the contents of an unmerged file.

    Raises:
        GitError: An object is missing.
    """
    contents = dict(read_objects(root, sorted({*objects} - {""})))
    return Sides(*(contents.get(oid) for oid in objects))


def mark_resolved(root: Path, paths: Iterable[str]) -> None:
    """Stage files as they are in the working tree, also those that are deleted there.

    Files that git ignores are staged too: what is unmerged is tracked.

    Raises:
        GitError: git can't write its index.
    """
    listed = sorted(paths)
    for start in range(0, len(listed), _BATCH):
        batch = listed[start : start + _BATCH]
        existing = [path for path in batch if (root / path).is_file()]
        if existing:
            git(root, "add", "--force", "--", *existing)
        if deleted := [path for path in batch if path not in set(existing)]:
            git(root, "rm", "--cached", "--quiet", "--ignore-unmatch", "--", *deleted)


def changed_files(root: Path, patterns: Sequence[str], since: str = "") -> list[str]:
    """Return the files that differ from git's index or a commit, or that git does not track.

    Args:
        root: A folder of the repository; paths are relative to it.
        patterns: The files and folders to look at, as git matches them.
        since: The commit to compare with; "" means the index.
    """
    words = ("diff", "--name-only", "--relative", "-z", *filter(None, [since]))
    tracked = git(root, *words, "--", *patterns)
    new = git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", *patterns)
    return sorted({*tracked.split("\0"), *new.split("\0")} - {""})


def merged_lines(folder: Path, sides: Sides, *, union: bool = False) -> str | None:
    """Return what git makes of the lines of three texts; None if lines are in conflict.

    Args:
        folder: An empty folder for temporary files.
        sides: The texts; one that does not exist counts as empty.
        union: Take the lines of both sides where they are in conflict.
    """
    names = ("ours", "base", "theirs")
    for name in names:
        (folder / name).write_bytes(getattr(sides, name) or b"")
    words = ["merge-file", "--stdout", "--quiet", *(["--union"] if union else []), *names]
    done = run_git(folder, *words)
    if done.returncode < 0 or done.returncode > 127:
        raise GitError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}")
    return None if done.returncode else done.stdout.decode("utf-8", "replace")


OTHER_HEADS = ("MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD")
"""What git calls the commit that is merged, moved or picked."""


def merge_in_progress(root: Path) -> bool:
    """Return whether git is in the middle of a merge, rebase or cherry-pick."""
    words = ("rev-parse", "--verify", "--quiet")
    return any(git(root, *words, name, check=False).strip() for name in OTHER_HEADS)


def file_at(root: Path, revision: str, path: str) -> bytes | None:
    """Return a file of a revision, by its path relative to a folder; None if there is none."""
    words = ("rev-parse", "--verify", "--quiet", f"{revision}:./{path}")
    oid = git(root, *words, check=False).strip()
    return read_object(root, oid) if oid else None
