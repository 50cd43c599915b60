"""Put the files of a change where DVC finds them by hash: into its cache, or onto the remote."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sceneset.edits.draft import Draft
from sceneset.edits.subset_change import Stage
from sceneset.errors import DvcError, fail
from sceneset.progress import Progress
from sceneset.storage.blobs import Blobs
from sceneset.storage.disk_space import check_space
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads


class NewBlob(NamedTuple):
    """A file of a delivery that becomes a blob."""

    source: Path
    size: int
    """In bytes."""


NewBlobs = dict[str, NewBlob]
"""New blobs by their hash."""


class Placing:
    """Where the blobs of a change go. Nothing is written before the change is accepted."""

    def __init__(self, root: Path, progress: Progress, *, to_remote: bool) -> None:
        """Place blobs in DVC's cache, or with ``to_remote`` on the default remote alone."""
        self._root, self._progress, self.to_remote = root, progress, to_remote
        self._listings: dict[str, bytes] = {}
        self.uploaded = 0
        """Number of blobs that were sent to the remote, without listings of folders."""
        self.present = 0
        """Number of blobs that the remote had already."""

    def stage_of(self, draft: Draft) -> Stage:
        """Return where the contents of files go: the draft, but listings go where blobs go."""
        return _ToRemote(draft, self._listings) if self.to_remote else draft

    def place(self, draft: Draft, new: NewBlobs, files: Mapping[Path, str]) -> None:
        """Note the new blobs of a change in a draft.

        Args:
            draft: The draft.
            new: The blobs.
            files: Files of the working tree that get such a blob. Blobs that go to the remote are
                not kept here, so these files are left as they are.
        """
        if self.to_remote:
            draft.prepare(lambda: self._upload(new))
            return
        sizes = {md5: blob.size for md5, blob in new.items()}
        for path, md5 in files.items():
            draft.write_blob(path, md5)
        draft.prepare(lambda: check_space(self._root, [sizes[m] for m in files.values()], sizes))
        draft.prepare(lambda: self._keep(new))

    def _keep(self, new: NewBlobs) -> None:
        blobs = Blobs(self._root)

        def keep(md5: str) -> None:
            if blobs.cached(md5) is None:
                blobs.add_to_cache(md5, read_checked(new[md5].source, md5))

        _for_each(keep, self._progress(list(new), len(new), "copy"))

    def _upload(self, new: NewBlobs) -> None:
        """Send the blobs that the remote does not have, and then the listings that name them.

        Raises:
            DvcError: The remote can't be reached or written to; what was sent stays there.
        """
        blobs, done = Blobs(self._root), list[str]()
        present = blobs.sizes(list(new), progress=self._progress)
        absent = [md5 for md5, blob in new.items() if present.get(md5) != blob.size]
        self.present = len(new) - len(absent)

        def send(md5: str) -> None:
            blobs.upload(md5, read_checked(new[md5].source, md5))
            done.append(md5)

        try:
            _for_each(send, self._progress(absent, len(absent), "upload"))
            _check_arrived(blobs, {md5: new[md5].size for md5 in absent}, self._progress)
            # `dvc push` takes a folder for complete if the remote has its listing: they come last.
            for md5, listing in self._listings.items():
                blobs.upload(md5, listing)
        except DvcError as error:
            raise DvcError(
                f"{error}. {len(done):,} of {len(absent):,} blobs were uploaded, and nothing was "
                "changed in the registry; run the same command again to upload the others"
            ) from None
        self.uploaded = len(done)


def _check_arrived(blobs: Blobs, sizes: Mapping[str, int], progress: Progress) -> None:
    """Raise DvcError if the remote does not have uploaded blobs in their full size."""
    arrived = blobs.sizes(list(sizes), progress=progress)
    if wrong := [md5 for md5, size in sizes.items() if arrived.get(md5) != size]:
        raise DvcError(f"the remote has not stored {len(wrong)} of {len(sizes)} blobs")


class _ToRemote:
    """A draft whose listings of folders go to the remote and not into DVC's cache."""

    def __init__(self, draft: Draft, listings: dict[str, bytes]) -> None:
        self.write, self.delete = draft.write, draft.delete
        self._listings = listings

    def add_to_cache(self, md5: str, data: bytes) -> None:
        """Note a listing for the remote."""
        self._listings[md5] = data


def read_checked(path: Path, md5: str) -> bytes:
    """Return the content of a file of a delivery.

    Raises:
        FindingsError: It can't be read, or differs from what was checked.
    """
    data = read_bytes(path, str(path))
    if md5_of(data) != md5:
        fail(
            "scan-incomplete",
            "has changed since it was checked",
            file=str(path),
            hint="run the command again when nobody changes the delivery",
        )
    return data


def _for_each(call: Callable[[str], None], items: Iterable[str]) -> None:
    """Call a function with each item, in threads; the first exception ends it."""
    for _ in map_in_threads(call, items, WORKERS):
        pass
