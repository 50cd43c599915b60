"""Geometry of crops: boxes brought into the pixels as stored, grown and clipped."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from sceneset.cropping.originals import Original
from sceneset.cropping.types import Detection
from sceneset.schemas.crop import Sides
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.tag import Box

_ROUNDING = 0.02
"""A box that leaves a panorama by less than this share of its width does not go over the seam."""


class Candidate(NamedTuple):
    """A box in the pixels of an original as stored, and the frame to cut around it."""

    sides: Sides
    """The part of the box that is inside the picture."""
    frame: Box
    """The grown box, in whole pixels."""
    detection: Detection
    is_seam: bool = False
    """Whether it is one side of a box over the seam of a panorama."""


class UnclearFrameError(Exception):
    """A box may fit the pixels as stored or as shown; the message says what to do."""


class OtherSizeError(Exception):
    """A box is in a picture of another size; the message names both sizes."""


def stored_sides(detection: Detection, original: Original, boxes_as: str | None) -> Sides:
    """Return a box in the pixels of its original as stored.

    Without an EXIF orientation, these are the pixels as shown. Otherwise ``boxes_as`` decides, or
    the size of the picture that the file of boxes gives.

    Raises:
        OtherSizeError: The file says another size than the image has.
        UnclearFrameError: It is not clear which pixels are meant.
    """
    size = (original.width, original.height)
    is_transposed = STEPS[original.orientation][0]
    shown = size[::-1] if is_transposed else size
    given = detection.size
    if given is not None and given not in {size, shown}:
        raise OtherSizeError(
            f"the box is in a picture of {given[0]} x {given[1]}, the image has {size[0]} x "
            f"{size[1]}"
        )
    is_shown = False
    if original.orientation != 1:
        if said := detection.fits or boxes_as:
            is_shown = said == "shown"
        elif given is not None and size != shown:
            is_shown = given == shown
        else:
            raise UnclearFrameError(
                f"the image has EXIF orientation {original.orientation}; say with --boxes-as "
                "stored or --boxes-as shown which pixels the boxes fit"
            )
    frame = shown if is_shown else size
    sides = detection.sides
    if detection.is_relative:
        left, top, right, bottom = sides
        sides = (left * frame[0], top * frame[1], right * frame[0], bottom * frame[1])
    return _unturned(sides, shown, original.orientation) if is_shown else sides


def _unturned(sides: Sides, shown: tuple[int, int], orientation: int) -> Sides:
    """Return sides in the picture as shown as sides in the pixels as stored."""
    left, top, right, bottom = sides
    transpose, mirror, flip = STEPS[orientation]
    if mirror:
        left, right = shown[0] - right, shown[0] - left
    if flip:
        top, bottom = shown[1] - bottom, shown[1] - top
    return (top, left, bottom, right) if transpose else (left, top, right, bottom)


def parts_of(sides: Sides, size: tuple[int, int]) -> Iterator[Sides]:
    """Yield the parts of a box inside a picture: none, one, or two over the seam of a panorama.

    A picture that is exactly twice as wide as high is a panorama of 360 degrees, whose left and
    right edges show the same place.
    """
    left, top, right, bottom = sides
    width, height = size
    yield from _clipped(sides, size)
    if width != 2 * height:
        return
    slack = _ROUNDING * (right - left)
    if right > width + slack and left < width:
        yield from _clipped((0, top, right - width, bottom), size)
    elif left < -slack and right > 0:
        yield from _clipped((left + width, top, width, bottom), size)


def _clipped(sides: Sides, size: tuple[int, int]) -> Iterator[Sides]:
    left, top = max(sides[0], 0.0), max(sides[1], 0.0)
    right, bottom = min(sides[2], float(size[0])), min(sides[3], float(size[1]))
    if left < right and top < bottom:
        yield (left, top, right, bottom)


def grown(sides: Sides, ratio: float, size: tuple[int, int]) -> Box:
    """Return the frame around a box: each side moved outwards, to whole pixels, in the picture.

    Args:
        sides: The box, inside the picture.
        ratio: How far, as a share of the box's width or height.
        size: Width and height of the picture.
    """
    left, top, right, bottom = sides
    across, down = ratio * (right - left), ratio * (bottom - top)
    return (
        max(math.floor(_rounded(left - across)), 0),
        max(math.floor(_rounded(top - down)), 0),
        min(math.ceil(_rounded(right + across)), size[0]),
        min(math.ceil(_rounded(bottom + down)), size[1]),
    )


def _rounded(side: float) -> float:
    """Return a side without errors of floating-point numbers, which would add a row of pixels."""
    return round(side, 3)
