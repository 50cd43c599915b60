"""The names of the samples that pages show, kept compressed: a registry can have ten million."""

import zlib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple, Self

from sceneset.schemas.tag import Tag


class SampleName(NamedTuple):
    """Identifies a sample."""

    subset: str
    phase: str
    stem: str

    @property
    def key(self) -> str:
        """The sample within its subset, as "phase/stem"."""
        return f"{self.phase}/{self.stem}"

    def __str__(self) -> str:
        return "/".join(self)


class SampleKeys(NamedTuple):
    """The shown samples of a subset in the order of its data file, as "phase/stem"."""

    packed: bytes = b""
    number: int = 0

    @classmethod
    def of(cls, tags: Iterable[Tag]) -> Self:
        """Return the keys of samples in this order."""
        keys = [f"{tag.phase}/{tag.stem}" for tag in tags]
        return cls(zlib.compress("\n".join(keys).encode(), 1), len(keys))

    def places(self) -> dict[str, int]:
        """Return the place of each sample in the data file of the subset."""
        if not self.number:
            return {}
        keys = zlib.decompress(self.packed).decode().split("\n")
        return {key: place for place, key in enumerate(keys)}


def shown_among(
    names: Iterable[SampleName], shown: Mapping[str, SampleKeys]
) -> frozenset[SampleName]:
    """Return those samples that pages show; the keys of one subset are in memory at a time.

    Args:
        names: Any samples.
        shown: The samples that pages show, by subset.
    """
    by_subset: dict[str, set[SampleName]] = {}
    for name in names:
        if name.subset in shown:
            by_subset.setdefault(name.subset, set()).add(name)
    found: set[SampleName] = set()
    for subset, wanted in by_subset.items():
        places = shown[subset].places()
        found.update(name for name in wanted if name.key in places)
    return frozenset(found)


def runs(places: Iterable[int]) -> list[int]:
    """Return the start and the length of each run of consecutive numbers, one after the other.

    Args:
        places: Different numbers, ascending.
    """
    numbers = list(places)
    if not numbers:
        return []
    ends = [n for n, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1]
    found: list[int] = []
    for start, end in zip([0, *ends], [*ends, len(numbers)], strict=True):
        found += [numbers[start], end - start]
    return found
