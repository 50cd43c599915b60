"""Check the URL of a remote for mistakes, before DVC takes it for the name of a folder."""

import difflib
import re
from pathlib import Path

from sceneset.errors import UsageError

SCHEMES = (
    *("s3", "gs", "azure", "oss", "gdrive", "remote"),
    *("ssh", "http", "https", "webdav", "webdavs", "hdfs", "webhdfs"),
)
"""The kinds of remotes that DVC knows; `remote` refers to another remote by its name."""

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_MISTYPED = re.compile(rf"({'|'.join(SCHEMES)}|file):/?(?!/)(.*)", re.DOTALL | re.IGNORECASE)
_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]{2,}:.*", re.DOTALL)


def checked_remote_url(text: str, here: Path) -> str:
    """Return the URL of a remote, or the absolute path of a folder, as DVC takes it.

    Args:
        text: What a user typed: a URL, or a path relative to ``here``.
        here: The current folder.

    Raises:
        UsageError: It is empty, or looks like a mistyped URL; the message says what to write.
    """
    if not text.strip() or not text.isprintable():
        raise UsageError(
            "the URL is empty or has control characters; use for example s3://bucket/people"
        )
    url = _URL.fullmatch(text)
    if url:
        return _storable(_checked(url[1], url[2], text))
    path = here / Path(text).expanduser()
    if not path.exists():
        mistyped, scp = _MISTYPED.fullmatch(text), _SCP.fullmatch(text)
        if mistyped:
            meant = f"{mistyped[1].lower()}://{mistyped[2].lstrip('/')}"
            raise UsageError(
                f"{text} is not a URL, because it has no '://'; did you mean {meant}? For a "
                f"folder of this name, write ./{text}"
            )
        if scp:
            host, _, folder = text.partition(":")
            raise UsageError(
                f"{text} is not a URL; for an SSH server write ssh://{host}/{folder.lstrip('/')}. "
                f"For a folder of this name, write ./{text}"
            )
    return _storable(str(path.resolve()))


def public_url(url: str) -> str:
    """Return a URL without the user name and the password in it."""
    return re.sub(r"(?<=://)[^/\s]*@", "", url)


def _storable(url: str) -> str:
    """Return a URL if DVC will read it from its configuration as it is.

    Raises:
        UsageError: It has characters that the format of the file gives another meaning.
    """
    from configobj import ConfigObj, ConfigObjError

    try:
        lines = ConfigObj({"remote": {"url": url}}, interpolation=False).write()
        is_equal = ConfigObj(lines).dict() == {"remote": {"url": url}}
    except ConfigObjError:
        is_equal = False
    if not is_equal:
        raise UsageError(
            f"DVC can't keep {url} in its configuration: it would read another path. Use a path "
            "without %(...)s and without quotes of both kinds"
        )
    return url


def _checked(scheme: str, rest: str, text: str) -> str:
    if scheme == "file":
        raise UsageError(f"{text}: write the path of the folder, {rest or '/mnt/people'}")
    if scheme not in SCHEMES:
        near = difflib.get_close_matches(scheme.lower(), SCHEMES, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}://{rest}? " if near else ""
        raise UsageError(
            f"{text}: {scheme}:// is not a kind of remote that DVC knows; {hint}It knows "
            f"{', '.join(SCHEMES)}, and folders"
        )
    host = rest.partition("/")[0]
    if not host:
        what = "bucket" if scheme in {"s3", "gs", "azure", "oss"} else "host"
        raise UsageError(f"{text} names no {what}; write for example {scheme}://{what}/people")
    return text
