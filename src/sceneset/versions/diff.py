"""The differences between two states of a registry, computed from tables without any blob.

A sample is known by its image, its lineage and its picture, so a renamed sample is one rename, and
a sample without its former metadata is one change; neither is one sample removed and one added.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

from sceneset.catalog.lineage import read_all_lineages
from sceneset.catalog.reader import Catalog
from sceneset.versions.changed_samples import Place, Sample, changed_samples, pixels_of
from sceneset.versions.pairing import Pairing


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
    METADATA = "metadata"
    """Its image is another file that shows the same picture: only metadata or format changed."""
    IMAGE = "image"
    """Its image shows other pixels, but the lineage says that it is the same sample."""


_TEXTS = {ChangeKind.METADATA: "metadata changed", ChangeKind.IMAGE: "image changed"}

STEPS = {
    ChangeKind.REMOVED: Step.MAJOR,
    ChangeKind.MASK: Step.MAJOR,
    ChangeKind.MOVED: Step.MAJOR,
    ChangeKind.IMAGE: Step.MAJOR,
    ChangeKind.ADDED: Step.MINOR,
    ChangeKind.RENAMED: Step.MINOR,
    ChangeKind.SCENES: Step.MINOR,
    ChangeKind.METADATA: Step.PATCH,
}
"""The smallest step that each change requires.

Major: a training run may have used data that is gone or different now. Minor: there is more data,
or the same data is described in another way. Patch: a training run gives the same result.
"""


def change_text(kind: str) -> str:
    """Return a kind of change as tables and texts show it."""
    return _TEXTS.get(ChangeKind(kind), kind) if kind in set(ChangeKind) else kind


def counts_text(counts: Mapping[str, int]) -> str:
    """Return the number of changes of each kind that occurs, separated by commas."""
    return ", ".join(f"{count} {change_text(kind)}" for kind, count in counts.items() if count)


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


def compare(old: Catalog, new: Catalog) -> Diff:
    """Return the differences from ``old`` to ``new``, changes sorted by kind and place."""
    old_scenes, new_scenes = (
        {row.scene for name in state.names for row in state.entry(name).splits}
        for state in (old, new)
    )
    return Diff(
        changes=sorted(sample_changes(old, new), key=_sort_key),
        subsets_added=sorted(set(new.names) - set(old.names)),
        subsets_removed=sorted(set(old.names) - set(new.names)),
        scenes_added=sorted(new_scenes - old_scenes),
        scenes_removed=sorted(old_scenes - new_scenes),
    )


def _sort_key(change: Change) -> tuple[int, Place]:
    return list(ChangeKind).index(change.kind), change.sample.place


def sample_changes(old: Catalog, new: Catalog) -> Iterator[Change]:
    """Yield the changes of samples from ``old`` to ``new``, in no special order."""
    pairing = Pairing(*changed_samples(old, new))
    pairing.pair(
        lambda: chain(read_all_lineages(old.paths), read_all_lineages(new.paths)),
        partial(pixels_of, old),
        partial(pixels_of, new),
    )
    for before, after in pairing.pairs:
        if before is None or after is None:
            kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED
            yield Change(kind, before, after)
            continue
        if before.place[:2] != after.place[:2]:
            yield Change(ChangeKind.MOVED, before, after)
        elif before.place != after.place:
            yield Change(ChangeKind.RENAMED, before, after)
        if before.image != after.image:
            is_same = pairing.is_same_picture(before, after)
            yield Change(ChangeKind.METADATA if is_same else ChangeKind.IMAGE, before, after)
        if before.mask != after.mask:
            yield Change(ChangeKind.MASK, before, after)
        if before.scenes != after.scenes:
            yield Change(ChangeKind.SCENES, before, after)
