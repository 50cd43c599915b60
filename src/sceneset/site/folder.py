"""The folder of a catalogue: files are written only if they change, and old ones are deleted."""

import json
from pathlib import Path
from threading import Lock

from sceneset.errors import DestinationError
from sceneset.storage.files import atomic_write
from sceneset.versions.destination import check_untracked, refuse_links

RECORD = "sceneset-site.json"
"""The file by which the next build knows that the folder is a catalogue."""
OWN = ("assets", "data", "en", "large", "sprites", "thumbs", "zh")
"""Folders in which every other file is deleted; files beside them are left alone."""


class SiteFolder:
    """A folder that a catalogue is written to. Several threads may write to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        """Number of files that were written because they are new or changed."""
        self._wanted: set[str] = set()
        self._lock = Lock()

    def open(self) -> None:
        """Check that the folder is new, empty or a catalogue.

        Raises:
            DestinationError: It has other content, or belongs to a registry.
        """
        folder = self.folder.resolve()
        check_untracked(folder)
        if folder.exists():
            if not folder.is_dir():
                raise DestinationError(f"{folder} is not a folder; choose another folder")
            is_new = not any(path for path in folder.iterdir() if not path.name.startswith("."))
            if not is_new and not (folder / RECORD).is_file():
                raise DestinationError(
                    f"{folder} contains other files; choose another folder, which `sceneset site` "
                    "will then keep up to date"
                )
            refuse_links(folder)

    def write(self, path: str, content: str | bytes) -> None:
        """Write a file unless it has this content; ``path`` is relative to the folder."""
        with self._lock:
            # First of all, so that the next build may go on with the folder of a killed one.
            if RECORD not in self._wanted:
                self._wanted.add(RECORD)
                self.written += self._put(RECORD, json.dumps({"site": 1}).encode() + b"\n")
        self.keep(path)
        is_new = self._put(path, content.encode() if isinstance(content, str) else content)
        with self._lock:
            self.written += is_new

    def _put(self, path: str, data: bytes) -> bool:
        """Write a file unless it has this content; return whether it was written."""
        file = self.folder / path
        try:
            if file.stat().st_size == len(data) and file.read_bytes() == data:
                return False
        except OSError:
            pass
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file, fsync=False) as temporary:
            temporary.write_bytes(data)
        return True

    def has(self, path: str) -> bool:
        """Return whether a file exists; its name must identify its content."""
        return (self.folder / path).is_file()

    def keep(self, path: str) -> None:
        """Keep a file that is as it must be."""
        self._wanted.add(path)

    def delete_others(self) -> int:
        """Delete the files of earlier builds that are no longer wanted; return their number."""
        count = 0
        for name in OWN:
            folder = self.folder / name
            for path in sorted(folder.rglob("*"), reverse=True):
                if path.is_dir() and not path.is_symlink():
                    if not any(path.iterdir()):
                        path.rmdir()
                elif path.relative_to(self.folder).as_posix() not in self._wanted:
                    path.unlink()
                    count += 1
        for path in self.folder.glob(".*.part"):  # of a build that was killed
            path.unlink()
        return count
