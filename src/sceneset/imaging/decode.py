"""Image files decoded to their last byte, to arrays of pixels as stored.

The strictest readings decide (a JPEG by simplejpeg, which counts libjpeg's warnings as errors;
a PNG by its checksums and by a full decode), because the tolerant ones hand damaged pictures on.
Pixels equal Pillow's.
"""

import io
import math
import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from sceneset.errors import UndecodableError
from sceneset.imaging.metadata import orientation_of, traits
from sceneset.imaging.png_length import check_length
from sceneset.schemas.params import RAISE_BYTES, Limits

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_KNOWN = (  # leading bytes -> what the file is
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"version https://git-lfs", "a Git LFS pointer (run `git lfs pull` where it came from)"),
)
_FORMATS = {".jpg": "JPEG", ".png": "PNG"}
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_KEPT = 48 << 20  # bytes: larger buffers are given back


class Decoded(NamedTuple):
    """A picture as it is stored: no orientation is applied."""

    pixels: "Pixels"
    """Height x width x 3, or height x width where it is gray. It may be written over when the
    same thread decodes the next picture."""
    mode: str
    """Pillow's name of what is stored."""
    orientation: int
    traits: tuple[str, ...]


def decoded_image(data: bytes, suffix: str, limits: Limits) -> Decoded:
    """Decode an image of 8 bits a channel to RGB or gray.

    Raises:
        BadPixelsError: it is no image of that suffix, is damaged, or is beyond the limits.
    """
    wanted = _FORMATS[suffix]
    _check_content(data, suffix, wanted, limits)
    with _told(limits):
        opened = _opened(data, wanted, limits)
        mode = opened.mode
        if wanted == "PNG":
            opened = _again(data)
        if mode.startswith(("I", "F")):
            opened.load()
            raise UndecodableError(
                "image-format",
                "is gray of more than 8 bits: readers cut its brightness off at 255",
                "convert it to 8 bits a channel",
            )
        pixels = (_jpeg_pixels if wanted == "JPEG" else _png_pixels)(data, opened)
        if pixels is None:  # what blocks follow the pixels is known then, too
            pixels = np.asarray(opened if mode == "L" else opened.convert("RGB"))
        return Decoded(pixels, mode, orientation_of(opened), traits(opened, data))


def decoded_mask(data: bytes, limits: Limits) -> "Pixels":
    """Decode a mask to its values, height x width.

    Raises:
        BadPixelsError: it is no PNG of one 8-bit channel, is damaged, or is beyond the limits.
    """
    _check_content(data, ".png", "PNG", limits)
    with _told(limits):
        opened = _opened(data, "PNG", limits)
        if opened.mode != "L":
            _again(data).load()  # damage is told before the mode
            raise UndecodableError(
                "mask-mode",
                f"is {_MODES.get(opened.mode, opened.mode)}, not one channel of 8 bits",
                "write class numbers into an 8-bit gray PNG: readers disagree on anything else",
            )
        pixels = _png_pixels(data, opened)
        return np.asarray(_again(data)) if pixels is None else pixels


_MODES = {
    "P": "a palette picture",
    "1": "a 1-bit picture",
    "RGB": "an RGB picture",
    "RGBA": "an RGB picture with alpha",
    "LA": "a gray picture with alpha",
    "I;16": "of 16 bits",
}


def _check_content(data: bytes, suffix: str, wanted: str, limits: Limits) -> None:
    if not data:
        raise UndecodableError("image-unreadable", "is empty (0 bytes)", "copy the file again")
    if len(data) > limits.max_bytes:
        raise UndecodableError(
            "image-too-large",
            f"is larger than {limits.max_bytes:,} bytes",
            RAISE_BYTES,
        )
    found = _content(data)
    if found != wanted:
        raise UndecodableError(
            "image-format", f"is named {suffix} but holds {found}", f"convert it to a real {wanted}"
        )


def _content(data: bytes) -> str:
    """Name what the leading bytes say a file is."""
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF"
    return next((name for start, name in _KNOWN if data.startswith(start)), "no picture we know")


class _told:  # noqa: N801 - reads as the statement it is
    """Turns whatever decoders raise into one error."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, UndecodableError):
            return
        if isinstance(error, Image.DecompressionBombError):
            raise _too_many_pixels(self.limits) from None
        if isinstance(error, MemoryError):
            raise UndecodableError("image-too-large", "needs more memory than there is") from None
        if isinstance(error, Exception):  # SyntaxError, struct.error...
            headless = isinstance(error, UnidentifiedImageError)  # its text names an address
            raise UndecodableError(
                "image-unreadable",
                f"does not decode to its end: {'its header is broken' if headless else error}",
                "copy the file again from where it came, or leave the sample out",
            ) from None


def _opened(data: bytes, kind: str, limits: Limits) -> Image.Image:
    """Return a picture of a size that may be decoded; a PNG's checksums are right."""
    if kind == "PNG" and _PNG_END not in data:  # Pillow reads a cut end chunk without a word
        raise UndecodableError(
            "image-unreadable", "lacks its end", "copy the file again from where it came"
        )
    opened = Image.open(io.BytesIO(data), formats=[kind])
    check_size(opened.size, limits)
    if kind == "PNG":
        opened.verify()  # it leaves the picture without its pixels
    return opened


def _again(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["PNG"])


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Refuse what is too large to decode, or too small to show anybody.

    Raises:
        BadPixelsError: it is.
    """
    if size[0] * size[1] > limits.max_pixels:
        raise _too_many_pixels(limits, size)
    if min(size) < limits.min_side:
        raise UndecodableError(
            "image-too-small",
            f"is {size[0]} x {size[1]}, less than {limits.min_side} pixels on a side",
            "leave it out: nobody can be seen in it",
        )


def _too_many_pixels(limits: Limits, size: tuple[int, int] | None = None) -> UndecodableError:
    what = f"is {size[0]} x {size[1]}" if size else "is"
    return UndecodableError(
        "image-too-large",
        f"{what} beyond {limits.max_pixels:,} pixels; it was not decoded",
        "raise limits.max_pixels in params.yaml if that is meant",
    )


def _jpeg_pixels(data: bytes, opened: Image.Image) -> "Pixels | None":
    import simplejpeg

    if opened.mode == "CMYK":  # it tells of damage, and Pillow what colours are meant
        shape = (opened.height, opened.width, 4)
        simplejpeg.decode_jpeg(data, "CMYK", buffer=scratch("decoded", shape))
        return None
    shape = (opened.height, opened.width, 1 if opened.mode == "L" else 3)
    pixels: Pixels = simplejpeg.decode_jpeg(
        data, "GRAY" if opened.mode == "L" else "RGB", buffer=scratch("decoded", shape)
    )
    return pixels[:, :, 0] if opened.mode == "L" else pixels


def _png_pixels(data: bytes, opened: Image.Image) -> "Pixels | None":
    """Return the pixels by a decoder five times as quick as Pillow, or None where it can't.

    Pixels that end too early are refused, which Pillow takes for black.
    """
    depth, interlaced = data[24], data[28]
    mode = {"L": "mono", "RGB": "rgb"}.get(opened.mode)
    if mode is None or depth != 8 or interlaced or "transparency" in opened.info:
        check_length(data)
        return None
    from kornia_rs.io import decode_image_png_u8

    pixels: Pixels = decode_image_png_u8(data, (opened.height, opened.width), mode)
    return pixels[:, :, 0] if mode == "mono" else pixels


_scratch = threading.local()


def scratch(name: str, shape: tuple[int, ...], kind: "npt.DTypeLike" = np.uint8) -> "Pixels":
    """Lend an array of this thread's: to write into fresh memory takes longer than to decode."""
    bytes_needed = math.prod(shape) * np.dtype(kind).itemsize
    held = getattr(_scratch, name, None)
    if held is None or len(held) < bytes_needed:
        held = np.empty(bytes_needed, np.uint8)
        if bytes_needed <= _KEPT:
            setattr(_scratch, name, held)
    lent: Pixels = held[:bytes_needed].view(kind).reshape(shape)
    return lent
