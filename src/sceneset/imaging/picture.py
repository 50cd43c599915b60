"""The identity of a picture: a digest of its decoded pixels as they are shown.

It does not depend on metadata, on the file format, on whether gray is stored as RGB, nor on
whether the pixels or an EXIF orientation turn the picture. BLAKE3 is used because other
cryptographic hashes take longer than decoding the image; see docs/adr/0013-pictures-by-pixels.md.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from blake3 import blake3

from sceneset.imaging.decode import scratch
from sceneset.schemas.orientation import STEPS

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_BYTES = 16


def picture_digest(pixels: "Pixels", orientation: int = 1) -> str:
    """Return the identity of a picture as 32 hex digits.

    The digest covers all pixels row by row, then width, height and the number of channels. A
    picture whose channels are equal must be passed as gray.

    Args:
        pixels: The pixels as stored: height x width x 3 for RGB, or height x width for gray.
        orientation: The EXIF orientation, 1 to 8.
    """
    shown = np.ascontiguousarray(_turned(pixels, orientation))
    height, width = shown.shape[:2]
    digest = blake3(shown.reshape(-1).data)
    for number in (width, height, 3 if shown.ndim == 3 else 1):
        digest.update(number.to_bytes(4))
    return digest.hexdigest(_BYTES)


def _turned(pixels: "Pixels", orientation: int) -> "Pixels":
    """Return the pixels as an EXIF orientation shows them."""
    transpose, mirror, flip = STEPS[orientation]
    if transpose:
        height, width, *channels = pixels.shape
        transposed = cv2.transpose(pixels, scratch("transposed", (width, height, *channels)))
        pixels = np.asarray(transposed, np.uint8)
    if mirror or flip:
        code = -1 if mirror and flip else int(mirror)  # OpenCV's numbers: 0 flips, 1 mirrors
        flipped = cv2.flip(pixels, code, scratch("flipped", pixels.shape))
        pixels = np.asarray(flipped, np.uint8)
    return pixels


def has_equal_channels(planes: "tuple[Pixels, Pixels, Pixels]") -> bool:
    """Return whether red, green and blue are the same, as in a gray picture stored as RGB."""
    red, green, blue = planes
    return np.array_equal(red, green) and np.array_equal(green, blue)
