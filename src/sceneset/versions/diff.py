"""The differences between two states of a registry, computed from tables without any blob.

Images are identified by content hash, so a renamed sample is one rename, not one sample removed
and one added.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import content_hashes


class Step(StrEnum):
    """The part of a version number that must increase."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


class ChangeKind(StrEnum):
    """What happened to a sample."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    """Moved to another subset or phase."""
    RENAMED = "renamed"
    MASK = "mask"
    """Its mask has other content."""
    SCENES = "scenes"
    """It has other scenes, or is single instead of multi."""


STEPS = {
    ChangeKind.REMOVED: Step.MAJOR,
    ChangeKind.MASK: Step.MAJOR,
    ChangeKind.MOVED: Step.MAJOR,
    ChangeKind.ADDED: Step.MINOR,
    ChangeKind.RENAMED: Step.MINOR,
    ChangeKind.SCENES: Step.MINOR,
}
"""The smallest step that each change requires.

Major: a training run may have used data that is gone or different now. Minor: there is more data,
or the same data is described in another way.
"""


class Place(NamedTuple):
    """Identifies a sample."""

    subset: str
    phase: str
    stem: str

    def __str__(self) -> str:
        return "/".join(self)


class Sample(NamedTuple):
    """A sample in one state."""

    place: Place
    image: str
    mask: str
    scenes: tuple[str, ...]


class Change(NamedTuple):
    """One change of one sample; ``old`` is None if it was added, ``new`` if it was removed."""

    kind: ChangeKind
    old: Sample | None
    new: Sample | None

    @property
    def sample(self) -> Sample:
        """The sample after the change, or before it if the sample was removed."""
        sample = self.new or self.old
        assert sample is not None, "a change has an old or a new sample"
        return sample

    def as_json(self) -> dict[str, Any]:
        """Return the change in the format of `sceneset diff --json`."""
        return {
            "change": self.kind,
            "old": self.old._asdict() | {"place": str(self.old.place)} if self.old else None,
            "new": self.new._asdict() | {"place": str(self.new.place)} if self.new else None,
        }


@dataclass
class Diff:
    """All differences between two states."""

    changes: list[Change] = field(default_factory=list)
    subsets_added: list[str] = field(default_factory=list)
    subsets_removed: list[str] = field(default_factory=list)
    scenes_added: list[str] = field(default_factory=list)
    scenes_removed: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Number of changes of each kind, including kinds without changes."""
        counts = Counter(change.kind for change in self.changes)
        return {kind.value: counts[kind] for kind in ChangeKind}

    @property
    def step(self) -> Step:
        """The smallest step of the version number that the changes require."""
        steps = {STEPS[change.kind] for change in self.changes}
        if self.subsets_removed or self.scenes_removed:
            steps.add(Step.MAJOR)
        if self.subsets_added or self.scenes_added:
            steps.add(Step.MINOR)
        return next((step for step in Step if step in steps), Step.PATCH)


def read_samples(catalog: Catalog) -> Iterator[Sample]:
    """Yield every sample of a state."""
    subsets = catalog.each(lambda name: (name, catalog.tags(name), content_hashes(catalog, name)))
    for name, tags, hashes in subsets:
        for tag in tags:
            image, mask = hashes[tag.key]
            scenes = sorted(
                f"{scene}:{persons}" if persons else scene for scene, persons in tag.memberships
            )
            yield Sample(Place(name, tag.phase, tag.stem), image, mask, tuple(scenes))


def compare(old: Catalog, new: Catalog) -> Diff:
    """Return the differences from ``old`` to ``new``, changes sorted by kind and place."""
    before, after = list(read_samples(old)), list(read_samples(new))
    old_scenes, new_scenes = (
        {row.scene for name in state.names for row in state.entry(name).splits}
        for state in (old, new)
    )
    return Diff(
        changes=sorted(_changes(before, after), key=_sort_key),
        subsets_added=sorted(set(new.names) - set(old.names)),
        subsets_removed=sorted(set(old.names) - set(new.names)),
        scenes_added=sorted(new_scenes - old_scenes),
        scenes_removed=sorted(old_scenes - new_scenes),
    )


def _sort_key(change: Change) -> tuple[int, Place]:
    return list(ChangeKind).index(change.kind), change.sample.place


def _changes(before: Iterable[Sample], after: Iterable[Sample]) -> Iterator[Change]:
    by_image: dict[str, tuple[list[Sample], list[Sample]]] = defaultdict(lambda: ([], []))
    for side, samples in enumerate((before, after)):
        for sample in samples:
            by_image[sample.image][side].append(sample)
    for olds, news in by_image.values():
        for old, new in _pair(olds, news):
            yield from _changes_of(old, new)


def _pair(
    olds: Sequence[Sample], news: Sequence[Sample]
) -> Iterator[tuple[Sample | None, Sample | None]]:
    """Pair the old and new samples of one image.

    Samples with the same place are paired first, then those with the same mask, then the rest.
    """
    unpaired_old, unpaired_new = list(olds), list(news)
    keys: tuple[Callable[[Sample], object], ...] = (
        lambda sample: sample.place,
        lambda sample: sample.mask,
        lambda sample: sample.image,
    )
    for key in keys:
        for old in tuple(unpaired_old):
            new = next((new for new in unpaired_new if key(new) == key(old)), None)
            if new is not None:
                unpaired_old.remove(old)
                unpaired_new.remove(new)
                yield old, new
    yield from ((old, None) for old in unpaired_old)
    yield from ((None, new) for new in unpaired_new)


def _changes_of(old: Sample | None, new: Sample | None) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(ChangeKind.ADDED if old is None else ChangeKind.REMOVED, old, new)
        return
    if old.place[:2] != new.place[:2]:
        yield Change(ChangeKind.MOVED, old, new)
    elif old.place != new.place:
        yield Change(ChangeKind.RENAMED, old, new)
    if old.mask != new.mask:
        yield Change(ChangeKind.MASK, old, new)
    if old.scenes != new.scenes:
        yield Change(ChangeKind.SCENES, old, new)
