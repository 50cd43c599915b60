"""Groups are assigned near the wanted shares, and the same groups always to the same phases."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset.edits.split_balance import Balance, assign

SHARES = (0.8, 0.1, 0.1)
Group = tuple[tuple[int, int], ...]
"""Pairs of stratum and number of samples, in ascending order."""


def balance_of(
    groups: Sequence[Group],
    strata: int,
    *,
    allowed: Sequence[Sequence[bool]] | None = None,
    kept: np.ndarray | None = None,
    shares: tuple[float, ...] = SHARES,
    order: Sequence[int] | None = None,
) -> Balance:
    entries = [entry for group in groups for entry in group]
    numbers = range(len(groups)) if order is None else order
    return Balance(
        np.cumsum([0, *map(len, groups)]),
        np.array([stratum for stratum, _ in entries]),
        np.array([count for _, count in entries]),
        np.array(allowed if allowed is not None else [[True] * len(shares)] * len(groups)),
        [number.to_bytes(16) for number in numbers],
        np.zeros((strata, len(shares)), np.int64) if kept is None else kept,
        shares,
    )


def reached(groups: Sequence[Group], phases: np.ndarray, strata: int) -> np.ndarray:
    """Return the number of samples of each stratum in each phase."""
    counts = np.zeros((strata, 3), np.int64)
    for group, phase in zip(groups, phases, strict=True):
        for stratum, count in group:
            counts[stratum, phase] += count
    return counts


def drawn_groups(seed: int, count: int, scenes: int, largest: int) -> list[Group]:
    draw = random.Random(seed)
    groups = []
    for _ in range(count):
        size, scene = draw.randint(1, largest), draw.randint(1, scenes)
        entries = {0: size, scene: size}
        if draw.random() < 0.3:
            entries.setdefault(draw.randint(1, scenes), draw.randint(1, size))
        groups.append(tuple(sorted(entries.items())))
    return groups


@pytest.mark.parametrize("seed", range(5))
def test_every_scene_is_within_2_percent_when_groups_are_small(seed: int) -> None:
    groups = drawn_groups(seed, count=800, scenes=6, largest=4)
    phases = assign(balance_of(groups, 7), seed)
    counts = reached(groups, phases, 7)
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(shares - SHARES).max() < 0.02
    assert np.abs(shares[0] - SHARES).max() < 0.005
    names = random.Random(seed).sample(range(len(groups)), len(groups))
    single = ((0, 1), (1, 1))
    by_chance = reached(groups, np.random.default_rng(seed).choice(3, len(groups), p=SHARES), 7)
    assert np.abs(by_chance / counts.sum(axis=1, keepdims=True) - SHARES).max() > 0.02
    many = assign(balance_of([single] * 800, 2, order=names), seed)
    assert np.bincount(many).tolist() == [640, 80, 80]


def test_the_result_does_not_depend_on_the_order_of_groups() -> None:
    groups = drawn_groups(3, count=300, scenes=5, largest=9)
    order = random.Random(1).sample(range(len(groups)), len(groups))
    phases = assign(balance_of(groups, 6), 7)
    again = assign(balance_of([groups[n] for n in order], 6, order=order), 7)
    assert [phases[n] for n in order] == again.tolist()


def test_another_order_places_other_groups() -> None:
    groups = [((0, 1), (1, 1))] * 50
    one = assign(balance_of(groups, 2), 7)
    other = assign(balance_of(groups, 2, order=range(50, 0, -1)), 7)
    assert one.tolist() != other.tolist()
    assert np.bincount(one).tolist() == np.bincount(other).tolist() == [40, 5, 5]


def test_kept_samples_count_and_limits_hold() -> None:
    """Ten of 100 samples are in val already, and the first group may only be in test."""
    groups = [((0, 1),)] * 90
    allowed = [[False, False, True], *[[True, True, True]] * 89]
    kept = np.array([[0, 10, 0]])
    phases = assign(balance_of(groups, 1, allowed=allowed, kept=kept), 1)
    assert phases[0] == 2
    assert np.bincount(phases, minlength=3).tolist() == [80, 0, 10]


def objective(groups: Sequence[Group], phases: Sequence[int], strata: int) -> float:
    counts = reached(groups, np.array(phases), strata)
    sizes = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weight = np.sqrt(sizes / sizes.max())
    weight[0] *= 10
    return float((weight * (counts / sizes - SHARES) ** 2).sum())


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_no_single_move_and_no_swap_improves_the_result(seed: int, count: int) -> None:
    groups = drawn_groups(seed, count, scenes=3, largest=6)
    phases = assign(balance_of(groups, 4), seed).tolist()
    best = objective(groups, phases, 4)
    for number in range(count):
        for phase in range(3):
            moved = [*phases]
            moved[number] = phase
            assert objective(groups, moved, 4) > best - 1e-7
        for other in range(number):
            swapped = [*phases]
            swapped[number], swapped[other] = phases[other], phases[number]
            assert objective(groups, swapped, 4) > best - 1e-7
