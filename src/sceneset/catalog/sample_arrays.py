"""The columns of all samples in memory: select samples, and count them by facet."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sceneset.catalog.sample_index_tables import PERSONS, RANGES
from sceneset.catalog.sample_text import Lines, fold_text
from sceneset.schemas.terms import TOTAL, Phase

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]
    Numbers = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float32]

FACETS = {
    "scene": "scenes",
    "persons": "persons",
    "phase": "phases",
    "subset": "subsets",
    "rule": "rules",
}
"""What the numbers of samples are counted by, with the field of ``Filter`` that chooses it."""
_KEPT_WORDS = 16


@dataclass(frozen=True)
class Filter:
    """Which samples are selected; empty fields select all."""

    text: str = ""
    """Words, each of which must be part of the stem, the source, a name of a scene, or the name,
    description or vendor of the subset; phase/stem and subset/phase/stem name one sample."""
    scenes: tuple[str, ...] = ()
    """Keys of scenes; several select the union."""
    persons: tuple[str, ...] = ()
    """single, multi or unknown; with scenes, in one of these scenes."""
    phases: tuple[str, ...] = ()
    subsets: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """Rules on single samples; a sample must break one of them."""
    ranges: tuple[tuple[str, float | None, float | None], ...] = ()
    """Names of ``RANGES`` with the smallest and the largest value that is selected."""

    def without(self, facet: str) -> "Filter":
        """Return the filter without its choice for a facet."""
        choice: dict[str, Any] = {FACETS[facet]: ()}
        return replace(self, **choice)


class SampleArrays:
    """All samples, numbered by subset, phase and stem."""

    def __init__(
        self,
        subsets: Sequence[Mapping[str, Any]],
        scenes: Sequence[Mapping[str, Any]],
        read: Callable[[str], Mapping[str, bytes]],
    ) -> None:
        """Read the columns.

        Args:
            subsets: The subsets by name, with their texts.
            scenes: The scenes, with their names.
            read: Returns the columns of a subset.
        """
        import numpy as np

        blobs = [read(subset["name"]) for subset in subsets]
        self.sizes = [len(blob["phase"]) for blob in blobs]
        """Number of samples of each subset."""
        self._firsts = np.array([0, *accumulate(self.sizes)], np.int64)
        self._subsets, self._scenes = subsets, scenes
        self._phase = np.frombuffer(b"".join(blob["phase"] for blob in blobs), np.uint8)
        self._persons = np.frombuffer(b"".join(blob["persons"] for blob in blobs), np.uint8)
        self._lines = [Lines(blob["lines"]) for blob in blobs]
        self.ranges: dict[str, Floats] = {
            name: np.frombuffer(b"".join(blob[f"range:{name}"] for blob in blobs), np.float32)
            for name in RANGES
        }
        self._places = {kind: self._concatenated(kind, blobs) for kind in ("scene:", "rule:")}
        self._scene_persons = {
            name: np.frombuffer(b"".join(b.get(f"scene_persons:{name}", b"") for b in blobs), "u1")
            for name in self._places["scene:"]
        }
        self._text = lru_cache(_KEPT_WORDS)(self._containing)

    def _concatenated(self, kind: str, blobs: list[Mapping[str, bytes]]) -> "dict[str, Numbers]":
        """Return the places of the samples of each scene or rule."""
        import numpy as np

        names = sorted({name for blob in blobs for name in blob if name.startswith(kind)})
        return {
            name.removeprefix(kind): np.concatenate(
                [
                    np.frombuffer(blob.get(name, b""), np.uint32) + first
                    for blob, first in zip(blobs, self._firsts[:-1], strict=True)
                ]
            )
            for name in names
        }

    def __len__(self) -> int:
        return len(self._phase)

    def select(self, wanted: Filter) -> "Mask":
        """Return for each sample whether a filter selects it."""
        return self._all_of(self._masks(wanted))

    def _all_of(self, masks: "Mapping[str, Mask]", *but: str) -> "Mask":
        """Return for each sample whether all masks are true, except those with some names."""
        import numpy as np

        selected = np.ones(len(self), np.bool_)
        for name, mask in masks.items():
            if name not in but:
                selected &= mask
        return selected

    def _masks(self, wanted: Filter) -> "dict[str, Mask]":
        """Return a mask for each part of a filter: all are true for the selected samples."""
        masks = {f"word {word}": self._text(word) for word in map(fold_text, wanted.text.split())}
        masks |= {f"range {number}": mask for number, mask in enumerate(self._ranged(wanted))}
        if wanted.phases:
            codes = [list(Phase).index(Phase(phase)) for phase in wanted.phases]
            masks["phase"] = _is_one_of(self._phase, codes)
        if wanted.subsets:
            masks["subset"] = self._in_subsets(wanted.subsets)
        if wanted.scenes or wanted.persons:
            masks["people"] = self._people(wanted.scenes, wanted.persons)
        if wanted.rules:
            masks["rule"] = self._at(self._places["rule:"].get(rule) for rule in wanted.rules)
        return masks

    def _people(self, scenes: Sequence[str], persons: Sequence[str]) -> "Mask":
        """Return for each sample whether it is in one of some scenes, with such persons."""
        import numpy as np

        codes = [PERSONS.index(value) for value in persons]
        if scenes and TOTAL not in scenes:
            return self._at(self._places_of(scene, codes) for scene in scenes)
        if not codes:
            return np.ones(len(self), np.bool_)
        bits = sum(1 << code for code in set(codes))
        mask: Mask = (self._persons & bits) > 0
        return mask

    def _places_of(self, scene: str, codes: Sequence[int]) -> "Numbers | None":
        """Return the places of the samples of a scene; with codes, those with such persons."""
        places = self._places["scene:"].get(scene)
        if places is None or not codes:
            return places
        return places[_is_one_of(self._scene_persons[scene], codes)]

    def _at(self, places: "Iterable[Numbers | None]") -> "Mask":
        """Return a mask that is true at some places."""
        import numpy as np

        found = np.zeros(len(self), np.bool_)
        for some in places:
            if some is not None:
                found[some] = True
        return found

    def _in_subsets(self, names: Sequence[str]) -> "Mask":
        import numpy as np

        found = np.zeros(len(self), np.bool_)
        for number, subset in enumerate(self._subsets):
            if subset["name"] in names:
                found[self._firsts[number] : self._firsts[number + 1]] = True
        return found

    def _ranged(self, wanted: Filter) -> "Iterator[Mask]":
        import numpy as np

        for name, low, high in wanted.ranges:
            values = self.ranges[name]
            if low is not None:
                yield values >= np.float32(low)
            if high is not None:
                yield values <= np.float32(high)

    def _containing(self, word: str) -> "Mask":
        """Return for each sample whether a folded word is in one of its texts."""
        import numpy as np

        *folders, stem = word.split("/")
        if folders and stem:
            mask: Mask = self._containing(stem)
            if folders[-1] in set(Phase):
                mask = mask & (self._phase == list(Phase).index(Phase(folders.pop())))
            for folder in folders:
                mask = mask & self._containing(folder)
            return mask
        found = np.zeros(len(self), np.bool_)
        for first, lines in zip(self._firsts, self._lines, strict=False):
            found[first : first + len(lines)] = lines.containing(word)
        for scene in self._scenes:
            names = (scene["key"], scene["en"], scene["zh"], *scene["aliases"].split(", "))
            places = self._places["scene:"].get(scene["key"])
            if places is not None and any(word in fold_text(name) for name in names if name):
                found[places] = True
        texts = ("name", "description_en", "description_zh", "vendor")
        for number, subset in enumerate(self._subsets):
            if any(word in fold_text(subset[name]) for name in texts if subset[name]):
                found[self._firsts[number] : self._firsts[number + 1]] = True
        return found

    def facets(self, wanted: Filter) -> dict[str, dict[str, int]]:
        """Return the number of samples for each value of each facet.

        The numbers of a facet are those of the samples that the rest of the filter selects, so
        that they say what another choice would show. Values without samples are left out.
        """
        import numpy as np

        masks = self._masks(wanted)
        phase, subset, rule, people = (
            self._all_of(masks, name) for name in ("phase", "subset", "rule", "people")
        )
        found = {
            "scene": self._scene_counts(people, wanted.persons),
            "persons": {
                value: _count(people & self._people(wanted.scenes, (value,))) for value in PERSONS
            },
            "phase": {
                str(name): _count(phase & (self._phase == code)) for code, name in enumerate(Phase)
            },
            "subset": {
                str(one["name"]): _count(subset[self._firsts[number] : self._firsts[number + 1]])
                for number, one in enumerate(self._subsets)
            },
            "rule": {
                name: _count(np.take(rule, places))
                for name, places in self._places["rule:"].items()
            },
        }
        return {
            facet: {value: count for value, count in counts.items() if count}
            for facet, counts in found.items()
        }

    def _scene_counts(self, others: "Mask", persons: Sequence[str]) -> dict[str, int]:
        """Return the number of samples of each scene, with the persons that are selected in it."""
        import numpy as np

        codes = [PERSONS.index(value) for value in persons]
        counts = {}
        for scene in self._scenes:
            places = self._places_of(scene["key"], codes)
            if places is None:
                continue
            # A sample that is single and multi in one scene has two neighboring places.
            is_counted = np.take(others, places)
            is_counted[1:] &= places[1:] != places[:-1]
            counts[str(scene["key"])] = _count(is_counted)
        return counts

    def split(self, place: int) -> tuple[int, int]:
        """Return the number of the subset of a place, in the order of names, and the rest."""
        import numpy as np

        subset = int(np.searchsorted(self._firsts, place, "right")) - 1
        return subset, place - int(self._firsts[subset])


def _count(mask: "Mask") -> int:
    import numpy as np

    return int(np.count_nonzero(mask))


def _is_one_of(values: "npt.NDArray[np.uint8]", codes: Sequence[int]) -> "Mask":
    """Return for each small number whether it is one of some codes."""
    import numpy as np

    table = np.zeros(256, np.bool_)
    table[list(codes)] = True
    found: Mask = np.take(table, values)
    return found
