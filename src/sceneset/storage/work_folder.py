"""Check the folder .sceneset, which git must not track: a clone could bring one along.

Commands finish what the record of an interrupted change says, and move files below .sceneset. So
the folder counts only if this machine wrote it: no file of it comes from git, and nothing in it is
a link that leads elsewhere.
"""

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import fail
from sceneset.storage.git import git

if TYPE_CHECKING:
    from typing import NoReturn

_LOCK = "lock"
"""The lock file is opened without following a link; see `locking`."""
_CHECKED = ("transaction", "kept")
"""Folders of .sceneset whose content is checked too, one level deep."""


def refuse_links(work: Path) -> None:
    """Refuse a folder .sceneset that is a symbolic link or contains some where files are written.

    Raises:
        FindingsError: It does; the finding names the link.
    """
    if work.is_symlink():
        _fail_link(work, work)
    folders = [work, *(work / name for name in _CHECKED)]
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                links = [e.path for e in entries if e.is_symlink() and e.name != _LOCK]
        except (FileNotFoundError, NotADirectoryError):
            continue
        if links:
            _fail_link(work, Path(min(links)))


def free_name(folder: Path, name: str) -> Path:
    """Return a path in a folder that is not in use: the name itself, or with a number before it."""
    names = (name if number == 0 else f"{number}-{name}" for number in count())
    return next(folder / free for free in names if not os.path.lexists(folder / free))


def refuse_tracked(work: Path, code: str) -> None:
    """Refuse a folder .sceneset with files that git tracks.

    Args:
        work: The folder.
        code: The rule of the finding.

    Raises:
        FindingsError: Git tracks a file of it.
    """
    tracked = ""
    with suppress(OSError):  # git is not installed
        tracked = git(work.parent, "ls-files", "-z", "--", work.name, check=False).split("\0")[0]
    if tracked:
        fail(
            code,
            "git tracks it, so it may come from somebody else; it is not obeyed",
            file=tracked,
            hint=f"look at the commit that added it; then run `git rm -r --cached {work.name}`, "
            f"delete {work.name}, and run the command again",
        )


def _fail_link(work: Path, link: Path) -> "NoReturn":
    fail(
        "file-unreadable",
        f"is a symbolic link to {link.readlink()}; files are not changed through links",
        file=link.relative_to(work.parent).as_posix(),
        hint="delete the link, and run the command again",
    )
