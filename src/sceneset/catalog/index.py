"""Look-ups from an index of what entries, tags and the vocabulary say: no library is loaded.

The index is one SQLite file below .sceneset: counts are kept in it, not counted, and the stems of
a scene stand side by side. It can be deleted at any time. An answer is given only while every file
it was made from is as it was; else sceneset.catalog.index_builder brings it up to date first.
"""

import os
import sqlite3
import stat
from collections.abc import Iterable, Mapping, Sequence

from sceneset.paths import INDEX
from sceneset.schemas.terms import TOTAL, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sceneset.catalog.reader import Catalog

    Rebuild = Callable[[], "Index"]

FORMAT = 1
"""Version of the tables, and of all that is computed into them; another one is made anew."""

BOTH = "both"
"""What a sample counts as that stands in a scene as single and as multi."""


class Asked:
    """A query in the index's words; an empty field asks for all."""

    def __init__(
        self,
        scenes: tuple[str, ...] = (),
        persons: str = "",
        phases: tuple[str, ...] = (),
        subsets: tuple[str, ...] = (),
    ) -> None:
        self.scenes, self.persons, self.phases, self.subsets = scenes, persons, phases, subsets


class Found:
    """The samples of one subset and phase that answer: stems are sorted, each stands once."""

    def __init__(self, subset: str, phase: str, suffix: str, stems: list[str]) -> None:
        self.subset, self.phase, self.suffix, self.stems = subset, phase, suffix, stems


def signature(path: "str | os.PathLike[str]") -> str:
    """Return what tells a file from what it was before, without reading it; "" if it is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


class Index:
    """What one registry's text says. Every answer is of one moment."""

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
            connection = connected(f"{os.fspath(root)}/{INDEX}")
            found = cls(root, connection, rebuild)
            if found.is_current():
                return found
            connection.close()
        except (OSError, sqlite3.Error):  # there is none yet, or it is damaged
            pass
        return None

    def is_current(self) -> bool:
        """Whether every file that the index was made from is as it was."""
        if self.connection.execute("PRAGMA user_version").fetchone() != (FORMAT,):
            return False
        files = self.connection.execute("SELECT path, signature FROM file").fetchall()
        return bool(files) and all(
            said and signature(f"{self.root}/{path}") == said for path, said in files
        )

    def ask(
        self,
        scenes: Iterable[str] = (),
        *,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
    ) -> Asked:
        """Return a checked query; scenes in any of their names, subsets also by their note.

        Raises:
            UnknownNameError: a scene or a subset is not known; the nearest are named.
            ProblemsFoundError: what is asked for can't be read.
        """
        scenes, subsets, phases = tuple(scenes), tuple(subsets), tuple(phases)
        keys = [self._all("SELECT scene FROM name WHERE name = ?", folded(s)) for s in scenes]
        named = [self._all("SELECT name FROM subset WHERE name = ?", s) for s in subsets]
        if not all(keys) or not all(named):  # by a part, or unknown: who says so takes his time
            from sceneset.catalog.query import ask

            found = ask(self._catalog(), scenes, subsets=subsets)
            asked = Asked(found.scenes, persons or "", phases, found.subsets)
        else:
            rows = tuple(row for [[row]] in keys), tuple(row for [[row]] in named)
            asked = Asked(rows[0], persons or "", phases, rows[1])
        broken = [name for (name,) in self._all("SELECT name FROM subset WHERE broken")]
        if broken := [name for name in broken if not asked.subsets or name in asked.subsets]:
            self._tell(broken)
            self._renew()  # nothing is wrong any more
            return self.ask(scenes, persons=persons, phases=phases, subsets=subsets)
        return asked

    def _tell(self, names: "list[str]") -> None:
        """Raise what is wrong with the text of subsets: the registry itself knows best."""
        catalog = self._catalog()
        for _ in catalog.each(
            lambda name: (catalog.entry(name), len(catalog.tags(name, keep=False))), names
        ):
            pass

    def samples(self, asked: Asked) -> list[Found]:
        """Return the samples that answer, sorted by subset, phase and stem."""
        scenes = asked.scenes or (TOTAL,)
        wanted = {"scene": (TOTAL,) if TOTAL in scenes else scenes}
        if asked.persons:
            wanted["persons"] = (asked.persons, BOTH)
        where, values = _where(wanted | {"phase": asked.phases, "subset": asked.subsets})
        groups: dict[tuple[str, str, str], list[str]] = {}
        columns = "subset, phase, suffix, stems FROM samples JOIN subset ON name = subset"
        query = f"SELECT {columns} {where} ORDER BY subset, phase"
        for subset, phase, suffix, stems in self._all(query, *values):
            groups.setdefault((subset, phase, suffix), []).append(stems)
        joined = len(wanted["scene"]) > 1
        return [Found(*group, _merged(lists, joined)) for group, lists in groups.items()]

    def rows(self, asked: Asked) -> "list[dict[str, Any]]":
        """Return the rows of scene tables that answer, subset by subset in the table's order."""
        persons = (asked.persons,) if asked.persons else ()
        where, values = _where(
            {
                "scene": asked.scenes,
                "persons": persons,
                "phase": asked.phases,
                "subset": asked.subsets,
            }
        )
        query = f"SELECT json FROM row {where} ORDER BY subset, place"  # noqa: S608
        found = self._all(query, *values)
        import json

        return [json.loads(text) for (text,) in found]

    def scenes(self) -> "list[dict[str, Any]]":
        """Return the vocabulary in its order, with the number of samples of each scene."""
        import json

        self.ask()
        counts: dict[str, dict[str, int]] = {}
        for scene, persons, count in self._all(
            "SELECT scene, persons, sum(count) FROM samples GROUP BY scene, persons"
        ):
            counts.setdefault(scene, {})[persons] = count
        return [
            json.loads(text)
            | {
                "images": sum(counts.get(scene, {}).values()),
                "single": _counted(counts.get(scene, {}), "single"),
                "multi": _counted(counts.get(scene, {}), "multi"),
            }
            for scene, text in self._all("SELECT scene, json FROM scene ORDER BY place")
        ]

    def _catalog(self) -> "Catalog":
        from pathlib import Path

        from sceneset.catalog.reader import Catalog

        return Catalog(Path(self.root))

    def _all(self, query: str, *values: str) -> "list[Any]":
        try:
            return self.connection.execute(query, values).fetchall()
        except UnicodeEncodeError:  # a word of a terminal that is not UTF-8: nothing is called so
            return []
        except sqlite3.ProgrammingError:  # a mistake of whoever asks
            raise
        except sqlite3.DatabaseError:  # it is damaged somewhere
            self._renew()
            return self.connection.execute(query, values).fetchall()

    def _renew(self) -> None:
        """Build a new index and use it from now on."""
        self.connection.close()
        self.connection = self._rebuild().connection


def connected(path: str) -> sqlite3.Connection:
    """Open an index that is read and never changes: another one takes its place.

    Raises:
        OSError, sqlite3.Error: there is none.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(f"{path} is no file")  # SQLite would wait for the other end of a pipe
    for letter in "%?#":
        path = path.replace(letter, f"%{ord(letter):02x}")
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


def _counted(counts: dict[str, int], persons: str) -> int:
    return counts.get(persons, 0) + counts.get(BOTH, 0)


def _where(wanted: Mapping[str, Sequence[str]]) -> tuple[str, list[str]]:
    """Return a condition on columns, and the values bound to it; no value means any."""
    terms = [f"{name} IN ({', '.join('?' * len(v))})" for name, v in wanted.items() if v]
    values = [value for some in wanted.values() for value in some]
    return (f"WHERE {' AND '.join(terms)}" if terms else ""), values


def _merged(lists: list[str], joined: bool) -> list[str]:
    """Join sorted lists; those of several scenes may name a sample twice."""
    stems = [stem for lines in lists for stem in lines.split("\n")]
    if len(lists) > 1:
        stems = sorted(set(stems) if joined else stems)
    return stems
