"""Pixels of one sample, opened once: what is measured, and everything wrong with them.

The strictest readings decide (a JPEG by simplejpeg, which counts libjpeg's warnings as errors;
a PNG by its checksums and by a full decode), because the tolerant ones hand damaged pictures on.
"""

import io
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from sceneset.registry.files import md5_of
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
    phash: int
    phash_mirror: int


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


class _Decoded(NamedTuple):
    image: Image.Image
    mode: str
    orientation: int


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
    phash, mirrored = perceptual_hashes(rgb)
    return ImageFacts(
        md5=md5_of(data),
        size=len(data),
        width=rgb.width,
        height=rgb.height,
        mode=decoded.mode,
        orientation=decoded.orientation,
        sums=(sums[0], sums[1], sums[2]),
        squares=(squares[0], squares[1], squares[2]),
        phash=phash,
        phash_mirror=mirrored,
    )


def mask_facts(data: bytes, limits: Limits) -> MaskFacts:
    """Decode a mask to its last byte and count its values.

    Raises:
        BadPixelsError: it is no PNG of one 8-bit channel, is damaged, or is beyond the limits.
    """
    mask = _decoded_mask(data, limits)
    counts = mask.histogram()
    person_only = [int(value == 1) for value in range(256)]
    return MaskFacts(
        md5=md5_of(data),
        size=len(data),
        width=mask.width,
        height=mask.height,
        person=counts[1],
        ignore=counts[255],
        other=tuple(v for v in range(2, 255) if counts[v]),
        box=(mask.point(person_only) if counts[255] else mask).getbbox(),
    )


def looks_of(data: bytes, limits: Limits) -> list[tuple[int, int]]:
    """Return the perceptual hashes of any picture Pillow reads, as stored and as it is shown.

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
    return sorted({perceptual_hashes(stored), perceptual_hashes(shown)})


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


def _orientation(opened: Image.Image) -> int:
    try:
        value = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata raises anything and says nothing of pixels
        return 1
    return value if 1 <= value <= 8 else 1


def _decoded_jpeg(data: bytes, limits: Limits) -> _Decoded:
    import simplejpeg

    opened = Image.open(io.BytesIO(data), formats=["JPEG"])
    _check_size(opened.size, limits)
    mode, orientation = opened.mode, _orientation(opened)
    if mode not in {"RGB", "L"}:  # CMYK: simplejpeg does not read it
        opened.load()
        return _Decoded(opened, mode, orientation)
    array = simplejpeg.decode_jpeg(data, "GRAY" if mode == "L" else "RGB")
    height, width = array.shape[:2]
    image = Image.frombuffer(mode, (width, height), array, "raw", mode, 0, 1)
    return _Decoded(image, mode, orientation)


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
    opened.load()
    return _Decoded(opened, mode, _orientation(opened))


def _content(data: bytes) -> str:
    """Name what the leading bytes say a file is."""
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF"
    return next((name for start, name in _KNOWN if data.startswith(start)), "no picture we know")


def perceptual_hashes(image: Image.Image) -> tuple[int, int]:
    """Return the 64-bit DCT hash of an image and of its mirror image.

    The hash is the sign of the 8x8 lowest frequencies of a 32x32 gray copy against their
    median (the algorithm of the ImageHash package). Integers alone are used, so that every
    machine gets the same bits; mirroring an image negates its odd horizontal frequencies.
    """
    small = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.LANCZOS), np.int64)
    basis = _dct_basis()
    frequencies = basis @ small @ basis.T
    signs = np.where(np.arange(8) % 2, -1, 1)
    return _bits(frequencies), _bits(frequencies * signs)


def _bits(frequencies: "npt.NDArray[np.int64]") -> int:
    # Twice each value against the sum of the two middle ones: the median without a fraction.
    middle = np.sort(frequencies, axis=None)[31:33].sum()
    return int.from_bytes(np.packbits(2 * frequencies > middle).tobytes())


@cache
def _dct_basis() -> "npt.NDArray[np.int64]":
    """Return the 8 lowest rows of the 32-point DCT-II, scaled by 2^16 and rounded."""
    steps = np.pi * (2 * np.arange(32) + 1) / 64
    basis = np.rint(np.cos(np.outer(np.arange(8), steps)) * (1 << 16))
    return np.asarray(basis, np.int64)


def pair_problems(image: ImageFacts, mask: MaskFacts) -> list[Problem]:
    """Say what is wrong with an image and a mask that both decode; files are left to the caller."""
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
    if mask.other:
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
    elif not mask.person:
        found.append(
            problem(
                "mask-empty", "the mask shows no person", hint="right for a picture without people"
            )
        )
    if image.orientation != 1:
        found.append(
            problem(
                "image-orientation",
                f"EXIF orientation {image.orientation} turns the image, but not its mask",
                hint="turn the pixels and drop the tag",
            )
        )
    if image.mode != "RGB":
        found.append(
            problem(
                "image-mode",
                f"the image is {image.mode}, not RGB; readers convert it each in their own way",
            )
        )
    return found
