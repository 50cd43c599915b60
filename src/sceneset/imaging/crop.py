"""Cut frames out of images and masks, and decide which pixels of a mask belong to which person."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from PIL import Image

from sceneset.imaging.kept_parts import is_profile
from sceneset.imaging.shapes import IGNORE, PERSON
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.tag import Box

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Labels = npt.NDArray[np.int32]

_PROFILE_SPACES = {"RGB": b"RGB ", "L": b"GRAY"}
_MAX_PROFILE = 1 << 20  # bytes


def cut(pixels: "Pixels", frame: Box, orientation: int) -> "Pixels":
    """Return the pixels in a frame, turned as an EXIF orientation shows them; the array is new.

    Args:
        pixels: height x width, or height x width x 3, as stored.
        frame: Left, top, right and bottom in these pixels; right and bottom are exclusive.
        orientation: The EXIF orientation, 1 to 8.
    """
    left, top, right, bottom = frame
    part = pixels[top:bottom, left:right]
    transpose, mirror, flip = STEPS[orientation]
    if transpose:
        part = part.swapaxes(0, 1)
    if mirror:
        part = part[:, ::-1]
    if flip:
        part = part[::-1]
    return np.array(part, np.uint8, order="C")


def encode_image(pixels: "Pixels", profile: bytes | None, jpeg_quality: int | None) -> bytes:
    """Return an image file without any metadata but a color profile; equal input, equal bytes.

    Args:
        pixels: height x width x 3 (RGB), or height x width (gray).
        profile: The ICC profile of the pixels.
        jpeg_quality: 1 to 100 for a JPEG with full color resolution; None for a PNG.
    """
    image, out = Image.fromarray(pixels), io.BytesIO()
    if jpeg_quality is None:
        image.save(out, "PNG", compress_level=6, icc_profile=profile)
    else:
        image.save(out, "JPEG", quality=jpeg_quality, subsampling=0, icc_profile=profile)
    return out.getvalue()


def profile_of(data: bytes, pixels: "Pixels") -> bytes | None:
    """Return the ICC profile of an image file, if it is one for the decoded pixels.

    Args:
        data: The bytes of the file.
        pixels: What it was decoded to. A CMYK image became RGB, so that its profile fits no more.
    """
    try:
        profile = Image.open(io.BytesIO(data)).info.get("icc_profile")
    except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
        return None
    space = _PROFILE_SPACES["RGB" if pixels.ndim == 3 else "L"]
    if not isinstance(profile, bytes) or len(profile) > _MAX_PROFILE or not is_profile(profile):
        return None
    return profile if profile[16:20] == space else None


class Owners(NamedTuple):
    """The connected parts of the people in a mask, and whose they are."""

    labels: "Labels"
    """height x width: the part of each person pixel, counted from 1; 0 elsewhere."""
    owner: "npt.NDArray[np.int64]"
    """The box that each part belongs to, counted from 0; -1 for none. The first is no part."""
    main: list[int]
    """The part with most pixels in each box; 0 for a box without person pixels."""
    sizes: "npt.NDArray[np.int64]"
    """Number of pixels of each part."""


def owners_of(mask: "Pixels", boxes: Sequence[Box]) -> Owners:
    """Decide which box each connected part of the people belongs to.

    The part that has most pixels in a box is the person of the box. Of the other parts, for example
    a leg behind a pole, those with at least half of their pixels in a box belong to the box that
    has most of them. All others are people without a box. Pixels are connected also over corners.

    Args:
        mask: height x width, with 1 for person.
        boxes: In whole pixels, inside the mask.
    """
    count, found = cv2.connectedComponents((mask == PERSON).astype(np.uint8), connectivity=8)
    labels = np.asarray(found, np.int32)
    sizes = np.bincount(labels.reshape(-1), minlength=count)
    inside = np.zeros((len(boxes), count), np.int64)
    for number, (left, top, right, bottom) in enumerate(boxes):
        part = labels[top:bottom, left:right]
        inside[number] = np.bincount(part.reshape(-1), minlength=count)
    inside[:, 0] = 0
    main = [int(row.argmax()) if row.any() else 0 for row in inside]
    owner = np.full(count, -1)
    if boxes:
        best = inside.argmax(axis=0)
        is_owned = 2 * inside.max(axis=0) >= sizes
        owner[is_owned] = best[is_owned]
    for number, part_of_box in reversed(list(enumerate(main))):
        owner[part_of_box] = number
    owner[0] = -1
    return Owners(labels, owner, main, sizes)


def crop_mask(mask: "Pixels", owners: Owners, box: int, frame: Box) -> tuple["Pixels", int, int]:
    """Return the mask of one person in a frame; pixels of other people are 255 (ignore).

    Args:
        mask: The mask of the original as stored.
        owners: Whose its parts are.
        box: The number of the person's box.
        frame: The frame, in pixels as stored.

    Returns:
        The mask in the frame as stored, the number of the person's pixels in it, and that of other
        people's.
    """
    left, top, right, bottom = frame
    part = np.array(mask[top:bottom, left:right])
    others = (part == PERSON) & (owners.owner[owners.labels[top:bottom, left:right]] != box)
    part[others] = IGNORE
    return part, int(np.count_nonzero(part == PERSON)), int(np.count_nonzero(others))
