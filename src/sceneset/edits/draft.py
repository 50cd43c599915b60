"""The new contents of files of a registry, worked out before anything is written."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT, Paths
from sceneset.storage.leftovers import temporary_folder
from sceneset.storage.transaction import Transaction

_TEXTS = ("params.yaml", "registry")
_NOT_READ = {"cards", "reports", "stats", "versions"}
"""Folders of the registry that no change is judged by."""


class Draft:
    """A change that can be looked at as a registry of its own, and then be staged."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._writes: dict[Path, bytes] = {}
        self._deletes: dict[Path, None] = {}
        self._blobs: dict[Path, str] = {}
        self._moves: dict[Path, Path] = {}
        self._listings: dict[str, bytes] = {}
        self._kept: dict[str, Path] = {}
        self._actions: list[Callable[[], None]] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be changed."""
        is_same = all(
            path.is_file() and path.read_bytes() == data for path, data in self._writes.items()
        )
        return is_same and not (self._deletes or self._blobs or self._moves)

    def write(self, path: Path, data: bytes) -> None:
        """Note new content of a file."""
        self._writes[path] = data
        self._deletes.pop(path, None)

    def read(self, path: Path) -> bytes:
        """Return the content of a file after the change."""
        return self._writes[path] if path in self._writes else path.read_bytes()

    def delete(self, path: Path) -> None:
        """Note the removal of a file."""
        self._deletes[path] = None
        self._writes.pop(path, None)

    def move(self, path: Path, to: Path) -> None:
        """Note the renaming of a file or folder of the data root."""
        self._moves[path] = to

    def write_blob(self, path: Path, md5: str) -> None:
        """Note a blob of DVC's cache as the new content of a file of the working tree."""
        self._blobs[path] = md5

    def add_to_cache(self, md5: str, data: bytes) -> None:
        """Note a blob that DVC's cache must have."""
        self._listings[md5] = data

    def keep(self, md5: str, path: Path) -> None:
        """Note a file that DVC's cache must have, because it is deleted from the working tree."""
        self._kept[md5] = path

    def prepare(self, action: Callable[[], None]) -> None:
        """Note what has to be done once the change is accepted, before anything is staged."""
        self._actions.append(action)

    def stage(self, transaction: Transaction) -> None:
        """Stage everything in a transaction; params.yaml, which lists the subsets, comes last."""
        for action in self._actions:
            action()
        for md5, data in self._listings.items():
            transaction.add_to_cache(md5, data)
        for md5, path in self._kept.items():
            transaction.add_to_cache(md5, path.read_bytes())
        for path, to in self._moves.items():
            transaction.move(path, to)
        for path, md5 in self._blobs.items():
            transaction.write_blob(path, md5)
        for path in sorted(self._writes, key=lambda path: path == self._paths.params):
            transaction.write(path, self._writes[path])
        for path in self._deletes:
            transaction.delete(path)

    @contextmanager
    def as_catalog(self, catalog: Catalog) -> Iterator[Catalog]:
        """Yield the registry as it would be after the change; blobs stay where they are.

        It is a folder of links to the files of the registry, with the changed files in place of
        some, so it costs no copy.
        """
        root = catalog.root
        with temporary_folder() as folder:
            for path in self._texts(root):
                if path not in self._deletes and path not in self._writes:
                    target = folder / path.relative_to(root)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(path)
            for path, data in self._writes.items():
                target = folder / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            yield Catalog(folder, project=catalog.project, progress=catalog.progress)

    def _texts(self, root: Path) -> Iterator[Path]:
        for name in _TEXTS:
            if (root / name).is_file():
                yield root / name
            for base, folders, files in os.walk(root / name):
                if Path(base) == root / name:
                    folders[:] = sorted(set(folders) - _NOT_READ)
                yield from (Path(base, file) for file in files)
        yield from (root / DATA_ROOT).glob("*/*.dvc")
