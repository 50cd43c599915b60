"""Assign groups of samples to phases, so that every stratum is near the wanted shares.

A stratum is what should be balanced: all samples, those of one scene, and so on. The weighted sum
over strata and phases of the squared difference between the reached and the wanted share is
minimized: the largest groups are assigned first, then groups move and pairs of groups change places
until nothing improves. Groups with the same samples in every stratum are interchangeable, so a
million single samples are a few hundred kinds.
"""

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]
    Mask = npt.NDArray[np.bool_]

_EPSILON = 1e-8  # a smaller gain is not visible: one share that is nearer by 0.01 %
_TOTAL = 10  # weight of all samples together, compared with a scene that has nearly all samples
_DRAWN = 256  # kinds on each side of which all pairs are compared at once
_MISSES = 4  # draws of such kinds without a better pair, after which the search ends


class Balance(NamedTuple):
    """Groups to assign, and what is wanted."""

    starts: "Ints"
    """Groups + 1: where the entries of each group start in the next two arrays."""
    strata: "Ints"
    """The strata that a group has samples in, in ascending order; the first holds all samples."""
    counts: "Ints"
    """The number of its samples in each of them."""
    allowed: "Mask"
    """Groups x phases: where a group may be, at least one phase each."""
    keys: "list[bytes]"
    """A random order of the groups; without repetitions."""
    kept: "Ints"
    """Strata x phases: samples that stay where they are."""
    shares: "tuple[float, ...]"
    """The wanted share of each phase; their sum is 1."""


def assign(balance: Balance, seed: int) -> "Ints":
    """Return the number of the phase of each group; the same input gives the same result."""
    kinds = _kinds(balance)
    state = _State(balance, kinds)
    state.fill(balance.shares)
    draw = np.random.default_rng(seed)
    misses = 0
    while misses < _MISSES:
        improved = state.move_one() or state.swap_two(draw)
        misses = 0 if improved else misses + (_MISSES if len(kinds) <= _DRAWN else 1)
    phases = np.empty(len(balance.keys), np.int64)
    for kind, placed in zip(kinds, state.placed, strict=True):
        phases[kind.groups] = np.repeat(np.arange(len(placed)), placed)
    return phases


class _Kind(NamedTuple):
    """Groups that are interchangeable."""

    groups: list[int]
    """In the random order."""
    strata: list[int]
    counts: list[int]
    allowed: list[int]


def _drawn(kinds: "Ints", draw: np.random.Generator) -> "Ints":
    return kinds if len(kinds) <= _DRAWN else np.sort(draw.choice(kinds, _DRAWN, replace=False))


def _kinds(balance: Balance) -> list[_Kind]:
    """Return all kinds, those of large groups first."""
    found: dict[tuple[bytes, bytes, bytes], list[int]] = defaultdict(list)
    ends = balance.starts.tolist()
    for group, (start, end) in enumerate(pairwise(ends)):
        parts = balance.strata[start:end], balance.counts[start:end], balance.allowed[group]
        strata, counts, allowed = (part.tobytes() for part in parts)
        found[strata, counts, allowed].append(group)
    kinds = []
    for groups in found.values():
        groups.sort(key=balance.keys.__getitem__)
        entries = slice(ends[groups[0]], ends[groups[0] + 1])
        strata, counts = balance.strata[entries].tolist(), balance.counts[entries].tolist()
        allowed = np.flatnonzero(balance.allowed[groups[0]]).tolist()
        kinds.append(_Kind(groups, strata, counts, allowed))
    kinds.sort(key=lambda kind: (-max(kind.counts), balance.keys[kind.groups[0]]))
    return kinds


class _State:
    """How many groups of each kind are in each phase, and how far that is from what is wanted."""

    def __init__(self, balance: Balance, kinds: list[_Kind]) -> None:
        self._kinds = kinds
        self._starts = np.cumsum([0, *(len(kind.strata) for kind in kinds)])[:-1]
        self._strata = np.concatenate([kind.strata for kind in kinds])
        self._counts = np.concatenate([np.array(kind.counts, np.float64) for kind in kinds])
        self._allowed = np.array([balance.allowed[kind.groups[0]] for kind in kinds])
        sizes = balance.kept.sum(axis=1).astype(np.float64)
        np.add.at(sizes, balance.strata, balance.counts)
        # Large strata count more, but less than in proportion; all samples together most.
        self._weight = np.sqrt(sizes / sizes.max()) / np.maximum(sizes, 1) ** 2
        self._weight[0] *= _TOTAL
        self._error = balance.kept - sizes[:, None] * np.array(balance.shares)
        """Strata x phases: samples above what is wanted."""
        self.placed = np.zeros((len(kinds), len(balance.shares)), np.int64)
        self._square = np.add.reduceat(self._weight[self._strata] * self._counts**2, self._starts)
        """Of each kind, what moving a group costs apart from its gain."""

    def fill(self, shares: tuple[float, ...]) -> None:
        """Give each kind its shares as far as that comes out even, then place the rest."""
        for number, kind in enumerate(self._kinds):
            possible = sum(shares[phase] for phase in kind.allowed)
            for phase in kind.allowed if possible else ():
                self._place(number, phase, int(len(kind.groups) * shares[phase] / possible))
        weight, error = self._weight.tolist(), self._error.tolist()
        for number, kind in enumerate(self._kinds):
            entries = list(zip(kind.strata, kind.counts, strict=True))
            for _ in range(len(kind.groups) - int(self.placed[number].sum())):
                phase = min(
                    kind.allowed, key=lambda p: sum(weight[s] * c * error[s][p] for s, c in entries)
                )
                self.placed[number, phase] += 1
                for stratum, count in entries:
                    error[stratum][phase] += count
        self._error = np.array(error)

    def move_one(self) -> bool:
        """Move groups of the kind that gains most from it; return whether one does."""
        slopes = self._slopes()
        best = (-_EPSILON, 0, 0, 0)
        for old in range(slopes.shape[1]):
            for new in range(slopes.shape[1]):
                if old == new:
                    continue
                cost = slopes[:, new] - slopes[:, old] + self._square
                cost[~self._allowed[:, new] | (self.placed[:, old] == 0)] = np.inf
                number = int(cost.argmin())
                best = min(best, (float(cost[number]), number, old, new))
        cost_of_one, number, old, new = best
        if cost_of_one >= -_EPSILON:
            return False
        square = float(self._square[number])
        most = int((square - cost_of_one) / (2 * square))  # where the next one would cost more
        count = min(max(most, 1), int(self.placed[number, old]))
        self._place(number, old, -count)
        self._place(number, new, count)
        return True

    def swap_two(self, draw: np.random.Generator) -> bool:
        """Let pairs of groups change places while a pair gains from it; return whether one did.

        Only the pairs of drawn kinds are compared if there are many kinds.
        """
        phases = range(self.placed.shape[1])
        swapped = False
        for old in phases:
            for new in phases[old + 1 :]:
                can_swap = self._allowed[:, old] & self._allowed[:, new]
                sides = (can_swap & (self.placed[:, phase] > 0) for phase in (old, new))
                left, right = (_drawn(np.flatnonzero(side), draw) for side in sides)
                if len(left) and len(right):
                    swapped |= self._swap_best(left, right, old, new)
        return swapped

    def _swap_best(self, left: "Ints", right: "Ints", old: int, new: int) -> bool:
        """Swap the best pair of two sets of kinds while there is one; return whether there was."""
        pairs = self._square[left][:, None] + self._square[right] - 2 * self._products(left, right)
        swapped = False
        while True:
            slopes = self._slopes()
            gain = slopes[:, new] - slopes[:, old]
            cost = pairs + gain[left][:, None] - gain[right]
            cost[self.placed[left, old] == 0] = np.inf
            cost[:, self.placed[right, new] == 0] = np.inf
            one, other = divmod(int(cost.argmin()), len(right))
            if cost[one, other] >= -_EPSILON:
                return swapped
            swapped = True
            for number, source, target in ((left[one], old, new), (right[other], new, old)):
                self._place(number, source, -1)
                self._place(number, target, 1)

    def _products(self, left: "Ints", right: "Ints") -> "Floats":
        """Return for each pair of kinds how much their samples are in the same strata."""
        used = np.unique(np.concatenate([self._kinds[n].strata for n in (*left, *right)]))
        dense = []
        for side in (left, right):
            rows = np.zeros((len(side), len(used)))
            for place, number in enumerate(side.tolist()):
                kind = self._kinds[number]
                rows[place, np.searchsorted(used, kind.strata)] = kind.counts
            dense.append(rows)
        products: Floats = (dense[0] * self._weight[used]) @ dense[1].T
        return products

    def _slopes(self) -> "Floats":
        """Return for each kind and phase how much one more group there costs, at first order."""
        parts = self._counts * self._weight[self._strata]
        columns = [parts * column[self._strata] for column in self._error.T]
        return np.stack([np.add.reduceat(column, self._starts) for column in columns], axis=1)

    def _place(self, number: int, phase: int, count: int) -> None:
        kind = self._kinds[number]
        self.placed[number, phase] += count
        self._error[kind.strata, phase] += count * np.array(kind.counts)
