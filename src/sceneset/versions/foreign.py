"""Use the remotes of other people's repositories only with the user's consent.

A repository that is opened by URL names its own remote. Opening it with the user's credentials
sends them, or requests signed with them, to whatever server the repository names.
"""

import netrc
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.errors import UntrustedRemoteError, UsageError
from sceneset.paths import is_url
from sceneset.progress import Notify, no_notice
from sceneset.schemas.provenance import Restriction
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import Project, resolved_remote
from sceneset.storage.trust import RemoteLocation, is_trusted, trust
from sceneset.versions.snapshot import foreign_config

Ask = Callable[[str], bool]
"""Asks the user a question and returns whether the answer is yes."""


def never(question: str) -> bool:  # noqa: ARG001
    """Answer no: there is nobody to ask."""
    return False


def is_foreign(catalog: Catalog) -> bool:
    """Return whether a registry was read from a repository that is no folder of the user."""
    return catalog.origin is not None and catalog.project == catalog.root


def restrictions_of(catalog: Catalog, *, internal: bool) -> frozenset[Restriction]:
    """Return the restrictions whose samples a reader of a registry does not get.

    Args:
        catalog: The registry.
        internal: Whether the reader says that samples for internal use may be read.
    """
    is_left_out = is_foreign(catalog) and not internal
    return frozenset({Restriction.INTERNAL} if is_left_out else ())


def blobs_of(
    catalog: Catalog, remote: str | None = None, *, ask: Ask = never, notify: Notify = no_notice
) -> Blobs:
    """Return the blobs of a registry; a foreign remote needs the user's consent at its first use.

    Args:
        catalog: The registry.
        remote: The name of a DVC remote; None means the default one.
        ask: Asks whether to trust the remote of a foreign repository.
        notify: Called with the options of a foreign configuration that are not used.

    Raises:
        DvcError: There is no DVC project.
    """
    if not is_foreign(catalog):
        return Blobs(catalog.project, remote)

    def permit(name: str, remotes: Mapping[str, Any]) -> None:
        note_dropped_options(catalog, notify)
        permit_remote(catalog, name, remotes, ask=ask)

    return Blobs(catalog.project, remote, permit=permit)


def foreign_remote(
    catalog: Catalog, remote: str | None = None, *, notify: Notify = no_notice
) -> tuple[str, RemoteLocation]:
    """Return the name and the location of a foreign registry's remote; it is not opened.

    Raises:
        UsageError: The registry is a folder of the user, or its remote is inside the repository.
        DvcError: There is no such remote.
    """
    if not is_foreign(catalog):
        folder = catalog.origin.repo if catalog.origin else catalog.root
        raise UsageError(
            f"{folder} is a folder of this machine, whose remote you use with your "
            "credentials as `dvc` does; only registries at a URL need trust"
        )
    note_dropped_options(catalog, notify)
    name, remotes = Project(catalog.project).address(remote)
    location = RemoteLocation.of(resolved_remote(name, remotes))
    if _is_embedded(catalog.project, location):
        raise UsageError(f"the remote {name} is a folder of the repository and needs no trust")
    return name, location


def note_dropped_options(catalog: Catalog, notify: Notify) -> None:
    """Report the options of a foreign configuration that are not used."""
    origin = catalog.origin
    assert origin, "only a foreign registry has a foreign configuration"
    dropped = foreign_config(origin.git, origin.prefix, origin.commit).dropped
    if dropped:
        notify(
            f"{counted(len(dropped), 'option')} of .dvc/config of {origin.repo} "
            f"{'is' if len(dropped) == 1 else 'are'} ignored: {', '.join(dropped)}"
        )


def permit_remote(catalog: Catalog, name: str, remotes: Mapping[str, Any], *, ask: Ask) -> None:
    """Return if the remote of a foreign registry may be used.

    It may if it is a folder of the repository itself, if no credentials are sent to it, if the
    repository and the remote are both folders of this machine, if the user trusts it, or if the
    user says so now.

    Raises:
        UntrustedRemoteError: It may not; the message shows the remote and how to trust it.
    """
    origin = catalog.origin
    assert origin, "only a foreign registry has a foreign remote"
    options = resolved_remote(name, remotes)
    location = RemoteLocation.of(options)
    if _is_embedded(catalog.project, location) or _is_anonymous(options):
        return
    if _is_on_this_machine(origin.repo) and _is_store(location):
        return
    if is_trusted(origin.repo, location):
        return
    shown = (
        f"the registry {origin.repo} keeps its images on a remote that you have not trusted:\n"
        f"  remote {name}: {location}\n"
        f"  ({location.host})"
    )
    if ask(f"{shown}\nUse it with your credentials, now and later?"):
        trust(origin.repo, location)
        return
    rev = "" if origin.rev == "HEAD" else f" --rev {shlex.quote(origin.rev)}"
    raise UntrustedRemoteError(
        f"{shown}\nIf you trust it with your credentials and files, run\n"
        f"  sceneset trust {shlex.quote(origin.repo)}{rev} --remote {shlex.quote(name)}"
    )


def _is_embedded(project: Path, location: RemoteLocation) -> bool:
    """Return whether a remote is a folder inside the project, also after following links."""
    parts = urlsplit(location.url)
    if parts.scheme or parts.netloc:
        return False
    inside, folder = os.path.realpath(project), os.path.realpath(location.url)
    return folder.startswith(f"{inside}{os.sep}")


def _is_on_this_machine(repository: str) -> bool:
    """Return whether a repository is a folder: a bare one, or one named by a file:// URL."""
    return not is_url(repository) or repository.startswith("file:///")


def _is_store(location: RemoteLocation) -> bool:
    """Return whether a remote is a folder that holds blobs, and not any other, such as /etc."""
    return Path(location.url).is_absolute() and Path(location.url, "files/md5").is_dir()


def _is_anonymous(options: Mapping[str, Any]) -> bool:
    """Return whether a remote is read without any credentials of the user."""
    url = urlsplit(str(options.get("url", "")))
    if url.scheme == "s3":
        return bool(options.get("allow_anonymous_login"))
    if url.scheme not in {"http", "https"} or options.get("auth"):
        return False
    return not _has_netrc_entry(url.hostname or "")


def _has_netrc_entry(host: str) -> bool:
    """Return whether the user's netrc file has credentials for a host; HTTP requests use them."""
    try:
        path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
        return netrc.netrc(str(path)).authenticators(host) is not None
    except FileNotFoundError:
        return False
    except (OSError, RuntimeError, netrc.NetrcParseError, UnicodeDecodeError):
        return True  # it can't be known
