"""The report of a withdrawal: what was searched and found, where it was deleted, and what stays.

It states what was observed: each remote and each cache of this machine is searched for the blobs
before the withdrawal and after it.
"""

import datetime as dt
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.edits.withdraw_search import Withdrawal
from sceneset.errors import DvcError
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import Project, resolved_remote
from sceneset.storage.git import git, output_lines
from sceneset.storage.remote_url import public_url
from sceneset.storage.trust import RemoteLocation
from sceneset.storage.user_cache import cached_copies
from sceneset.versions.records import read_records

_BEYOND = (
    "copies in other clones and their caches: pull the commit there, and purge these hashes too",
    "copies in folders that `sceneset pull` and `sceneset export` wrote: delete these folders",
    "pictures in files that `--view` and `sceneset view --to` wrote: delete these files",
    "catalogues that `sceneset site` wrote: write them again, which deletes the pictures",
    "older versions of objects in a bucket with versioning: its owner can delete them",
    "models that were trained on the images",
)
"""What no command of this machine can reach."""


class PlaceKey(NamedTuple):
    """A place that may hold blobs."""

    kind: str
    """remote, cache or git history."""
    name: str
    location: str


@dataclass
class Place:
    """Which blobs a place had before the withdrawal, and which it has now."""

    kind: str
    name: str
    location: str
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    error: str = ""
    """Why it could not be read; "" if it was."""


@dataclass
class Report:
    """What a withdrawal did; ``as_json`` and ``markdown`` write it."""

    made: str
    """Day and time, in UTC."""
    sceneset: str
    commit: str
    """The commit of the working tree."""
    reason: str
    dry_run: bool
    purge: bool
    versions: list[str]
    references: int
    commits: int
    unread: list[str]
    """States that could not be searched, each with the reason."""
    images: dict[str, str]
    """The content hash of each image file, with how it was found."""
    masks: list[str]
    found: list[dict[str, str]]
    places: list[Place]
    not_purged: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return the report as an object."""
        return asdict(self) | {"beyond_reach": list(_BEYOND)}


class Evidence:
    """Observes which places have the blobs of a withdrawal, before and after it."""

    def __init__(self, catalog: Catalog, *, dry_run: bool, purge: bool) -> None:
        self._catalog, self._dry_run, self._purge = catalog, dry_run, purge
        self._before: Mapping[PlaceKey, list[str] | str] = {}

    def observe(self, withdrawal: Withdrawal) -> None:
        """Search for the blobs before anything is changed."""
        self._before = _search(self._catalog.root, blobs_of_withdrawal(withdrawal))

    def report(self, withdrawal: Withdrawal) -> Report:
        """Search again, and return the report."""
        root, blobs = self._catalog.root, blobs_of_withdrawal(withdrawal)
        after = self._before if self._dry_run else _search(root, blobs)
        places = [_place(key, self._before.get(key, []), after[key]) for key in after]
        reasons = {tombstone.reason for tombstone in withdrawal.tombstones.values()}
        images = dict(sorted(withdrawal.how_found.items()))
        return Report(
            made=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            sceneset=installed_version("sceneset"),
            commit=git(root, "rev-parse", "HEAD", check=False).strip(),
            reason="; ".join(sorted(reasons)),
            dry_run=self._dry_run,
            purge=self._purge,
            versions=[record.version for record in read_records(self._catalog)],
            references=len(output_lines(git(root, "for-each-ref", "--format=%(refname)"))),
            commits=int(git(root, "rev-list", "--all", "--count", check=False).strip() or 0),
            unread=withdrawal.unread,
            images=images,
            masks=[md5 for md5 in blobs if md5 not in images],
            found=[
                {
                    "sample": sample.place,
                    "version": sample.version,
                    "image": sample.image_md5,
                    "how": images.get(sample.image_md5, ""),
                }
                for sample in withdrawal.found
            ],
            places=places,
            not_purged=_not_purged(withdrawal, places, purge=self._purge, dry_run=self._dry_run),
        )


def blobs_of_withdrawal(withdrawal: Withdrawal) -> list[str]:
    """Return the hashes of all image files of a withdrawal and of the masks of its tombstones."""
    masks = {md5 for tombstone in withdrawal.tombstones.values() for md5 in tombstone.masks}
    return sorted({*withdrawal.how_found, *withdrawal.purge, *masks})


def _search(root: Path, blobs: Sequence[str]) -> dict[PlaceKey, list[str] | str]:
    """Return the blobs that each place has, or why it can't be read."""
    found: dict[PlaceKey, list[str] | str] = {}
    project = Project(root)
    top = Path(os.path.realpath(git(root, "rev-parse", "--show-toplevel").strip("\n")))
    for name, options in project.remotes().items():
        location = RemoteLocation.of(resolved_remote(name, project.address(name)[1]))
        key = PlaceKey("remote", name, public_url(str(location)))
        remote = Blobs(root, name)
        try:
            found[key] = sorted(remote.sizes(blobs)) if blobs else []
        except DvcError as error:
            found[key] = str(error)
        if tracked := _in_history(top, Path(os.path.realpath(location.url)), blobs):
            found[PlaceKey("git history", name, str(options.get("url", "")))] = tracked
    found[PlaceKey("cache", "DVC", str(project.blob_path("0" * 32).parents[1]))] = [
        md5 for md5 in blobs if project.blob_path(md5).exists()
    ]
    copies = {md5: [path for path in cached_copies(md5) if path.exists()] for md5 in blobs}
    found[PlaceKey("cache", "sceneset", "")] = [md5 for md5 in blobs if copies[md5]]
    return found


def _in_history(top: Path, remote: Path, blobs: Iterable[str]) -> list[str]:
    """Return the blobs of a remote that is a folder of the repository and that commits hold."""
    if not remote.is_relative_to(top):
        return []
    paths = {f"{remote.relative_to(top)}/files/md5/{md5[:2]}/{md5[2:]}": md5 for md5 in blobs}
    return sorted(
        md5
        for path, md5 in paths.items()
        if git(top, "log", "--all", "--format=%H", "-1", "--", f":(top,literal){path}").strip()
    )


def _place(key: PlaceKey, before: list[str] | str, after: list[str] | str) -> Place:
    place = Place(*key)
    for name, found in (("before", before), ("after", after)):
        if isinstance(found, str):
            place.error = found
        else:
            setattr(place, name, found)
    return place


def _not_purged(
    withdrawal: Withdrawal, places: Iterable[Place], *, purge: bool, dry_run: bool
) -> list[str]:
    """Return what is not deleted, each with the reason."""
    reasons = []
    for place in places:
        shown = f"the {place.kind} {place.name}"
        if place.error:
            reasons.append(f"{shown} could not be read: {place.error}")
            continue
        if not place.after:
            continue
        count = counted(len(place.after), "blob")
        if place.kind == "git history":
            why = f"{count} in {shown}: a commit holds the files; rewrite the history with git"
        elif dry_run:
            why = f"{count} in {shown}: this is a dry run"
        elif not purge:
            why = f"{count} in {shown}: --purge was not given"
        else:
            option = f" --remote {place.name}" if place.kind == "remote" else ""
            why = f"{count} in {shown}: run `sceneset forget HASH --reason ... --purge{option}`"
            if withdrawal.masks_kept and set(place.after).isdisjoint(withdrawal.purge):
                why = f"{count} in {shown}: masks were kept, because {withdrawal.masks_kept}"
        reasons.append(why)
    return reasons


def markdown(report: Report) -> str:
    """Return a report as a page in Markdown."""
    summary = "The samples were withdrawn, and their blobs deleted where this report says so"
    if report.dry_run:
        summary = "This is a dry run: nothing was changed"
    elif not report.purge:
        summary = "The samples were withdrawn; no blob was deleted"
    searched = (
        counted(len(report.versions), "version"),
        counted(report.references, "branch or tag", "branches and tags"),
        counted(report.commits, "commit"),
    )
    lines = [
        "# Withdrawal report",
        "",
        f"Made on {report.made} with sceneset {report.sceneset} at commit {report.commit}.",
        f"Reason: {_plain(report.reason)}. {summary}.",
        "",
        "## What was searched",
        "",
        f"- the working tree, {', '.join(searched)}",
        *(f"- not searched: {_plain(why)}" for why in report.unread),
        "",
        "## What was found",
        "",
        "| sample | state | image | found by |",
        "| --- | --- | --- | --- |",
        *(
            f"| {_plain(row['sample'])} | {_plain(row['version'] or 'current')} | {row['image']} "
            f"| {row['how']} |"
            for row in report.found
        ),
        "",
        f"Image files: {', '.join(report.images) or 'none'}.",
        f"Masks: {', '.join(report.masks) or 'none'}.",
        "",
        "## Where the blobs are",
        "",
        "| place | before | now |",
        "| --- | ---: | ---: |",
        *(_place_row(place) for place in report.places),
        "",
        "## What was not deleted, and why",
        "",
        *(f"- {_plain(why)}" for why in report.not_purged),
        *([] if report.not_purged else ["- none of the places above has a blob"]),
        "",
        "No command of this machine reaches these:",
        "",
        *(f"- {what}" for what in _BEYOND),
    ]
    return "\n".join(lines) + "\n"


def _place_row(place: Place) -> str:
    where = f"{place.kind} {place.name} {place.location}".strip()
    numbers = ("not known", "not known") if place.error else (len(place.before), len(place.after))
    return f"| {_plain(where)} | {numbers[0]} | {numbers[1]} |"


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup in names."""
    return "".join(f"\\{char}" if char in "\\|<[" else char for char in text)
