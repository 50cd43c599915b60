"""What a split may move, and which phases are possible for a group."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sceneset.edits.split_limits import (
    RELATED,
    TAKEN,
    TESTED,
    Candidates,
    find_candidates,
    find_limits,
)
from sceneset.quality.sample_groups import PHASE_BITS, Groups
from sceneset.schemas.terms import Phase

TRAIN, VAL, TEST = (PHASE_BITS[phase] for phase in Phase)


def candidates_of(*samples: str, redo: bool) -> Candidates:
    """Return the candidates among chosen samples, each given as subset/phase/stem."""
    subset, phase, stem = zip(*(sample.split("/") for sample in samples), strict=True)
    table: Any = SimpleNamespace(subset=list(subset), phase=list(phase), stem=list(stem))
    return find_candidates(table, np.ones(len(samples), bool), redo=redo)


def test_samples_never_meet_another_one_of_their_name() -> None:
    samples = ("s/train/a", "s/train/b", "s/val/A", "t/val/b", "s/test/a")
    found = candidates_of(*samples, redo=False)
    assert found.is_movable.tolist() == [True, True, False, False, False]
    assert found.taken.tolist()[:2] == [VAL | TEST, 0], "another subset has names of its own"
    again = candidates_of(*samples, redo=True)
    assert again.is_movable.tolist() == [True, True, False, True, False]


@pytest.mark.parametrize(
    ("pins", "taken", "tested", "expected"),
    [
        (0, 0, False, [Phase.TRAIN, Phase.VAL]),
        (0, 0, True, [Phase.VAL]),
        (0, VAL, False, [Phase.TRAIN]),
        (0, VAL, True, TAKEN),
        (TRAIN, 0, False, [Phase.TRAIN]),
        (TRAIN, 0, True, TESTED),
        (VAL, 0, False, [Phase.VAL]),
        (TEST, 0, True, [Phase.TEST]),
        (VAL | TEST, 0, False, [Phase.VAL, Phase.TEST]),
        (VAL, VAL, False, TAKEN),
        (TRAIN | TEST, 0, False, RELATED),
    ],
)
def test_a_group_may_be_where_nothing_forbids_it(
    pins: int, taken: int, tested: bool, expected: list[Phase] | str
) -> None:
    """Of two samples of a group, the second one has the limits; only train and val are wanted."""
    byte = np.uint8
    rows = np.arange(2)
    groups = Groups(rows, np.zeros(2, np.int64), np.array([0, pins], byte))
    flags = np.ones(2, bool)
    candidates = Candidates(np.full(2, TRAIN, byte), flags, flags, np.array([0, taken], byte))
    shares = {Phase.TRAIN: 0.9, Phase.VAL: 0.1, Phase.TEST: 0.0}
    found = find_limits(groups, candidates, np.array([False, tested]), shares)
    possible = [
        phase for phase, is_allowed in zip(Phase, found.allowed[0], strict=True) if is_allowed
    ]
    assert (found.reasons.get(0) or possible) == expected
