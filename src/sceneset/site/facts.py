"""Facts about a group of samples that pages draw: counts, sizes, colors, shares, positions.

Facts of parts add up to the facts of the whole, so that a scene is counted subset by subset.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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


_BLOCK = 4096  # grids that are added up at a time


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

    @classmethod
    def of(
        cls,
        samples: Sequence[ShownSample],
        persons: Iterable[Iterable[Persons | None]],
        grids: Mapping[OutlineKey, bytes],
    ) -> "Facts":
        """Count samples.

        Args:
            samples: The samples.
            persons: The values of each sample in this group.
            grids: Of drawn masks.
        """
        tags = [sample.tag for sample in samples]
        boxes = [tag.boxes for tag in tags]
        person = np.array([sample.person for sample in samples], np.int64)
        pixels = np.array([sample.width * sample.height for sample in samples], np.int64)
        colours = np.array([sample.colour for sample in samples], np.int64).reshape(-1, 3)
        red, green, blue = colours.sum(0).tolist()
        shares = np.searchsorted(SHARE_EDGES[1:-1], person / pixels, side="right")
        means = (colours.sum(1) / (3 * 255 * pixels) * MEAN_BINS).astype(np.int64)
        brightness = np.bincount(np.minimum(means, MEAN_BINS - 1), minlength=MEAN_BINS)
        drawn = [grids[sample.files.outline] for sample in samples if sample.files.outline in grids]
        return cls(
            images=len(samples),
            boxes=None if None in boxes else sum(filter(None, boxes)),
            counts=Counter(
                (value, tag.phase)
                for tag, values in zip(tags, persons, strict=True)
                for value in set(values)
            ),
            phases=Counter(tag.phase for tag in tags),
            sizes=Counter((sample.width, sample.height) for sample in samples),
            shares=np.bincount(shares, minlength=len(SHARE_EDGES) - 1).tolist(),
            brightness=brightness.tolist(),
            person=int(person.sum()),
            pixels=int(pixels.sum()),
            colour=(red, green, blue),
            empty=int((person == 0).sum()),
            grid=_sum_of(drawn),
            drawn=len(drawn),
        )

    def merge(self, other: "Facts") -> None:
        """Add the facts of other samples."""
        self.images += other.images
        if self.boxes is None or other.boxes is None:
            self.boxes = None
        else:
            self.boxes += other.boxes
        self.counts.update(other.counts)
        self.phases.update(other.phases)
        self.sizes.update(other.sizes)
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


def _sum_of(grids: Sequence[bytes]) -> "Grid | None":
    """Return the sums of the cells of grids; None if there is no grid."""
    total = None
    for start in range(0, len(grids), _BLOCK):
        some = grids[start : start + _BLOCK]
        cells = np.frombuffer(b"".join(some), np.uint8).reshape(len(some), -1)
        part = cells.sum(0, dtype=np.int64)
        total = part if total is None else total + part
    return total


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
    shown = list(samples)
    by_scene: dict[str, dict[int, list[Persons | None]]] = {}
    for place, sample in enumerate(shown):
        for scene, persons in sample.tag.memberships:
            by_scene.setdefault(scene, {}).setdefault(place, []).append(persons)
    return SubsetFacts(
        Facts.of(shown, [persons_of(sample.tag) for sample in shown], grids),
        {
            scene: Facts.of([shown[place] for place in places], places.values(), grids)
            for scene, places in by_scene.items()
        },
    )
