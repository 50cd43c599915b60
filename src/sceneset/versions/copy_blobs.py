"""Copy the blobs of versions from one remote to another, and compare two remotes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobDamagedError, BlobError, BlobMissingError, DvcError
from sceneset.progress import Progress, no_progress
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads
from sceneset.versions.verify import CODES, ExpectedBlob, compare_sizes, expected_blobs

_MAX_UNREAD = 10
"""Blobs that can't be read, though they may exist, before the copy ends: the remote is gone."""


class Copied(NamedTuple):
    """The result of a copy."""

    copied: int
    """Number of blobs."""
    size: int
    """Bytes of the copied blobs."""
    present: int
    """Number of blobs that the target had."""
    deleted: int
    """Number of copies deleted again, because their samples were withdrawn meanwhile."""
    findings: list[Finding]
    """Blobs that could not be copied."""


def needed_blobs(states: Iterable[Catalog]) -> dict[str, ExpectedBlob]:
    """Return every blob that one of the states needs, by hash; none of a withdrawn sample."""
    blobs: dict[str, ExpectedBlob] = {}
    for state in states:
        blobs = expected_blobs(state) | blobs
    return blobs


def copy_blobs(
    states: Sequence[Catalog], source: Blobs, target: Blobs, *, progress: Progress
) -> Copied:
    """Copy the blobs that states need and that the target has not, or not in the same size.

    Each blob is read once, from DVC's cache or from the source, and verified by its hash. A copy
    that was interrupted continues where it ended.

    Args:
        states: The states, of one repository.
        source: The remote to read from.
        target: The remote to write to.
        progress: Called with the blobs that are copied.

    Raises:
        DvcError: A remote can't be reached. Blobs that were copied stay.
    """
    blobs = needed_blobs(states)
    sizes = target.sizes(list(blobs), progress=progress) if blobs else {}
    missing = [md5 for md5, blob in blobs.items() if sizes.get(md5) != blob.size]
    found: dict[str, Finding] = {}
    unread: list[str] = []

    def copy(md5: str) -> int:
        """Copy a blob and return its size; 0 if it can't be copied."""
        if len(unread) > _MAX_UNREAD:
            raise DvcError(f"the remote to copy from can't be read: {unread[0]}")
        try:
            data = blobs[md5].listing or source.cached(md5) or source.download(md5)
        except BlobError as error:
            if not isinstance(error, BlobMissingError | BlobDamagedError):
                unread.append(str(error))
            found[md5] = _not_copied(blobs[md5], error)
            return 0
        target.upload(md5, data)
        return len(data)

    try:
        copied = [
            size
            for size in progress(map_in_threads(copy, missing, WORKERS), len(missing), "copy")
            if size
        ]
    finally:
        deleted = _delete_withdrawn(states, missing, target)
    return Copied(len(copied), sum(copied), len(blobs) - len(missing), deleted, [*found.values()])


def _not_copied(blob: ExpectedBlob, error: BlobError) -> Finding:
    return finding(
        CODES.get(type(error), "blob-unread"),
        f"not copied: {error}",
        subset=blob.subset,
        file=blob.file,
        hint="run `sceneset verify --repair` where the files are, then this again",
    )


def _delete_withdrawn(states: Sequence[Catalog], copied: Sequence[str], target: Blobs) -> int:
    """Delete those blobs of the target whose samples were withdrawn since the states were read.

    Copying takes long, so it does not keep `forget` from running meanwhile.
    """
    now = [state.again() for state in states]
    if all(new.tombstones == old.tombstones for new, old in zip(now, states, strict=True)):
        return 0
    gone = set(copied) - needed_blobs(now).keys()
    for md5 in gone & target.sizes(list(gone)).keys():
        target.delete_from_remote(md5)
    return len(gone)


def compare_remotes(
    blobs: Mapping[str, ExpectedBlob],
    remotes: Mapping[str, Blobs],
    *,
    progress: Progress = no_progress,
) -> list[Finding]:
    """Return a finding for every blob that one of two remotes does not have as it should be.

    Args:
        blobs: The blobs to look for, by hash.
        remotes: The two remotes, by name.
        progress: Called with the requests.

    Raises:
        DvcError: A remote can't be reached.
    """
    hashes = list(blobs)
    wrong = {
        name: compare_sizes(blobs, remote.sizes(hashes, progress=progress))
        for name, remote in remotes.items()
    }
    first, second = remotes
    findings = []
    for md5, blob in blobs.items():
        at_first, at_second = wrong[first].get(md5), wrong[second].get(md5)
        if at_first and at_second:
            findings.append(_on_neither(md5, blob, (first, second), (at_first, at_second)))
        elif at_first:
            findings.append(_on_one(md5, blob, at_first, without=first, other=second))
        elif at_second:
            findings.append(_on_one(md5, blob, at_second, without=second, other=first))
    return findings


def _on_neither(
    md5: str, blob: ExpectedBlob, names: tuple[str, str], found: tuple[Finding, Finding]
) -> Finding:
    first, second = names
    message = f"its blob {md5} is missing or damaged on {first} and on {second}"
    if all(one.code == "blob-absent" for one in found):
        message = f"its blob {md5} is neither on {first} nor on {second}"
    hint = "run `sceneset verify --repair --remote NAME` where the files are"
    return finding(found[0].code, message, subset=blob.subset, file=blob.file, hint=hint)


def _on_one(md5: str, blob: ExpectedBlob, found: Finding, *, without: str, other: str) -> Finding:
    message = f"its blob {md5} is not on {without}, but on {other}"
    if found.code == "blob-damaged":
        message = f"its blob {md5} is damaged on {without}, but not on {other}"
    hint = f"run `sceneset mirror {without} --from {other}`"
    return finding(found.code, message, subset=blob.subset, file=blob.file, hint=hint)
