"""Where the bytes of samples come from: a pulled folder, or a registry's cache and remote."""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sceneset.api import Registry
from sceneset.errors import BlobError
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.bounded_cache import BoundedCache
from sceneset.storage.files import open_regular
from sceneset.torch.samples import Sample, Samples
from sceneset.versions.foreign import blobs_of


class Source(Protocol):
    """Samples, and how their files are read. Sources can be pickled, and used after a fork."""

    samples: Samples
    limits: Limits

    def read(self, sample: Sample) -> tuple[bytes, bytes]:
        """Return the bytes of the image and of the mask; called by several threads.

        Raises:
            BlobError: A file can't be read; the message names it.
        """


class FolderSource:
    """Reads the files of a folder that `sceneset pull` wrote."""

    def __init__(self, folder: Path, samples: Samples) -> None:
        self.folder, self.samples, self.limits = folder, samples, Limits()

    def read(self, sample: Sample) -> tuple[bytes, bytes]:
        """Return the bytes of the image and of the mask."""
        return self._bytes(sample.image_path), self._bytes(sample.mask_path)

    def _bytes(self, path: str) -> bytes:
        try:
            with open(self.folder / path, "rb", opener=open_regular) as file:
                return file.read()
        except OSError as error:
            raise BlobError(f"{self.folder / path}: {error.strerror or error}") from None


class RegistrySource:
    """Reads blobs by hash: from DVC's cache, a bounded cache of its own, or the remote.

    DVC's cache is not written, because it has no bound.
    """

    def __init__(
        self, registry: Registry, samples: Samples, *, remote: str | None, cache: BoundedCache
    ) -> None:
        self.samples, self.limits = samples, registry.params.limits
        self._state = (registry.root, registry.project, registry.origin)
        self._remote, self._cache = remote, cache
        self._lock = threading.Lock()
        self._opened: tuple[int, Blobs] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k not in {"_lock", "_opened"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock(), _opened=None)

    def read(self, sample: Sample) -> tuple[bytes, bytes]:
        """Return the bytes of the image and of the mask."""
        return (
            self._bytes(sample.image_md5, sample.image_path),
            self._bytes(sample.mask_md5, sample.mask_path),
        )

    def _bytes(self, md5: str, path: str) -> bytes:
        blobs = self._blobs()
        data = blobs.cached(md5) or self._cache.get(md5)
        if data is None:
            try:
                data = blobs.download(md5)
            except BlobError as error:
                raise type(error)(f"{path}: {error}") from None
            with suppress(OSError):  # a full disk makes training slower, and does not end it
                self._cache.put(md5, data)
        return data

    def _blobs(self) -> Blobs:
        """Return the blobs, opened in this process: connections don't survive a fork."""
        opened = self._opened
        if opened and opened[0] == os.getpid():
            return opened[1]
        if opened:
            self._lock = threading.Lock()  # the lock of the parent may be held by no thread here
        with self._lock:
            if self._opened is None or self._opened[0] != os.getpid():
                root, project, origin = self._state
                registry = Registry(root, project=project, origin=origin)
                self._opened = (os.getpid(), blobs_of(registry, self._remote))
            return self._opened[1]
