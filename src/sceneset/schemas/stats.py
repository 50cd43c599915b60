"""Statistics of a group of samples: one split row, one subset, or all subsets."""

from sceneset.schemas.base import Model
from sceneset.schemas.names import SplitFile, SubsetNameText
from sceneset.schemas.terms import Kind, Persons, Phase

Rgb = tuple[float, float, float]
"""Values of the R, G and B channel between 0 and 1, rounded to 12 digits."""


class Colour(Model):
    """Colour mean and standard deviation, each computed in several ways.

    Published figures are often ambiguous about which one they mean. All standard deviations are
    population standard deviations (divided by n).
    """

    pooled_mean: Rgb
    """Mean over all pixels of all images. Use this and pooled_std in a training config."""
    pooled_std: Rgb
    """Standard deviation over all pixels of all images."""
    image_mean: Rgb
    """Mean of the mean of each image: every image has the same weight, whatever its size."""
    image_std: Rgb
    """Mean of the standard deviation of each image."""
    std_of_image_means: Rgb
    """Standard deviation of the mean of each image: how much the images differ."""


class Sizes(Model):
    """Image sizes as (width, height) in pixels."""

    distinct: int
    """Number of different sizes."""
    smallest: tuple[int, int]
    """The size with the smallest area."""
    largest: tuple[int, int]
    """The size with the largest area."""
    commonest: tuple[int, int]
    """The most frequent size; if several are, the smallest of them."""


class Foreground(Model):
    """Share of the pixels that show a person, between 0 and 1."""

    pooled: float
    """Person pixels divided by all pixels, over all images."""
    image_mean: float
    """Mean of the share of each image."""
    ignored: float
    """Ignored pixels (value 255) divided by all pixels, over all images."""
    without_person: int
    """Number of images with an empty mask."""


class GroupStats(Model):
    """Statistics of one group of samples; an empty group has no sizes, colour or foreground."""

    images: int
    """Number of images."""
    boxes: int | None = None
    """Number of detection boxes, if the tags give it."""
    sizes: Sizes | None = None
    """Sizes of the images."""
    colour: Colour | None = None
    """Colour mean and standard deviation."""
    foreground: Foreground | None = None
    """Share of person pixels."""


class RowStats(Model):
    """Statistics of one row of a scene table."""

    scene: str
    """Scene key, or "total" for all samples of the phase."""
    persons: Persons | None = None
    """single or multi, or null for both."""
    phase: Phase
    """train, val or test."""
    file: SplitFile | None = None
    """Name of the split file."""
    numbers: GroupStats
    """Statistics of the samples that the row selects."""


class SubsetStats(Model):
    """The file registry/stats/<subset>.yaml: statistics of one subset."""

    subset: SubsetNameText
    """Name of the subset."""
    kind: Kind
    """full or crop."""
    samples: dict[Phase, int]
    """Number of samples in each phase."""
    numbers: GroupStats
    """Statistics of all samples of the subset."""
    rows: tuple[RowStats, ...]
    """Statistics of each row of the scene table, in the order of the document's table."""


class SetStats(Model):
    """The file registry/stats/dataset.yaml: statistics of all subsets together."""

    subsets: int
    """Number of subsets."""
    samples: dict[Phase, int]
    """Number of samples in each phase."""
    numbers: GroupStats
    """Statistics of all samples."""
    rows: tuple[RowStats, ...]
    """Statistics of each combination of scene, persons and phase, over all subsets."""
