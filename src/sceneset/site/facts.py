"""Facts about a group of samples that pages draw: counts, sizes, colors, shares, positions.

Facts of parts add up to the facts of the whole, so that a scene is counted subset by subset.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from sceneset.catalog.split_selection import persons_of
from sceneset.schemas.terms import Persons, Phase
from sceneset.site.samples import ShownSample
from sceneset.storage.picture_store import OutlineKey

if TYPE_CHECKING:
    import numpy.typing as npt

    Grid = npt.NDArray[np.int64]

SHARE_EDGES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
"""Edges of the bins of ``Facts.shares``: shares of person pixels."""
MEAN_BINS = 16
"""Bins of ``Facts.brightness``, of the mean of all values of an image, 0 to 1."""


@dataclass
class Facts:
    """What is counted."""

    images: int = 0
    boxes: int | None = 0
    """Number of detection boxes; None if a sample has no number."""
    counts: Counter[tuple[Persons | None, Phase]] = field(default_factory=Counter)
    """Number of samples by persons and phase; one with both is counted in both."""
    phases: Counter[Phase] = field(default_factory=Counter)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Number of images of each width and height, as shown."""
    shares: list[int] = field(default_factory=lambda: [0] * (len(SHARE_EDGES) - 1))
    """Number of images in each bin of SHARE_EDGES."""
    brightness: list[int] = field(default_factory=lambda: [0] * MEAN_BINS)
    person: int = 0
    """Number of person pixels."""
    pixels: int = 0
    colour: tuple[int, int, int] = (0, 0, 0)
    """Sums of the R, G and B values of all pixels."""
    empty: int = 0
    """Number of images without person pixels."""
    grid: "Grid | None" = None
    """Sums of the grids of the drawn masks; see `sceneset.imaging.outline.Outline`."""
    drawn: int = 0
    """Number of masks in ``grid``."""

    def add(
        self, sample: ShownSample, persons: Iterable[Persons | None], grid: bytes | None
    ) -> None:
        """Count a sample.

        Args:
            sample: The sample.
            persons: Its values in this group.
            grid: The grid of its mask if that is drawn.
        """
        tag = sample.tag
        self.images += 1
        self.phases[tag.phase] += 1
        self.boxes = None if self.boxes is None or tag.boxes is None else self.boxes + tag.boxes
        self.counts.update((value, tag.phase) for value in set(persons))
        self.sizes[sample.width, sample.height] += 1
        self.shares[_bin(sample.share)] += 1
        pixels = sample.width * sample.height
        mean = sum(sample.colour) / (3 * 255 * pixels)
        self.brightness[min(MEAN_BINS - 1, int(mean * MEAN_BINS))] += 1
        self.person += sample.person
        self.pixels += pixels
        red, green, blue = self.colour
        self.colour = (
            red + sample.colour[0],
            green + sample.colour[1],
            blue + sample.colour[2],
        )
        self.empty += not sample.person
        if grid is not None:
            cells = np.frombuffer(grid, np.uint8).astype(np.int64)
            self.grid = cells if self.grid is None else self.grid + cells
            self.drawn += 1

    def merge(self, other: "Facts") -> None:
        """Add the facts of other samples."""
        self.images += other.images
        has_boxes = self.boxes is not None and other.boxes is not None
        self.boxes = self.boxes + other.boxes if has_boxes else None  # type: ignore[operator]
        for mine, theirs in (
            (self.counts, other.counts),
            (self.phases, other.phases),
            (self.sizes, other.sizes),
        ):
            mine.update(theirs)  # type: ignore[arg-type]
        self.shares = [a + b for a, b in zip(self.shares, other.shares, strict=True)]
        self.brightness = [a + b for a, b in zip(self.brightness, other.brightness, strict=True)]
        self.person += other.person
        self.pixels += other.pixels
        red, green, blue = (a + b for a, b in zip(self.colour, other.colour, strict=True))
        self.colour = (red, green, blue)
        self.empty += other.empty
        if other.grid is not None:
            self.grid = other.grid if self.grid is None else self.grid + other.grid
        self.drawn += other.drawn

    @property
    def mean_colour(self) -> tuple[float, float, float] | None:
        """Means of R, G and B over all pixels, 0 to 1."""
        if not self.pixels:
            return None
        red, green, blue = (total / (255 * self.pixels) for total in self.colour)
        return red, green, blue

    def position(self) -> list[list[float]]:
        """Return the mean share of person pixels in each cell of the frame, by rows; [] if none."""
        if self.grid is None:
            return []
        side = round(self.grid.size**0.5)
        shares: list[list[float]] = (self.grid / (255 * self.drawn)).reshape(side, side).tolist()
        return shares


def _bin(share: float) -> int:
    return next(
        (place for place, edge in enumerate(SHARE_EDGES[1:-1]) if share < edge),
        len(SHARE_EDGES) - 2,
    )


@dataclass
class SubsetFacts:
    """The facts of one subset."""

    whole: Facts = field(default_factory=Facts)
    scenes: dict[str, Facts] = field(default_factory=dict)
    """Facts of each scene that has samples, by key."""


def subset_facts(samples: Iterable[ShownSample], grids: Mapping[OutlineKey, bytes]) -> SubsetFacts:
    """Return the facts of a subset.

    Args:
        samples: Its samples.
        grids: Of drawn masks.
    """
    facts = SubsetFacts()
    for sample in samples:
        grid = grids.get(sample.files.outline)
        facts.whole.add(sample, persons_of(sample.tag), grid)
        by_scene: dict[str, list[Persons | None]] = {}
        for scene, persons in sample.tag.memberships:
            by_scene.setdefault(scene, []).append(persons)
        for scene, values in by_scene.items():
            facts.scenes.setdefault(scene, Facts()).add(sample, values, grid)
    return facts
