"""Access blobs by content hash: DVC's local cache of a project, and the remote behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sceneset.errors import (
    BlobDamagedError,
    BlobError,
    BlobMissingError,
    BlobTooLargeError,
    DvcError,
    ObjectTooLargeError,
    StoreRefusedError,
    UntrustedRemoteError,
)
from sceneset.progress import Progress, no_progress
from sceneset.storage.dvc import Project, resolved_remote
from sceneset.storage.files import atomic_write, md5_of
from sceneset.storage.object_store import Store, blob_sizes
from sceneset.storage.user_cache import shared_blobs

Permit = Callable[[str, Mapping[str, Any]], None]
"""Called with the name and the options of a remote before it is used; raises if it may not be."""

_PROBES = 3  # failed downloads before a remote counts as unreachable


def download(store: Store, md5: str, limit: int | None = None) -> bytes:
    """Return a blob of a remote, verified by its hash.

    Args:
        store: The remote.
        md5: The blob's hash.
        limit: Largest size that is read, in bytes.

    Raises:
        BlobError: The blob is missing, damaged or too large, or can't be read now.
    """
    try:
        data = store.get(md5, limit)
    except FileNotFoundError:
        raise BlobMissingError(f"the remote has no blob {md5}") from None
    except ObjectTooLargeError as error:
        raise BlobTooLargeError(str(error)) from None
    except OSError as error:
        raise BlobError(str(error) or type(error).__name__) from None
    if md5_of(data) != _without_suffix(md5):
        raise BlobDamagedError(f"the remote's blob {md5} is damaged")
    return data


class Blobs:
    """The blobs of a project. Thread-safe."""

    def __init__(
        self, root: Path, remote: str | None = None, *, permit: Permit | None = None
    ) -> None:
        """Open the project at ``root`` with its default remote, or with the one named.

        The remote is opened when it is first needed.

        Args:
            root: The folder of the project.
            remote: The name of a remote; None means the default one.
            permit: Decides whether the remote may be used. A project of a registry that was opened
                by URL needs one: see ``versions.foreign.blobs_of``.

        Raises:
            DvcError: There is no project at ``root``.
        """
        self._project = Project(root)
        self._remote = remote
        self._permit = permit
        if permit is None and shared_blobs(root) is not None:
            self._permit = _refuse_foreign

    @cached_property
    def store(self) -> Store:
        """The remote.

        Raises:
            DvcError: There is no such remote, or it can't be opened.
        """
        self.address()  # raises if the remote may not be used
        try:
            return self._project.store(self._remote)
        except OSError as error:
            raise DvcError(str(error)) from None

    def address(self) -> tuple[str, dict[str, Any]]:
        """Return what another machine needs to open the remote with ``dvc.open_store``.

        Raises:
            DvcError: There is no such remote.
            UntrustedRemoteError: The user does not trust this remote of a foreign repository.
        """
        name, remotes = self._project.address(self._remote)
        if self._permit:
            self._permit(name, remotes)
        return name, remotes

    def path(self, md5: str) -> Path:
        """Return the path of a blob in the local cache, whether it exists or not."""
        return self._project.blob_path(md5)

    def local_path(self, md5: str) -> Path | None:
        """Return the path of a blob of the remote, or None if that is no folder of this machine.

        The remote is not opened, and the blob need not exist.

        Raises:
            DvcError: There is no such remote.
        """
        url = str(resolved_remote(*self.address()).get("url", "")).removeprefix("file://")
        return Path(url, "files/md5", md5[:2], md5[2:]) if Path(url).is_absolute() else None

    def remove_from_cache(self, md5: str) -> None:
        """Delete a blob from the local cache."""
        self.path(md5).unlink(missing_ok=True)

    def cached(self, md5: str) -> bytes | None:
        """Return a blob from the local cache, verified, or None; a damaged one is deleted."""
        try:
            data = self.path(md5).read_bytes()
        except FileNotFoundError:
            return None
        if md5_of(data) != _without_suffix(md5):
            self.remove_from_cache(md5)  # so that it is downloaded again
            return None
        return data

    def download(self, md5: str) -> bytes:
        """Return a blob of the remote, verified; the local cache does not change.

        Raises:
            BlobError: The blob is missing or damaged, or can't be read now.
        """
        return download(self.store, md5)

    def fetch(self, md5: str) -> bytes:
        """Return a blob of the remote, verified, and add it to the local cache.

        Raises:
            BlobError: The blob is missing or damaged, or can't be read now.
            OSError: The cache can't store it; no part of the blob stays there.
        """
        data = self.download(md5)
        self.add_to_cache(md5, data)
        return data

    def add_to_cache(self, md5: str, data: bytes) -> None:
        """Add a blob to the local cache atomically, with the permissions that DVC uses."""
        path = self.path(md5)
        if not path.parent.is_dir():
            self._project.make_folder(path.parent)
        with atomic_write(path, fsync=False) as temporary:
            temporary.write_bytes(data)
            self._project.protect(temporary)

    def probe(self, hashes: Iterable[str]) -> int:
        """Fetch blobs until the remote has answered once, even if only "not found".

        Call it before a batch of downloads: a remote that can't be reached is then reported once
        and not for every blob.

        Returns:
            The number of blobs fetched, 0 or 1.

        Raises:
            DvcError: The remote did not answer; the message is the reason.
        """
        for number, md5 in enumerate(hashes, 1):
            try:
                self.fetch(md5)
                return 1
            except (BlobMissingError, BlobDamagedError):
                return 0
            except BlobError as error:
                if number == _PROBES:
                    raise self._unreachable(error) from None
        return 0

    def sizes(self, hashes: Sequence[str], *, progress: Progress = no_progress) -> dict[str, int]:
        """Return the sizes in bytes of those blobs that the remote has.

        Args:
            hashes: The blobs.
            progress: Called with the requests.

        Raises:
            DvcError: The remote can't be reached.
        """
        try:
            found = blob_sizes(self.store, hashes, progress=progress)
            if hashes and not found:
                # Say once that the whole remote is missing, and not for every blob.
                self.store.check_exists()
            return found
        except OSError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> DvcError:
        name = f"the remote {self._remote}" if self._remote else "the remote"
        if isinstance(error, StoreRefusedError) or isinstance(error.__context__, StoreRefusedError):
            return DvcError(f"{name} refuses access: {error}. Check the credentials.")
        return DvcError(f"{name} can't be reached: {error}")

    def upload(self, md5: str, data: bytes) -> None:
        """Write a blob to the remote, over an existing one.

        Raises:
            DvcError: The remote can't be written to.
        """
        try:
            self.store.put(md5, data)
        except OSError as error:
            raise self._unreachable(error) from None

    def delete_from_remote(self, md5: str) -> None:
        """Delete a blob from the remote if it exists there; the local cache does not change.

        Raises:
            DvcError: The remote can't be written to.
        """
        try:
            self.store.delete(md5)
        except OSError as error:
            raise self._unreachable(error) from None

    def delete(self, md5: str) -> None:
        """Delete a blob from the remote and from the local cache.

        Raises:
            DvcError: The remote can't be written to.
        """
        self.delete_from_remote(md5)
        self.remove_from_cache(md5)
        path = self.path(md5)
        for leftover in path.parent.glob(f".{path.name}.*.part"):  # of a killed process
            leftover.unlink()


def _refuse_foreign(name: str, remotes: Mapping[str, Any]) -> None:  # noqa: ARG001
    """Refuse the remote of a foreign project: nobody can be asked for consent here."""
    raise UntrustedRemoteError(
        f"the remote {name} belongs to a registry that was opened by URL; use it with "
        "`sceneset pull --repo URL` or `Registry.open(URL).pull`"
    )


def _without_suffix(md5: str) -> str:
    """Return a hash without ``.dir``, which marks the listing of a folder."""
    return md5.removesuffix(".dir")
