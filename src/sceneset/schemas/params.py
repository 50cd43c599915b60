"""The model of params.yaml: the registered subsets and the settings of the stages."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from sceneset.schemas.base import Model
from sceneset.schemas.names import SubsetNameText
from sceneset.schemas.rules import RULES, Freedom, Severity, find_rule
from sceneset.schemas.selection import NamedSelection, SelectionName
from sceneset.schemas.targets import Targets

Algorithm = Annotated[int, Field(ge=1)]


class Algorithms(Model):
    """Version number of the algorithm of each stage.

    A stage runs again when its number changes. Increase a number only when the results of the
    stage change; a change of its source code alone does not require new results.
    """

    scan: Algorithm = 7
    check: Algorithm = 4
    splits: Algorithm = 1
    stats: Algorithm = 1
    manifest: Algorithm = 1
    leakage: Algorithm = 5
    card: Algorithm = 4


RAISE_MAX_BYTES = "if the file is correct, raise limits.max_bytes in params.yaml"
"""Hint for files that exceed the limit."""


class Limits(Model):
    """Limits of files and images, checked before a file is decoded."""

    max_pixels: Annotated[int, Field(ge=1, le=170_000_000)] = 80_000_000
    """Largest allowed number of pixels of an image or mask. Pillow opens none above 179 million."""
    min_side: Annotated[int, Field(ge=1)] = 8
    """Smallest allowed length of the shorter side of an image or mask, in pixels."""
    max_bytes: Annotated[int, Field(ge=1)] = 268_435_456
    """Largest allowed size of an image or mask file, in bytes."""


Bits = Annotated[int, Field(ge=0, le=14)]


class LeakageParams(Model):
    """Distances of perceptual hashes up to which two images count as related.

    The distance of two 64-bit hashes is the number of bits in which they differ.
    """

    near: Bits = 8
    """Up to this distance between a held-out and a training image, leak-near is reported."""
    review: Bits = 10
    """Up to this distance, leak-review is reported if the PDQ hashes are also close."""
    second: Annotated[int, Field(ge=0, le=256)] = 100
    """Largest distance of two 256-bit PDQ hashes that are close, in bits; see review."""


Share = Annotated[float, Field(ge=0, le=1)]


class MaskParams(Model):
    """Thresholds of the rules on masks."""

    max_ignore: Share = 0.3
    """Above this share of pixels with value 255, mask-ignored is reported."""
    min_part: Share = 0.0001
    """A part of the mask below this share of the image is a speck (mask-specks)."""
    min_hole: Share = 0.0001
    """A hole below this share of the image is reported (mask-holes)."""
    max_straight: Share = 0.5
    """Above this share of long straight edges in the outline, mask-coarse is reported."""
    min_contrast: Annotated[int, Field(ge=0, le=255)] = 8
    """Below this range of green values (0-255) under the mask, mask-on-nothing is reported."""


class KindParams(Model):
    """Thresholds of the rules on full and crop subsets."""

    min_person: Share = 0.02
    """Full subsets: below this share of person pixels in the image, person-small is reported."""
    min_main: Share = 0.5
    """Full subsets: if the largest part of a single person has less than this share of the
    person's pixels, person-scattered is reported."""
    max_overlap: Share = 0.1
    """Crop subsets: if two crops of one original share more than this part of the smaller crop,
    crop-overlap is reported."""


class CropParams(Model):
    """What `sceneset crop` cuts; options of the command change these for one run."""

    grow: Annotated[float, Field(ge=0, le=4)] = 0.1
    """How far each side of a box is moved outwards, as a share of the box's width or height."""
    max_iou: Share = 0.0
    """People whose boxes have a larger intersection over union are not separate."""
    min_gap: Annotated[int, Field(ge=0)] = 0
    """People whose boxes are less than this apart are not separate, in pixels; 0 allows boxes that
    touch."""
    min_side: Annotated[int, Field(ge=1)] = 32
    """Boxes with a shorter side are not cut, in pixels of the original."""
    min_score: Share = 0.5
    """Boxes with a lower score are left out. Boxes without a score are used."""


class DriftParams(Model):
    """Changes of a scene since the last version above which `release` requires notes."""

    images: Annotated[float, Field(ge=0)] | None = None
    """Change of the number of images, as a share of the number before: 0.5 is half."""
    colour: Share | None = None
    """Change of the mean of R, G or B, which are between 0 and 1."""
    size: Annotated[float, Field(ge=0)] | None = None
    """Change of the area of the most frequent image size, as a share of the area before."""
    person: Share | None = None
    """Change of the share of person pixels, which is between 0 and 1."""


class RuleSetting(StrEnum):
    """The severity of a rule in this registry."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"


class Params(Model):
    """The file params.yaml: the registered subsets and the settings of the stages."""

    subsets: tuple[SubsetNameText, ...] = ()
    """Names of the registered subsets; dvc.yaml has a scan and a splits stage for each."""
    renamed: dict[SubsetNameText, SubsetNameText] = Field(default_factory=dict)
    """Present names of renamed subsets, by their former names, which look-ups accept too."""
    algorithms: Algorithms = Algorithms()
    """Version number of the algorithm of each stage."""
    limits: Limits = Limits()
    """Limits of files and images, checked before a file is decoded."""
    leakage: LeakageParams = LeakageParams()
    """Distances of perceptual hashes up to which two images count as related, in bits."""
    masks: MaskParams = MaskParams()
    """Thresholds of the rules on masks; shares are between 0 and 1."""
    kinds: KindParams = KindParams()
    """Thresholds of the rules on full and crop subsets; shares are between 0 and 1."""
    crops: CropParams = CropParams()
    """What `sceneset crop` cuts: how much boxes grow, and when people are separate."""
    drift: DriftParams = DriftParams()
    """Changes of a scene since the last version above which `release` requires notes."""
    targets: Targets = Targets()
    """Numbers of different images that `sceneset plan` wants of each scene."""
    rules: dict[str, RuleSetting] = Field(default_factory=dict)
    """Severities that differ from the default, by rule code: error, warning, note or off."""
    selections: dict[SelectionName, NamedSelection] = Field(default_factory=dict)
    """Selections of samples, by name; a name can be used wherever a scene can."""

    @field_validator("selections", mode="before")
    @classmethod
    def _read_no_selections(cls, value: object) -> object:
        # `outdoor:` without fields selects everything.
        if isinstance(value, dict):
            return {name: {} if fields is None else fields for name, fields in value.items()}
        return {} if value is None else value

    @field_validator("drift", "targets", mode="before")
    @classmethod
    def _read_no_values(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("subsets", mode="before")
    @classmethod
    def _read_empty_list(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("renamed", mode="before")
    @classmethod
    def _read_no_names(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("rules", mode="before")
    @classmethod
    def _read_settings(cls, value: object) -> object:
        # YAML reads an unquoted off as false.
        if isinstance(value, dict):
            return {code: "off" if setting is False else setting for code, setting in value.items()}
        return {} if value is None else value

    @field_validator("rules")
    @classmethod
    def _check_codes(cls, rules: dict[str, RuleSetting]) -> dict[str, RuleSetting]:
        for code in rules:
            if find_rule(code).freedom is not Freedom.SET:
                raise ValueError(f"{code} can't be set; `sceneset rules {code}` explains why")
        return rules

    def severity(self, code: str) -> Severity | None:
        """Return the severity of a rule in this registry, or None if the rule is off."""
        setting = self.rules.get(code, RULES[code].severity)
        return None if setting == RuleSetting.OFF else Severity(setting)

    @model_validator(mode="after")
    def _subsets_are_unique(self) -> Self:
        seen: set[str] = set()
        for name in self.subsets:
            if name.casefold() in seen:
                raise ValueError(f"{name!r} is listed twice (or differs only in case)")
            seen.add(name.casefold())
        return self
