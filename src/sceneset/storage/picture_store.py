"""Store thumbnails and outlines of masks by the content hash of their files, in one SQLite file.

A picture is drawn once and serves every version and page. The file may be deleted at any time. A
withdrawn image must leave it too; see ``PictureStore.forget``.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Self

FORMAT = 1
"""Version of the tables and of the drawing; a file of another version is replaced."""

_TABLES = """
CREATE TABLE thumb (md5 TEXT PRIMARY KEY, width INTEGER, height INTEGER, webp BLOB);
CREATE TABLE outline (md5 TEXT, orientation INTEGER, width INTEGER, height INTEGER, person TEXT,
  ignored TEXT, other TEXT, grid BLOB, PRIMARY KEY (md5, orientation));
"""
_MOST_VALUES = 500  # values of one statement


class Thumb(NamedTuple):
    """A small picture of an image, as its EXIF orientation shows it."""

    width: int
    height: int
    webp: bytes


class OutlineKey(NamedTuple):
    """Identifies the outline of a mask."""

    md5: str
    """Of the mask file."""
    orientation: int
    """EXIF orientation of the image, 1 to 8; the mask is turned with it."""


class Outline(NamedTuple):
    """Where a mask is, as shown; see `sceneset.imaging.outline`."""

    width: int
    height: int
    """Size of the drawing in units; the longer side has SPAN."""
    person: str
    """SVG path data of the persons (1), with their holes; "" if there is none."""
    ignored: str
    """SVG path data of the ignored pixels (255)."""
    other: str
    """SVG path data of all other values above 0."""
    grid: bytes
    """Share of person pixels, 0 to 255, of each of GRID x GRID cells of the frame, by rows."""


class PictureStore:
    """The pictures of one registry. Several processes and threads may use it at once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the store, or create it; a damaged one or one of another version is replaced.

        Raises:
            OSError: The file can't be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return cls(_connect(path))
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm", "-journal"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        try:
            return cls(_connect(path))
        except sqlite3.DatabaseError as error:
            raise OSError(f"{path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def thumbs(self, md5s: Iterable[str]) -> dict[str, Thumb]:
        """Return the thumbnails of those images that have one, by the hash of the image file."""
        statement = "SELECT md5, width, height, webp FROM thumb WHERE md5 IN"
        return {md5: Thumb(*rest) for md5, *rest in self._select(statement, [*md5s])}

    def outlines(self, keys: Iterable[OutlineKey]) -> dict[OutlineKey, Outline]:
        """Return those outlines that are stored."""
        wanted = set(keys)
        columns = "md5, orientation, width, height, person, ignored, other, grid"
        statement = f"SELECT {columns} FROM outline WHERE md5 IN"  # noqa: S608
        rows = self._select(statement, list({key.md5 for key in wanted}))
        found = {OutlineKey(md5, turn): Outline(*rest) for md5, turn, *rest in rows}
        return {key: outline for key, outline in found.items() if key in wanted}

    def grids(self, keys: Iterable[OutlineKey]) -> dict[OutlineKey, bytes]:
        """Return the grids of those outlines that are stored."""
        wanted = set(keys)
        statement = "SELECT md5, orientation, grid FROM outline WHERE md5 IN"
        rows = self._select(statement, list({key.md5 for key in wanted}))
        found = {OutlineKey(md5, turn): grid for md5, turn, grid in rows}
        return {key: grid for key, grid in found.items() if key in wanted}

    def missing(
        self, images: Iterable[str], masks: Iterable[OutlineKey]
    ) -> tuple[set[str], set[OutlineKey]]:
        """Return those images and masks that are not stored."""
        images, masks = set(images), set(masks)
        known = {md5 for (md5,) in self._select("SELECT md5 FROM thumb WHERE md5 IN", [*images])}
        statement = "SELECT md5, orientation FROM outline WHERE md5 IN"
        drawn = {OutlineKey(*row) for row in self._select(statement, [key.md5 for key in masks])}
        return images - known, masks - drawn

    def add(
        self,
        thumbs: Iterable[tuple[str, Thumb]],
        outlines: Iterable[tuple[OutlineKey, Outline]],
    ) -> None:
        """Store pictures in one transaction."""
        with self._lock, self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO thumb VALUES (?, ?, ?, ?)",
                ((md5, *thumb) for md5, thumb in thumbs),
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO outline VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                ((*key, *outline) for key, outline in outlines),
            )

    def forget(self, md5s: Iterable[str]) -> int:
        """Remove the pictures of files, and their bytes from the file; return their number."""
        count = 0
        with self._lock, self._connection:
            self._connection.execute("PRAGMA secure_delete = ON")
            for md5 in md5s:
                for table in ("thumb", "outline"):
                    statement = f"DELETE FROM {table} WHERE md5 = ?"  # noqa: S608
                    count += self._connection.execute(statement, [md5]).rowcount
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count

    def _select(self, statement: str, values: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        for start in range(0, len(values), _MOST_VALUES):
            some = values[start : start + _MOST_VALUES]
            places = ", ".join("?" * len(some))
            with self._lock:
                rows = self._connection.execute(f"{statement} ({places})", some).fetchall()
            yield from rows


def forget_pictures(path: Path, md5s: Iterable[str]) -> int:
    """Remove the pictures of files from the store, if there is one; return their number.

    A store that can't be changed is deleted.

    Raises:
        OSError: It can't be deleted either.
    """
    if not path.is_file():
        return 0
    try:
        with closing(PictureStore.open(path)) as store:
            return store.forget(md5s)
    except sqlite3.Error:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return 0


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60, check_same_thread=False)
    try:
        with suppress(sqlite3.OperationalError):  # file systems without shared memory
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        _create_tables(connection)
        connection.execute("SELECT md5 FROM outline LIMIT 1")
    except BaseException:
        connection.close()
        raise
    return connection


def _create_tables(connection: sqlite3.Connection) -> None:
    def version() -> int:
        [found] = connection.execute("PRAGMA user_version").fetchone()
        return int(found)

    if version() == 0:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if version() == 0:  # another process may have created them meanwhile
                for statement in _TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {FORMAT}")
    if version() != FORMAT:
        raise sqlite3.DatabaseError(f"version {version()}")
