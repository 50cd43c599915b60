"""Search all samples of a registry, count them by facet and page through them.

A query is answered from columns in memory, where a million small numbers are counted in a few
milliseconds; only the samples of one page are read with SQL. `sample_index_builder` writes the
index.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.sample_arrays import Filter, SampleArrays
from sceneset.catalog.sample_index_tables import NUMBER_SHIFT
from sceneset.catalog.sample_order import SampleOrder
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

_KEPT_RESULTS = 32
"""Queries whose result is kept, for their next pages."""


@dataclass(frozen=True)
class SampleQuery:
    """Which samples to show, and in which order."""

    filter: Filter = field(default_factory=Filter)
    sort: str = "name"
    reverse: bool = False


class Page(NamedTuple):
    """Some samples of a result."""

    samples: list[dict[str, Any]]
    """The rows of the view ``samples``."""
    total: int
    """Number of samples of the whole result."""
    next: str
    """What ``after`` must be for the next page; "" on the last page."""


class SampleIndex:
    """The index of all samples as it was when it was opened. Thread-safe."""

    def __init__(self, connection: sqlite3.Connection, file: str = "") -> None:
        self.file = file
        """The path of the file; "" for an index in memory."""
        connection.row_factory = sqlite3.Row
        self._connection, self._lock = connection, Lock()
        self.scenes = [dict(row) for row in self._rows("SELECT * FROM scenes")]
        """The vocabulary with counts, in its order."""
        self.subsets = [dict(row) for row in self._rows("SELECT * FROM subsets")]
        """All subsets with counts, by name."""
        self._numbers: dict[str, int] = {
            row["name"]: row["number"]
            for row in self._rows("SELECT name, number FROM subset ORDER BY name")
        }
        self._arrays = SampleArrays(self.subsets, self.scenes, self._blobs)
        self._order = SampleOrder(len(self._arrays), self._arrays.ranges)
        self.prepare = self._order.prepare
        self.facets = lru_cache(_KEPT_RESULTS)(self._arrays.facets)
        """Return the number of samples for each value of each facet; see `SampleArrays.facets`."""
        self._result = lru_cache(_KEPT_RESULTS)(self._arrays.select)

    def __len__(self) -> int:
        return len(self._arrays)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def count(self, wanted: Filter) -> int:
        """Return the number of samples that a filter selects."""
        return int(self._result(wanted).sum())

    def page(self, query: SampleQuery, *, after: str = "", limit: int = 60) -> Page:
        """Return the samples of a result that follow a sample.

        Args:
            query: The samples.
            after: What the page before gave as ``next``; "" for the first page.
            limit: Number of samples.

        Raises:
            ValueError: ``after`` is not from a page in this order.
        """
        selected = self._result(query.filter)
        order = self._order.order(query.sort, reverse=query.reverse)
        start = self._start(query, after) if after else 0
        places = self._order.first(selected, order, start, limit + 1)
        ids = [self._id_of(int(place)) for place in places[:limit]]
        samples = self.samples(ids)
        following = ""
        if len(places) > limit:
            last = samples[-1]
            value = self._order.value(query.sort, int(places[limit - 1]), reverse=query.reverse)
            following = f"{value!r}|{last['subset']}/{last['phase']}/{last['stem']}"
        return Page(samples, int(selected.sum()), following)

    def places(self, wanted: Filter) -> "Numbers":
        """Return the places of all samples that a filter selects, in the order of their names."""
        import numpy as np

        return np.flatnonzero(self._result(wanted))

    def samples(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return the rows of the view ``samples`` with these ids, in this order."""
        marks = ", ".join("?" * len(ids))
        statement = f"SELECT * FROM samples WHERE id IN ({marks})"  # noqa: S608
        found = {row["id"]: dict(row) for row in self._rows(statement, *ids)}
        return [found[number] for number in ids]

    def find(self, subset: str, phase: str, stem: str) -> dict[str, Any] | None:
        """Return the row of a sample of the view ``samples``, or None if there is none."""
        if (number := self._numbers.get(subset)) is None:
            return None
        rows = self._rows(
            "SELECT * FROM samples WHERE id ="
            " (SELECT id FROM sample WHERE subset = ? AND phase = ? AND stem = ?)",
            *(number, phase, stem),
        )
        return dict(rows[0]) if rows else None

    def _start(self, query: SampleQuery, after: str) -> int:
        """Return the place in the order of the first sample after a key, which may be gone."""
        value, _, key = after.partition("|")
        names = key.split("/", 2)
        if len(names) < 3 or names[1] not in set(Phase):
            raise ValueError("after: use the value of `next` of the page before")
        subset, phase, stem = names
        place = self._place_of(subset, phase, stem)
        return self._order.start(query.sort, float(value), place, reverse=query.reverse)

    def _place_of(self, subset: str, phase: str, stem: str) -> tuple[int, bool]:
        """Return the place of a sample among all, and True; or where it would be, and False."""
        names = [name for name in self._numbers if name < subset]
        first = sum(self._arrays.sizes[: len(names)])
        number = self._numbers.get(subset)
        if number is None:
            return first, False
        [row] = self._rows(
            "SELECT min(id) AS id, min(stem) AS stem FROM (SELECT id, stem FROM sample"
            " WHERE subset = ? AND (phase, stem) >= (?, ?) ORDER BY phase, stem LIMIT 1)",
            *(number, phase, stem),
        )
        if row["id"] is None:
            return first + self._arrays.sizes[len(names)], False
        place = first + row["id"] - (number << NUMBER_SHIFT)
        return place, row["stem"] == stem

    def _id_of(self, place: int) -> int:
        subset, offset = self._arrays.split(place)
        return (list(self._numbers.values())[subset] << NUMBER_SHIFT) + offset

    def _blobs(self, subset: str) -> dict[str, bytes]:
        statement = "SELECT name, data FROM subset_column WHERE subset = ?"
        return {row["name"]: row["data"] for row in self._rows(statement, self._numbers[subset])}

    def _rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()
