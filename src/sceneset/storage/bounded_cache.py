"""A folder of blobs that never grows beyond a number of bytes; what was used last is kept.

Several processes may use one folder. A blob can be removed at any time, and is then read again from
where it came from.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sceneset.storage.files import atomic_write, md5_of, open_regular

_KEPT = 0.8
"""Share of the limit that stays when blobs are removed, so that not every write removes some."""


class BoundedCache:
    """Blobs by content hash in a folder, at most ``limit`` bytes of them. Thread-safe."""

    def __init__(self, folder: Path, limit: int) -> None:
        """Use a folder, which is created when it is first needed.

        Args:
            folder: The folder; it should hold nothing else.
            limit: Largest sum of the sizes of all blobs, in bytes; 0 stores nothing.
        """
        self.folder, self.limit = folder, limit

    def get(self, md5: str) -> bytes | None:
        """Return a blob, verified, or None; a damaged one is deleted."""
        path = self._path(md5)
        try:
            data = path.read_bytes()
        except OSError:
            return None
        if md5_of(data) != md5:
            path.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            os.utime(path)  # the time of the last use
        return data

    def put(self, md5: str, data: bytes) -> None:
        """Store a blob; remove the blobs that were not used for longest if there is no room.

        Raises:
            OSError: The folder can't be written.
        """
        if len(data) > self.limit:
            return
        path = self._path(md5)
        with self._locked():
            if path.exists():
                return
            total = self._read_total()
            if total is None or total + len(data) > self.limit:
                total = self._make_room(len(data))
            # The larger total comes first: a killed process must not leave one that is too small.
            self._write_total(total + len(data))
            with atomic_write(path, fsync=False) as temporary:
                temporary.write_bytes(data)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold a lock that the kernel frees when its holder ends; waiting takes no polling."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "ab", opener=open_regular) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _path(self, md5: str) -> Path:
        return self.folder / md5[:2] / md5[2:]

    def _read_total(self) -> int | None:
        """Return the bytes of all blobs, or None if the folder must be measured."""
        with suppress(OSError, ValueError):
            return int((self.folder / "bytes").read_bytes())
        return None

    def _write_total(self, total: int) -> None:
        with atomic_write(self.folder / "bytes", fsync=False) as temporary:
            temporary.write_bytes(b"%d" % total)

    def _make_room(self, needed: int) -> int:
        """Measure the folder and remove old blobs if needed; return the bytes that stay."""
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        if total + needed <= self.limit:
            return total
        target = max(0, min(int(self.limit * _KEPT), self.limit - needed))
        for _, size, path in files:
            if total <= target:
                break
            with suppress(FileNotFoundError):
                os.unlink(path)  # noqa: PTH108 - a string: there may be a million
            total -= size
        return total

    def _files(self) -> Iterator[tuple[int, int, str]]:
        """Yield time of last use, size and path of all blobs, and of what killed writers left."""
        with os.scandir(self.folder) as folders:
            names = [entry.path for entry in folders if entry.is_dir(follow_symlinks=False)]
        for name in names:
            with os.scandir(name) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield status.st_mtime_ns, status.st_size, entry.path
