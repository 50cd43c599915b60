"""Bring the index of look-ups up to date, subset by subset.

A writer changes a copy of the index and then renames it into place. So readers keep a consistent
index for as long as they hold it open, and a killed writer changes nothing. A second writer waits
for the first one and then finds the index up to date.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from sceneset.catalog.index import BOTH, FORMAT, Index, connect, signature
from sceneset.catalog.lookup import scene_table
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import persons_of
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Persons, fold_name
from sceneset.storage.files import copy_file, md5_of, read_bytes
from sceneset.storage.locking import exclusive_lock

_TABLES = """
CREATE TABLE file (path TEXT PRIMARY KEY, signature TEXT, md5 TEXT) WITHOUT ROWID;
CREATE TABLE name (name TEXT PRIMARY KEY, scene TEXT) WITHOUT ROWID;
CREATE TABLE scene (place INTEGER PRIMARY KEY, scene TEXT, json TEXT);
CREATE TABLE subset (name TEXT PRIMARY KEY, suffix TEXT, broken INTEGER) WITHOUT ROWID;
CREATE TABLE row (subset TEXT, place INTEGER, scene TEXT, persons TEXT, phase TEXT, json TEXT,
                  PRIMARY KEY (subset, place)) WITHOUT ROWID;
CREATE TABLE samples (scene TEXT, subset TEXT, phase TEXT, persons TEXT, count INTEGER, stems TEXT);
CREATE INDEX samples_of ON samples (scene, subset, phase, persons, count);
"""
_LOCK_TIMEOUT = 30  # seconds: a writer that takes longer may be stopped, or run on another machine
_WAITING = "waiting for another process that is updating the index of look-ups"
_MIN_AGE = 2_000_000_000  # nanoseconds: a younger file may change again without new times


def open_index(
    root: Path,
    *,
    rebuild: bool = False,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> Index:
    """Return the index of the registry at ``root``, up to date.

    If `.sceneset` can't be written, or another process holds the lock for long, the index is built
    in memory.

    Args:
        root: The registry's top folder.
        rebuild: Build a new index instead of updating the existing one.
        progress: Called with the subsets that are read.
        notify: Called once if another process is updating the index.

    Raises:
        FindingsError: The vocabulary or params.yaml can't be read. Subsets that can't be read fail
            only in look-ups that need them.
    """
    path = Paths(root).index
    rebuild_index = partial(open_index, root, rebuild=True, progress=progress, notify=notify)
    lock = path.with_suffix(".lock")
    with (
        suppress(OSError, sqlite3.Error),
        _own_folder(path.parent),
        exclusive_lock(lock, timeout=_LOCK_TIMEOUT, message=_WAITING, notify=notify),
    ):
        if not rebuild and (index := Index.current(root, rebuild_index)):
            return index
        return Index(root, _replace_file(root, path, progress, rebuild=rebuild), rebuild_index)
    memory = sqlite3.connect(":memory:", isolation_level=None)
    if not rebuild:
        with suppress(OSError, sqlite3.Error), closing(connect(str(path))) as existing:
            existing.backup(memory)
            return Index(root, _update(root, memory, progress), rebuild_index)
        memory = sqlite3.connect(":memory:", isolation_level=None)
    return Index(root, _update(root, memory, progress), rebuild_index)


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """Raise OSError if a folder is a symbolic link, which a clone may bring along."""
    if folder.is_symlink():
        raise OSError(f"{folder} is a symbolic link")
    yield


def _replace_file(
    root: Path, path: Path, progress: Progress, *, rebuild: bool
) -> sqlite3.Connection:
    """Update a copy of the index file, or build a new one, and rename it into place."""
    # The name is fixed, so that killed writers leave one file at most. The lock protects it.
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    try:
        with suppress(OSError):  # there is no index, or it is not a regular file
            if not rebuild:
                copy_file(path, temporary)
        try:
            connection = _update(root, sqlite3.connect(temporary, isolation_level=None), progress)
        except sqlite3.DatabaseError:
            temporary.unlink(missing_ok=True)
            connection = _update(root, sqlite3.connect(temporary, isolation_level=None), progress)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return connection


def _update(root: Path, connection: sqlite3.Connection, progress: Progress) -> sqlite3.Connection:
    """Bring an index up to date, or fill an empty database; return the connection.

    Raises:
        sqlite3.DatabaseError: The index is damaged, or has the tables of another format.
    """
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # a failed update is thrown away
        connection.execute("PRAGMA synchronous = OFF")  # the whole file is synced once at the end
        connection.execute("BEGIN")
        _Updater(root, connection).run(progress)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


class _Updater:
    """Writes to an index what changed in the files of a registry."""

    def __init__(self, root: Path, connection: sqlite3.Connection) -> None:
        self.catalog = Catalog(root)
        self.connection = connection
        self.signatures: dict[str, str] = {}
        """The signature of each checked file, taken before the file was read."""

    def run(self, progress: Progress) -> None:
        """Update the vocabulary, the list of subsets, and each subset that changed."""
        catalog, paths = self.catalog, self.catalog.paths
        if self.connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            self._create_tables()
        # All rows use the vocabulary: its names, its order, and whether a scene exists.
        if self._record_changes([paths.scenes]):
            self._clear()
            self._insert_vocabulary()
            self._invalidate_if_changed(paths.scenes)
        listed = set(catalog.names) if self._record_changes([paths.params]) else None
        self._invalidate_if_changed(paths.params)
        indexed = {name for (name,) in self.connection.execute("SELECT name FROM subset")}
        for name in indexed - (indexed if listed is None else listed):
            self._delete_subset(name)
            for path in (paths.entry(name), paths.tags(name)):
                self.connection.execute("DELETE FROM file WHERE path = ?", [paths.relative(path)])
        names = sorted(indexed if listed is None else listed)
        outdated = [
            name for name in names if self._record_changes([paths.entry(name), paths.tags(name)])
        ]
        for name in progress(outdated, len(outdated), "index"):
            self._delete_subset(name)
            self._insert_subset(name)
            self._invalidate_if_changed(paths.entry(name), paths.tags(name))

    def _create_tables(self) -> None:
        for statement in _TABLES.split(";"):
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _clear(self) -> None:
        for table in ("name", "scene", "subset", "row", "samples"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608
        scenes = self.catalog.paths.relative(self.catalog.paths.scenes)
        self.connection.execute("DELETE FROM file WHERE path != ?", [scenes])

    def _record_changes(self, paths: Iterable[Path]) -> bool:
        """Record the current state of files; return whether the content of any has changed."""
        has_changed = False
        for path in paths:
            shown = self.catalog.paths.relative(path)
            recorded = self.connection.execute(
                "SELECT signature, md5 FROM file WHERE path = ?", [shown]
            ).fetchone()
            current = self.signatures[shown] = signature(path)  # before the file is read
            if recorded and current and recorded[0] == current:
                continue
            try:
                md5 = md5_of(read_bytes(path, shown))
            except FindingsError:
                md5 = ""  # look-ups that need the file report the error
            has_changed = has_changed or not md5 or recorded is None or recorded[1] != md5
            self.connection.execute(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?)",
                [shown, current if md5 and _is_old_enough(current) else "", md5],
            )
        return has_changed

    def _invalidate_if_changed(self, *paths: Path) -> None:
        """Make the next update read files again that changed while this one read them."""
        for path in paths:
            shown = self.catalog.paths.relative(path)
            if signature(path) != self.signatures[shown]:
                self.connection.execute(
                    "UPDATE file SET signature = '', md5 = '' WHERE path = ?", [shown]
                )

    def _insert_vocabulary(self) -> None:
        vocabulary = self.catalog.vocabulary
        names = {TOTAL: TOTAL} | {
            fold_name(name): scene.key for scene in vocabulary.scenes for name in scene.all_names
        }
        self.connection.executemany("INSERT INTO name VALUES (?, ?)", names.items())
        for place, scene in enumerate(vocabulary.scenes):
            fields = {
                "key": scene.key,
                "en": scene.name.en,
                "zh": scene.name.zh,
                "file_stem": scene.file_stem,
                "aliases": list(scene.aliases),
            }
            text = json.dumps(fields, ensure_ascii=False)
            self.connection.execute("INSERT INTO scene VALUES (?, ?, ?)", [place, scene.key, text])

    def _delete_subset(self, name: str) -> None:
        self.connection.execute("DELETE FROM subset WHERE name = ?", [name])
        self.connection.execute("DELETE FROM row WHERE subset = ?", [name])
        self.connection.execute("DELETE FROM samples WHERE subset = ?", [name])

    def _insert_subset(self, name: str) -> None:
        """Write the samples and rows of a subset, or that the subset can't be read."""
        catalog = self.catalog
        try:
            entry, tags = catalog.entry(name), catalog.tags(name, cache=False)
        except FindingsError:
            self.connection.execute("INSERT INTO subset VALUES (?, '', 1)", [name])
            return
        self.connection.execute("INSERT INTO subset VALUES (?, ?, 0)", [name, entry.img_suffix])
        self.connection.executemany(
            "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)",
            (
                (scene, name, phase, persons, len(stems), "\n".join(stems))
                for (scene, phase, persons), stems in _group_stems(tags).items()
            ),
        )
        for place, found in enumerate(scene_table(catalog.vocabulary, entry, tags)):
            row = found.row
            text = json.dumps(found.as_json(catalog.vocabulary), ensure_ascii=False)
            values = [name, place, row.scene, row.persons, row.phase, text]
            self.connection.execute("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", values)


def _is_old_enough(file_signature: str) -> bool:
    """Return whether a file is old enough that another change would change its times.

    Two changes within one tick of the file system's clock have the same times. The ctime decides:
    users can't set it, and every change of the content or the mtime updates it.
    """
    ctime = int(file_signature.split()[2])
    return time.time_ns() - ctime > _MIN_AGE


def _group_stems(tags: Iterable[Tag]) -> dict[tuple[str, str, str], list[str]]:
    """Return the stems by scene, phase and persons, in the order of ``tags``.

    The scene "total" holds every sample.
    """
    groups: dict[tuple[str, str, str], list[str]] = {}
    for tag in tags:
        persons_by_scene: dict[str, set[Persons | None]] = {TOTAL: persons_of(tag)}
        for scene, persons in tag.memberships:
            persons_by_scene.setdefault(scene, set()).add(persons)
        for scene, values in persons_by_scene.items():
            groups.setdefault((scene, tag.phase, _persons_column(values)), []).append(tag.stem)
    return groups


def _persons_column(values: set[Persons | None]) -> str:
    known = values - {None}
    return BOTH if len(known) > 1 else str(next(iter(known), ""))
