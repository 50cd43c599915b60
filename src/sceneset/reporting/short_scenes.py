"""Scenes that need samples, compared with the other scenes of the registry.

The catalogue and `sceneset plan` name them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

from sceneset.schemas.scene import Scene, Vocabulary
from sceneset.schemas.terms import Phase

FEW = 4
"""A scene is short of samples with less than the FEWth part of the median scene."""


@dataclass
class ShortScenes:
    """Scenes that need samples."""

    missing: list[Phase]
    """Phases in which no scene has a sample."""
    without: dict[Phase, list[Scene]]
    """Scenes with samples, but none in a phase in which others have some."""
    few: list[tuple[Scene, int]]
    """Scenes with few samples, the fewest first."""
    median: int
    """Number of samples of the median scene."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.without or self.few)


def find_short_scenes(
    vocabulary: Vocabulary, counts: Mapping[str, Mapping[Phase, int]]
) -> ShortScenes:
    """Return the scenes that need samples. Scenes without any sample are not among them.

    Args:
        vocabulary: All scenes.
        counts: The number of samples of each scene in each phase; a scene without samples is left
            out.
    """
    phases_of = {key: phases for key, phases in counts.items() if any(phases.values())}
    used = [scene for scene in vocabulary.scenes if scene.key in phases_of]
    missing = [p for p in Phase if used and not any(phases_of[s.key].get(p) for s in used)]
    without = {}
    for phase in Phase:
        gaps = [scene for scene in used if not phases_of[scene.key].get(phase)]
        if gaps and phase not in missing:
            without[phase] = gaps
    sizes = {scene.key: sum(phases_of[scene.key].values()) for scene in used}
    middle = median_low(sizes.values()) if sizes else 0
    few = [(scene, sizes[scene.key]) for scene in used if FEW * sizes[scene.key] < middle]
    few.sort(key=lambda pair: pair[1])
    return ShortScenes(missing, without, few, middle)
