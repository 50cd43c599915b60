"""Find out which files git ignores, and why."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from sceneset.storage.git import run_git


class Ignored(NamedTuple):
    """Why git ignores a file."""

    source: str
    """The ignore file: .gitignore, .git/info/exclude or the user's own."""
    row: int
    """The line in the ignore file."""
    pattern: str

    def __str__(self) -> str:
        return f"{self.source}:{self.row} ({self.pattern})"


def ignored_files(root: Path, paths: Iterable[str]) -> dict[str, Ignored]:
    """Return those of ``paths`` that git ignores and does not track.

    There is none if ``root`` is not in a repository.

    Args:
        root: A folder of the repository.
        paths: Paths relative to ``root``; they need not exist.
    """
    text = "".join(f"{path}\0" for path in paths)
    if not text:
        return {}
    try:
        done = run_git(root, "check-ignore", "--verbose", "-z", "--stdin", stdin=text)
    except OSError:  # git is not installed
        return {}
    fields = done.stdout.decode("utf-8", "surrogateescape").split("\0")
    found = {}
    for source, row, pattern, path in zip(*(fields[n::4] for n in range(4)), strict=False):
        # With --verbose, git also reports the pattern that makes it keep a file.
        if not pattern.startswith("!"):
            found[path] = Ignored(source, int(row or 0), pattern)
    return found
