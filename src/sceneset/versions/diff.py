"""What changed between two states of a registry, told by content: no blob is needed.

An image is known by its hash, so a sample that got another name is one rename and not one sample
lost and one gained.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from sceneset.catalog.query import content_hashes
from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.stats import RowStats, SetStats
from sceneset.storage.yaml_files import load


class Step(StrEnum):
    """How far a version number must move."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


class Kind(StrEnum):
    """What happened to a sample."""

    ADDED = "added"
    REMOVED = "removed"
    MOVED = "moved"
    """To another subset or phase."""
    RENAMED = "renamed"
    MASK = "mask"
    """Its mask is another one."""
    SCENES = "scenes"
    """It stands in other scenes, or as single instead of multi."""


STEPS = {
    Kind.REMOVED: Step.MAJOR,
    Kind.MASK: Step.MAJOR,
    Kind.MOVED: Step.MAJOR,
    Kind.ADDED: Step.MINOR,
    Kind.RENAMED: Step.MINOR,
    Kind.SCENES: Step.MINOR,
}
"""The least step each change asks for: what a training run may have used is gone, or is more."""


class Place(NamedTuple):
    """Where a sample stands."""

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
    """One change of one sample; ``old`` or ``new`` is None where it was or is not there."""

    kind: Kind
    old: Sample | None
    new: Sample | None

    @property
    def sample(self) -> Sample:
        """The sample as it is, or as it was where it is gone."""
        found = self.new or self.old
        assert found is not None, "a change has a sample before or after"
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the change as `diff --json` prints it."""
        return {
            "change": self.kind,
            "old": self.old._asdict() | {"place": str(self.old.place)} if self.old else None,
            "new": self.new._asdict() | {"place": str(self.new.place)} if self.new else None,
        }


@dataclass
class Diff:
    """All changes from one state to another."""

    changes: list[Change] = field(default_factory=list)
    subsets_added: list[str] = field(default_factory=list)
    subsets_removed: list[str] = field(default_factory=list)
    scenes_added: list[str] = field(default_factory=list)
    scenes_removed: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Number of changes of each kind, all kinds named."""
        found = Counter(change.kind for change in self.changes)
        return {kind.value: found[kind] for kind in Kind}

    @property
    def step(self) -> Step:
        """The least step of the version number that the changes ask for."""
        steps = {STEPS[change.kind] for change in self.changes}
        if self.subsets_removed or self.scenes_removed:
            steps.add(Step.MAJOR)
        if self.subsets_added or self.scenes_added:
            steps.add(Step.MINOR)
        return next((step for step in Step if step in steps), Step.PATCH)


def samples_of(catalog: Catalog) -> Iterator[Sample]:
    """Yield every sample of a state."""
    read = catalog.each(lambda name: (name, catalog.tags(name), content_hashes(catalog, name)))
    for name, tags, hashes in read:
        for tag in tags:
            image, mask = hashes[tag.key]
            scenes = sorted(f"{scene}:{p}" if p else scene for scene, p in tag.memberships)
            yield Sample(Place(name, tag.phase, tag.stem), image, mask, tuple(scenes))


def compare(old: Catalog, new: Catalog) -> Diff:
    """Return what changed from ``old`` to ``new``, samples sorted by kind and place."""
    before, after = list(samples_of(old)), list(samples_of(new))
    scenes = [{row.scene for name in r.names for row in r.entry(name).splits} for r in (old, new)]
    return Diff(
        changes=sorted(_changes(before, after), key=_order),
        subsets_added=sorted(set(new.names) - set(old.names)),
        subsets_removed=sorted(set(old.names) - set(new.names)),
        scenes_added=sorted(scenes[1] - scenes[0]),
        scenes_removed=sorted(scenes[0] - scenes[1]),
    )


def _order(change: Change) -> tuple[int, Place]:
    return list(Kind).index(change.kind), change.sample.place


def _changes(before: Iterable[Sample], after: Iterable[Sample]) -> Iterator[Change]:
    by_image: dict[str, tuple[list[Sample], list[Sample]]] = defaultdict(lambda: ([], []))
    for side, samples in enumerate((before, after)):
        for sample in samples:
            by_image[sample.image][side].append(sample)
    for olds, news in by_image.values():
        for old, new in _matched(olds, news):
            yield from _changes_of(old, new)


def _matched(
    olds: Sequence[Sample], news: Sequence[Sample]
) -> Iterator[tuple[Sample | None, Sample | None]]:
    """Pair samples of one image: those that stayed, those that kept their mask, then the rest."""
    left, right = list(olds), list(news)
    keys: tuple[Callable[[Sample], object], ...] = (
        lambda sample: sample.place,
        lambda sample: sample.mask,
        lambda sample: sample.image,
    )
    for same in keys:
        for old in tuple(left):
            new = next((new for new in right if same(new) == same(old)), None)
            if new is not None:
                left.remove(old)
                right.remove(new)
                yield old, new
    yield from ((old, None) for old in left)
    yield from ((None, new) for new in right)


def _changes_of(old: Sample | None, new: Sample | None) -> Iterator[Change]:
    if old is None or new is None:
        yield Change(Kind.ADDED if old is None else Kind.REMOVED, old, new)
        return
    if old.place[:2] != new.place[:2]:
        yield Change(Kind.MOVED, old, new)
    elif old.place != new.place:
        yield Change(Kind.RENAMED, old, new)
    if old.mask != new.mask:
        yield Change(Kind.MASK, old, new)
    if old.scenes != new.scenes:
        yield Change(Kind.SCENES, old, new)


class Drift(NamedTuple):
    """How a scene's numbers moved; None where one of the states has no statistics of it."""

    scene: str
    persons: str | None
    phase: str
    images: tuple[int, int]
    colour: float | None
    """Largest move of the pooled mean of R, G or B, on a scale of 0 to 1."""
    foreground: float | None
    """Move of the share of person pixels."""


def drifts(old: Catalog, new: Catalog) -> list[Drift]:
    """Return every scene whose numbers moved, from the statistics of both states."""
    before, after = _rows(old), _rows(new)
    found = []
    for key in {**before, **after}:
        one, two = before.get(key), after.get(key)
        images = (one.numbers.images if one else 0, two.numbers.images if two else 0)
        colour = foreground = None
        if one and two and one.numbers.colour and two.numbers.colour:
            pairs = zip(one.numbers.colour.pooled_mean, two.numbers.colour.pooled_mean, strict=True)
            colour = round(max(abs(b - a) for a, b in pairs), 12)
        if one and two and one.numbers.foreground and two.numbers.foreground:
            foreground = two.numbers.foreground.pooled - one.numbers.foreground.pooled
        if images[0] != images[1] or colour or foreground:
            found.append(Drift(*key, images, colour, foreground))
    return found


def _rows(catalog: Catalog) -> dict[tuple[str, str | None, str], RowStats]:
    path = catalog.paths.stats / "dataset.yaml"
    try:
        stats = load(path, SetStats, catalog.paths.shown(path))
    except FindingsError:
        return {}  # statistics come from `dvc repro`; samples can be compared without
    return {(row.scene, row.persons, row.phase): row for row in stats.rows}
