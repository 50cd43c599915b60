"""The remotes of other people's repositories that the user trusts with credentials.

Trust is for one remote of one repository: its URL and its endpoint. If the repository names another
remote later, the user is asked again. The list is a file of the user, outside of any repository.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from sceneset.errors import UsageError
from sceneset.paths import is_url, split_repo, without_userinfo
from sceneset.storage.files import atomic_write
from sceneset.storage.locking import exclusive_lock

_ENDPOINTS = ("endpointurl", "oss_endpoint", "account_name")


class RemoteLocation(NamedTuple):
    """Where a remote is: what its credentials would be sent to."""

    url: str
    endpoint: str
    """The address of the server, if the URL does not contain it; "" for the usual one."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Return the location that the options of a DVC remote give."""
        url = str(options.get("url", ""))
        if options.get("port"):
            url += f" (port {options['port']})"
        endpoint = " ".join(str(options[name]) for name in _ENDPOINTS if options.get(name))
        if not endpoint and url.startswith("s3://") and options.get("region"):
            endpoint = f"Amazon S3, region {options['region']}"  # a part of the server's name
        return cls(url, endpoint)

    def __str__(self) -> str:
        return f"{self.url} at {self.endpoint}" if self.endpoint else self.url

    @property
    def host(self) -> str:
        """The server and the bucket, as people recognize them."""
        parts = urlsplit(self.url)
        if not parts.netloc:
            return f"the folder {self.url} of this machine"
        if parts.scheme == "s3":
            server = urlsplit(self.endpoint).netloc or self.endpoint or "Amazon S3"
            return f"bucket {parts.netloc} on {server}"
        return " on ".join(filter(None, (f"{parts.scheme}://{parts.netloc}", self.endpoint)))


class TrustedRemote(BaseModel):
    """One remote of one repository that the user trusts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repository: str
    remote: str
    endpoint: str = ""
    since: str = ""

    @property
    def location(self) -> RemoteLocation:
        """Where the remote is."""
        return RemoteLocation(self.remote, self.endpoint)


class _File(BaseModel):
    trusted: tuple[TrustedRemote, ...] = ()


def trust_file() -> Path:
    """Return the file below SCENESET_CONFIG_DIR, or below the platform's folder for settings."""
    import platformdirs

    configured = os.environ.get("SCENESET_CONFIG_DIR")
    folder = (
        Path(configured).expanduser().absolute()
        if configured
        else Path(platformdirs.user_config_dir("sceneset"))
    )
    return folder / "trusted.json"


def trusted_remotes() -> list[TrustedRemote]:
    """Return all remotes that the user trusts.

    Raises:
        UsageError: The file can't be read.
    """
    path = trust_file()
    try:
        return list(_File.model_validate_json(path.read_bytes()).trusted)
    except FileNotFoundError:
        return []
    except ValidationError:
        raise UsageError(
            f"{path} is damaged, so no remote is trusted. Delete the file, and trust your "
            "repositories again with `sceneset trust URL`"
        ) from None


def is_trusted(repository: str, location: RemoteLocation) -> bool:
    """Return whether the user trusts this remote of a repository."""
    key = repository_key(repository)
    return any(
        known.repository == key and known.location == location for known in trusted_remotes()
    )


def trust(repository: str, location: RemoteLocation) -> None:
    """Trust a remote of a repository from now on."""
    new = TrustedRemote(
        repository=repository_key(repository),
        remote=location.url,
        endpoint=location.endpoint,
        since=datetime.now(UTC).date().isoformat(),
    )
    with _locked():
        others = [
            known
            for known in trusted_remotes()
            if (known.repository, known.location) != (new.repository, location)
        ]
        _write([*others, new])


def distrust(repository: str) -> list[TrustedRemote]:
    """Remove all trust in the remotes of a repository; return what was removed."""
    key = repository_key(repository)
    with _locked():
        known = trusted_remotes()
        removed = [one for one in known if one.repository == key]
        if removed:
            _write([one for one in known if one.repository != key])
    return removed


def repository_key(url: str) -> str:
    """Return the URL of a repository without user name, password and a slash at its end.

    The path of a bare repository becomes absolute.
    """
    if not is_url(url):
        base, folder = split_repo(url)
        path = Path(base).resolve()
        return f"{path}//{folder}" if folder else str(path)
    return without_userinfo(url).rstrip("/")


def _locked() -> Any:
    return exclusive_lock(trust_file().with_suffix(".lock"))


def _write(remotes: list[TrustedRemote]) -> None:
    content = {"trusted": [remote.model_dump() for remote in remotes]}
    with atomic_write(trust_file()) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(f"{json.dumps(content, indent=1, ensure_ascii=False)}\n", "utf-8")
