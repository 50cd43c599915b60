"""Measure an image and its mask in one pass over their pixels, and compare the two."""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg
from PIL import Image, ImageOps

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import check_size, decode_image, decode_mask, scratch
from sceneset.imaging.mask_shape import Outline, Traced, trace_outline
from sceneset.imaging.mask_values import is_soft, is_void, uses_1
from sceneset.imaging.metadata import mask_traits
from sceneset.imaging.outline_detail import Detail, Probes, edge_agreement, measure_detail
from sceneset.imaging.perceptual_hash import ImageHashes, hash_pixels
from sceneset.imaging.picture import has_equal_channels, picture_digest
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.params import Limits
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]
    Planes = tuple[Plane, Plane, Plane]

_THUMBNAIL_SIDE, _THUMBNAIL_QUALITY = 256, 85


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Measurements of an image as stored; only ``picture`` is of the image as shown."""

    md5: str
    size: int
    """In bytes."""
    width: int
    height: int
    mode: str
    orientation: int
    sums: tuple[int, int, int]
    """Sum over the pixels, per channel."""
    squares: tuple[int, int, int]
    """Sum of squares over the pixels, per channel."""
    traits: tuple[str, ...]
    hashes: ImageHashes
    picture: str
    """The identity of the decoded pixels as shown, 32 hex digits."""
    thumbnail: bytes
    """A small JPEG, if requested."""
    green: "Plane" = field(repr=False, compare=False)
    """height x width; overwritten when the same thread measures the next image."""


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """Measurements of a mask: the number of pixels of each value, and where the person is."""

    md5: str
    size: int
    """In bytes."""
    width: int
    height: int
    person: int
    """Number of pixels of value 1."""
    ignore: int
    """Number of pixels of value 255."""
    other: tuple[int, ...]
    """Values other than 0, 1 and 255."""
    box: tuple[int, int, int, int] | None
    """Bounding box of the person: left, top, right and bottom, the last two exclusive."""
    outline: Outline
    detail: Detail
    probes: Probes
    """Points of the outline at which the image is compared."""
    traits: tuple[str, ...]
    """What the file contains besides its pixels: personal metadata, an orientation of its own."""
    pixels: "Plane" = field(repr=False, compare=False)
    """1 where the person is."""

    @property
    def is_soft(self) -> bool:
        """Whether the values are levels of gray, as in an alpha matte, and no classes."""
        return is_soft(self.other)

    @property
    def uses_1(self) -> bool:
        """Whether the mask has pixels of value 1, as a class and not as a level of gray."""
        return uses_1(self.person, self.other)


def measure_image(
    data: bytes, suffix: str, limits: Limits, md5: str | None = None, *, thumbnail: bool = False
) -> ImageFacts:
    """Decode an image completely and measure it.

    Args:
        data: The bytes of the file.
        suffix: ".jpg" or ".png".
        limits: Largest and smallest sizes accepted.
        md5: The hash of ``data`` if it is known.
        thumbnail: Whether to make a thumbnail.

    Raises:
        UndecodableError: The file has another format, is damaged, or exceeds the limits.
    """
    decoded = decode_image(data, suffix, limits)
    pixels = decoded.pixels
    planes = _planes(pixels)
    # Both sums are integers in float64, far below 2^53. OpenCV computes the second as the square
    # of a root, so it is off by less than a thousandth before rounding.
    sums = [int(total) for total in cv2.sumElems(pixels)]
    if pixels.ndim == 2:
        sums = sums[:1] * 3
    squares = [round(cv2.norm(plane, cv2.NORM_L2SQR)) for plane in planes]
    height, width = pixels.shape[:2]
    # Compare the channels of the few images whose sums allow that all are equal.
    is_gray = (
        pixels.ndim == 3
        and len(set(sums[:3])) == len(set(squares)) == 1
        and has_equal_channels(planes)
    )
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
        hashes=hash_pixels(pixels),
        picture=picture_digest(planes[0] if is_gray else pixels, decoded.orientation),
        thumbnail=thumbnail_jpeg(pixels) if thumbnail else b"",
        green=planes[1],
    )


def _planes(pixels: "Plane") -> "Planes":
    """Return the three channels as separate arrays, which are faster to process."""
    if pixels.ndim == 2:
        return (pixels, pixels, pixels)
    height, width, _ = pixels.shape
    red, green, blue = scratch("planes", (3, height, width))
    cv2.split(pixels, (red, green, blue))
    return red, green, blue


def measure_mask(data: bytes, limits: Limits, md5: str | None = None) -> MaskFacts:
    """Decode a mask completely and measure it; the arguments are those of ``measure_image``.

    Raises:
        UndecodableError: The file is not a PNG of one 8-bit channel, is damaged, or exceeds the
            limits.
    """
    mask = decode_mask(data, limits)
    person, ignore, other = _count_values(mask)
    left, top, width, height = cv2.boundingRect(person)
    box = (left, top, left + width, top + height) if width else None
    filled = None if person is mask else mask  # ignored pixels inside the person are not holes
    traced = trace_outline(person, box, filled) if box and not other else Traced(Outline())
    detail, probes = measure_detail(
        traced.contours, traced.areas, mask.shape[::-1], mask if ignore else None
    )
    return MaskFacts(
        md5=md5 or md5_of(data),
        size=len(data),
        width=mask.shape[1],
        height=mask.shape[0],
        person=cv2.countNonZero(person),
        ignore=ignore,
        other=other,
        box=box,
        outline=traced.outline,
        detail=detail,
        probes=probes,
        traits=mask_traits(data),
        pixels=person,
    )


def _count_values(mask: "Plane") -> "tuple[Plane, int, tuple[int, ...]]":
    """Return where the person is, the number of ignored pixels, and all other values."""
    if mask.max(initial=0) <= 1:
        return mask, 0, ()
    person = (mask == 1).view(np.uint8)
    ignore = cv2.countNonZero((mask == 255).view(np.uint8))
    other: tuple[int, ...] = ()
    if cv2.countNonZero(mask) != cv2.countNonZero(person) + ignore:  # a full count is slow
        counts = np.bincount(mask.reshape(-1), minlength=256)
        other = tuple(value for value in range(2, 255) if counts[value])
    return person, ignore, other


def contrast(image: ImageFacts, mask: MaskFacts) -> int | None:
    """Return the range of the green channel over the person's pixels, 0 to 255.

    Green contributes most to the perceived brightness. None if there is no person or the sizes
    differ.
    """
    if mask.box is None or image.green.shape != mask.pixels.shape:
        return None
    left, top, right, bottom = mask.box
    person = mask.pixels[top:bottom, left:right]
    least, most, *_ = cv2.minMaxLoc(image.green[top:bottom, left:right], person)
    return int(most - least)


def outline_edge(image: ImageFacts, mask: MaskFacts) -> int | None:
    """Return how much of the contrast near the outline is on it; see ``edge_agreement``.

    None if there is no outline or no contrast, or if the sizes differ.
    """
    if image.green.shape != mask.pixels.shape:
        return None
    return edge_agreement(mask.probes, image.green)


def thumbnail_jpeg(pixels: "Plane") -> bytes:
    """Return a JPEG of at most 256 pixels a side, with the orientation as stored.

    Args:
        pixels: height x width x 3 for RGB, or height x width for gray.
    """
    height, width = pixels.shape[:2]
    scale = min(1, _THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    if small.ndim == 2:
        encoded: bytes = simplejpeg.encode_jpeg(small[:, :, None], _THUMBNAIL_QUALITY, "GRAY")
    else:
        encoded = simplejpeg.encode_jpeg(small, _THUMBNAIL_QUALITY, "RGB", "420")
    return encoded


def hash_image_file(data: bytes, limits: Limits) -> list[tuple[int, int]]:
    """Return the pairs (phash, mirror) of an image file, as stored and as its EXIF orients it.

    For copies of unknown origin: any format that Pillow reads, rotated or not.

    Raises:
        UndecodableError: The file is not an image, is damaged, or exceeds the limits.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            check_size(opened.size, limits)
            stored = opened.convert("RGB")
            oriented = ImageOps.exif_transpose(opened).convert("RGB")
    except UndecodableError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise UndecodableError(
            "image-unreadable", f"is not an image that can be read: {error}"
        ) from None
    return sorted({hash_pil_image(stored)[:2], hash_pil_image(oriented)[:2]})


def hash_pil_image(image: Image.Image) -> ImageHashes:
    """Return the perceptual hashes of a Pillow image of any mode."""
    return hash_pixels(np.asarray(image.convert("RGB")))


def pair_findings(image: ImageFacts, mask: MaskFacts) -> list[Finding]:
    """Return why a mask does not fit its image; the caller adds the names of the files."""
    found = []
    if (image.width, image.height) != (mask.width, mask.height):
        message = (
            f"the mask is {mask.width} x {mask.height}, its image {image.width} x {image.height}"
        )
        hint = "annotate at the image's own size; a scaled mask is not aligned with people"
        is_sideways = STEPS[image.orientation][0]
        if is_sideways and (image.height, image.width) == (mask.width, mask.height):
            message += f"; EXIF orientation {image.orientation} shows it in the size of the mask"
            hint = "rotate the pixels of the image and remove the EXIF tag; `sceneset fix` does it"
        found.append(finding("size-differs", message, hint=hint))
    if mask.is_soft:
        found.append(
            finding(
                "mask-soft",
                f"the mask holds {len(mask.other)} gray values between background and person",
                hint="apply a threshold, or write 255 where pixels are to be ignored",
            )
        )
    elif mask.other:
        shown = ", ".join(map(str, mask.other[:8])) + (", ..." if len(mask.other) > 8 else "")
        values = "value" if len(mask.other) == 1 else "values"
        found.append(
            finding(
                "mask-values",
                f"the mask holds the {values} {shown}",
                hint="write 0 for background, 1 for person and 255 for pixels to be ignored",
            )
        )
    elif is_void(mask.person, mask.ignore, mask.other):
        found.append(
            finding(
                "mask-0-255",
                "the mask holds 255 and no 1: readers ignore pixels of 255, and train on "
                "background alone",
                hint="if 255 means person, map it to 1; `sceneset fix` does it",
            )
        )
    return found
