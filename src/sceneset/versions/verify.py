"""Whether a remote has every blob of a state, whole; and putting back what it lacks."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from sceneset.catalog.query import Stored, stored
from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobDamagedError, BlobError, BlobMissingError
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import folder_digest, listing_of
from sceneset.storage.files import md5_of
from sceneset.storage.object_store import WORKERS

_PUSH = "run `dvc push` where the files are; if it says that all is there: sceneset verify --repair"


class Held(NamedTuple):
    """One blob of a state, and the first file that it is."""

    size: int
    subset: str
    file: str
    """From the registry's root."""
    listing: bytes = b""
    """Its content, where it is the list of a folder's files."""


def blobs_of(catalog: Catalog) -> dict[str, Held]:
    """Return every blob that a state needs, by hash; what was withdrawn is not needed any more."""
    found: dict[str, Held] = {}
    for pairs in catalog.each(lambda name: list(stored(catalog, name))):
        for folder in zip(*pairs, strict=True):
            listing = listing_of(_listed(folder))
            digest = folder_digest(_listed(folder))
            place = f"{DATA_ROOT}/{folder[0].subset}/{folder[0].folder}"
            found[digest.md5] = Held(len(listing), folder[0].subset, place, listing)
        for pair in pairs:
            if pair[0].md5 not in catalog.forgotten:
                for file in pair:
                    held = Held(file.bytes, file.subset, f"{DATA_ROOT}/{file.path}")
                    found.setdefault(file.md5, held)
    return found


def _listed(folder: Iterable[Stored]) -> list[tuple[str, str, int]]:
    return [(f"{file.phase}/{file.file}", file.md5, file.bytes) for file in folder]


def lacking(blobs: Mapping[str, Held], sizes: Mapping[str, int]) -> dict[str, Finding]:
    """Return a finding for every blob that is not on the remote, or is there in another size."""
    found = {}
    for md5, held in blobs.items():
        if md5 not in sizes:
            found[md5] = _finding("blob-absent", f"its blob {md5} is not on the remote", held)
        elif sizes[md5] != held.size:
            said = f"its blob {md5} is {sizes[md5]:,} bytes on the remote, not {held.size:,}"
            found[md5] = _finding("blob-damaged", said, held)
    return found


def _finding(code: str, message: str, held: Held) -> Finding:
    return finding(code, message, subset=held.subset, file=held.file, hint=_PUSH)


def verify(
    blobs: Mapping[str, Held], remote: Blobs, *, deep: bool, progress: Progress
) -> dict[str, Finding]:
    """Return what is wrong with the blobs on the remote, by hash.

    Sizes are compared; with ``deep`` every blob is read and its hash compared too. Nothing is
    written, on neither side.

    Raises:
        DvcError: the remote can't be reached.
    """
    found = lacking(blobs, remote.sizes(list(blobs)))
    if not deep:
        return found

    def read(md5: str) -> bool:
        try:
            remote.ask(md5)
        except BlobError as error:
            code = {BlobMissingError: "blob-absent", BlobDamagedError: "blob-damaged"}
            found[md5] = _finding(code.get(type(error), "blob-unread"), str(error), blobs[md5])
        return True

    there = sorted(blobs.keys() - found.keys())
    with ThreadPoolExecutor(WORKERS) as pool:
        try:
            for _ in progress(pool.map(read, there), len(there), "verify"):
                pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def repair(
    catalog: Catalog, blobs: Mapping[str, Held], wrong: Iterable[str], remote: Blobs
) -> set[str]:
    """Put blobs on the remote, from DVC's cache or the working tree; return those it had not.

    `dvc push` does not: it takes a folder whose list is on the remote as wholly there, and never
    writes over a damaged blob.

    Raises:
        DvcError: the remote can't be written to.
    """
    left = set()
    for md5 in wrong:
        data = blobs[md5].listing or remote.cached(md5) or _worktree(catalog, blobs[md5], md5)
        if data is None:
            left.add(md5)
        else:
            remote.put(md5, data)
    return left


def _worktree(catalog: Catalog, held: Held, md5: str) -> bytes | None:
    """Return a file of the working tree if it is the blob: a version may have had another."""
    try:
        data = (catalog.project / held.file).read_bytes()
    except OSError:
        return None
    return data if md5_of(data) == md5 else None
