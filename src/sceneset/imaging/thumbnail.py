"""Small pictures of images as WebP files, alone or many in one sheet."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from sceneset.imaging.decode import decode_small, fitted
from sceneset.imaging.encode import photo_webp
from sceneset.imaging.overlay import turned
from sceneset.schemas.params import Limits

_PAPER = 128  # gray value around pictures that are not square


class SmallPicture(NamedTuple):
    """A small picture of an image, as its EXIF orientation shows it."""

    width: int
    height: int
    webp: bytes


def small_picture(
    data: bytes, suffix: str, side: int, limits: Limits, *, quality: int
) -> SmallPicture:
    """Return a small picture of an image.

    Args:
        data: The bytes of the image file.
        suffix: ".jpg" or ".png".
        side: Longer side of the picture in pixels; smaller images keep their size.
        limits: Largest and smallest sizes accepted.
        quality: Of WebP, 1 to 100.

    Raises:
        UndecodableError: The image can't be decoded.
    """
    small = decode_small(data, suffix, side, limits)
    resized = small.image.resize(fitted(small.size, side), Image.Resampling.BOX)
    shown = turned(np.asarray(resized), small.orientation)
    height, width = shown.shape[:2]
    return SmallPicture(width, height, photo_webp(shown, quality))


def picture_sheet(
    pictures: Sequence[bytes | None], *, columns: int, side: int, quality: int
) -> bytes:
    """Return pictures in one WebP file, each centered in a square cell, from left to right.

    Args:
        pictures: WebP files of at most ``side`` pixels; smaller ones are enlarged. None leaves a
            cell empty.
        columns: Cells of a row.
        side: Side of a cell in pixels.
        quality: Of WebP, 1 to 100.
    """
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * side, columns * side, 3), _PAPER, np.uint8)
    for cell, picture in enumerate(pictures):
        if picture is None:
            continue
        with Image.open(io.BytesIO(picture)) as image:
            pixels = np.asarray(_filling(image, side))
        height, width = pixels.shape[:2]
        top = cell // columns * side + (side - height) // 2
        left = cell % columns * side + (side - width) // 2
        sheet[top : top + height, left : left + width] = pixels
    return photo_webp(sheet, quality)


def _filling(image: Image.Image, side: int) -> Image.Image:
    """Return a picture that is as large as its cell, as pages draw outlines on it."""
    longest = max(image.size)
    if longest == side:
        return image
    width, height = (max(1, round(length * side / longest)) for length in image.size)
    return image.resize((width, height))
