"""Tags: the labels that people give to one sample."""

from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import (
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from sceneset.schemas.base import Line, Model
from sceneset.schemas.names import Stem
from sceneset.schemas.scene import SceneKey
from sceneset.schemas.terms import TOTAL, Persons, Phase

_KEY = TypeAdapter[str](SceneKey)


class SceneMembership(NamedTuple):
    """A scene that a sample belongs to."""

    scene: str
    """Scene key."""
    persons: Persons | None
    """single or multi in this scene; None: as in the ``persons`` column of the sample."""


def _read_scenes(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """Parse ``ski;city:multi``: scenes separated by ";", each with optional persons after ":"."""
    return _parsed_scenes(value) if isinstance(value, str) else validate(value)


@lru_cache(maxsize=4096)  # even a million tags have few different values
def _parsed_scenes(text: str) -> tuple[SceneMembership, ...]:
    memberships = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, colon, persons = part.partition(":")
        if colon and persons not in set(Persons):
            raise ValueError(f"{part!r}: write single or multi after the colon")
        if key == TOTAL:
            raise ValueError(f"{TOTAL!r} contains every sample automatically; leave it out")
        try:
            _KEY.validate_python(key)
        except ValidationError:
            raise ValueError(
                f"{key!r} is not a scene key; keys have lower-case ASCII letters, digits and '_', "
                "and `sceneset scenes` lists them"
            ) from None
        memberships.append(SceneMembership(key, Persons(persons) if colon else None))
    return tuple(memberships)


def _write_scenes(scenes: tuple[SceneMembership, ...]) -> str:
    return ";".join(f"{s}:{p}" if p else s for s, p in scenes)


@lru_cache(maxsize=4096)  # even a million tags have few different values
def memberships_of(
    scenes: tuple[SceneMembership, ...], persons: Persons | None
) -> tuple[tuple[str, Persons | None], ...]:
    """Return pairs of scene and persons; a scene without its own value gets ``persons``."""
    return tuple((scene, own or persons) for scene, own in scenes)


Box = tuple[int, int, int, int]


def read_box(value: object) -> object:
    """Parse ``10 20 110 220``: left, top, right, bottom."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    words = value.replace(",", " ").split()
    if len(words) != 4 or not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(f"{value!r}: write four whole numbers: left top right bottom")
    box = tuple(int(word) for word in words)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(f"{value!r}: right must be greater than left, and bottom greater than top")
    return box


def write_box(box: Box | None) -> str | None:
    """Return a box as text, or None without one."""
    return " ".join(map(str, box)) if box else None


class Tag(Model):
    """One row of registry/tags/<subset>.csv: the labels of one sample."""

    phase: Phase
    """train, val or test."""
    stem: Stem
    """File name of the image without its suffix."""
    scenes: Annotated[
        tuple[SceneMembership, ...], PlainSerializer(_write_scenes, return_type=str)
    ] = ()
    """Scene keys separated by ";". Where persons differs in one scene, add it after ":", for
    example ski;city:multi."""
    persons: Persons | None = None
    """single or multi; empty if it is unknown or differs between the scenes."""
    boxes: Annotated[int, Field(ge=0)] | None = None
    """Number of detection boxes in the original image."""
    source: Line = ""
    """The video, session or original image that the sample comes from."""
    origin: Annotated[Box | None, PlainSerializer(write_box)] = None
    """Crops: the box in the original image, in its pixels: left top right bottom (right and
    bottom exclusive)."""

    _scenes_from_text = field_validator("scenes", mode="wrap")(_read_scenes)

    _origin_from_text = field_validator("origin", mode="before")(read_box)

    @field_validator("persons", "boxes", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @model_validator(mode="after")
    def _scenes_are_unique(self) -> Self:
        if len(self.scenes) > 1 and len(set(self.memberships)) < len(self.scenes):
            raise ValueError("a scene is listed twice")
        return self

    @property
    def key(self) -> tuple[Phase, str]:
        """Phase and stem, which identify the sample within its subset."""
        return (self.phase, self.stem)

    @property
    def memberships(self) -> tuple[tuple[str, Persons | None], ...]:
        """Pairs of scene and persons; a scene without its own value gets the sample's."""
        return memberships_of(self.scenes, self.persons)

    @property
    def persons_summary(self) -> str | None:
        """single, multi, "mixed" if the scenes differ, or None if it is unknown."""
        values: set[Persons | None] = {p for _, p in self.memberships if p} or {self.persons}
        return "mixed" if len(values) > 1 else next(iter(values))
