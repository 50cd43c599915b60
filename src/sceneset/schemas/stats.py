"""Statistics of a group of samples: of a split row, a subset, or the whole set."""

from sceneset.schemas.base import Model
from sceneset.schemas.names import SplitFile, SubsetNameText
from sceneset.schemas.terms import Kind, Persons, Phase

Rgb = tuple[float, float, float]
"""R, G, B on a scale of 0 to 1, rounded to 12 digits."""


class Colour(Model):
    """Three answers to "the colour mean and deviation", each named for what it is.

    Deviations are those of the population (divided by n).
    """

    pooled_mean: Rgb
    """Mean over all pixels of all images. This pair belongs in a training config."""
    pooled_std: Rgb
    """Standard deviation over all pixels of all images."""
    image_mean: Rgb
    """Mean of the images' own means: each image counts the same, large or small."""
    image_std: Rgb
    """Mean of the images' own standard deviations."""
    std_of_image_means: Rgb
    """Standard deviation of the images' own means: how much images differ from each other."""


class Sizes(Model):
    """Image sizes as (width, height) in pixels."""

    distinct: int
    smallest: tuple[int, int]
    """The one of the smallest area."""
    largest: tuple[int, int]
    commonest: tuple[int, int]
    """The one most images have; of several, the smallest."""


class Foreground(Model):
    """How much of the picture is person, as a share of all pixels."""

    pooled: float
    """Person pixels over all pixels."""
    image_mean: float
    """Mean of the images' own shares."""
    ignored: float
    """Pixels of value 255 over all pixels."""
    without_person: int
    """Images whose mask shows no person."""


class Numbers(Model):
    """The statistics of one group; the last three are missing where it holds no image."""

    images: int
    boxes: int | None = None
    sizes: Sizes | None = None
    colour: Colour | None = None
    foreground: Foreground | None = None


class RowStats(Model):
    """A row of a scene table with its numbers."""

    scene: str
    persons: Persons | None = None
    phase: Phase
    file: SplitFile | None = None
    numbers: Numbers


class SubsetStats(Model):
    """registry/stats/<subset>.yaml."""

    subset: SubsetNameText
    kind: Kind
    samples: dict[Phase, int]
    """Samples of each phase."""
    numbers: Numbers
    """Over all phases."""
    rows: tuple[RowStats, ...]
    """In the order of the document's table."""


class SetStats(Model):
    """registry/stats/dataset.yaml: the union of all subsets."""

    subsets: int
    samples: dict[Phase, int]
    numbers: Numbers
    rows: tuple[RowStats, ...]
    """One for each scene, persons and phase, over all subsets."""
