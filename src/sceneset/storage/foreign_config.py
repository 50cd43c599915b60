"""Take an allow-list of options from the DVC configuration of somebody else's repository.

A .dvc/config can name programs to run (`configpath`, `bearer_token_command`), files to read
(`keyfile`) and folders whose content DVC unpickles (`core.site_cache_dir`). DVC never reads the
configuration of a repository that was opened by URL: it reads the one that ``config_text`` writes.
"""

import io
import posixpath
import re
from typing import Any, NamedTuple

from sceneset.errors import DvcError

MAX_CONFIG = 64 << 10
"""Largest .dvc/config that is read, in bytes."""

_FLAGS = frozenset({"verify", "allow_anonymous_login", "version_aware", "worktree"})
_PLACES = frozenset({"url", "endpointurl", "oss_endpoint", "account_name", "user"})
"""Options that say where a remote is. None of them names a file, program or credential."""
_REGION = re.compile(r"[a-z0-9-]{1,63}")
"""A region is a part of the server's name, as in s3.REGION.amazonaws.com: a slash, `#` or dot in it
would send signed requests to another server."""

_HARMLESS = frozenset({"core", "cache", "feature", "state", "index", "parsing", "hydra", "exp"})
_NOTED = frozenset({"site_cache_dir", "dir", "plugins_path"})
"""Options of the harmless sections whose loss is worth a note."""
_QUIET = frozenset({"jobs", "checksum_jobs", "listobjects", "no_traverse", "use_ssl"})

_REMOTE = re.compile(r"^\s*'?\s*remote\s+\"([\w.-]{1,100})\"\s*'?\s*$")
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, and bytes that are not UTF-8."""
_MAX_VALUE = 2000  # characters
_MAX_DROPPED = 20
_MAX_REASON = 300  # characters: a reason quotes the line, which may be long


class ForeignConfig(NamedTuple):
    """What is used of a foreign configuration."""

    default: str
    """Name of the default remote, or ""."""
    remotes: dict[str, dict[str, str]]
    """The allowed options of each remote, by lower-case name."""
    dropped: tuple[str, ...]
    """The options that are not used, as ``section.option``."""


def read_foreign_config(text: str) -> ForeignConfig:
    """Return the allowed options of the text of a .dvc/config.

    Raises:
        DvcError: The text is too long, or is not a configuration.
    """
    default, dropped = "", list[str]()
    remotes: dict[str, dict[str, str]] = {}
    for section, options in _sections(text).items():
        remote = _REMOTE.match(section)
        for option, value in options.items():
            if remote:
                name = remote[1].lower()
                if _is_allowed(option, value):
                    remotes.setdefault(name, {})[option] = str(value)
                elif option not in _QUIET:
                    dropped.append(f"remote.{name}.{option}")
            elif section == "core" and option == "remote" and _is_text(value):
                default = str(value).lower()
            elif section not in _HARMLESS or option in _NOTED:
                dropped.append(f"{section}.{option}")
    shown = sorted(_UNPRINTABLE.sub("?", name)[:100] for name in dropped)
    return ForeignConfig(
        default,
        {name: options for name, options in remotes.items() if "url" in options},
        tuple(shown[:_MAX_DROPPED]),
    )


def _sections(text: str) -> dict[str, dict[str, Any]]:
    """Return the options of each section with lower-case names, read as DVC reads them."""
    if len(text) > MAX_CONFIG:
        raise DvcError(f"the repository's .dvc/config is larger than {MAX_CONFIG:,} bytes")
    parsed = parse_config(text, "the repository's .dvc/config", interpolation=False)
    return {
        str(section).lower(): {str(key).lower(): value for key, value in options.items()}
        for section, options in parsed.items()
        if isinstance(options, dict)
    }


def parse_config(text: str, shown: str, *, interpolation: bool) -> dict[str, Any]:
    """Return the sections and options of a configuration; lines end where they end for DVC.

    Args:
        text: The text of a .dvc/config.
        shown: How the error names the file.
        interpolation: Replace ``%(option)s`` by the value of the option, as DVC does.

    Raises:
        DvcError: The text is not a configuration.
    """
    from configobj import ConfigObj, ConfigObjError

    try:
        lines = text.splitlines(keepends=True)  # at CR, VT, FF, NEL, LS and PS too
        return dict(ConfigObj(lines, interpolation=interpolation).dict())
    except (ConfigObjError, RecursionError) as error:
        reason = _UNPRINTABLE.sub("?", str(error))[:_MAX_REASON]
        raise DvcError(f"{shown} can't be read: {reason}") from None


def _is_allowed(option: str, value: object) -> bool:
    if option in _FLAGS:
        return str(value).lower() in {"true", "false"}
    if option == "port":
        return isinstance(value, str) and value.isascii() and value.isdigit()
    if option == "region":
        return isinstance(value, str) and _REGION.fullmatch(value) is not None
    return option in _PLACES and _is_text(value)


def _is_text(value: object) -> bool:
    """Return whether a value is one line of printable text that DVC reads as it is written."""
    return (
        isinstance(value, str)
        and len(value) <= _MAX_VALUE
        and not _UNPRINTABLE.search(value)
        and "%(" not in value
    )


def config_text(config: ForeignConfig) -> bytes:
    """Return the text of a .dvc/config with these remotes.

    Raises:
        DvcError: A value can't be written so that DVC reads the same value.
    """
    from configobj import ConfigObj, ConfigObjError

    core = {"remote": config.default} if config.default else {}
    content: dict[str, dict[str, str]] = {
        "core": core | {"analytics": "false", "check_update": "false"},
    }
    content |= {f'remote "{name}"': options for name, options in config.remotes.items()}
    file = io.BytesIO()
    try:
        ConfigObj(content, encoding="utf-8", interpolation=False).write(file)
        lines = file.getvalue().decode().splitlines()
        is_equal = ConfigObj(lines).dict() == content
    except ConfigObjError:
        is_equal = False
    if not is_equal:
        raise DvcError(
            "the repository's .dvc/config has characters that can't be written safely; clone the "
            "repository, and set its remote there"
        )
    return file.getvalue()


def embedded_remotes(config: ForeignConfig) -> list[str]:
    """Return the folders of remotes inside the repository, relative to its DVC project."""
    urls = [options["url"] for options in config.remotes.values()]
    inside = [url for url in urls if "://" not in url and not url.startswith(("/", "~"))]
    folders = [posixpath.normpath(f".dvc/{url}") for url in inside]
    outside = (".", "..", ".dvc", ".git")
    return [
        folder
        for folder in folders
        if folder.split("/")[0] not in outside and not folder.startswith("/")
    ]
