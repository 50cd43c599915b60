"""Pair the samples of two states that are the same sample, whatever changed about them.

A sample is known by its image file, by the lineage that `sceneset fix` leaves, by its picture, and,
in scans without pictures, by exact sums over its pixels.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from sceneset.catalog.lineage import lineage_components
from sceneset.schemas.lineage import LineageRow
from sceneset.versions.changed_samples import Pixels, Sample

Pair = tuple[Sample | None, Sample | None]
"""An old and a new sample; None if there is no such sample."""
PixelsOf = Callable[[Sequence[Sample]], Mapping[str, Pixels]]
"""Returns what identifies the pictures of some samples, by the content hash of the image."""


class Pairing:
    """The pairs of the differing samples of two states."""

    def __init__(self, before: Iterable[Sample], after: Iterable[Sample]) -> None:
        self.pairs: list[Pair] = []
        """The old and new sample of each pair, and at the end those without a partner."""
        self.old_pixels: Mapping[str, Pixels] = {}
        self.new_pixels: Mapping[str, Pixels] = {}
        self._before, self._after = list(before), list(after)

    def pair(
        self, lineage: Callable[[], Iterable[LineageRow]], old: PixelsOf, new: PixelsOf
    ) -> None:
        """Find all pairs.

        Args:
            lineage: Returns the lineage of both states; not called if all image files are known.
            old: Returns the pixels of old samples; not called either then.
            new: Returns the pixels of new samples.
        """
        self._pair_by(lambda sample: sample.image, lambda sample: sample.image)
        if self._before and self._after:
            component = lineage_components(lineage())
            self.old_pixels, self.new_pixels = old(self._before), new(self._after)
            self._pair_by(
                lambda sample: component.get(sample.image),
                lambda sample: component.get(sample.image),
            )
        for name in ("picture", "exact"):
            self._pair_by(
                partial(_part, self.old_pixels, name), partial(_part, self.new_pixels, name)
            )
        self.pairs += [(old_sample, None) for old_sample in self._before]
        self.pairs += [(None, new_sample) for new_sample in self._after]

    def is_same_picture(self, old: Sample, new: Sample) -> bool:
        """Return whether the two samples of a pair show the same picture."""
        if old.image == new.image:
            return True
        first, second = self.old_pixels.get(old.image), self.new_pixels.get(new.image)
        return bool(first and second and first.is_same(second))

    def _pair_by(
        self,
        old_key: Callable[[Sample], Hashable | None],
        new_key: Callable[[Sample], Hashable | None],
    ) -> None:
        """Pair the samples whose keys are equal; None and "" are no keys.

        Among samples of one key, those with the same place are paired first, then those with the
        same mask, then the rest.
        """
        groups: dict[Hashable, tuple[list[Sample], list[Sample]]] = defaultdict(lambda: ([], []))
        for side, (samples, key) in enumerate(((self._before, old_key), (self._after, new_key))):
            for sample in samples:
                if value := key(sample):
                    groups[value][side].append(sample)
        paired: tuple[set[int], set[int]] = (set(), set())
        for olds, news in groups.values():
            for old, new in _pairs(olds, news):
                self.pairs.append((old, new))
                paired[0].add(id(old))
                paired[1].add(id(new))
        self._before = [sample for sample in self._before if id(sample) not in paired[0]]
        self._after = [sample for sample in self._after if id(sample) not in paired[1]]


def _part(pixels: Mapping[str, Pixels], name: str, sample: Sample) -> Hashable | None:
    found = pixels.get(sample.image)
    return None if found is None else getattr(found, name)


def _pairs(olds: Sequence[Sample], news: Sequence[Sample]) -> Iterator[tuple[Sample, Sample]]:
    preferences: tuple[Callable[[Sample], object], ...] = (
        lambda sample: sample.place,
        lambda sample: sample.mask,
        lambda _: None,
    )
    unpaired_old, unpaired_new = list(olds), list(news)
    for key in preferences:
        if not unpaired_old or not unpaired_new:
            return
        waiting: dict[object, list[Sample]] = defaultdict(list)
        for new in reversed(unpaired_new):
            waiting[key(new)].append(new)
        left, taken = [], set()
        for old in unpaired_old:
            if candidates := waiting[key(old)]:
                new = candidates.pop()
                taken.add(id(new))
                yield old, new
            else:
                left.append(old)
        unpaired_old = left
        unpaired_new = [new for new in unpaired_new if id(new) not in taken]
