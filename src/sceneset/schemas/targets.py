"""Targets: how many different images `sceneset plan` wants of each scene."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from sceneset.schemas.base import Model, Word
from sceneset.schemas.terms import Persons, Phase

Wanted = Annotated[int, Field(ge=0, le=10_000_000, strict=True)]
Part = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class PhaseTargets(Model):
    """Wanted numbers of different images in each phase; null is no target, 0 wants none."""

    train: Wanted | None = None
    """In training."""
    val: Wanted | None = None
    """In validation."""
    test: Wanted | None = None
    """In test."""

    def of(self, phase: Phase) -> int | None:
        """Return the target of a phase."""
        return {Phase.TRAIN: self.train, Phase.VAL: self.val, Phase.TEST: self.test}[phase]


class SceneTargets(PhaseTargets):
    """Targets of one scene, for each number of persons."""

    single: PhaseTargets = PhaseTargets()
    """What differs for images of one person."""
    multi: PhaseTargets = PhaseTargets()
    """What differs for images of several persons."""

    def of_persons(self, persons: Persons, phase: Phase) -> int | None:
        """Return the target of a phase for a number of persons."""
        own = (self.single if persons is Persons.SINGLE else self.multi).of(phase)
        return self.of(phase) if own is None else own


class Shares(Model):
    """The wanted share of each phase; their sum is 1."""

    train: Part
    """Of training."""
    val: Part = 0.0
    """Of validation."""
    test: Part = 0.0
    """Of test."""

    @model_validator(mode="after")
    def _are_whole(self) -> Self:
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError("the sum of train, val and test must be 1")
        return self

    def of(self, phase: Phase) -> float:
        """Return the share of a phase."""
        return {Phase.TRAIN: self.train, Phase.VAL: self.val, Phase.TEST: self.test}[phase]


class Targets(SceneTargets):
    """Targets of all scenes: of each scene and number of persons, the same unless it differs."""

    shares: Shares | None = None
    """Wanted shares of the phases; null compares each scene with all selected samples."""
    max_source: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.1
    """Largest share of the images of a scene that one source should have."""
    scenes: dict[Word, SceneTargets] = Field(default_factory=dict)
    """What differs for single scenes, by any of their names."""

    @field_validator("scenes", mode="before")
    @classmethod
    def _read_no_scenes(cls, value: object) -> object:
        return {} if value is None else value

    @property
    def is_set(self) -> bool:
        """Whether there is any target."""
        return any(
            part.of(phase) is not None
            for scene in (self, *self.scenes.values())
            for part in (scene, scene.single, scene.multi)
            for phase in Phase
        )
