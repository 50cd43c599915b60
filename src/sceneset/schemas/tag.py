"""Tags: what people say of one sample."""

from functools import lru_cache
from typing import Annotated, Any, NamedTuple, Self

from pydantic import (
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from sceneset.schemas.base import Line, Model
from sceneset.schemas.names import Stem
from sceneset.schemas.scene import SceneKey
from sceneset.schemas.terms import TOTAL, Persons, Phase

_KEY = TypeAdapter[str](SceneKey)


class InScene(NamedTuple):
    """One scene a sample stands in, and as what; persons None: as the sample's own column says."""

    scene: str
    persons: Persons | None


def _read_scenes(text: object) -> object:
    """Read ``ski;city:multi``: scenes apart by ';', and what differs from ``persons`` after ':'."""
    return _parsed_scenes(text) if isinstance(text, str) else text


@lru_cache(maxsize=4096)  # a million tags have few wordings
def _parsed_scenes(text: str) -> tuple[InScene, ...]:
    found = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, colon, persons = part.partition(":")
        if colon and persons not in set(Persons):
            raise ValueError(f"{part!r}: write single or multi after the colon")
        if key == TOTAL:
            raise ValueError(f"{TOTAL!r} holds every sample by itself; leave it out")
        try:
            _KEY.validate_python(key)
        except ValidationError:
            raise ValueError(
                f"{key!r} is no scene's key; keys are in small ASCII letters, digits and '_', "
                "and `sceneset scenes` lists them"
            ) from None
        found.append(InScene(key, Persons(persons) if colon else None))
    return tuple(found)


def _write_scenes(scenes: tuple[InScene, ...]) -> str:
    return ";".join(f"{s}:{p}" if p else s for s, p in scenes)


Box = tuple[int, int, int, int]


def _read_box(value: object) -> object:
    """Read ``10 20 110 220``: left, top, right, bottom."""
    if not isinstance(value, str):
        return value
    if not value:
        return None
    words = value.replace(",", " ").split()
    if len(words) != 4 or not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(f"{value!r}: write four whole numbers, left top right bottom")
    box = tuple(int(word) for word in words)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise ValueError(f"{value!r}: right must be more than left, and bottom more than top")
    return box


def _write_box(box: Box | None) -> str | None:
    return " ".join(map(str, box)) if box else None


class Tag(Model):
    """One row of registry/tags/<subset>.csv."""

    phase: Phase
    """train, val or test."""
    stem: Stem
    """The image's file name without its suffix."""
    scenes: Annotated[tuple[InScene, ...], PlainSerializer(_write_scenes, return_type=str)] = ()
    """Scene keys apart by ';'. A scene in which the sample counts otherwise than ``persons``
    says so: ``ski;city:multi``."""
    persons: Persons | None = None
    """single, multi, or empty where nobody has said or the scenes differ."""
    boxes: Annotated[int, Field(ge=0)] | None = None
    """Number of detection boxes."""
    source: Line = ""
    """The video, session or original image it was taken from."""
    origin: Annotated[Box | None, PlainSerializer(_write_box)] = None
    """Where a crop was cut out of its original, in the original's pixels: left top right bottom,
    the last two exclusive."""

    _scenes_from_text = field_validator("scenes", mode="before")(_read_scenes)

    _origin_from_text = field_validator("origin", mode="before")(_read_box)

    @field_validator("persons", "boxes", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @model_validator(mode="after")
    def _scenes_are_said_once(self) -> Self:
        if len(self.scenes) < 2:
            return self
        said = [(s, p or self.persons) for s, p in self.scenes]
        if len(set(said)) != len(said):
            raise ValueError("a scene is named twice")
        return self

    @property
    def key(self) -> tuple[Phase, str]:
        """The sample: phase and stem."""
        return (self.phase, self.stem)

    @property
    def memberships(self) -> tuple[tuple[str, Persons | None], ...]:
        """Each scene with single or multi, the sample's own answer filled in."""
        return tuple((scene, persons or self.persons) for scene, persons in self.scenes)

    @property
    def persons_word(self) -> str | None:
        """single, multi, "mixed" where the scenes differ, or None where nobody has said."""
        said: set[Persons | None] = {p for _, p in self.memberships if p} or {self.persons}
        return "mixed" if len(said) > 1 else next(iter(said))
