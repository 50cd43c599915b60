"""Read files of samples that are on this machine, verified by their hashes; fetch others.

A look at samples must neither download a subset nor show a file that only has the right name.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, BlobMissingError, DvcError, FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads
from sceneset.versions.foreign import Ask, blobs_of, never

_NOT_HERE = "is not on this machine; --fetch downloads it"


class LocalFiles:
    """The files of samples in the working tree and in the cache. Thread-safe."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._limit = catalog.params.limits.max_bytes
        self._blobs: Blobs | None = None
        self._has_blobs = True
        self._lock = Lock()
        self._errors: dict[str, str] = {}

    def read(self, path: str, md5: str | None) -> bytes:
        """Return the bytes of a file.

        Args:
            path: The file's path below the data root.
            md5: The hash that the file must have; None if the scan has none, so that only the
                working tree can have the file.

        Raises:
            BlobError: The file is not on this machine, or is another one; the message says which.
        """
        found, differs = self._in_working_tree(path, md5)
        if found is not None:
            return found
        if md5:
            if (blob := self._cached(md5)) is not None:
                return blob
            if error := self._errors.get(md5):
                raise BlobError(error)
        if differs:
            raise BlobError("differs from the file that the scan recorded; `dvc repro` scans again")
        raise BlobMissingError(_NOT_HERE if md5 else "is in the tags and not in the scan")

    def fetch(
        self,
        files: Iterable[tuple[str, str | None]],
        *,
        remote: str | None = None,
        ask: Ask = never,
        notify: Notify = no_notice,
        progress: Progress = no_progress,
    ) -> int:
        """Download those files that are not on this machine into the cache; return their number.

        Why a file could not be downloaded is what ``read`` says of it later.

        Args:
            files: Path and hash of each file, as for ``read``.
            remote: The name of a DVC remote; None means the default one.
            ask: Asks whether to trust the remote of a registry opened by URL.
            notify: Called with the options of such a registry's configuration that are ignored.
            progress: Called with the blobs.

        Raises:
            DvcError: The remote can't be reached.
            UntrustedRemoteError: The remote needs trust.
        """
        wanted = {md5: path for path, md5 in files if md5}  # samples may share a mask
        missing = [md5 for md5, path in wanted.items() if self._is_missing(path, md5)]
        if not missing:
            return 0
        blobs = blobs_of(self._catalog, remote, ask=ask, notify=notify)
        blobs.probe(missing)  # raises once if the remote can't be reached

        def fetch(md5: str) -> None:
            try:
                if blobs.cached(md5) is None:  # `probe` has fetched one of them already
                    blobs.fetch(md5)
            except BlobError as error:
                self._errors[md5] = str(error)

        for _ in progress(map_in_threads(fetch, missing, WORKERS), len(missing), "fetch"):
            pass
        return len(missing) - sum(md5 in self._errors for md5 in missing)

    def _is_missing(self, path: str, md5: str) -> bool:
        try:
            self.read(path, md5)
        except BlobError:
            return True
        return False

    def _in_working_tree(self, path: str, md5: str | None) -> tuple[bytes | None, bool]:
        """Return a file of the working tree, or None and whether it is another file."""
        if md5 is None and self._catalog.origin is not None:
            return None, False  # the working tree may have another state
        data = self._read(self._catalog.project / DATA_ROOT / path)
        if data is None or md5 is None or md5_of(data) == md5:
            return data, False
        return None, self._catalog.origin is None

    def _cached(self, md5: str) -> bytes | None:
        with self._lock:  # DVC is imported only if the working tree does not have a file
            if self._blobs is None and self._has_blobs:
                try:
                    self._blobs = blobs_of(self._catalog)
                except DvcError:
                    self._has_blobs = False
        data = self._read(self._blobs.path(md5)) if self._blobs else None
        return data if data is not None and md5_of(data) == md5 else None

    def _read(self, path: Path) -> bytes | None:
        try:
            return read_bytes(path, str(path), limit=self._limit)
        except FindingsError:
            return None
