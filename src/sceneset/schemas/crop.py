"""Where a crop comes from: its original image, the box it was cut around, and how it was cut."""

from typing import Annotated

from pydantic import Field, PlainSerializer, field_validator

from sceneset.schemas.base import Line, Model
from sceneset.schemas.names import Stem
from sceneset.schemas.scan_row import Md5
from sceneset.schemas.tag import Box, read_box, write_box
from sceneset.schemas.terms import Phase

Sides = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels; not rounded."""


def _write_sides(sides: Sides) -> str:
    return " ".join(f"{side:.2f}" for side in sides)


class CropRow(Model):
    """One row of registry/crops/<subset>.csv: how `sceneset crop` cut one sample."""

    phase: Phase
    """train, val or test: that of the original."""
    stem: Stem
    """Stem of the crop."""
    image_md5: Md5
    """MD5 hash of the image file that was cut."""
    original: Line
    """The original as SUBSET/PHASE/STEM, or its path in the delivery that was cut."""
    original_md5: Md5
    """MD5 hash of the original's image file; `sceneset forget` finds crops by it."""
    frame: Annotated[Box, PlainSerializer(write_box)]
    """The pixels that were cut, in the original as stored: left top right bottom (right and bottom
    exclusive)."""
    orientation: Annotated[int, Field(ge=1, le=8)] = 1
    """EXIF orientation of the original; the crop's pixels and mask are turned by it."""
    box: Annotated[Sides, PlainSerializer(_write_sides)]
    """The box inside the picture, before it was grown, in the original as stored: left top right
    bottom."""
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    """Score of the box; empty if its file gives none."""
    grow: Annotated[float, Field(ge=0)]
    """How far each side was moved outwards, as a share of the box's width or height."""
    ignored: Annotated[int, Field(ge=0)] = 0
    """Number of pixels of other people that became 255 (ignore)."""
    boxes: Line
    """The file of the boxes and its MD5 hash, or the detector with its digest and licence."""

    @field_validator("frame", mode="before")
    @classmethod
    def _frame_from_text(cls, value: object) -> object:
        return read_box(value)

    @field_validator("box", mode="before")
    @classmethod
    def _box_from_text(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("score", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def key(self) -> tuple[Phase, str]:
        """Phase and stem, which identify the sample within its subset."""
        return (self.phase, self.stem)
