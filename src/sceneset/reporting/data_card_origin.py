"""Where the state of a data card comes from, what changed before it, and how readers get it."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, UnknownRevisionError
from sceneset.paths import is_url, split_repo, without_userinfo
from sceneset.schemas.version import Version, VersionChanges
from sceneset.storage.git import git, output_lines
from sceneset.versions.diff import Diff, compare
from sceneset.versions.records import VersionTag, read_records, version_tags
from sceneset.versions.resolve import ARTIFACT, version_at, version_of
from sceneset.versions.revisions import open_in_same_repository


@dataclass(frozen=True)
class CardState:
    """Which state a card describes."""

    version: str
    """The number of the version; "" for other states."""
    commit: str
    """"" for a working tree."""
    date: str
    """YYYY-MM-DD of the release or of the commit; "" for a working tree."""
    record: Version | None
    """The record of the version."""
    is_signed: bool
    """Whether the tag of the version has a signature; it is not verified."""

    @property
    def rev(self) -> str:
        """The shortest name for --rev; "" for a working tree."""
        return self.version or self.commit


@dataclass(frozen=True)
class CardChanges:
    """What changed since a version."""

    since: str
    """"" for the first version."""
    samples: Mapping[str, int] | None = None
    """Number of changes by kind; None if the states could not be compared."""
    subsets_added: tuple[str, ...] = ()
    subsets_removed: tuple[str, ...] = ()
    scenes_added: tuple[str, ...] = ()
    scenes_removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardAccess:
    """How readers get the state."""

    url: str
    """The git repository without credentials; "" if its address is not known."""
    folder: str
    """The registry's folder in the repository; "" for the top folder."""
    rev: str
    """A version, or a commit; "" for a working tree."""
    tag: str
    """What git checks out: a tag or a commit; "" for a working tree."""

    @property
    def repo(self) -> str:
        """The argument of --repo; "" if the address is not known."""
        return f"{self.url}//{self.folder}" if self.url and self.folder else self.url


def state_of(catalog: Catalog) -> CardState:
    """Return which state a registry was opened at.

    Raises:
        FindingsError: A record can't be read.
    """
    origin = catalog.origin
    if origin is None:
        return CardState("", "", "", None, is_signed=False)
    records = {record.version: record for record in read_records(catalog)}
    number = version_at(origin.git, origin.commit)
    # Without tags, a version is found by its number.
    number = number or version_of(origin.git, origin.rev, origin.prefix) or ""
    record = records.get(number)
    known = version_tags(catalog).get(number, VersionTag()) if record else VersionTag()
    date = known.released[:10] if known.released else _date_of(origin.git, origin.commit)
    version = number if record else ""
    return CardState(version, origin.commit, date, record, is_signed=bool(known.signed))


def _date_of(repo: Path, commit: str) -> str:
    """Return the day of a commit, as its author's clock showed it."""
    words = ("rev-list", "--max-count=1", "--format=%cs", commit)
    return output_lines(git(repo, *words))[-1]


def changes_of(
    catalog: Catalog, state: CardState, *, hidden: Collection[str] = ()
) -> CardChanges | None:
    """Return what changed since the version before a state; None if there is no such version.

    A version's record says it. Other states are compared with the last version that they have.

    Args:
        catalog: The registry at the state.
        state: The state.
        hidden: Names of subsets that are left out.
    """
    record = state.record
    found: VersionChanges | Diff
    if record:
        found = record.changes
        if record.previous is None:
            return CardChanges("")
        since, counts = record.previous, dict(found.samples)
    else:
        records = read_records(catalog)
        if not records:
            return None
        since = records[-1].version
        try:
            diff = compare(open_in_same_repository(catalog, since), catalog)
        except (UnknownRevisionError, FindingsError):
            return CardChanges(since)
        found, counts = diff, {kind: count for kind, count in diff.counts.items() if count}
    return CardChanges(
        since,
        counts,
        subsets_added=tuple(name for name in found.subsets_added if name not in hidden),
        subsets_removed=tuple(name for name in found.subsets_removed if name not in hidden),
        scenes_added=tuple(found.scenes_added),
        scenes_removed=tuple(found.scenes_removed),
    )


def access_to(catalog: Catalog, state: CardState) -> CardAccess:
    """Return how readers get a state.

    The address is that of the repository which was opened, or of the remote "origin" of a folder.
    Credentials and paths of this machine are left out.
    """
    origin = catalog.origin
    repo = origin.git if origin else catalog.root
    folder = origin.prefix if origin else _ask_git(repo, "rev-parse", "--show-prefix")
    if origin and is_url(origin.repo):
        url = split_repo(origin.repo)[0]
    else:
        url = _ask_git(repo, "config", "--get", "remote.origin.url")
    tag = f"{ARTIFACT}@v{state.version}" if state.version else state.commit
    return CardAccess(_public(url), folder.rstrip("/"), state.rev, tag)


def _ask_git(repo: Path, *words: str) -> str:
    """Return one line of git's output; "" outside of a repository, or without git."""
    try:
        return git(repo, *words, check=False).strip()
    except OSError:
        return ""


def _public(url: str) -> str:
    """Return an address that others can use, without credentials; "" if it is none."""
    url = re.sub(r"[?#].*", "", without_userinfo(url), flags=re.DOTALL)
    is_public = is_url(url) and not url.startswith("file:") and url.isprintable()
    return url if is_public and not re.search(r"\s", url) else ""
