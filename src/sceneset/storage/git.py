"""Run git commands in a repository, without the hooks and programs that it configures.

sceneset's own reads and writes must give the same result in every repository. A failing hook, for
example, would make `release` report a failure after it has moved the branch.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from sceneset.errors import GitError
from sceneset.paths import is_bare_repository
from sceneset.storage.git_guard import Guard, guard_of, parse_settings
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

_WITHOUT_OBJECTS = frozenset(
    {"config", "check-ignore", "hash-object", "ls-files", "remote", "rev-parse --show-prefix"}
)
"""Commands that read no object, so that they never connect to the remote of a partial clone."""

_FAILURE = re.compile(rb"^(?:fatal|error): .*$", re.MULTILINE)
_NO_IDENTITY = re.compile(r"Please tell me who you are|unable to auto-detect email|empty ident")
_USES_PROGRAMS = re.compile(rb"remote|transport|authentication|gpg|sign", re.IGNORECASE)


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
    In a working tree, git fetches without the programs that the repository's configuration names.
    """
    environment = {**git_environment(), "GIT_TERMINAL_PROMPT": "0", **(env or {})}
    guard = _guard(repo, arguments)
    if guard.is_offline:
        environment |= _OFFLINE
    # `git gc` can run programs too.
    maintenance = () if is_in_cache(repo) else ("-c", "maintenance.auto=false")
    done = subprocess.run(
        ["git", "-C", str(repo), *_OPTIONS, *maintenance, *arguments],
        capture_output=True,
        check=False,
        input=stdin.encode("utf-8", "surrogateescape"),
        env=environment | _as_variables(guard.settings, environment),
    )
    if done.returncode and guard.note and _USES_PROGRAMS.search(done.stderr):
        note = guard.note.encode()
        done.stderr = _FAILURE.sub(lambda match: match[0].rstrip() + note, done.stderr, count=1)
    return done


def _guard(repo: Path, arguments: tuple[str, ...]) -> Guard:
    """Return how a command runs in a repository."""
    if _WITHOUT_OBJECTS & {arguments[0], " ".join(arguments[:2])}:
        return Guard(is_offline=True)
    if is_in_cache(repo):  # its configuration is sceneset's own
        return Guard()
    if is_bare_repository(str(repo)):
        return Guard(is_offline=True)
    return repository_guard(repo)


def repository_guard(repo: Path) -> Guard:
    """Return which settings of a working tree's own git configuration are not obeyed.

    A process reads them once, and again when .git/config has changed.
    """
    try:
        found = (repo / ".git/config").stat()
        state = (found.st_mtime_ns, found.st_ctime_ns, found.st_size)
    except OSError:  # a folder in the repository, a linked working tree, or no repository
        state = None
    return _read_guard(repo.absolute(), state)


@lru_cache(maxsize=64)
def _read_guard(repo: Path, _state: tuple[int, ...] | None) -> Guard:
    environment = git_environment()
    done = subprocess.run(
        ["git", "-C", str(repo), "--no-pager", "config", "--list", "--show-scope", "-z"],
        capture_output=True,
        check=False,
        env=environment,
    )
    if done.returncode:  # it can't be parsed, or git can't tell whose settings these are
        return Guard(is_offline=True, note=" (git 2.26 or newer can connect to remotes here)")
    settings = parse_settings(done.stdout.decode("utf-8", "surrogateescape"))
    top = next((folder for folder in (repo, *repo.parents) if (folder / ".git").exists()), repo)
    return guard_of(settings, environment, str(top))


def _as_variables(
    settings: Iterable[tuple[str, str]], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment variables that add options to those of an environment."""
    before = int(environment.get("GIT_CONFIG_COUNT", "") or 0)
    variables: dict[str, str] = {}
    count = before
    for key, value in settings:
        variables |= {f"GIT_CONFIG_KEY_{count}": key, f"GIT_CONFIG_VALUE_{count}": value}
        count += 1
    return variables | {"GIT_CONFIG_COUNT": str(count)} if count > before else {}


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
    """Return why a git command failed, and how to mend what is known; otherwise as one line."""
    if "not a git repository" in stderr:
        return f"{repo} is not in a git repository; create one with: git init"
    if _NO_IDENTITY.search(stderr):
        return (
            "git does not know your name and e-mail address, and every commit and tag has them. "
            "Run\n  git config --global user.name 'Your Name'\n"
            "  git config --global user.email you@example.com"
        )
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
    return _as_variables(settings, os.environ)


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
