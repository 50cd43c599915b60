"""Which samples a split may move, and which phases are possible for each group of them."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.quality.sample_groups import PHASE_BITS, Groups
from sceneset.quality.sample_table import SampleTable
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.quality.components import Bits

_TRAIN = PHASE_BITS[Phase.TRAIN]
_HELD_OUT = PHASE_BITS[Phase.VAL] | PHASE_BITS[Phase.TEST]

RELATED = "is related to images of train and to held-out images, which the split can't move"
TESTED = "was a test image of a version, and is related to images of train"
TAKEN = "has an image whose stem every other possible phase has already"


class Candidates(NamedTuple):
    """The samples of a split; arrays have one value for each row of the sample table."""

    bits: "Bits"
    """The phase of each sample, as in PHASE_BITS."""
    is_chosen: "npt.NDArray[np.bool_]"
    is_movable: "npt.NDArray[np.bool_]"
    """Chosen samples that may get another phase."""
    taken: "Bits"
    """The phases in which another sample of the subset has the same stem."""


def find_candidates(
    table: SampleTable, is_chosen: "npt.NDArray[np.bool_]", *, redo: bool
) -> Candidates:
    """Return which of the chosen samples may move.

    Args:
        table: All samples.
        is_chosen: Whether each of them is chosen.
        redo: Whether held-out samples may move too. Of several samples with one stem, only one may
            then: they can't change places.
    """
    bits = np.array([PHASE_BITS[phase] for phase in table.phase], np.uint8)
    movable = is_chosen if redo else is_chosen & (bits == _TRAIN)
    taken = np.zeros(len(bits), np.uint8)
    rows = np.flatnonzero(movable).tolist()
    names = {table.subset[row] for row in rows}
    # File systems may ignore case, so stems that differ in nothing else clash.
    places = [
        (name, stem.casefold()) if name in names else None
        for name, stem in zip(table.subset, table.stem, strict=True)
    ]
    repeated = {place for place, count in Counter(filter(None, places)).items() if count > 1}
    rows_of: dict[tuple[str, str], list[int]] = {place: [] for place in repeated}
    for row, place in enumerate(places):
        if place in repeated and place:
            rows_of[place].append(row)
    movable = movable.copy()
    for same in rows_of.values():
        for row in same:
            taken[row] = np.bitwise_or.reduce([bits[other] for other in same if other != row])
        movable[[row for row in same if movable[row]][1:]] = False
    return Candidates(bits, is_chosen, movable, taken)


class Limits(NamedTuple):
    """What is possible for each group."""

    allowed: "npt.NDArray[np.bool_]"
    """Groups x phases; a group without any stays as it is."""
    reasons: dict[int, str]
    """Why no phase is possible, by group."""


def find_limits(
    groups: Groups,
    candidates: Candidates,
    is_tested: "npt.NDArray[np.bool_]",
    shares: Mapping[Phase, float],
) -> Limits:
    """Return the phases that are possible for each group.

    A group follows the samples outside of the split that it is related to, and is never in train if
    it has a test image of a version. Otherwise it can be in train and wherever a share is wanted.

    Args:
        groups: The groups.
        candidates: All samples.
        is_tested: Whether each sample of the groups was a test image of a version.
        shares: The wanted shares.
    """
    count = int(groups.number.max()) + 1
    taken, pins, tested = np.zeros((3, count), np.uint8)
    np.bitwise_or.at(taken, groups.number, candidates.taken[groups.rows])
    np.bitwise_or.at(pins, groups.number, groups.pins)
    np.bitwise_or.at(tested, groups.number, is_tested.astype(np.uint8))
    wanted = _TRAIN | sum(PHASE_BITS[phase] for phase, share in shares.items() if share)
    possible = np.where(pins == 0, np.uint8(wanted), pins)
    is_mixed = ((pins & _TRAIN) > 0) & ((pins & _HELD_OUT) > 0)
    possible[is_mixed] = 0
    possible[tested > 0] &= _HELD_OUT
    is_trained_on = (possible == 0) & ~is_mixed
    possible &= ~taken
    reasons: dict[int, str] = {}
    for number in np.flatnonzero(possible == 0).tolist():
        reason = RELATED if is_mixed[number] else TESTED if is_trained_on[number] else TAKEN
        reasons[number] = reason
    bits = np.array([PHASE_BITS[phase] for phase in Phase], np.uint8)
    return Limits((possible[:, None] & bits) > 0, reasons)
