"""Draw small pictures of images with their masks, as a viewer shows them.

The persons are filled and outlined, pixels to be ignored are hatched. The outline is bright with a
dark edge, so that it is visible on dark and on light images. All arithmetic is on integers: equal
files give equal pixels.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import Size, decode_mask, decode_small, fitted
from sceneset.imaging.encode import indexed_png
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.params import Limits

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_COVERED = 85
"""Of 255: a pixel of a small mask belongs to a class that covers a third of it. With half of it,
thin arms and ropes would vanish."""
_LINE = 400
"""A line is 1 pixel wide for each 400 pixels of the longer side."""
_QUALITY = 82


class Paint(IntEnum):
    """What is painted on a pixel of an image."""

    NOTHING = 0
    PERSON = 1
    LINE = 2
    EDGE = 3
    """The dark edge around the line."""
    IGNORED = 4
    IGNORED_STRIPE = 5
    OTHER = 6
    """A value that is neither 0 nor 1 nor 255."""
    OTHER_STRIPE = 7


COLOURS = {
    Paint.NOTHING: (0, 0, 0, 0),
    Paint.PERSON: (0, 160, 255, 90),
    Paint.LINE: (255, 225, 0, 255),
    Paint.EDGE: (0, 0, 0, 255),
    Paint.IGNORED: (255, 110, 0, 70),
    Paint.IGNORED_STRIPE: (255, 110, 0, 220),
    Paint.OTHER: (255, 0, 200, 70),
    Paint.OTHER_STRIPE: (255, 0, 200, 220),
}
"""Red, green, blue and alpha, 0 to 255."""

_TABLE = np.array([COLOURS[paint] for paint in Paint], np.int32)


class Overlay(NamedTuple):
    """A small picture of an image, turned as EXIF says, and what is painted on it."""

    photo: "Pixels"
    """height x width x 3, RGB."""
    paints: "Pixels | None"
    """height x width, numbers of ``Paint``; None without a mask."""
    problem: str = ""
    """Why there is no mask."""

    @property
    def has_mask(self) -> bool:
        """Whether there is a mask."""
        return self.paints is not None

    def composed(self) -> "Pixels":
        """Return the picture with its mask, height x width x 3."""
        if self.paints is None:
            return self.photo
        layer = _TABLE[self.paints]
        colour, alpha = layer[..., :3], layer[..., 3:]
        mixed: Pixels = ((self.photo * (255 - alpha) + colour * alpha + 127) // 255).astype(
            np.uint8
        )
        return mixed

    def painted(self) -> set[Paint]:
        """Return what is painted somewhere."""
        return set() if self.paints is None else {Paint(n) for n in np.unique(self.paints)}

    def photo_jpeg(self) -> bytes:
        """Return the picture without its mask as a JPEG file."""
        encoded: bytes = simplejpeg.encode_jpeg(
            np.ascontiguousarray(self.photo), _QUALITY, "RGB", "420"
        )
        return encoded

    def paints_png(self) -> bytes:
        """Return what is painted as a PNG file that is transparent elsewhere; b"" without mask."""
        if self.paints is None:
            return b""
        return indexed_png(self.paints, [COLOURS[paint] for paint in Paint])


def draw_overlay(
    image: bytes, suffix: str, mask: bytes | None, side: int, limits: Limits
) -> Overlay:
    """Return a small picture of an image with its mask.

    Args:
        image: The bytes of the image file.
        suffix: ".jpg" or ".png".
        mask: The bytes of the mask file. It fits the image as stored, and is turned with it.
        side: Length of the longer side in pixels; smaller images keep their size.
        limits: Largest and smallest sizes accepted.

    Raises:
        UndecodableError: The image has another format, is damaged, or exceeds the limits. If only
            the mask can't be drawn, ``problem`` says why.
    """
    small = decode_small(image, suffix, side, limits)
    size = fitted(small.size, side)
    resized = small.image
    if resized.size != size:
        resized = resized.resize(size, Image.Resampling.BOX)
    paints, problem = None, ""
    if mask is not None:
        try:
            paints = _paints_of(mask, small.size, size, limits)
        except UndecodableError as error:
            problem = error.message
    return Overlay(
        turned(np.asarray(resized), small.orientation),
        None if paints is None else turned(paints, small.orientation),
        problem,
    )


def _paints_of(mask: bytes, full: Size, size: Size, limits: Limits) -> "Pixels":
    """Return what a mask paints on its image as stored, which is shown in ``size``."""
    values = decode_mask(mask, limits)
    height, width = values.shape
    if (width, height) != full:
        raise UndecodableError(
            "size-differs", f"is {width} x {height}, its image {full[0]} x {full[1]}"
        )
    return paint(values, size)


def paint(values: "Pixels", size: Size) -> "Pixels":
    """Return what is painted for a mask.

    Args:
        values: The values of the mask, height x width.
        size: Width and height of the result.
    """
    line = max(1, max(size) // _LINE)
    person = covered(values == 1, size)
    painted = np.zeros((size[1], size[0]), np.uint8)
    if values.max(initial=0) > 1:
        rows, columns = np.indices(painted.shape, np.int32, sparse=True)
        for is_meant, fill, stripe, sign in (
            ((values > 1) & (values < 255), Paint.OTHER, Paint.OTHER_STRIPE, -1),
            (values == 255, Paint.IGNORED, Paint.IGNORED_STRIPE, 1),
        ):
            area = covered(is_meant, size)
            is_stripe = (rows + sign * columns) % (6 * line) < 2 * line
            painted[area] = fill
            painted[area & is_stripe] = stripe
    if person.any():
        plane = person.astype(np.uint8)
        kernel = np.ones((3, 3), np.uint8)
        around = cv2.dilate(plane, kernel, iterations=line) > plane
        core = cv2.erode(plane, kernel, iterations=line)  # the border of the image gets no line
        painted[around & (painted == Paint.NOTHING)] = Paint.EDGE
        painted[person] = Paint.LINE
        painted[core > 0] = Paint.PERSON
    return painted


def covered(is_meant: "npt.NDArray[np.bool_]", size: Size) -> "npt.NDArray[np.bool_]":
    """Return which pixels of a smaller picture an area covers; a tiny area covers some too."""
    if not is_meant.any():
        return np.zeros((size[1], size[0]), np.bool_)
    if (is_meant.shape[1], is_meant.shape[0]) == size:
        return is_meant
    plane = Image.fromarray(is_meant.view(np.uint8) * np.uint8(255))
    share = np.asarray(plane.resize(size, Image.Resampling.BOX))
    found = share >= _COVERED
    if not found.any():
        found = share == share.max()
    return found


def turned(pixels: "Pixels", orientation: int) -> "Pixels":
    """Return pixels as an EXIF orientation shows them."""
    transpose, mirror, flip = STEPS[orientation]
    if transpose:
        pixels = pixels.swapaxes(0, 1)
    return np.ascontiguousarray(pixels[:: -1 if flip else 1, :: -1 if mirror else 1])
