"""The table of samples by scene, phase and persons, whose cells are shaded by their counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sceneset.schemas.scene import Scene
from sceneset.schemas.terms import Persons, Phase
from sceneset.site.facts import Facts
from sceneset.site.model import SiteModel

LEVELS = 5
"""Shades of cells that have samples."""

Column = tuple[Phase, Persons | None]


class Cell(NamedTuple):
    """The samples of a scene in a column."""

    phase: Phase
    persons: Persons | None
    samples: int
    level: int
    """0 without samples, at most LEVELS."""

    @property
    def filters(self) -> str:
        """What the grid shows for the cell, as its page's address ends."""
        persons = f"&persons={self.persons or 'unknown'}"
        return f"phase={self.phase}{persons}"


class Row(NamedTuple):
    """A scene that has samples."""

    scene: Scene
    cells: list[Cell]
    total: int


@dataclass
class HeatMap:
    """The table."""

    columns: list[Column]
    rows: list[Row]
    """Scenes with samples, in the order of the vocabulary."""
    totals: list[Cell]
    """Samples of each column, each counted once."""
    empty: list[Scene]
    """Scenes without samples."""
    scale: list[tuple[int, int, int]]
    """Each level that occurs, with the smallest and the largest count that has it."""

    @property
    def phases(self) -> list[tuple[Phase, int]]:
        """The phases with the number of their columns."""
        counts = [(phase, sum(column[0] is phase for column in self.columns)) for phase in Phase]
        return [(phase, count) for phase, count in counts if count]


def heat_map(model: SiteModel) -> HeatMap:
    """Return the table of all scenes."""
    scenes = model.catalog.vocabulary.scenes
    used = [scene for scene in scenes if scene.key in model.scenes]
    columns = _columns(model)
    most = max((n for scene in used for n in model.scenes[scene.key].counts.values()), default=0)
    rows = [
        Row(
            scene,
            list(_cells(model.scenes[scene.key], columns, most)),
            model.scenes[scene.key].images,
        )
        for scene in used
    ]
    levels = {cell.level for row in rows for cell in row.cells}
    return HeatMap(
        columns,
        rows,
        [cell._replace(level=0) for cell in _cells(model.whole, columns, most)],
        [scene for scene in scenes if scene.key not in model.scenes],
        [(level, *limits) for level, limits in _scale(most).items() if level in levels],
    )


def _columns(model: SiteModel) -> list[Column]:
    """Return every phase with the values of persons that occur in any phase.

    A phase without samples has columns too: it is a gap.
    """
    found = {persons for facts in model.scenes.values() for persons, _ in +facts.counts}
    persons = [value for value in (*Persons, None) if value in found]
    return [(phase, value) for phase in Phase for value in persons]


def _cells(facts: Facts, columns: list[Column], most: int) -> Iterator[Cell]:
    for phase, persons in columns:
        count = facts.counts[persons, phase]
        yield Cell(phase, persons, count, level_of(count, most))


def level_of(count: int, most: int) -> int:
    """Return the shade of a count: equal steps of its logarithm up to that of the largest one."""
    if not count:
        return 0
    return max(1, -(-LEVELS * count.bit_length() // max(most.bit_length(), count.bit_length())))


def _scale(most: int) -> Mapping[int, tuple[int, int]]:
    """Return the smallest and the largest count of each level."""
    limits: dict[int, tuple[int, int]] = {}
    for bits in range(1, most.bit_length() + 1):
        low, high = 1 << (bits - 1), min(most, (1 << bits) - 1)
        level = level_of(low, most)
        limits[level] = (limits.get(level, (low, 0))[0], high)
    return limits
