"""Decide which settings of a repository's own git configuration sceneset does not obey.

The configuration of a working tree is usually its user's. But a tree that was unpacked from an
archive brings one of its own, which can name programs to run, or send the user's credentials
somewhere else. Settings that the user made outside of the repository are always obeyed.
"""

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

OWN_SCOPES = frozenset({"system", "global", "command"})
"""Where a user's settings come from; "local" and "worktree" are files of the repository."""


class Setting(NamedTuple):
    """One line of git's configuration."""

    scope: str
    key: str
    """As git prints it: the section and the option are in lower case."""
    value: str


class Guard(NamedTuple):
    """How git commands run in a repository."""

    settings: tuple[tuple[str, str], ...] = ()
    """Options, with their values, that replace options of the repository."""
    is_offline: bool = False
    """Git may connect to no remote."""
    has_filters: bool = False
    """The repository's configuration has filter drivers."""
    note: str = ""
    """What to add to the message if git fails to connect, or ""."""


class _Program(NamedTuple):
    default: Callable[[Mapping[str, str]], str]
    """What git runs without the option, given the environment."""
    harmless: str = ""
    """Values that run only programs that the user has installed (a regular expression)."""
    options: tuple[str, ...] = ()
    """All names of the option if it has more than one."""
    is_path: bool = False
    """Git runs the value as it is, not by a shell: it is harmless outside of the repository."""


_NAME = r"[\w.+-]+"  # of a program on PATH
_GPG = _Program(lambda _: "gpg", _NAME, ("gpg.program", "gpg.openpgp.program"), is_path=True)
_PROGRAMS = {
    "core.sshcommand": _Program(
        lambda env: shlex.quote(env["GIT_SSH"]) if env.get("GIT_SSH") else "ssh",
        r"ssh(?: -i ?[\w./~-]+| -F ?(?:/dev/null|none)| -o ?IdentitiesOnly=yes)*",
    ),
    "core.askpass": _Program(lambda env: env.get("SSH_ASKPASS", "")),
    "core.alternaterefscommand": _Program(lambda _: "true"),
    "gpg.program": _GPG,
    "gpg.openpgp.program": _GPG,
    "gpg.x509.program": _Program(lambda _: "gpgsm", _NAME, is_path=True),
    "gpg.ssh.program": _Program(lambda _: "ssh-keygen", _NAME, is_path=True),
    "gpg.ssh.defaultkeycommand": _Program(lambda _: "false"),
}
"""Options that name a program."""

_HELPER = re.compile(r"credential\.(?:.*\.)?helper", re.DOTALL)
_HARMLESS_HELPER = re.compile(r"|[a-z][\w-]*")  # a program git-credential-NAME of this machine

_LEADS_ELSEWHERE = re.compile(
    r"core\.gitproxy|remote\..*\.(?:uploadpack|proxy)"
    r"|http\.(?:.*\.)?(?:proxy|curloptresolve|cookiefile|savecookies|delegation"
    r"|sslverify|sslcainfo|sslcapath)",
    re.DOTALL,
)
"""Options that run a program, or let another server receive credentials or write a file. For these,
a value on git's command line does not reliably replace that of the repository."""

_FILTER = re.compile(r"filter\..*\.(?:clean|smudge|process)", re.DOTALL)


def parse_settings(listing: str) -> list[Setting]:
    """Return the settings that `git config --list --show-scope -z` prints."""
    fields = listing.split("\0")
    pairs = zip(fields[::2], fields[1::2], strict=False)
    # An option without a value is a yes: [core] fsmonitor
    return [Setting(scope, *item.partition("\n")[::2]) for scope, item in pairs]


def guard_of(settings: Sequence[Setting], env: Mapping[str, str], top: str) -> Guard:
    """Return how git commands run in a repository with these settings.

    Args:
        settings: All settings in git's order: later ones have precedence.
        env: The environment of the commands.
        top: The top folder of the working tree.
    """
    own = [setting for setting in settings if setting.scope in OWN_SCOPES]
    of_repository = [setting for setting in settings if setting.scope not in OWN_SCOPES]
    replaced: dict[str, str] = {}  # an option of the repository -> what is used instead
    ignored: list[str] = []
    for _, key, value in of_repository:
        program = _PROGRAMS.get(key)
        if program and not _is_harmless(program, value, top):
            names = program.options or (key,)
            values = [setting.value for setting in own if setting.key in names]
            replaced[names[0]] = values[-1] if values else program.default(env)
            ignored.append(key)
    added = list(replaced.items())
    found = [s for s in of_repository if _HELPER.fullmatch(s.key)]
    helpers = [s.key for s in found if not _HARMLESS_HELPER.fullmatch(s.value)]
    if helpers:
        ignored += helpers
        added.append(("credential.helper", ""))  # forgets all helpers
        added += [(s.key, s.value) for s in own if _HELPER.fullmatch(s.key)]
    elsewhere = [s.key for s in of_repository if _LEADS_ELSEWHERE.fullmatch(s.key)]
    return Guard(
        tuple(added),
        is_offline=bool(elsewhere),
        has_filters=any(_FILTER.fullmatch(s.key) for s in of_repository),
        note=_note(elsewhere or ignored, is_offline=bool(elsewhere)),
    )


def _is_harmless(program: _Program, value: str, top: str) -> bool:
    """Return whether a value runs only a program that the repository can't have brought."""
    if re.fullmatch(program.harmless, value):
        return True
    if not program.is_path or value[:1] != "/":
        return False
    inside = (f"{os.path.realpath(top)}/", f"{os.path.normpath(top)}/", "/proc/", "/dev/")
    paths = (os.path.normpath(value).replace("//", "/"), os.path.realpath(value))
    return not any(path.startswith(inside) for path in paths)


def _note(keys: Sequence[str], *, is_offline: bool) -> str:
    if not keys:
        return ""
    names = ", ".join(ascii(key)[1:-1][:100] for key in sorted(set(keys))[:3])
    effect = (
        f"sceneset connects to no remote of git here, because .git/config sets {names}"
        if is_offline
        else f"sceneset does not obey {names} of .git/config"
    )
    return f" ({effect}; if that is your setting, make it with: git config --global)"
