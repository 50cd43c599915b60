"""Git: what is committed, and the commands that ask and write."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sceneset.errors import GitError

_LOCAL = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE"),
        *("NO_REPLACE_OBJECTS", "REPLACE_REF_BASE", "NAMESPACE", "INTERNAL_SUPER_PREFIX"),
    )
)


def environment() -> dict[str, str]:
    """Return this process's environment without what ties git to one repository.

    Git sets these for its hooks; a git of ours that inherits them would work on the repository of
    the hook, whatever folder it is called for. Settings and credentials (GIT_CONFIG_*, GIT_SSH*,
    GIT_ASKPASS) stay.
    """
    return {name: value for name, value in os.environ.items() if name not in _LOCAL}


def git(
    repo: Path,
    *words: str,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run git in ``repo`` and return what it printed.

    Raises:
        GitError: it failed; the message is what it said.
    """
    done = subprocess.run(
        ["git", "-C", str(repo), *words],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        input=stdin,
        env={**environment(), "GIT_TERMINAL_PROMPT": "0", **(env or {})},
    )
    if check and done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason"]
        if "not a git repository" in done.stderr:
            raise GitError(f"{repo} is in no git repository; make one: git init")
        why = next((line for line in said if line.startswith(("fatal:", "error:"))), said[-1])
        raise GitError(f"git {words[0]} failed: {why}")
    return done.stdout if not done.returncode else ""


def content(repo: Path, oid: str) -> bytes:
    """Return the bytes of a git object; a partial clone fetches what it lacks.

    Raises:
        GitError: there is none.
    """
    words = ["git", "-C", str(repo), "cat-file", "blob", oid]
    done = subprocess.run(
        words, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=environment()
    )
    if done.returncode:
        raise GitError(f"git has no {oid}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def is_committed(root: Path, path: Path) -> bool:
    """Whether git's last commit holds a file."""
    words = ["git", "ls-tree", "--name-only", "HEAD", "--", str(path)]
    with suppress(OSError):
        done = subprocess.run(
            words,
            cwd=root,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment(),
        )
        return done.returncode == 0 and bool(done.stdout.strip())
    return False


def unstage(root: Path, folder: Path) -> None:
    """Give git's index back what it had of a folder: with core.autostage, `dvc add` adds to it."""
    with suppress(OSError):  # no git, nothing staged
        subprocess.run(
            ["git", "reset", "--quiet", "--", str(folder)],
            cwd=root,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=environment(),
        )
