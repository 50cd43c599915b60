"""Bring the index of all samples up to date: only subsets that changed are written again.

A writer changes a copy of the file and renames it into place. Readers keep the file that they have
opened, a killed writer changes nothing, and a second writer waits for the first one.
"""

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import islice
from pathlib import Path

from sceneset.catalog.index import connect, signature
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_index import SampleIndex
from sceneset.catalog.sample_index_rows import SubsetRows, withdrawn_keys
from sceneset.catalog.sample_index_tables import FORMAT, NUMBER_SHIFT, TABLES
from sceneset.errors import FindingsError
from sceneset.paths import INTERNAL_SAMPLE_INDEX, SAMPLE_INDEX
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.rules.policy import read_waivers
from sceneset.schemas.provenance import Restriction
from sceneset.storage.files import atomic_write, copy_file, md5_of, read_bytes
from sceneset.storage.locking import exclusive_lock
from sceneset.storage.work_folder import refuse_links

INTERNAL = frozenset({Restriction.INTERNAL})
_LOCK_TIMEOUT = 600  # seconds; a writer of ten million samples takes that long
_WAITING = "waiting for another process that is updating the index of samples"
_MIN_AGE = 2_000_000_000  # nanoseconds: a younger file may change again without new times
_BATCH = 4096  # samples that are written together
_TABLES_OF_SAMPLES = {"sample": "id", "sample_scene": "sample", "sample_finding": "sample"}


def open_sample_index(
    catalog: Catalog,
    *,
    left_out: Collection[Restriction] = INTERNAL,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> SampleIndex:
    """Return the index of all samples of a registry, up to date.

    If `.sceneset` can't be written, the index is built in memory.

    Args:
        catalog: The registry.
        left_out: Samples with one of these restrictions are not in it. The index with internal
            samples is a file of its own.
        progress: Called with the subsets that are read.
        notify: Called once if another process is updating the index.

    Raises:
        FindingsError: A file of the registry can't be read.
        GitError: The withdrawals of other branches can't be read.
    """
    path = catalog.root / SAMPLE_INDEX
    if Restriction.INTERNAL not in left_out:
        path = catalog.root / INTERNAL_SAMPLE_INDEX
    update = _Updater(catalog, left_out, progress)
    update.read_state()  # findings come before anything is written
    lock = path.with_name(f"{path.name}.lock")
    with (
        suppress(OSError, sqlite3.Error),
        _own_folder(path.parent),
        exclusive_lock(lock, timeout=_LOCK_TIMEOUT, message=_WAITING, notify=notify),
    ):
        _update_file(path, update)
        return SampleIndex(connect(str(path), check_same_thread=False), str(path))
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    update.run(memory)
    return SampleIndex(memory)


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """Raise OSError if a folder is a symbolic link or has some, which a clone may bring along."""
    try:
        refuse_links(folder)
    except FindingsError as error:
        raise OSError(str(error)) from None
    yield


def _update_file(path: Path, update: "_Updater") -> None:
    """Update the file, or build a new one if there is none or it can't be used."""
    with suppress(OSError, sqlite3.Error), closing(connect(str(path))) as existing:
        if update.is_current(existing):
            return
    # The name is fixed, so that killed writers leave one file at most. The lock protects it.
    temporary = path.with_name(f"{path.name}.part")
    with atomic_write(path, temporary=temporary):
        with suppress(OSError):  # there is no index, or it is not a regular file
            copy_file(path, temporary)
        try:
            _write(temporary, update)
        except sqlite3.DatabaseError:  # damaged, or of another format
            temporary.unlink(missing_ok=True)
            _write(temporary, update)


def _write(path: Path, update: "_Updater") -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        update.run(connection)


class _Updater:
    """Writes to an index what changed in a registry."""

    def __init__(
        self, catalog: Catalog, left_out: Collection[Restriction], progress: Progress
    ) -> None:
        self.catalog, self.left_out, self.progress = catalog, left_out, progress
        self.states: dict[str, str] = {}
        """A digest of everything that the rows of a subset depend on, by subset."""
        self.files: dict[str, tuple[str, str]] = {}
        """Signature and digest of each file that was read, by path."""

    def read_state(self) -> None:
        """Read the files that all subsets depend on.

        Raises:
            FindingsError, GitError: See ``open_sample_index``.
        """
        catalog = self.catalog
        settings = catalog.params.model_dump_json(exclude={"subsets", "renamed", "selections"})
        self.waivers = read_waivers(catalog.root)
        parts = [FORMAT, sorted(self.left_out), settings, catalog.vocabulary.model_dump_json()]
        self.common = repr(parts)
        self.withdrawn = md5_of(repr(sorted(catalog.withdrawn.files)).encode())

    def is_current(self, connection: sqlite3.Connection) -> bool:
        """Return whether an index needs no change."""
        if connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            return False
        self._read_subset_states(connection)
        written = dict(connection.execute("SELECT name, state FROM subset"))
        vocabulary = connection.execute("SELECT md5 FROM file WHERE path = 'common'").fetchone()
        return self.states == written and vocabulary == (md5_of(self.common.encode()),)

    def run(self, connection: sqlite3.Connection) -> None:
        """Bring an index up to date, or fill an empty database.

        Raises:
            sqlite3.DatabaseError: The index is damaged, or has the tables of another format.
            FindingsError: A file of a subset can't be read.
        """
        connection.execute("PRAGMA trusted_schema = OFF")  # a clone may bring the file along
        connection.execute("PRAGMA journal_mode = OFF")  # a failed update is thrown away
        connection.execute("PRAGMA synchronous = OFF")  # the whole file is synced once at the end
        connection.execute("BEGIN")
        if connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            for statement in TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {FORMAT}")
        self._read_subset_states(connection)
        known = {
            name: (number, state)
            for number, name, state in connection.execute("SELECT number, name, state FROM subset")
        }
        for name in known.keys() - self.states.keys():
            _delete(connection, known[name][0])
        outdated = [n for n, state in self.states.items() if known.get(n, (0, ""))[1] != state]
        self._write_vocabulary(connection)
        unused = max((number for number, _ in known.values()), default=0)
        for name in self.progress(outdated, len(outdated), "index"):
            if name in known:
                number = known[name][0]
                _delete(connection, number)
            else:
                number = unused = unused + 1
            self._insert(connection, name, number)
        connection.execute("DELETE FROM file")
        connection.executemany(
            "INSERT INTO file VALUES (?, ?, ?)",
            ((path, *values) for path, values in self.files.items()),
        )
        connection.execute("COMMIT")

    def _read_subset_states(self, connection: sqlite3.Connection) -> None:
        known = {p: (s, m) for p, s, m in connection.execute("SELECT * FROM file")}
        catalog, paths = self.catalog, self.catalog.paths
        self.states, self.files = {}, {"common": ("", md5_of(self.common.encode()))}
        for name in catalog.names:
            digests = [
                self._digest(path, known)
                for path in (paths.entry(name), paths.tags(name), paths.scan(name))
            ]
            waivers = [w.model_dump_json() for w in self.waivers if w.subset == name]
            gone = self._withdrawn_in(name, digests[2], known)
            self.states[name] = md5_of(repr((self.common, digests, waivers, gone)).encode())

    def _digest(self, path: Path, known: dict[str, tuple[str, str]]) -> str:
        """Return the digest of a file's content; "" if it can't be read."""
        shown = self.catalog.paths.relative(path)
        before, digest = known.get(shown, ("", ""))
        now = signature(path)
        if not now or before != now:
            try:
                digest = md5_of(read_bytes(path, shown, limit=1 << 62))
            except FindingsError:
                digest = ""
        is_old = now and time.time_ns() - int(now.split()[2]) > _MIN_AGE
        self.files[shown] = (now if is_old else "", digest)
        return digest

    def _withdrawn_in(self, name: str, scan: str, known: dict[str, tuple[str, str]]) -> str:
        """Return a digest of the withdrawn samples of a subset.

        The scan is only read if it or the withdrawals changed.
        """
        key, state = f"withdrawn:{name}", f"{self.withdrawn} {scan}"
        before, digest = known.get(key, ("", ""))
        if before != state:
            gone: set[tuple[str, str]] = set()
            if scan and self.catalog.withdrawn.files:
                columns = ("phase", "stem", "image_md5", "picture")
                gone = withdrawn_keys(self.catalog, self.catalog.scan(name, columns))
            digest = md5_of(repr(sorted(gone)).encode())
        self.files[key] = (state, digest)
        return digest

    def _write_vocabulary(self, connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM scene")
        connection.executemany(
            "INSERT INTO scene VALUES (?, ?, ?, ?, ?)",
            (
                (scene.key, place, scene.name.en, scene.name.zh, ", ".join(scene.aliases))
                for place, scene in enumerate(self.catalog.vocabulary.scenes)
            ),
        )

    def _insert(self, connection: sqlite3.Connection, name: str, number: int) -> None:
        """Write the rows of a subset."""
        subset = SubsetRows(
            self.catalog, name, number, left_out=self.left_out, waivers=self.waivers
        )
        rows = subset.rows()
        while batch := list(islice(rows, _BATCH)):
            marks = ", ".join("?" * len(batch[0].sample))
            insert = connection.executemany
            insert(f"INSERT INTO sample VALUES ({marks})", (row.sample for row in batch))  # noqa: S608
            insert(
                "INSERT INTO sample_scene VALUES (?, ?, ?)",
                (scene for row in batch for scene in row.scenes),
            )
            insert(
                "INSERT INTO sample_finding VALUES (?, ?)",
                (found for row in batch for found in row.findings),
            )
            insert(
                "INSERT INTO search (rowid, stem, scenes, source, subset) VALUES (?, ?, ?, ?, ?)",
                (row.search for row in batch),
            )
        connection.executemany(
            "INSERT INTO subset_column VALUES (?, ?, ?)",
            ((number, column, data) for column, data in subset.columns.blobs()),
        )
        connection.executemany(
            "INSERT INTO counted VALUES (?, ?, ?, ?, ?)",
            ((number, *key, count) for key, count in subset.counts.items()),
        )
        entry, provenance = subset.entry, subset.entry.provenance
        connection.execute(
            "INSERT INTO subset VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(number, name, str(entry.kind), entry.category),
                *(entry.description.en, entry.description.zh),
                *((provenance.licence if provenance else "") or "", subset.vendor),
                *(entry.img_suffix, len(subset), subset.withdrawn, subset.internal),
                self.states[name],
            ),
        )


def _delete(connection: sqlite3.Connection, number: int) -> None:
    """Delete everything about a subset."""
    first, last = number << NUMBER_SHIFT, (number + 1) << NUMBER_SHIFT
    tables: Iterable[tuple[str, str]] = (*_TABLES_OF_SAMPLES.items(), ("search", "rowid"))
    for table, column in tables:
        connection.execute(
            f"DELETE FROM {table} WHERE {column} >= ? AND {column} < ?",  # noqa: S608
            (first, last),
        )
    for table in ("subset_column", "counted"):
        connection.execute(f"DELETE FROM {table} WHERE subset = ?", (number,))  # noqa: S608
    connection.execute("DELETE FROM subset WHERE number = ?", (number,))
