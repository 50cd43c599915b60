"""Answer look-ups from an index of entries, tags and the vocabulary, without loading a library.

The index is one SQLite file, `.sceneset/index.sqlite`. It stores counts and, for each scene, the
list of stems, so that a look-up reads a few pages of the file. It may be deleted at any time. It
is used only while no file that it was built from has changed; `sceneset.catalog.index_builder`
brings it up to date. The results are those of `sceneset.catalog.lookup`.
"""

import os
import sqlite3
import stat
from collections.abc import Iterable, Mapping, Sequence

from sceneset.catalog.query import Query
from sceneset.paths import INDEX
from sceneset.schemas.terms import TOTAL, Persons, Phase, fold_name

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sceneset.catalog.reader import Catalog

    Rebuild = Callable[[], "Index"]

FORMAT = 1
"""Version of the tables and of the values in them; an index of another version is rebuilt."""

BOTH = "both"
"""The persons of a sample that counts as single and as multi in the same scene."""


class SampleGroup:
    """The samples of one subset and phase that a query selects; ``stems`` are sorted and unique."""

    def __init__(self, subset: str, phase: str, suffix: str, stems: list[str]) -> None:
        self.subset, self.phase, self.suffix, self.stems = subset, phase, suffix, stems


def signature(path: "str | os.PathLike[str]") -> str:
    """Return size, times and inode of a file, which differ after a change; "" if it is missing."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


class Index:
    """The index of one registry, as it was when it was opened."""

    def __init__(
        self, root: "str | os.PathLike[str]", connection: sqlite3.Connection, rebuild: "Rebuild"
    ) -> None:
        self.root = os.fspath(root)
        self.connection = connection
        self._rebuild = rebuild

    @classmethod
    def current(cls, root: "str | os.PathLike[str]", rebuild: "Rebuild") -> "Index | None":
        """Return the registry's index, or None if it is missing, damaged or out of date.

        Args:
            root: The registry's top folder.
            rebuild: Builds a new index when this one turns out to be damaged.
        """
        try:
            connection = connect(f"{os.fspath(root)}/{INDEX}")
            index = cls(root, connection, rebuild)
            if index.is_current():
                return index
            connection.close()
        except (OSError, sqlite3.Error):  # missing or damaged
            pass
        return None

    def is_current(self) -> bool:
        """Return whether no file that the index was built from has changed."""
        if self.connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            return False
        files = self.connection.execute("SELECT path, signature FROM file").fetchall()
        return bool(files) and all(
            indexed and signature(f"{self.root}/{path}") == indexed for path, indexed in files
        )

    def resolve_query(
        self,
        scenes: Iterable[str] = (),
        *,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
    ) -> Query:
        """Return the query for names as users type them; see `sceneset.catalog.query`.

        Raises:
            UnknownNameError: No scene or subset has this name; the message lists the nearest ones.
            FindingsError: The entry or the tags of a selected subset can't be read.
        """
        scenes, subsets, phases = tuple(scenes), tuple(subsets), tuple(phases)
        query = self._resolve_exact(scenes, persons, phases, subsets)
        if query is None:  # a part of a name, or an unknown name: the registry's files answer
            from sceneset.catalog.query import resolve_query

            query = resolve_query(
                self._catalog(), scenes, persons=persons, phases=phases, subsets=subsets
            )
        unreadable = [
            name
            for (name,) in self._select("SELECT name FROM subset WHERE broken")
            if not query.subsets or name in query.subsets
        ]
        if unreadable:
            self._raise_findings(unreadable)
            self._replace_connection()  # the files are readable again
            return self.resolve_query(scenes, persons=persons, phases=phases, subsets=subsets)
        return query

    def _resolve_exact(
        self,
        scenes: Sequence[str],
        persons: str | None,
        phases: Sequence[str],
        subsets: Sequence[str],
    ) -> Query | None:
        """Return the query if the index has every name exactly, else None."""
        keys = [self._select("SELECT scene FROM name WHERE name = ?", fold_name(s)) for s in scenes]
        names = [self._select("SELECT name FROM subset WHERE name = ?", s) for s in subsets]
        if not all(keys) or not all(names):
            return None
        return Query(
            tuple(key for [[key]] in keys),
            Persons(persons) if persons else None,
            tuple(Phase(phase) for phase in phases),
            tuple(name for [[name]] in names),
        )

    def _raise_findings(self, names: "list[str]") -> None:
        """Raise FindingsError with all errors in the entries and tags of subsets, if any."""
        catalog = self._catalog()
        for _ in catalog.each(
            lambda name: (catalog.entry(name), len(catalog.tags(name, cache=False))), names
        ):
            pass

    def samples(self, query: Query) -> list[SampleGroup]:
        """Return the samples that a query selects, sorted by subset, phase and stem."""
        if query.selections:  # not indexed: the registry's files answer
            return self._samples_of_files(query)
        scenes = (TOTAL,) if TOTAL in query.scenes or not query.scenes else query.scenes
        where, values = _where(
            {
                "scene": scenes,
                "persons": (query.persons, BOTH) if query.persons else (),
                "phase": query.phases,
                "subset": query.subsets,
            }
        )
        columns = "subset, phase, suffix, stems FROM samples JOIN subset ON name = subset"
        statement = f"SELECT {columns} {where} ORDER BY subset, phase"
        groups: dict[tuple[str, str, str], list[str]] = {}
        for subset, phase, suffix, stems in self._select(statement, *values):
            groups.setdefault((subset, phase, suffix), []).append(stems)
        return [
            SampleGroup(*key, _merge_stems(lists, unique=len(scenes) == 1))
            for key, lists in groups.items()
        ]

    def rows(self, query: Query) -> "list[dict[str, Any]]":
        """Return the rows that a query selects, by subset, in the order of the document's table."""
        if query.selections:
            from sceneset.catalog.lookup import rows_as_json

            return rows_as_json(self._catalog(), query)
        where, values = _where(
            {
                "scene": query.scenes,
                "persons": (query.persons,) if query.persons else (),
                "phase": query.phases,
                "subset": query.subsets,
            }
        )
        statement = f"SELECT json FROM row {where} ORDER BY subset, place"  # noqa: S608
        found = self._select(statement, *values)
        import json

        return [json.loads(text) for (text,) in found]

    def scenes(self) -> "list[dict[str, Any]]":
        """Return the vocabulary in its order, with the number of samples of each scene."""
        import json

        self.resolve_query()  # raises if a subset can't be read
        counts: dict[str, dict[str, int]] = {}
        for scene, persons, count in self._select(
            "SELECT scene, persons, sum(count) FROM samples GROUP BY scene, persons"
        ):
            counts.setdefault(scene, {})[persons] = count
        return [
            json.loads(text)
            | {
                "images": sum(counts.get(scene, {}).values()),
                "single": _count(counts.get(scene, {}), "single"),
                "multi": _count(counts.get(scene, {}), "multi"),
            }
            for scene, text in self._select("SELECT scene, json FROM scene ORDER BY place")
        ]

    def _samples_of_files(self, query: Query) -> list[SampleGroup]:
        from sceneset.catalog.lookup import find_samples

        catalog = self._catalog()
        groups: dict[tuple[str, str], list[str]] = {}
        for sample in find_samples(catalog, query):
            groups.setdefault((sample.subset, sample.tag.phase), []).append(sample.tag.stem)
        return [
            SampleGroup(subset, phase, catalog.entry(subset).img_suffix, stems)
            for (subset, phase), stems in groups.items()
        ]

    def _catalog(self) -> "Catalog":
        from pathlib import Path

        from sceneset.catalog.reader import Catalog

        return Catalog(Path(self.root))

    def _select(self, statement: str, *values: str) -> "list[Any]":
        try:
            return self.connection.execute(statement, values).fetchall()
        except UnicodeEncodeError:  # a word from a terminal that is not UTF-8 matches no name
            return []
        except sqlite3.ProgrammingError:  # a bug in the caller; rebuilding would not help
            raise
        except sqlite3.DatabaseError:  # the file is damaged
            self._replace_connection()
            return self.connection.execute(statement, values).fetchall()

    def _replace_connection(self) -> None:
        """Build a new index and use it from now on."""
        self.connection.close()
        self.connection = self._rebuild().connection


def connect(path: str, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Open an index for reading.

    The file is opened as immutable, without locks: a writer never changes it, but replaces it.

    Args:
        path: The file.
        check_same_thread: False lets several threads use the connection, one at a time.

    Raises:
        OSError: The file is missing or is not a regular file.
        sqlite3.Error: The file can't be opened.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"{path} is not a regular file")  # SQLite would block on a pipe
    for character in "%?#":
        path = path.replace(character, f"%{ord(character):02x}")
    uri = f"file:{path}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=check_same_thread)


def _count(counts: dict[str, int], persons: str) -> int:
    return counts.get(persons, 0) + counts.get(BOTH, 0)


def _where(accepted: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    """Return a WHERE clause and its values.

    Args:
        accepted: The accepted values of each column; an empty sequence accepts any value.
    """
    terms = [f"{name} IN ({', '.join('?' * len(v))})" for name, v in accepted.items() if v]
    values = [value for some in accepted.values() for value in some]
    return (f"WHERE {' AND '.join(terms)}" if terms else ""), values


def _merge_stems(lists: list[str], *, unique: bool) -> list[str]:
    """Merge sorted lists of stems, one stem per line; ``unique`` if no two lists share a stem."""
    stems = [stem for lines in lists for stem in lines.split("\n")]
    if len(lists) > 1:
        stems = sorted(stems if unique else set(stems))
    return stems
