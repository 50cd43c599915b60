"""params.yaml: which subsets the registry lists, and the settings of its stages."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from sceneset.schemas.base import Model
from sceneset.schemas.names import SubsetNameText

Algorithm = Annotated[int, Field(ge=1)]


class Algorithms(Model):
    """What each stage computes, as a number: a stage runs again when its number changes."""

    scan: Algorithm = 1
    check: Algorithm = 1
    splits: Algorithm = 1
    stats: Algorithm = 1
    manifest: Algorithm = 1
    leakage: Algorithm = 1
    card: Algorithm = 1


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
    """Up to here it is listed for people to look at."""


class Params(Model):
    """The whole file."""

    subsets: tuple[SubsetNameText, ...] = ()
    """Every registered subset; dvc.yaml makes a scan and a splits stage for each."""
    algorithms: Algorithms = Algorithms()
    limits: Limits = Limits()
    leakage: Leakage = Leakage()

    @field_validator("subsets", mode="before")
    @classmethod
    def _nothing_is_no_subset(cls, value: object) -> object:
        return () if value is None else value

    @model_validator(mode="after")
    def _listed_once(self) -> Self:
        seen: set[str] = set()
        for name in self.subsets:
            if name.casefold() in seen:
                raise ValueError(f"{name!r} is listed twice (or differs in case alone)")
            seen.add(name.casefold())
        return self
