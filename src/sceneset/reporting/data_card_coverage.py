"""What samples cover: scenes, phases, numbers of persons, sources.

Data cards count the tags of a state with it, and exports the samples that they hold.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase

PERSONS = ("single", "multi", "mixed", None)
"""What is known of the number of persons of a sample; None is nothing."""


@dataclass
class Coverage:
    """Numbers of samples by what they show."""

    phases: Counter[str] = field(default_factory=Counter)
    """By phase."""
    scenes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By scene key and phase; a sample counts in each of its scenes."""
    persons: Counter[str | None] = field(default_factory=Counter)
    """By what PERSONS lists."""
    without_scene: int = 0
    without_source: int = 0

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.phases.total()

    def add(
        self,
        phase: str,
        scenes: Collection[str],
        persons: str | None,
        count: int = 1,
        *,
        has_source: bool,
    ) -> None:
        """Add ``count`` samples that agree in all of these."""
        self.phases[phase] += count
        self.persons[persons] += count
        for scene in scenes:
            self.scenes[scene, phase] += count
        self.without_scene += 0 if scenes else count
        self.without_source += 0 if has_source else count

    def add_tags(self, tags: Iterable[Tag]) -> None:
        """Add samples by their tags; even a million have few different values."""
        examples: dict[tuple[object, ...], Tag] = {}
        counts: Counter[tuple[object, ...]] = Counter()
        for tag in tags:
            key = (tag.phase, tag.scenes, tag.persons, bool(tag.source))
            examples.setdefault(key, tag)
            counts[key] += 1
        for values, tag in examples.items():
            scenes = {scene for scene, _ in tag.scenes}
            has_source = bool(tag.source)
            self.add(
                str(tag.phase), scenes, tag.persons_summary, counts[values], has_source=has_source
            )

    def of_scene(self, scene: str) -> dict[Phase, int]:
        """Return the number of samples of a scene in each phase."""
        return {phase: self.scenes[scene, str(phase)] for phase in Phase}
