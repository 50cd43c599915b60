"""Run git commands in a repository, without the hooks and programs that it configures.

sceneset's own reads and writes must give the same result in every repository. A failing hook, for
example, would make `release` report a failure after it has moved the branch.
"""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sceneset.errors import GitError
from sceneset.paths import is_bare_repository
from sceneset.storage.user_cache import is_in_cache

_REPOSITORY_VARIABLES = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE"),
        *("NO_REPLACE_OBJECTS", "REPLACE_REF_BASE", "NAMESPACE", "INTERNAL_SUPER_PREFIX"),
    )
)

_OPTIONS = (
    "--no-pager",
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "protocol.ext.allow=never"),  # URLs of the form ext::COMMAND
    *("-c", "submodule.recurse=false"),
    *("-c", "log.showSignature=false"),  # would start gpg and mix its output into ours
    *("-c", "core.quotePath=false"),
    *("-c", "color.ui=false"),
)
"""Options of every git command: no program of a configuration runs, and output can be parsed."""


_OFFLINE = {"GIT_ALLOW_PROTOCOL": "none"}
"""Git may use no protocol, so it starts no program that a configuration names for one."""


def git_environment() -> dict[str, str]:
    """Return this process's environment without the variables that select a repository.

    Git sets them for its hooks. A git command that inherits them works on the repository of the
    hook, whatever folder it runs in. Settings and credentials (GIT_CONFIG_*, GIT_SSH*,
    GIT_ASKPASS) are kept.
    """
    return {name: value for name, value in os.environ.items() if name not in _REPOSITORY_VARIABLES}


def run_git(
    repo: Path, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run a git command in ``repo`` to its end; it never asks the user for anything.

    A bare repository came from somebody else, with a configuration of its own. If objects are
    missing, git would fetch them in the way that this configuration says, for example through a
    program. So git fetches nothing there, except into the mirrors that sceneset itself keeps.
    """
    offline = _OFFLINE if is_bare_repository(str(repo)) and not is_in_cache(repo) else {}
    return subprocess.run(
        ["git", "-C", str(repo), *_OPTIONS, *arguments],
        capture_output=True,
        check=False,
        input=stdin.encode("utf-8", "surrogateescape"),
        env={**git_environment(), "GIT_TERMINAL_PROMPT": "0", **offline, **(env or {})},
    )


def git(
    repo: Path,
    *arguments: str,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run a git command in ``repo`` and return its standard output.

    Args:
        repo: A folder of the repository.
        arguments: The command and its arguments.
        check: Raise if the command fails; otherwise return "" then.
        env: More environment variables.
        stdin: Text for the standard input.

    Raises:
        GitError: The command failed; the message is git's own.
    """
    done = run_git(repo, *arguments, stdin=stdin, env=env)
    if done.returncode and check:
        raise GitError(_reason(repo, arguments[0], _text(done.stderr)))
    return "" if done.returncode else _text(done.stdout)


def _text(output: bytes) -> str:
    text = output.decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def output_lines(output: str) -> list[str]:
    """Return the lines of git's output.

    Only LF ends a line: names of branches and tags may contain the other characters at which
    ``str.splitlines`` and ``str.split`` split.
    """
    return [line for line in output.split("\n") if line]


def _reason(repo: Path, command: str, stderr: str) -> str:
    """Return why a git command failed, as one line."""
    if "not a git repository" in stderr:
        return f"{repo} is not in a git repository; create one with: git init"
    lines = stderr.strip().splitlines() or ["git gave no reason"]
    reason = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
    return f"git {command} failed: {reason}"


def read_object(repo: Path, oid: str) -> bytes:
    """Return the bytes of a git object; a partial clone downloads a missing one.

    Raises:
        GitError: There is no such object.
    """
    done = run_git(repo, "cat-file", "blob", oid)
    if done.returncode:
        raise GitError(f"git has no {oid}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def without_filters(repo: Path) -> dict[str, str]:
    """Return environment variables that switch off the filter drivers of a configuration.

    .gitattributes of a commit can name a driver for any file, and `git checkout` would run it.
    """
    names = git(repo, "config", "--name-only", "-z", "--get-regexp", r"^filter\.", check=False)
    drivers = sorted({name.rpartition(".")[0] for name in names.split("\0") if name})
    settings = [
        (f"{driver}.{key}", "false" if key == "required" else "")
        for driver in drivers
        for key in ("smudge", "clean", "process", "required")
    ]
    before = int(os.environ.get("GIT_CONFIG_COUNT", "") or 0)
    variables: dict[str, str] = {}
    for number, (key, value) in enumerate(settings, before):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables | {"GIT_CONFIG_COUNT": str(before + len(settings))}


def is_committed(root: Path, path: Path) -> bool:
    """Return whether the last commit contains a file."""
    with suppress(OSError):  # git is not installed
        done = run_git(root, "ls-tree", "--name-only", "HEAD", "--", str(path))
        return done.returncode == 0 and bool(done.stdout.strip())
    return False


def tracked_files(root: Path, *patterns: str) -> set[str]:
    """Return the files that git tracks and that match a pattern; none if git is not installed."""
    with suppress(OSError):
        return {*git(root, "ls-files", "-z", "--", *patterns, check=False).split("\0")} - {""}
    return set()


def unstage(root: Path, folder: Path) -> None:
    """Reset git's index for a folder: with core.autostage, `dvc add` stages its files."""
    with suppress(OSError):  # git is not installed, so nothing is staged
        run_git(root, "reset", "--quiet", "--", str(folder))
