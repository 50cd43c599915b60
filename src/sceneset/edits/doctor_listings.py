"""Find folders whose list of files is lost, and write the list again from the scan.

DVC stores the list as a blob, `<md5>.dir`. Where it is neither in the cache nor on the remote,
`dvc checkout` deletes the folder, and no DVC command brings it back.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import scanned_files
from sceneset.errors import DvcError, FindingsError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Progress, no_progress
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import folder_digest, folder_listing, read_dvc_file
from sceneset.storage.locking import write_lock

_FOLDERS = ("img_dir", "ann_dir")


class LostListing(NamedTuple):
    """A folder whose list of files is neither in the cache nor on the remote."""

    subset: str
    folder: str
    """img_dir or ann_dir."""
    md5: str
    """The hash in the .dvc file, with the suffix ``.dir``."""
    is_here: bool
    """Whether the folder is in the working tree."""
    can_restore: bool
    """Whether the scan describes this very folder, and the cache has all of its files."""

    @property
    def path(self) -> str:
        """The folder, relative to the registry's root."""
        return f"{DATA_ROOT}/{self.subset}/{self.folder}"

    @property
    def message(self) -> str:
        """What is wrong."""
        effect = f"`dvc checkout` would delete {self.path}"
        if not self.is_here:
            effect = f"`dvc pull` can't bring {self.path} back"
        return f"its list of files is neither in DVC's cache nor on the remote, so {effect}"

    @property
    def advice(self) -> str:
        """What repairs it."""
        if self.can_restore:
            after = (
                "" if self.is_here else f"; then `dvc checkout {self.path}.dvc` restores the files"
            )
            return f"write the list again from the scan{after}"
        if self.is_here:
            return (
                f"run `dvc add {self.path}`, which writes the list of the files that are there, "
                "then `dvc repro`; run `dvc checkout` only afterwards"
            )
        return (
            "run `dvc push` where the files are; if it reports that everything is up to date, run "
            "`sceneset verify --repair` there. If nobody has them, restore an older commit's "
            f"{self.path}.dvc with git"
        )


def lost_listings(paths: Paths, *, progress: Progress = no_progress) -> Iterator[LostListing]:
    """Yield the folders whose list is lost; nothing, if the remote does not answer.

    After `git pull`, lists may be missing here that `dvc pull` gets, so this looks there too.

    Args:
        paths: The paths of the registry.
        progress: Called with the folders whose list is not here.
    """
    try:
        catalog, blobs = Catalog(paths.root), Blobs(paths.root)
        missing = dict(_not_cached(catalog, blobs))
        lost = set(missing.values()) - _on_remote(blobs, list(missing.values()))
    except (DvcError, FindingsError, OSError):
        return  # other examinations report it
    for (subset, folder), md5 in progress(missing.items(), len(missing), "look for lists"):
        if md5 in lost:
            is_here = (paths.subset(subset) / folder).is_dir()
            can_restore = _listing(catalog, blobs, subset, folder, md5) is not None
            yield LostListing(subset, folder, md5, is_here, can_restore)


def _not_cached(catalog: Catalog, blobs: Blobs) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield subset and folder, and the hash of the list, of folders whose list is not cached."""
    for name in catalog.names:
        for folder in _FOLDERS:
            path = catalog.paths.subset(name) / f"{folder}.dvc"
            try:
                md5 = read_dvc_file(path, catalog.paths.relative(path), subset=name).md5
            except FindingsError:
                continue  # `sceneset check` reports it
            if not blobs.path(md5).exists():
                yield (name, folder), md5


def _on_remote(blobs: Blobs, hashes: list[str]) -> set[str]:
    """Return those of the blobs that the default remote has; none if there is no remote."""
    if not hashes:
        return set()
    try:
        blobs.address()
    except DvcError:
        return set()
    return set(blobs.sizes(hashes))


def _listing(catalog: Catalog, blobs: Blobs, subset: str, folder: str, md5: str) -> bytes | None:
    """Return the list of a folder from the scan; None if its files are not in scan and cache.

    DVC takes it that a cache or a remote with a list has the files of the list.
    """
    try:
        pairs = scanned_files(catalog, subset)
        files = [
            (f"{file.phase}/{file.file}", file.md5, file.bytes)
            for pair in pairs
            for file in pair
            if file.folder == folder
        ]
    except FindingsError:
        return None
    if folder_digest(files).md5 != md5:
        return None
    is_complete = all(blobs.path(file_md5).exists() for _, file_md5, _ in files)
    return folder_listing(files) if is_complete else None


def restore_listing(paths: Paths, lost: LostListing) -> None:
    """Write a list into DVC's cache.

    Raises:
        FindingsError: Another command is writing, or has changed the subset.
    """
    with write_lock(paths.work):
        blobs = Blobs(paths.root)
        listing = _listing(Catalog(paths.root), blobs, lost.subset, lost.folder, lost.md5)
        if listing is None:
            fail("scan-incomplete", "the subset has changed; run `sceneset doctor` again",
                 subset=lost.subset)  # fmt: skip
        blobs.add_to_cache(lost.md5, listing)
