"""Blobs by content hash: the local cache of a DVC project, and the remote behind it."""

import os
import threading
from collections.abc import Iterable, Sequence
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
)
from sceneset.storage.dvc import Project
from sceneset.storage.files import md5_of
from sceneset.storage.object_store import Store, sizes

_TRIES = 3


def asked(store: Store, md5: str, limit: int | None = None) -> bytes:
    """Return a remote's blob of at most ``limit`` bytes, verified.

    Raises:
        BlobError: it is missing, damaged, too large, or can't be had now.
    """
    try:
        data = store.get(md5, limit)
    except FileNotFoundError:
        raise BlobMissingError(f"the remote has no blob {md5}") from None
    except ObjectTooLargeError as error:
        raise BlobTooLargeError(str(error)) from None
    except OSError as error:
        raise BlobError(str(error) or type(error).__name__) from None
    if md5_of(data) != _plain(md5):
        raise BlobDamagedError(f"the remote's blob {md5} is damaged")
    return data


class Blobs:
    """The blobs of a project. May be asked from several threads."""

    def __init__(self, root: Path, remote: str | None = None) -> None:
        """Open the project at ``root`` with its default remote, or the one named.

        Raises:
            DvcError: there is no such project. A remote is asked for when it is needed.
        """
        self._project = Project(root)
        self._remote = remote

    @cached_property
    def store(self) -> Store:
        """The remote.

        Raises:
            DvcError: there is none, or it can't be opened.
        """
        try:
            return self._project.store(self._remote)
        except OSError as error:
            raise DvcError(str(error)) from None

    def address(self) -> tuple[str, dict[str, Any]]:
        """Return what another machine needs to open the remote, by ``remote.open_store``.

        Raises:
            DvcError: there is none.
        """
        return self._project.address(self._remote)

    def path(self, md5: str) -> Path:
        """Return where a blob stands in the local cache, whether it is there or not."""
        return self._project.blob(md5)

    def drop(self, md5: str) -> None:
        """Take a blob out of the local cache."""
        self.path(md5).unlink(missing_ok=True)

    def cached(self, md5: str) -> bytes | None:
        """Return a blob of the local cache, verified; one that is not what its name says goes."""
        try:
            data = self.path(md5).read_bytes()
        except FileNotFoundError:
            return None
        if md5_of(data) != _plain(md5):
            self.drop(md5)  # bits rot in caches too; the remote is asked again
            return None
        return data

    def ask(self, md5: str) -> bytes:
        """Return the remote's blob, verified; the cache is left as it is.

        Raises:
            BlobError: it is missing, damaged, or can't be had now.
        """
        return asked(self.store, md5)

    def fetch(self, md5: str) -> bytes:
        """Return the remote's blob, verified, and keep it in the local cache.

        Raises:
            BlobError: it is missing, damaged, or can't be had now.
            OSError: the cache can't take it; nothing of it is left there then.
        """
        data = self.ask(md5)
        self.keep(md5, data)
        return data

    def keep(self, md5: str, data: bytes) -> None:
        """Put a blob into the local cache, whole or not at all, as DVC would."""
        path = self.path(md5)
        aside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
        try:
            if not path.parent.is_dir():
                self._project.make_folder(path.parent)
            aside.write_bytes(data)
            self._project.protect(aside)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def reach(self, hashes: Iterable[str]) -> int:
        """Fetch blobs until the remote has answered once, be it that it has none of that hash.

        So a remote that is down is told once, and not of every blob. Returns how many it has
        fetched: one or none.

        Raises:
            DvcError: it did not answer; the message is what was said.
        """
        for number, md5 in enumerate(hashes, 1):
            try:
                self.fetch(md5)
                return 1
            except (BlobMissingError, BlobDamagedError):
                return 0
            except BlobError as error:
                if number == _TRIES:
                    raise self._unreachable(error) from None
        return 0

    def sizes(self, hashes: Sequence[str]) -> dict[str, int]:
        """Return the bytes of those blobs that the remote has.

        Raises:
            DvcError: it can't be asked.
        """
        try:
            return sizes(self.store, hashes)
        except OSError as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> DvcError:
        name = f"the remote {self._remote}" if self._remote else "the remote"
        if isinstance(error, StoreRefusedError) or isinstance(error.__context__, StoreRefusedError):
            return DvcError(f"{name} refuses: {error}. Are the credentials right?")
        return DvcError(f"{name} can't be reached: {error}")

    def put(self, md5: str, data: bytes) -> None:
        """Put a blob on the remote, over what is there.

        Raises:
            DvcError: it can't be written to.
        """
        try:
            self.store.put(md5, data)
        except OSError as error:
            raise self._unreachable(error) from None

    def delete(self, md5: str) -> None:
        """Delete a blob from the remote and the local cache.

        Raises:
            DvcError: the remote can't be written to.
        """
        try:
            self.store.delete(md5)
        except OSError as error:
            raise self._unreachable(error) from None
        self.drop(md5)
        path = self.path(md5)
        for half in path.parent.glob(f".{path.name}.*.part"):  # a kill has left it
            half.unlink()


def _plain(md5: str) -> str:
    """Return a hash without the suffix that marks a folder's listing."""
    return md5.removesuffix(".dir")
