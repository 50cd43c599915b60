"""Verify that a remote has every blob of a state undamaged, and upload missing blobs."""

import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import ScannedFile, scanned_files
from sceneset.errors import BlobDamagedError, BlobError, BlobMissingError
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Progress, no_progress
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import folder_digest, folder_listing
from sceneset.storage.files import md5_of
from sceneset.storage.locking import write_lock
from sceneset.storage.object_store import WORKERS
from sceneset.storage.user_cache import is_in_cache
from sceneset.threads import map_in_threads
from sceneset.versions.index_table import INDEX, read_pointer

_HINT = (
    "run `dvc push` where the files are; if it reports that everything is up to date, run "
    "`sceneset verify --repair`"
)
CODES: dict[type[BlobError], str] = {
    BlobMissingError: "blob-absent",
    BlobDamagedError: "blob-damaged",
}
"""The rule for each error of reading a blob; for all others it is blob-unread."""


class ExpectedBlob(NamedTuple):
    """A blob that a state needs, and the first file with this content."""

    size: int
    """In bytes."""
    subset: str
    file: str
    """Path relative to the registry's root."""
    listing: bytes = b""
    """The content of the blob if it is the listing of a folder, which DVC stores as a blob."""


def expected_blobs(catalog: Catalog) -> dict[str, ExpectedBlob]:
    """Return every blob that a state needs, by hash; blobs of withdrawn samples are not needed.

    The table of the samples of the last release is one of them.
    """
    blobs: dict[str, ExpectedBlob] = {}
    for pairs in catalog.each(lambda name: list(scanned_files(catalog, name)), what="read samples"):
        for files in zip(*pairs, strict=True):
            entries = _listing_entries(files)
            listing = folder_listing(entries)
            path = f"{DATA_ROOT}/{files[0].subset}/{files[0].folder}"
            blobs[folder_digest(entries).md5] = ExpectedBlob(
                len(listing), files[0].subset, path, listing
            )
        for pair in pairs:
            if not catalog.withdrawn.tombstone_of(pair[0].md5, pair[0].picture):
                for file in pair:
                    blob = ExpectedBlob(file.bytes, file.subset, f"{DATA_ROOT}/{file.path}")
                    blobs.setdefault(file.md5, blob)
    if index := read_pointer(catalog.root):
        blobs[index.md5] = ExpectedBlob(index.size, "", INDEX)
    return blobs


def _listing_entries(files: Iterable[ScannedFile]) -> list[tuple[str, str, int]]:
    """Return path, hash and size of the files of one folder, as DVC lists them."""
    return [(f"{file.phase}/{file.file}", file.md5, file.bytes) for file in files]


def compare_sizes(
    blobs: Mapping[str, ExpectedBlob], sizes: Mapping[str, int]
) -> dict[str, Finding]:
    """Return a finding for every blob that is missing on the remote or has another size there."""
    found = {}
    for md5, blob in blobs.items():
        if md5 not in sizes:
            found[md5] = _finding("blob-absent", f"its blob {md5} is not on the remote", blob)
        elif sizes[md5] != blob.size:
            message = (
                f"its blob {md5} has {sizes[md5]:,} bytes on the remote instead of {blob.size:,}"
            )
            found[md5] = _finding("blob-damaged", message, blob)
    return found


def _finding(code: str, message: str, blob: ExpectedBlob) -> Finding:
    return finding(code, message, subset=blob.subset, file=blob.file, hint=_HINT)


def verify(
    blobs: Mapping[str, ExpectedBlob], remote: Blobs, *, deep: bool, progress: Progress
) -> dict[str, Finding]:
    """Return a finding for every blob that is missing or damaged on the remote, by hash.

    Nothing is written, neither on the remote nor here.

    Args:
        blobs: The blobs to look for, by hash.
        remote: The remote to verify.
        deep: Read every blob and compare its hash. Otherwise only sizes are compared.
        progress: Called with the requests, and with the blobs that are read.

    Raises:
        DvcError: The remote can't be reached.
    """
    found = compare_sizes(blobs, remote.sizes(list(blobs), progress=progress))
    if not deep:
        return found

    def read(md5: str) -> bool:
        try:
            remote.download(md5)
        except BlobError as error:
            code = CODES.get(type(error), "blob-unread")
            found[md5] = _finding(code, str(error), blobs[md5])
        return True

    unread = sorted(blobs.keys() - found.keys())
    for _ in progress(map_in_threads(read, unread, WORKERS), len(unread), "verify"):
        pass
    return found


class Repaired(NamedTuple):
    """The result of a repair."""

    uploaded: int
    """Number of blobs."""
    not_found: set[str]
    """Hashes of the blobs that are neither in DVC's cache nor in the working tree."""


def repair(
    catalog: Catalog, wrong: Iterable[str], remote: Blobs, *, progress: Progress = no_progress
) -> Repaired:
    """Upload blobs from DVC's cache or the working tree.

    `dvc push` does not repair a remote: if the listing of a folder is there, it assumes that all
    files of the folder are, and it never overwrites a damaged blob.

    Args:
        catalog: The verified state; the files may be in the working tree of its project.
        wrong: The hashes of the blobs to upload.
        remote: The remote to upload to.
        progress: Called with the blobs.

    Raises:
        FindingsError: Another command is writing.
        DvcError: The remote can't be written to.
    """
    uploaded, not_found = 0, set()
    with _no_withdrawal(catalog):
        # Samples may have been withdrawn since, and their blobs deleted: these must not come back.
        state = catalog.again()
        blobs = expected_blobs(state)
        found = sorted(blobs.keys() & set(wrong))
        for md5 in progress(found, len(found), "upload"):
            data = blobs[md5].listing or remote.cached(md5) or _read_file(state, blobs[md5], md5)
            if data is None:
                not_found.add(md5)
            else:
                remote.upload(md5, data)
                uploaded += 1
    return Repaired(uploaded, not_found)


def _no_withdrawal(catalog: Catalog) -> AbstractContextManager[object]:
    """Return what keeps `forget` from withdrawing samples of a registry on this machine."""
    # A registry that was opened by URL, or one that this user can't change.
    if is_in_cache(catalog.project) or not os.access(catalog.project, os.W_OK):
        return nullcontext()
    return write_lock(Paths(catalog.project).work)


def _read_file(catalog: Catalog, blob: ExpectedBlob, md5: str) -> bytes | None:
    """Return a file of the working tree, or None if its content is not that of the blob."""
    try:
        data = (catalog.project / blob.file).read_bytes()
    except OSError:
        return None
    return data if md5_of(data) == md5 else None
