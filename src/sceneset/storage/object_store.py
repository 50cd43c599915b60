"""Access a remote's blobs by content hash: the interface `Store`, and DVC's own file systems.

The second implementation of the interface is in `s3_store`.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from sceneset.errors import ObjectTooLargeError, StoreRefusedError
from sceneset.progress import Progress, no_progress
from sceneset.threads import map_in_threads

WORKERS = 16  # concurrent requests; with more than 8 the server is the limit
_IN_BUCKETS = ("s3", "gs", "azure", "oss")
"""Kinds of remotes where only the bucket exists before the first object is written."""
_NOT_LISTED = ("http", "https")
"""Kinds of remotes whose folders can't be looked at."""
SILENT = "the server has sent nothing for too long"
_MAX_SINGLE_REQUESTS = 1000  # above, list whole prefixes, which hold other blobs too


def check_size(size: int, limit: int | None) -> None:
    """Raise ObjectTooLargeError if an object is larger than ``limit`` bytes."""
    if limit is not None and size > limit:
        raise ObjectTooLargeError(f"is larger than {limit:,} bytes")


class Store(Protocol):
    """Blobs on a remote, by md5. Every method raises OSError if the remote can't be used."""

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob as stored, without verifying its hash.

        Raises:
            FileNotFoundError: The remote has no such blob.
            ObjectTooLargeError: The blob is larger than ``limit`` bytes; it was not read.
        """

    def put(self, md5: str, data: bytes) -> None:
        """Write a blob, over an existing one."""

    def delete(self, md5: str) -> None:
        """Delete a blob if it exists."""

    def size(self, md5: str) -> int:
        """Return the size of a blob in bytes.

        Raises:
            FileNotFoundError: The remote has no such blob.
        """

    def sizes_with_prefix(self, prefix: str) -> dict[str, int]:
        """Return the sizes of all blobs whose hash starts with these two digits."""

    def check_exists(self) -> None:
        """Raise OSError if the bucket or folder of the remote does not exist."""


def blob_sizes(
    store: Store, hashes: Iterable[str], *, progress: Progress = no_progress
) -> dict[str, int]:
    """Return the sizes in bytes of those blobs that the remote has."""
    wanted = set(hashes)

    def size_of(md5: str) -> dict[str, int]:
        with suppress(FileNotFoundError):
            return {md5: store.size(md5)}
        return {}

    request: Callable[[str], dict[str, int]]
    if len(wanted) <= _MAX_SINGLE_REQUESTS:
        request, arguments = size_of, sorted(wanted)
    else:
        request, arguments = store.sizes_with_prefix, sorted({md5[:2] for md5 in wanted})
    sizes: dict[str, int] = {}
    answers = map_in_threads(request, arguments, WORKERS)
    for found in progress(answers, len(arguments), "list the remote"):
        sizes |= {md5: size for md5, size in found.items() if md5 in wanted}
    return sizes


class FileSystemStore:
    """A remote through a file system of DVC (dvc_objects.fs.base.FileSystem)."""

    def __init__(self, fs: Any, path: str) -> None:
        """Use the folder ``path`` of a file system."""
        self._fs, self._path = fs, path

    def _blob_path(self, md5: str) -> str:
        return str(self._fs.join(self._path, md5[:2], md5[2:]))

    def get(self, md5: str, limit: int | None = None) -> bytes:
        """Return a blob; see ``Store``."""
        if limit is not None:
            check_size(self.size(md5), limit)
        return bytes(_with_os_errors(lambda: self._fs.cat_file(self._blob_path(md5))))

    def put(self, md5: str, data: bytes) -> None:
        """Write a blob under a temporary name and rename it, so that readers see all of it."""
        path = self._blob_path(md5)
        temporary = f"{path}.part"

        def put() -> None:
            self._fs.makedirs(self._fs.parent(path), exist_ok=True)
            self._fs.pipe_file(temporary, data)
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)  # SFTP does not rename over an existing file
            self._fs.mv(temporary, path)

        _with_os_errors(put)

    def delete(self, md5: str) -> None:
        """Delete a blob if it exists."""
        with suppress(FileNotFoundError):
            _with_os_errors(lambda: self._fs.rm_file(self._blob_path(md5)))

    def size(self, md5: str) -> int:
        """Return the size of a blob in bytes."""
        return int(_with_os_errors(lambda: self._fs.info(self._blob_path(md5)))["size"])

    def sizes_with_prefix(self, prefix: str) -> dict[str, int]:
        """List the folder of the blobs whose hash starts with ``prefix``."""
        folder = self._fs.join(self._path, prefix)
        try:
            listed = _with_os_errors(lambda: self._fs.ls(folder, detail=True))
        except FileNotFoundError:
            return {}
        return {prefix + self._fs.name(one["name"]): int(one["size"] or 0) for one in listed}

    def check_exists(self) -> None:
        """Raise OSError if the remote's bucket or folder does not exist."""
        if self._fs.protocol in _NOT_LISTED:
            return
        root = self._path.removesuffix("/files/md5")
        if self._fs.protocol in _IN_BUCKETS:
            root = root.lstrip("/").partition("/")[0]
        if not _with_os_errors(lambda: self._fs.exists(root)):
            raise FileNotFoundError(f"there is no such folder or bucket: {root}")


def _with_os_errors(call: Callable[[], Any]) -> Any:
    """Return the result of ``call``; turn the exceptions of a file system into OSErrors."""
    try:
        return call()
    except PermissionError as error:
        raise StoreRefusedError(first_line(error)) from None
    except TimeoutError as error:  # those of aiohttp have no text
        raise TimeoutError(str(error) or SILENT) from None
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - each library has its own exceptions
        raise OSError(first_line(error)) from None


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or the name of its class."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__
