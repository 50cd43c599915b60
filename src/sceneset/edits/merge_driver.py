"""The merge driver of git: merge one source file by its meaning, without the rest of the merge."""

import subprocess
from pathlib import Path

from sceneset.edits.merge_files import text_merge_of
from sceneset.edits.merge_values import ValueMerge
from sceneset.edits.merge_yaml import Texts
from sceneset.errors import FindingsError
from sceneset.storage.files import read_text, write_text
from sceneset.storage.git import git, git_environment

DRIVER = "sceneset"
"""The name of the driver in .gitattributes."""
_COMMAND = "sceneset merge --driver %O %A %B %P"  # git quotes the path; in "%P", $(...) would run


def install_driver(root: Path) -> None:
    """Write the driver into the git configuration of a clone.

    Raises:
        GitError: The folder is in no git repository.
    """
    git(root, "config", f"merge.{DRIVER}.name", "merge registry files by sample and field")
    git(root, "config", f"merge.{DRIVER}.driver", _COMMAND)


def merge_file(base: Path, ours: Path, theirs: Path, name: str) -> bool:
    """Merge a file as git asks its driver to: write the result over ``ours``.

    Args:
        base: The file in the last common commit; empty if it is new on both sides.
        ours: The file on the current branch.
        theirs: The file on the other branch.
        name: Its path in the repository.

    Returns:
        Whether there is no conflict; otherwise git's own merge of lines, with conflict markers, is
        the result.
    """
    merge_text, merge = text_merge_of(_in_registry(name)), ValueMerge()
    if merge_text is not None:
        try:
            texts = Texts(*(read_text(path, name) for path in (base, ours, theirs)))
            text = merge_text(texts, name, merge)
        except FindingsError:
            text = ""
        if text and not merge.conflicts:
            write_text(ours, text)
            return True
    done = subprocess.run(
        ["git", "merge-file", "-L", "ours", "-L", "base", "-L", "theirs", ours, base, theirs],
        check=False,
        env=git_environment(),
    )
    return done.returncode == 0


def _in_registry(name: str) -> str:
    """Return a path of a repository as the registry in it sees it: it may be in a folder."""
    parts = name.split("/")
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        if text_merge_of(tail) is not None:
            return tail
    return name
