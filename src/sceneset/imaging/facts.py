"""What the pixels of one sample say: measured once, and everything wrong with them."""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import check_size, decoded_image, decoded_mask, scratch
from sceneset.imaging.mask_shape import Outline, outline_of
from sceneset.imaging.perceptual_hash import Looks, looks
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Limits
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]
    Planes = tuple[Plane, Plane, Plane]

_SIDE, _QUALITY = 256, 85  # of thumbnails
_MATTE = 24  # values beyond 0, 1 and 255 that no table of classes or instances has


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """An image as decoded: pixels as stored, no orientation applied."""

    md5: str
    size: int
    width: int
    height: int
    mode: str
    orientation: int
    sums: tuple[int, int, int]
    squares: tuple[int, int, int]
    traits: tuple[str, ...]
    looks: Looks
    thumbnail: bytes
    """A small JPEG, where it was asked for."""
    green: "Plane" = field(repr=False, compare=False)
    """Height x width; written over when the same thread measures the next image."""


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """A mask as decoded: how many pixels of each legal value, and where the person is."""

    md5: str
    size: int
    width: int
    height: int
    person: int
    ignore: int
    other: tuple[int, ...]
    """Values that are not 0, 1 or 255."""
    box: tuple[int, int, int, int] | None
    outline: Outline
    pixels: "Plane" = field(repr=False, compare=False)
    """1 where the person is."""


def image_facts(
    data: bytes, suffix: str, limits: Limits, md5: str | None = None, *, thumbnail: bool = False
) -> ImageFacts:
    """Decode an image to its last byte and measure it; ``md5`` is its hash where that is known.

    Raises:
        BadPixelsError: it is no image of that suffix, is damaged, or is beyond the limits.
    """
    decoded = decoded_image(data, suffix, limits)
    pixels = decoded.pixels
    planes = _planes(pixels)
    # Both are whole numbers in float64, far below 2^53; OpenCV gives the second as the square of
    # a root, off by less than a thousandth.
    sums = [int(total) for total in cv2.sumElems(pixels)]
    if pixels.ndim == 2:
        sums = sums[:1] * 3
    squares = [round(cv2.norm(plane, cv2.NORM_L2SQR)) for plane in planes]
    height, width = pixels.shape[:2]
    return ImageFacts(
        md5=md5 or md5_of(data),
        size=len(data),
        width=width,
        height=height,
        mode=decoded.mode,
        orientation=decoded.orientation,
        sums=(sums[0], sums[1], sums[2]),
        squares=(squares[0], squares[1], squares[2]),
        traits=decoded.traits,
        looks=looks(pixels),
        thumbnail=_thumbnail(pixels) if thumbnail else b"",
        green=planes[1],
    )


def _planes(pixels: "Plane") -> "Planes":
    """Return the three channels apart: all that is done with them is quicker then."""
    if pixels.ndim == 2:
        return (pixels, pixels, pixels)
    height, width, _ = pixels.shape
    red, green, blue = scratch("planes", (3, height, width))
    cv2.split(pixels, (red, green, blue))
    return red, green, blue


def mask_facts(data: bytes, limits: Limits, md5: str | None = None) -> MaskFacts:
    """Decode a mask to its last byte and count its values; ``md5`` is as of ``image_facts``.

    Raises:
        BadPixelsError: it is no PNG of one 8-bit channel, is damaged, or is beyond the limits.
    """
    mask = decoded_mask(data, limits)
    person, ignore, other = _values(mask)
    left, top, width, height = cv2.boundingRect(person)
    box = (left, top, left + width, top + height) if width else None
    # What is ignored inside of the person is no hole.
    filled = None if person is mask else mask
    return MaskFacts(
        md5=md5 or md5_of(data),
        size=len(data),
        width=mask.shape[1],
        height=mask.shape[0],
        person=cv2.countNonZero(person),
        ignore=ignore,
        other=other,
        box=box,
        outline=outline_of(person, box, filled) if box and not other else Outline(),
        pixels=person,
    )


def _values(mask: "Plane") -> "tuple[Plane, int, tuple[int, ...]]":
    """Return where the person is, the number of ignored pixels, and all other values."""
    if mask.max(initial=0) <= 1:
        return mask, 0, ()
    person = (mask == 1).view(np.uint8)
    ignore = cv2.countNonZero((mask == 255).view(np.uint8))
    other: tuple[int, ...] = ()
    if cv2.countNonZero(mask) != cv2.countNonZero(person) + ignore:  # counting all takes long
        counts = np.bincount(mask.reshape(-1), minlength=256)
        other = tuple(value for value in range(2, 255) if counts[value])
    return person, ignore, other


def contrast(image: ImageFacts, mask: MaskFacts) -> int | None:
    """Return how many levels of green lie between the least and the most of the person's pixels.

    Green is most of what is seen as brightness.
    """
    if mask.box is None or image.green.shape != mask.pixels.shape:
        return None
    left, top, right, bottom = mask.box
    within = mask.pixels[top:bottom, left:right]
    least, most, *_ = cv2.minMaxLoc(image.green[top:bottom, left:right], within)
    return int(most - least)


def _thumbnail(pixels: "Plane") -> bytes:
    """Return a JPEG of at most 256 pixels a side, turned as the picture is stored.

    ``pixels`` is height x width x 3, or height x width where it is gray.
    """
    height, width = pixels.shape[:2]
    scale = min(1, _SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if small.ndim == 2:
        made: bytes = simplejpeg.encode_jpeg(small[:, :, None], _QUALITY, "GRAY")
    else:
        made = simplejpeg.encode_jpeg(small, _QUALITY, "RGB", "420")
    return made


def looks_of(data: bytes, limits: Limits) -> list[tuple[int, int]]:
    """Return the hash and the mirrored one of any picture Pillow reads, as stored and as shown.

    For copies from elsewhere: whatever their format, and turned as their EXIF says or not.

    Raises:
        BadPixelsError: it is no picture, is damaged, or is beyond the limits.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            check_size(opened.size, limits)
            stored = opened.convert("RGB")
            shown = ImageOps.exif_transpose(opened).convert("RGB")
    except UndecodableError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        raise UndecodableError("image-unreadable", f"is no picture we can read: {error}") from None
    return sorted({looks_of_image(stored)[:2], looks_of_image(shown)[:2]})


def looks_of_image(image: Image.Image) -> Looks:
    """Return the hashes of a picture that Pillow has decoded, whatever its mode."""
    return looks(np.asarray(image.convert("RGB")))


def pair_findings(image: ImageFacts, mask: MaskFacts) -> list[Finding]:
    """Say why a mask that decodes is none of its image; naming the file is left to the caller."""
    found = []
    if (image.width, image.height) != (mask.width, mask.height):
        found.append(
            finding(
                "size-differs",
                f"the mask is {mask.width} x {mask.height}, its image "
                f"{image.width} x {image.height}",
                hint="annotate at the image's own size; a scaled "
                "mask cuts people at the wrong place",
            )
        )
    if len(mask.other) >= _MATTE:
        found.append(
            finding(
                "mask-soft",
                f"the mask holds {len(mask.other)} grays between background and person",
                hint="cut them at the half, or write 255 for what is to be ignored",
            )
        )
    elif mask.other:
        shown = ", ".join(map(str, mask.other[:8])) + (", ..." if len(mask.other) > 8 else "")
        found.append(
            finding(
                "mask-values",
                f"the mask holds the values {shown}",
                hint="write 0 for background, 1 for person, 255 for what is to be ignored",
            )
        )
    elif mask.ignore and not mask.person:
        found.append(
            finding(
                "mask-0-255",
                "the mask holds 255 and no 1: readers take 255 as ignore, and train "
                "on background alone",
                hint="map 255 to 1; `sceneset fix` does it",
            )
        )
    return found
