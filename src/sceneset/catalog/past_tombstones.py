"""Find tombstones that were in any commit of a repository, also if a merge dropped them.

People take a withdrawal back with a commit that removes its tombstone. A merge that keeps the file
of one side (`git checkout --ours`) removes the tombstones of the other side by accident, and such a
withdrawal still counts. So does one on a branch that was deleted after a tag or merge kept it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sceneset.storage.git import git
from sceneset.storage.git_trees import fetch_missing

_FILE = "registry/forgotten.yaml"
_PATHSPEC = f":(top,glob)**/{_FILE}"
"""The file in any folder: a registry can be moved within its repository."""

_OPTIONS = (
    # Without the full history, git leaves out a side of a merge that has no effect on the result.
    *("--full-history", "--date-order", "--reverse"),
    # Lines of a merge are shown if they are in no parent.
    *("-c", "--patch", "--unified=0"),
    *("--no-renames", "--no-textconv", "--no-ext-diff", "--text", "--src-prefix=a/"),
    *("--dst-prefix=b/", "--format=%x00%H %P"),
)
_IMAGE = re.compile(r"""\bimage['"]?\s*:\s*['"]?([0-9a-f]{32})\b""")


class Place(NamedTuple):
    """A file in a commit."""

    commit: str
    path: str
    """The path from the top folder of the repository."""

    def __str__(self) -> str:
        return f"{self.commit}:{self.path}"


@dataclass
class PastTombstones:
    """What the commits of a repository say about withdrawals."""

    paths: set[str] = field(default_factory=set)
    """All paths that the file ever had."""
    places: dict[str, list[Place]] = field(default_factory=dict)
    """Where the tombstone of each withdrawn image was added, by content hash, oldest commit first;
    without images whose withdrawal was taken back since."""

    def places_of(self, images: Iterable[str]) -> dict[Place, set[str]]:
        """Return the newest place of each of some images, with the images of each place."""
        found: dict[Place, set[str]] = defaultdict(set)
        for md5 in images:
            found[self.places[md5][-1]].add(md5)
        return found


def past_tombstones(repo: Path, revisions: Sequence[str] = ("--all",)) -> PastTombstones:
    """Return the tombstones that were in any commit; in a shallow clone, in those it has.

    Args:
        repo: A git repository on this machine.
        revisions: The commits to start from, as for `git log`; by default HEAD and all references.

    Raises:
        GitError: An object is missing, or a revision does not exist.
    """
    fetch_missing(repo, revisions, _PATHSPEC)
    past = PastTombstones()
    log = git(repo, "log", *_OPTIONS, *revisions, "--", _PATHSPEC)
    for entry in filter(None, log.split("\0")):
        head, _, patch = entry.partition("\n")
        commit, *parents = head.split()
        added: dict[str, Place] = {}
        removed: set[str] = set()
        for sign, path, line in _changed_lines(patch, max(1, len(parents))):
            past.paths.add(path)
            for md5 in _IMAGE.findall(line):
                if sign == "+":
                    added[md5] = Place(commit, path)
                else:
                    removed.add(md5)
        if len(parents) <= 1:  # a merge takes no withdrawal back
            for md5 in removed - added.keys():
                past.places.pop(md5, None)
        for md5 in added.keys() - removed:
            past.places.setdefault(md5, []).append(added[md5])
    return past


def _changed_lines(patch: str, parents: int) -> Iterator[tuple[str, str, str]]:
    """Yield the sign, path and text of each line of a patch that differs from all parents."""
    path, is_header = "", True
    for line in patch.split("\n"):
        if line.startswith("diff "):
            is_header = True
        elif line.startswith("@@"):
            is_header = False
        elif is_header:
            if line.startswith(("--- ", "+++ ")) and line[4:] != "/dev/null":
                path = _unquoted(line[4:].removesuffix("\t"))[2:]
        elif line.startswith(("+" * parents, "-" * parents)):
            yield line[0], path, line[parents:]


def _unquoted(path: str) -> str:
    """Return a path of a patch; git quotes names with control characters, quotes or backslashes."""
    if not path.startswith('"'):
        return path
    escaped = path[1:-1].encode("utf-8", "surrogateescape").decode("unicode_escape")
    return escaped.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
