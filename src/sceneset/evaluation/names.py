"""Find the prediction of each sample by names of files and folders.

A prediction belongs to a sample if it has the sample's stem, and if no folder above it names
another phase or another subset. So `SUBSET/PHASE/STEM.png`, `PHASE/STEM.png` and `STEM.png` all
work, as long as each name means one sample. Names are compared in Unicode's composed form: macOS
writes "é" as two characters.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.counts import counted
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase

Key = tuple[str, str, str]
"""Subset, phase and stem."""

_PHASES = {
    **dict.fromkeys(("train", "training"), Phase.TRAIN.value),
    **dict.fromkeys(("val", "valid", "validation"), Phase.VAL.value),
    **dict.fromkeys(("test", "testing"), Phase.TEST.value),
}
"""The phases that folders name, in lower case."""
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
_SHOWN = 3
_LOOKED_AT = 1000  # surplus names from which a common ending is concluded


class Problem(NamedTuple):
    """Why a sample has no prediction."""

    problem: str
    """"missing", "wrong-phase" or "ambiguous"."""
    detail: str


@dataclass
class Matches:
    """Which prediction belongs to which sample."""

    found: dict[Key, str] = field(default_factory=dict)
    """The name of the prediction of each sample that has one."""
    problems: dict[Key, Problem] = field(default_factory=dict)
    surplus: list[str] = field(default_factory=list)
    """Names that belong to no sample of the registry."""
    unselected: int = 0
    """Number of names that belong to other samples of the registry."""
    ending: str = ""
    """What most surplus names have after the stem of a sample without a prediction."""


class NameIndex:
    """Names of predictions, found by the stem of a sample."""

    def __init__(
        self, names: Iterable[tuple[str, str]], subsets: Collection[str], *, ending: str = ""
    ) -> None:
        """Index names.

        Args:
            names: Paths with "/", each with its last part without the suffix of a prediction.
            subsets: Names of all subsets of the registry.
            ending: What follows the stem in each name, for example "_mask".
        """
        self._subsets = frozenset(subsets)
        self._by_stem: dict[str, list[str]] = {}
        self._last: dict[str, str] = {}
        """The last part of each name, as it is compared."""
        ending = composed(ending)
        for name, last in names:
            found = self._last[name] = composed(last)
            if found.endswith(ending):
                stem = _stem(found[: len(found) - len(ending)])
                self._by_stem.setdefault(stem, []).append(name)

    def match(self, selected: Sequence[Key], others: Iterable[Key]) -> Matches:
        """Return the prediction of each selected sample, and what is left over.

        Args:
            selected: The selected samples.
            others: All other samples of the registry; read only if names are left over.
        """
        matches = Matches()
        fitting = {key: self._fitting(key) for key in selected}
        claims = Counter(name for names in fitting.values() for name in names)
        for key, names in fitting.items():
            if len(names) > 1:
                matches.problems[key] = _ambiguous(names)
            elif names and claims[names[0]] > 1:
                matches.problems[key] = Problem(
                    "ambiguous",
                    f"{names[0]} fits {counted(claims[names[0]], 'selected sample')}; put "
                    "predictions into folders PHASE or SUBSET/PHASE",
                )
            elif names:
                matches.found[key] = names[0]
        left = [name for name in self._last if name not in claims]
        if left:
            known = {name for key in others for name in self._fitting(key)}
            matches.unselected = sum(name in known for name in left)
            left = [name for name in left if name not in known]
        missing = [key for key, names in fitting.items() if not names]
        used = self._wrong_phase(missing, set(left), matches)
        matches.surplus = [name for name in left if name not in used]
        matches.ending = self._ending(matches.surplus, {composed(key[2]) for key in missing})
        return matches

    def _ending(self, surplus: Sequence[str], stems: Collection[str]) -> str:
        """Return what most of these names have after one of these stems; "" if they do not."""
        looked_at = surplus[:_LOOKED_AT]
        found: Counter[str] = Counter()
        for name in looked_at:
            last = self._last[name]
            lengths = range(len(last) - 1, 0, -1)  # the longest stem: a_1_mask is one of a_1
            length = next((n for n in lengths if last[:n] in stems), 0)
            if length and not last[length].isalnum():  # a12 is no a1 with the ending 2
                found[last[length:]] += 1
        [(ending, number)] = found.most_common(1) or [("", 0)]
        return ending if 2 * number > len(looked_at) else ""

    def _wrong_phase(
        self, missing: Sequence[Key], left: Collection[str], matches: Matches
    ) -> set[str]:
        """Say which missing samples have a prediction in another phase; return their names."""
        used: set[str] = set()
        for key in missing:
            names = [
                name
                for name in self._by_stem.get(composed(key[2]), ())
                if name in left and self._fits_subset(name, key[0])
            ]
            used.update(names)
            if names:
                text = f"is in the phase {key[1]}, but its prediction is {names[0]}"
                matches.problems[key] = Problem("wrong-phase", text)
            else:
                matches.problems[key] = Problem("missing", "has no prediction")
        return used

    def _fitting(self, key: Key) -> list[str]:
        """Return the names that fit a sample."""
        subset, phase, stem = key
        return [
            name
            for name in self._by_stem.get(composed(stem), ())
            if self._fits_subset(name, subset) and _fits_phase(name, phase)
        ]

    def _fits_subset(self, name: str, subset: str) -> bool:
        named = self._subsets.intersection(map(composed, name.split("/")[:-1]))
        return not named or subset in named


def _fits_phase(name: str, phase: str) -> bool:
    named = {_PHASES.get(part.casefold()) for part in name.split("/")[:-1]} - {None}
    return not named or phase in named


def _stem(name: str) -> str:
    """Return a name without the suffix of an image: "a.jpg" names the sample "a"."""
    for suffix in _IMAGE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _ambiguous(names: Sequence[str]) -> Problem:
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return Problem("ambiguous", f"{len(names)} predictions fit it: {shown}")
