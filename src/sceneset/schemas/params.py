"""params.yaml: which subsets the registry lists, and the settings of its stages."""

import difflib
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from sceneset.schemas.base import Model
from sceneset.schemas.names import SubsetNameText
from sceneset.schemas.rules import RULES, Freedom, Severity

Algorithm = Annotated[int, Field(ge=1)]


class Algorithms(Model):
    """What each stage computes, as a number: a stage runs again when its number changes."""

    scan: Algorithm = 4
    check: Algorithm = 2
    splits: Algorithm = 1
    stats: Algorithm = 1
    manifest: Algorithm = 1
    leakage: Algorithm = 3
    card: Algorithm = 1


RAISE_BYTES = "raise limits.max_bytes in params.yaml if that is meant"


class Limits(Model):
    """Bounds that are checked before a file is decoded."""

    max_pixels: Annotated[int, Field(ge=1, le=170_000_000)] = 80_000_000
    """Pixels of an image or mask; Pillow itself opens nothing past 179 million."""
    min_side: Annotated[int, Field(ge=1)] = 8
    """Pixels on the shorter side of an image or mask, at least."""
    max_bytes: Annotated[int, Field(ge=1)] = 268_435_456
    """Bytes of an image or mask file."""


Bits = Annotated[int, Field(ge=0, le=14)]


class Leakage(Model):
    """How alike two pictures are taken for related, in bits of 64 of their perceptual hashes."""

    near: Bits = 8
    """Up to here, a held-out image that looks like a training image stops the pipeline."""
    review: Bits = 10
    """Up to here it is listed for people to look at, where a second hash agrees."""
    second: Annotated[int, Field(ge=0, le=256)] = 100
    """Bits of 256 in which that second hash, PDQ, may differ."""


Share = Annotated[float, Field(ge=0, le=1)]


class Masks(Model):
    """From where on a mask is worth a look. Shares are of the picture's pixels."""

    max_ignore: Share = 0.3
    """Share of ignored pixels (255), at most."""
    min_part: Share = 0.0001
    """Parts smaller than this are specks."""
    min_hole: Share = 0.0001
    """Holes smaller than this are slips."""
    max_straight: Share = 0.5
    """Share of the outline that lies in long straight edges, at most: beyond, it is a polygon."""
    min_contrast: Annotated[int, Field(ge=0, le=255)] = 8
    """Gray levels between the darkest and the brightest pixel of a person, at least."""


class Kinds(Model):
    """What subsets of a kind promise."""

    min_person: Share = 0.02
    """In a full subset: share of the picture that is person, at least."""
    min_main: Share = 0.5
    """In a full subset: share of a single person's pixels that hang together, at least."""
    max_overlap: Share = 0.1
    """Of two crops of one original: overlap as a share of the smaller one, at most."""


class Chosen(StrEnum):
    """How much a rule weighs in this registry."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"


class Params(Model):
    """The whole file."""

    subsets: tuple[SubsetNameText, ...] = ()
    """Every registered subset; dvc.yaml makes a scan and a splits stage for each."""
    algorithms: Algorithms = Algorithms()
    limits: Limits = Limits()
    leakage: Leakage = Leakage()
    masks: Masks = Masks()
    kinds: Kinds = Kinds()
    rules: dict[str, Chosen] = Field(default_factory=dict)
    """Rules that weigh otherwise here, by code: error, warning, note or off."""

    @field_validator("subsets", mode="before")
    @classmethod
    def _nothing_is_no_subset(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("rules", mode="before")
    @classmethod
    def _words(cls, value: object) -> object:
        # YAML reads a bare off as false.
        if isinstance(value, dict):
            return {code: "off" if chosen is False else chosen for code, chosen in value.items()}
        return {} if value is None else value

    @field_validator("rules")
    @classmethod
    def _may_be_set(cls, rules: dict[str, Chosen]) -> dict[str, Chosen]:
        for code in rules:
            if code not in RULES:
                near = difflib.get_close_matches(code, RULES, n=1)
                raise ValueError(
                    f"there is no rule {code!r}" + (f"; did you mean {near[0]}?" if near else "")
                )
            if RULES[code].freedom is not Freedom.SET:
                raise ValueError(f"{code} can't be set: `sceneset rules {code}` says why")
        return rules

    def severity(self, code: str) -> Severity | None:
        """Return how much a rule weighs in this registry; None: it is off."""
        chosen = self.rules.get(code, RULES[code].severity)
        return None if chosen == Chosen.OFF else Severity(chosen)

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        seen: set[str] = set()
        for name in self.subsets:
            if name.casefold() in seen:
                raise ValueError(f"{name!r} is listed twice (or differs in case alone)")
            seen.add(name.casefold())
        return self
