"""Bringing the index of look-ups up to date, subset by subset.

A writer changes a copy, which then takes the index's place: readers keep what they opened, however
long they hold it, a second writer waits and finds the work done, and a killed one changes nothing.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from sceneset.catalog.index import BOTH, FORMAT, Index, connected, signature
from sceneset.catalog.query import scene_table
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import persons_said
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Persons, folded
from sceneset.storage.files import copy_file, md5_of, read_bytes
from sceneset.storage.locking import alone

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
_PATIENCE = 30  # seconds: one that takes longer may have been stopped, or be far away
_WAITING = "another look-up is making the index; waiting for it"
_SETTLED = 2_000_000_000  # nanoseconds: what changed since may change again within one tick


def open_index(
    root: Path,
    *,
    rebuild: bool = False,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> Index:
    """Return the index of the registry at ``root``, updated, or rebuilt from nothing.

    If ``.sceneset`` can't be written, or another process takes long, the index is built in memory.

    Raises:
        FindingsError: The vocabulary or params.yaml can't be read. Subsets that can't be read fail
            only in look-ups that need them.
    """
    path = Paths(root).index
    again = partial(open_index, root, rebuild=True, progress=progress, notify=notify)
    lock = path.with_suffix(".lock")
    with (
        suppress(OSError, sqlite3.Error),
        alone(lock, patience=_PATIENCE, message=_WAITING, notify=notify),
    ):
        if not rebuild and (found := Index.current(root, again)):
            return found
        return Index(root, _replaced(root, path, progress, rebuild=rebuild), again)
    memory = sqlite3.connect(":memory:", isolation_level=None)
    if not rebuild:
        with suppress(OSError, sqlite3.Error), closing(connected(str(path))) as found_here:
            found_here.backup(memory)
            return Index(root, _written(root, memory, progress), again)
        memory = sqlite3.connect(":memory:", isolation_level=None)
    return Index(root, _written(root, memory, progress), again)


def _replaced(root: Path, path: Path, progress: Progress, *, rebuild: bool) -> sqlite3.Connection:
    """Update a copy of the index and put it in the index's place; rebuild a damaged one."""
    aside = path.with_suffix(".part")  # one name: a writer that was killed leaves no second file
    aside.unlink(missing_ok=True)
    try:
        with suppress(OSError):  # there is no index, or it is not a file
            if not rebuild:
                copy_file(path, aside)
        try:
            connection = _written(root, sqlite3.connect(aside, isolation_level=None), progress)
        except sqlite3.DatabaseError:
            aside.unlink(missing_ok=True)
            connection = _written(root, sqlite3.connect(aside, isolation_level=None), progress)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return connection


def _written(root: Path, connection: sqlite3.Connection, progress: Progress) -> sqlite3.Connection:
    """Bring an index up to date, or make it where there is nothing.

    Raises:
        sqlite3.DatabaseError: it is damaged, or of another format.
    """
    try:
        connection.execute("PRAGMA journal_mode = OFF")  # what fails is thrown away
        connection.execute("PRAGMA synchronous = OFF")  # it is synced as a whole
        connection.execute("BEGIN")
        _Writer(root, connection).write(progress)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


class _Writer:
    def __init__(self, root: Path, connection: sqlite3.Connection) -> None:
        self.catalog = Catalog(root)
        self.connection = connection
        self.signatures: dict[str, str] = {}

    def write(self, progress: Progress) -> None:
        """Write what is not as it was."""
        catalog, paths = self.catalog, self.catalog.paths
        if self.connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            self._begin()
        # All rows are worded by the vocabulary, and a scene may have gone.
        if self._changed([paths.scenes]):
            self._clear()
            self._vocabulary()
            self._was_steady(paths.scenes)
        listed = set(catalog.names) if self._changed([paths.params]) else None
        self._was_steady(paths.params)
        known = {name for (name,) in self.connection.execute("SELECT name FROM subset")}
        for name in known - (known if listed is None else listed):
            self._drop(name)
            for path in (paths.entry(name), paths.tags(name)):
                self.connection.execute("DELETE FROM file WHERE path = ?", [paths.shown(path)])
        names = sorted(known if listed is None else listed)
        stale = [name for name in names if self._changed([paths.entry(name), paths.tags(name)])]
        for name in progress(stale, len(stale), "index"):
            self._drop(name)
            self._subset(name)
            self._was_steady(paths.entry(name), paths.tags(name))

    def _begin(self) -> None:
        for statement in _TABLES.split(";"):
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _clear(self) -> None:
        for table in ("name", "scene", "subset", "row", "samples"):
            self.connection.execute(f"DELETE FROM {table}")  # noqa: S608
        scenes = self.catalog.paths.shown(self.catalog.paths.scenes)
        self.connection.execute("DELETE FROM file WHERE path != ?", [scenes])

    def _changed(self, paths: Iterable[Path]) -> bool:
        """Note how files are now; say whether one of them holds something else than before."""
        changed = False
        for path in paths:
            shown = self.catalog.paths.shown(path)
            found = self.connection.execute(
                "SELECT signature, md5 FROM file WHERE path = ?", [shown]
            ).fetchone()
            said = self.signatures[shown] = signature(path)  # before it is read
            if found and said and found[0] == said:
                continue
            try:
                md5 = md5_of(read_bytes(path, shown))
            except FindingsError:
                md5 = ""  # whoever asks for it is told
            changed = changed or not md5 or found is None or found[1] != md5
            self.connection.execute(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?)",
                [shown, said if md5 and _is_settled(said) else "", md5],
            )
        return changed

    def _was_steady(self, *paths: Path) -> None:
        """Let files be read again next time that changed between being hashed and being read."""
        for path in paths:
            shown = self.catalog.paths.shown(path)
            if signature(path) != self.signatures[shown]:
                self.connection.execute(
                    "UPDATE file SET signature = '', md5 = '' WHERE path = ?", [shown]
                )

    def _vocabulary(self) -> None:
        vocabulary = self.catalog.vocabulary
        names = {TOTAL: TOTAL} | {
            folded(name): scene.key for scene in vocabulary.scenes for name in scene.all_names
        }
        self.connection.executemany("INSERT INTO name VALUES (?, ?)", names.items())
        for place, scene in enumerate(vocabulary.scenes):
            said = {
                "key": scene.key,
                "en": scene.name.en,
                "zh": scene.name.zh,
                "file_stem": scene.file_stem,
                "aliases": list(scene.aliases),
            }
            text = json.dumps(said, ensure_ascii=False)
            self.connection.execute("INSERT INTO scene VALUES (?, ?, ?)", [place, scene.key, text])

    def _drop(self, name: str) -> None:
        self.connection.execute("DELETE FROM subset WHERE name = ?", [name])
        self.connection.execute("DELETE FROM row WHERE subset = ?", [name])
        self.connection.execute("DELETE FROM samples WHERE subset = ?", [name])

    def _subset(self, name: str) -> None:
        """Write what is known of a subset, or that it can't be read."""
        catalog = self.catalog
        try:
            entry, tags = catalog.entry(name), catalog.tags(name, keep=False)
        except FindingsError:
            self.connection.execute("INSERT INTO subset VALUES (?, '', 1)", [name])
            return
        self.connection.execute("INSERT INTO subset VALUES (?, ?, 0)", [name, entry.img_suffix])
        self.connection.executemany(
            "INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?)",
            (
                (scene, name, phase, persons, len(stems), "\n".join(stems))
                for (scene, phase, persons), stems in _grouped(tags).items()
            ),
        )
        for place, found in enumerate(scene_table(catalog.vocabulary, entry, tags)):
            row = found.row
            text = json.dumps(found.as_json(catalog.vocabulary), ensure_ascii=False)
            values = [name, place, row.scene, row.persons, row.phase, text]
            self.connection.execute("INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)", values)


def _is_settled(said: str) -> bool:
    """Whether a file changed long enough ago that another change would show in its times."""
    changed = int(said.split()[2])  # which nobody can set, and which moves with all others
    return time.time_ns() - changed > _SETTLED


def _grouped(tags: Iterable[Tag]) -> dict[tuple[str, str, str], list[str]]:
    """Return the sorted stems by scene, phase and what they count as there; and those of all."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for tag in tags:
        said: dict[str, set[Persons | None]] = {TOTAL: persons_said(tag)}
        for scene, persons in tag.memberships:
            said.setdefault(scene, set()).add(persons)
        for scene, words in said.items():
            groups.setdefault((scene, tag.phase, _word(words)), []).append(tag.stem)
    return groups


def _word(said: set[Persons | None]) -> str:
    words = said - {None}
    return BOTH if len(words) > 1 else str(next(iter(words), ""))
