"""Select the options of DVC remotes that another function or machine needs."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_SECRET = re.compile(
    r"password|passphrase|secret|token|access_key_id|account_key|connection_string"
)


def required_remotes(name: str, remotes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a remote and those that its URL refers to, without the secrets of any other."""
    found: dict[str, Any] = {}
    while name in remotes and name not in found:
        found[name] = remotes[name]
        url = urlsplit(str(found[name].get("url", "")))
        name = url.netloc.lower() if url.scheme == "remote" else ""
    return found


def without_credentials(remotes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return remotes without credentials, for machines that have their own."""
    return {
        name: {key: value for key, value in options.items() if not _SECRET.search(key)}
        for name, options in remotes.items()
    }
