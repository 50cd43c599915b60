"""Pixels of one sample, opened once: what is measured, and everything wrong with them.

The strictest readings decide (a JPEG by simplejpeg, which counts libjpeg's warnings as errors;
a PNG by its checksums and by a full decode), because the tolerant ones hand damaged pictures on.
"""

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from sceneset.registry.files import md5_of
from sceneset.registry.looks import Looks, looks
from sceneset.registry.metadata import traits
from sceneset.registry.outlines import Outline, outline_of
from sceneset.schemas.params import Limits
from sceneset.schemas.problem import Problem, problem

if TYPE_CHECKING:
    import numpy.typing as npt

_KNOWN = (  # leading bytes -> what the file is
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"version https://git-lfs", "a Git LFS pointer (run `git lfs pull` where it came from)"),
)
_FORMATS = {".jpg": "JPEG", ".png": "PNG"}
_ORIENTATION = 0x0112
_MATTE = 24  # values beyond 0, 1 and 255 that no table of classes or instances has
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


class BadPixelsError(Exception):
    """A file that can't be measured, with the finding that says why."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.hint = code, message, hint


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
    gray: Image.Image = field(repr=False, compare=False)


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
    pixels: Image.Image = field(repr=False, compare=False)


class _Decoded(NamedTuple):
    image: Image.Image
    mode: str
    orientation: int
    traits: tuple[str, ...]


def image_facts(data: bytes, suffix: str, limits: Limits) -> ImageFacts:
    """Decode an image to its last byte and measure it.

    Raises:
        BadPixelsError: it is no image of that suffix, is damaged, or is beyond the limits.
    """
    decoded = _decoded(data, suffix, limits)
    if decoded.mode.startswith(("I", "F")):
        raise BadPixelsError(
            "image-format",
            "is gray of more than 8 bits: readers cut its brightness off at 255",
            "convert it to 8 bits a channel",
        )
    rgb = decoded.image if decoded.image.mode == "RGB" else decoded.image.convert("RGB")
    counts = np.asarray(rgb.histogram(), np.int64).reshape(3, 256)
    values = np.arange(256, dtype=np.int64)
    sums, squares = (counts @ values).tolist(), (counts @ (values * values)).tolist()
    gray = rgb.convert("L")
    return ImageFacts(
        md5=md5_of(data),
        size=len(data),
        width=rgb.width,
        height=rgb.height,
        mode=decoded.mode,
        orientation=decoded.orientation,
        sums=(sums[0], sums[1], sums[2]),
        squares=(squares[0], squares[1], squares[2]),
        traits=decoded.traits,
        looks=looks(gray),
        gray=gray,
    )


def mask_facts(data: bytes, limits: Limits) -> MaskFacts:
    """Decode a mask to its last byte and count its values.

    Raises:
        BadPixelsError: it is no PNG of one 8-bit channel, is damaged, or is beyond the limits.
    """
    mask = _decoded_mask(data, limits)
    counts = mask.histogram()
    other = tuple(v for v in range(2, 255) if counts[v])
    person = mask.point([int(value == 1) for value in range(256)]) if counts[255] else mask
    return MaskFacts(
        md5=md5_of(data),
        size=len(data),
        width=mask.width,
        height=mask.height,
        person=counts[1],
        ignore=counts[255],
        other=other,
        box=person.getbbox(),
        outline=Outline() if other else _outline(mask, person),
        pixels=person,
    )


def _outline(mask: Image.Image, person: Image.Image) -> Outline:
    """Measure the person; what is ignored inside of it is no hole."""
    return outline_of(np.asarray(person), None if person is mask else np.asarray(mask))


def contrast(image: ImageFacts, mask: MaskFacts) -> int | None:
    """Return how many gray levels lie between the darkest and the brightest pixel of the person."""
    if mask.box is None or image.gray.size != mask.pixels.size:
        return None
    counts = image.gray.crop(mask.box).histogram(mask.pixels.crop(mask.box))
    seen = [level for level, count in enumerate(counts) if count]
    return seen[-1] - seen[0]


def looks_of(data: bytes, limits: Limits) -> list[tuple[int, int]]:
    """Return the hash and the mirrored one of any picture Pillow reads, as stored and as shown.

    For copies from elsewhere: whatever their format, and turned as their EXIF says or not.

    Raises:
        BadPixelsError: it is no picture, is damaged, or is beyond the limits.
    """
    try:
        with Image.open(io.BytesIO(data)) as opened:
            _check_size(opened.size, limits)
            stored = opened.convert("RGB")
            shown = ImageOps.exif_transpose(opened).convert("RGB")
    except BadPixelsError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything
        raise BadPixelsError("image-unreadable", f"is no picture we can read: {error}") from None
    return sorted({looks(stored)[:2], looks(shown)[:2]})


def mask_pixels(data: bytes, limits: Limits) -> "npt.NDArray[np.uint8]":
    """Return a mask's values, height x width.

    Raises:
        BadPixelsError: it is no PNG of one 8-bit channel, is damaged, or is beyond the limits.
    """
    return np.asarray(_decoded_mask(data, limits))


def _decoded_mask(data: bytes, limits: Limits) -> Image.Image:
    decoded = _decoded(data, ".png", limits)
    if decoded.mode != "L":
        raise BadPixelsError(
            "mask-mode",
            f"is {_MODES.get(decoded.mode, decoded.mode)}, not one channel of 8 bits",
            "write class numbers into an 8-bit gray PNG: readers disagree on anything else",
        )
    return decoded.image


_MODES = {
    "P": "a palette picture",
    "1": "a 1-bit picture",
    "RGB": "an RGB picture",
    "RGBA": "an RGB picture with alpha",
    "LA": "a gray picture with alpha",
    "I;16": "of 16 bits",
}


def _decoded(data: bytes, suffix: str, limits: Limits) -> _Decoded:
    if not data:
        raise BadPixelsError("image-unreadable", "is empty (0 bytes)", "copy the file again")
    if len(data) > limits.max_bytes:
        raise BadPixelsError(
            "image-too-large",
            f"is larger than {limits.max_bytes:,} bytes",
            "raise limits.max_bytes in params.yaml if that is meant",
        )
    wanted = _FORMATS[suffix]
    found = _content(data)
    if found != wanted:
        raise BadPixelsError(
            "image-format", f"is named {suffix} but holds {found}", f"convert it to a real {wanted}"
        )
    try:
        return _decoded_png(data, limits) if wanted == "PNG" else _decoded_jpeg(data, limits)
    except BadPixelsError:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except MemoryError:
        raise BadPixelsError("image-too-large", "needs more memory than there is") from None
    except Exception as error:  # noqa: BLE001 - decoders raise anything: SyntaxError, struct.error...
        raise BadPixelsError(
            "image-unreadable",
            f"does not decode to its end: {error}",
            "copy the file again from where it came, or leave the sample out",
        ) from None


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    if size[0] * size[1] > limits.max_pixels:
        raise _too_many_pixels(limits, size)
    if min(size) < limits.min_side:
        raise BadPixelsError(
            "image-too-small",
            f"is {size[0]} x {size[1]}, less than {limits.min_side} pixels on a side",
            "leave it out: nobody can be seen in it",
        )


def _too_many_pixels(limits: Limits, size: tuple[int, int] | None = None) -> BadPixelsError:
    what = f"is {size[0]} x {size[1]}" if size else "is"
    return BadPixelsError(
        "image-too-large",
        f"{what} beyond {limits.max_pixels:,} pixels; it was not decoded",
        "raise limits.max_pixels in params.yaml if that is meant",
    )


def orientation_of(opened: Image.Image) -> int:
    """Return the EXIF orientation of a picture, 1 to 8; 1 where there is none that makes sense."""
    try:
        value = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata raises anything and says nothing of pixels
        return 1
    return value if 1 <= value <= 8 else 1


def _decoded_jpeg(data: bytes, limits: Limits) -> _Decoded:
    import simplejpeg

    opened = Image.open(io.BytesIO(data), formats=["JPEG"])
    _check_size(opened.size, limits)
    mode, orientation, carried = opened.mode, orientation_of(opened), traits(opened, data)
    if mode not in {"RGB", "L"}:  # CMYK: simplejpeg does not read it
        opened.load()
        return _Decoded(opened, mode, orientation, carried)
    array = simplejpeg.decode_jpeg(data, "GRAY" if mode == "L" else "RGB")
    height, width = array.shape[:2]
    image = Image.frombuffer(mode, (width, height), array, "raw", mode, 0, 1)
    return _Decoded(image, mode, orientation, carried)


def _decoded_png(data: bytes, limits: Limits) -> _Decoded:
    if _PNG_END not in data:  # Pillow reads a cut end chunk without a word
        raise BadPixelsError(
            "image-unreadable", "lacks its end", "copy the file again from where it came"
        )
    checked = Image.open(io.BytesIO(data), formats=["PNG"])
    _check_size(checked.size, limits)
    checked.verify()  # the checksums; it leaves the picture unusable
    opened = Image.open(io.BytesIO(data), formats=["PNG"])
    mode = opened.mode
    opened.load()  # text blocks may follow the pixels
    return _Decoded(opened, mode, orientation_of(opened), traits(opened, data))


def _content(data: bytes) -> str:
    """Name what the leading bytes say a file is."""
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF"
    return next((name for start, name in _KNOWN if data.startswith(start)), "no picture we know")


def pair_problems(image: ImageFacts, mask: MaskFacts) -> list[Problem]:
    """Say why a mask that decodes is none of its image; naming the file is left to the caller."""
    found = []
    if (image.width, image.height) != (mask.width, mask.height):
        found.append(
            problem(
                "size-differs",
                f"the mask is {mask.width} x {mask.height}, its image "
                f"{image.width} x {image.height}",
                hint="annotate at the image's own size; a scaled "
                "mask cuts people at the wrong place",
            )
        )
    if len(mask.other) >= _MATTE:
        found.append(
            problem(
                "mask-soft",
                f"the mask holds {len(mask.other)} grays between background and person",
                hint="cut them at the half, or write 255 for what is to be ignored",
            )
        )
    elif mask.other:
        shown = ", ".join(map(str, mask.other[:8])) + (", ..." if len(mask.other) > 8 else "")
        found.append(
            problem(
                "mask-values",
                f"the mask holds the values {shown}",
                hint="write 0 for background, 1 for person, 255 for what is to be ignored",
            )
        )
    elif mask.ignore and not mask.person:
        found.append(
            problem(
                "mask-0-255",
                "the mask holds 255 and no 1: readers take 255 as ignore, and train "
                "on background alone",
                hint="map 255 to 1",
            )
        )
    return found
