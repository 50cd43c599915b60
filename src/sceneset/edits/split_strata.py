"""The strata that a split balances, and how near it comes to the wanted shares in each."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.edits.split_balance import Balance
from sceneset.quality.sample_table import SampleTable
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Persons, Phase

if TYPE_CHECKING:
    from sceneset.edits.split_balance import Ints, Mask

Stratum = tuple[str, Persons | None]
"""A scene or total, and the persons per image if they are balanced too."""

NEAR = 0.02
"""A share that differs by at most so much from the wanted one is near it."""
PHASES = tuple(Phase)


class Shares(NamedTuple):
    """What a split wants and reaches in one stratum."""

    scene: str
    persons: Persons | None
    images: int
    groups: int
    """Groups of related images that have some of these images."""
    wanted: Mapping[Phase, float]
    reached: Mapping[Phase, float]
    reason: str
    """Why a share is not near the wanted one; "" if all are."""


class Strata:
    """Numbers the strata of samples; all samples together are the first."""

    def __init__(self, vocabulary: Vocabulary, by: Sequence[str]) -> None:
        self._vocabulary, self._by = vocabulary, set(by)
        self.names: list[Stratum] = [(TOTAL, None)]
        self._numbers: dict[Stratum, int] = {(TOTAL, None): 0}
        self._known: dict[object, tuple[int, ...]] = {}

    def of(self, tag: Tag) -> tuple[int, ...]:
        """Return the strata of a sample, each once."""
        key = tag.scenes, tag.persons
        if key not in self._known:
            self._known[key] = tuple(sorted(map(self._number, set(self._names(tag)))))
        return self._known[key]

    def _names(self, tag: Tag) -> Iterable[Stratum]:
        yield TOTAL, None
        for scene, persons in tag.memberships:
            if "scene" in self._by:
                yield scene, None
            if "persons" in self._by and persons:
                yield (scene if "scene" in self._by else TOTAL), persons
        if "persons" in self._by and not tag.scenes and tag.persons:
            yield TOTAL, tag.persons

    def _number(self, stratum: Stratum) -> int:
        if stratum not in self._numbers:
            self._numbers[stratum] = len(self.names)
            self.names.append(stratum)
        return self._numbers[stratum]

    def in_order(self) -> list[int]:
        """Return the numbers of the strata in the order of tables."""
        order = self._vocabulary.order
        return sorted(
            range(len(self.names)),
            key=lambda n: (order[self.names[n][0]], self.names[n][1] or ""),
        )


class Members(NamedTuple):
    """The strata of samples: one entry for each sample and stratum that it is in."""

    rows: "Ints"
    """Rows of the sample table."""
    strata: "Ints"


def read_members(
    catalog: Catalog, table: SampleTable, is_chosen: "Mask", strata: Strata
) -> Members:
    """Return the strata of the chosen samples, from their tags."""
    rows: list[int] = []
    numbers: list[int] = []
    for name, group in groupby(np.flatnonzero(is_chosen).tolist(), table.subset.__getitem__):
        row_of = {(table.phase[row], table.stem[row]): row for row in group}
        for tag in catalog.tags(name, cache=False):
            row = row_of.get(tag.key)
            if row is not None:
                found = strata.of(tag)
                rows += [row] * len(found)
                numbers += found
    return Members(np.array(rows, np.int64), np.array(numbers, np.int64))


class Counts(NamedTuple):
    """How many samples of each group are in each stratum, and how many the split can't place."""

    members: Members
    placeable: "Ints"
    """The groups that have a possible phase; the arrays below number them from 0."""
    starts: "Ints"
    """Placeable groups + 1: where the entries of each group start in the next two arrays."""
    strata: "Ints"
    counts: "Ints"
    kept: "Ints"
    """Strata x phases: samples of no placeable group, where they are."""
    bound: "Ints"
    """Strata x phases: samples of groups with one possible phase, in this phase."""

    @classmethod
    def of(
        cls, members: Members, groups: "Ints", allowed: "Mask", phases: "Ints", size: int
    ) -> "Counts":
        """Count the samples.

        Args:
            members: The strata of the chosen samples.
            groups: The group of each row, or -1.
            allowed: The possible phases of each group.
            phases: The number of the phase of each row.
            size: The number of strata.
        """
        choices = allowed.sum(axis=1)
        placeable = np.flatnonzero(choices)
        number = np.append(np.where(choices > 0, np.cumsum(choices > 0) - 1, -1), -1)
        group = number[groups[members.rows]]
        free = group >= 0
        pairs, counts = np.unique(group[free] * size + members.strata[free], return_counts=True)
        starts = np.searchsorted(pairs, np.arange(len(placeable) + 1) * size)
        kept = np.zeros((size, len(PHASES)), np.int64)
        np.add.at(kept, (members.strata[~free], phases[members.rows[~free]]), 1)
        bound = np.zeros_like(kept)
        is_bound = (choices[placeable] == 1)[pairs // size]
        only = allowed[placeable].argmax(axis=1)[pairs // size]
        np.add.at(bound, ((pairs % size)[is_bound], only[is_bound]), counts[is_bound])
        return cls(members, placeable, starts, pairs % size, counts, kept, bound)

    def balance(self, allowed: "Mask", keys: list[bytes], shares: tuple[float, ...]) -> Balance:
        """Return the placeable groups and what is wanted, to be assigned."""
        return Balance(
            self.starts,
            self.strata,
            self.counts,
            allowed[self.placeable],
            [keys[number] for number in self.placeable.tolist()],
            self.kept,
            shares,
        )

    def shares(self, strata: Strata, phases: "Ints", wanted: Mapping[Phase, float]) -> list[Shares]:
        """Return wanted and reached shares of all strata, in the order of tables.

        Args:
            strata: The strata.
            phases: The number of the phase of each row after the split.
            wanted: The wanted shares.
        """
        reached = np.zeros_like(self.kept)
        np.add.at(reached, (self.members.strata, phases[self.members.rows]), 1)
        groups = np.bincount(self.strata, minlength=len(reached))
        largest = np.zeros(len(reached), np.int64)
        np.maximum.at(largest, self.strata, self.counts)
        found = []
        for number in strata.in_order():
            scene, persons = strata.names[number]
            images = int(reached[number].sum())
            share = {phase: float(reached[number, n] / images) for n, phase in enumerate(PHASES)}
            reason = ""
            if not all(_is_near(share[phase], wanted[phase], images) for phase in PHASES):
                fixed = (self.kept + self.bound)[number] / images
                reason = _reason(fixed.tolist(), float(largest[number] / images), wanted)
            found.append(Shares(scene, persons, images, int(groups[number]), wanted, share, reason))
        return found


def _is_near(share: float, wanted: float, images: int) -> bool:
    """Return whether a share is near the wanted one, or as near as whole images allow."""
    return abs(share - wanted) <= max(NEAR, 0.5 / images) + 1e-9


def _reason(fixed: Sequence[float], largest: float, wanted: Mapping[Phase, float]) -> str:
    """Return why shares are not near the wanted ones.

    Args:
        fixed: The shares of samples for which each phase is the only possible one.
        largest: The share of the largest group.
        wanted: The wanted shares.
    """
    excess, phase = max((fixed[n] - wanted[phase], phase) for n, phase in enumerate(PHASES))
    if excess > NEAR:
        return f"{100 * (excess + wanted[phase]):.0f} % can only be in {phase}"
    if largest > NEAR:
        return f"its largest group holds {100 * largest:.0f} %"
    return "its groups are in other scenes too"
