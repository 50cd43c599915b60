"""Decode image files strictly, to arrays of pixels as stored.

Tolerant decoders return damaged images without an error. So JPEGs are decoded by `strict_jpeg`, and
PNGs are checked by their checksums and decoded in full. The pixels equal those that Pillow returns.
"""

import io
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from sceneset.errors import UndecodableError
from sceneset.imaging.metadata import load_late_metadata, orientation_of, traits
from sceneset.imaging.png_length import check_length
from sceneset.imaging.segments import has_png_end
from sceneset.imaging.strict_jpeg import TooManyScansError, check_scans, decode_strictly
from sceneset.schemas.params import RAISE_MAX_BYTES, Limits

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

Size = tuple[int, int]
"""Width and height in pixels."""

_SIGNATURES = (  # first bytes -> what the file is
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"version https://git-lfs", "a Git LFS pointer (run `git lfs pull` where it came from)"),
)
_FORMATS = {".jpg": "JPEG", ".png": "PNG"}
_MODES = {
    "P": "a palette image",
    "1": "a 1-bit image",
    "RGB": "an RGB image",
    "RGBA": "an RGB image with alpha",
    "LA": "a gray image with alpha",
    "I;16": "an image of 16 bits",
}
_MAX_KEPT_BUFFER = 48 << 20  # bytes; larger buffers are freed after use
_COPY_AGAIN = "copy the file again from its source"


class Decoded(NamedTuple):
    """A decoded image as stored: no orientation is applied."""

    pixels: "Pixels"
    """height x width x 3 for RGB, or height x width for gray. The array may be overwritten when
    the same thread decodes the next image."""
    mode: str
    """Pillow's name for the stored mode; with ";16" if the file has 16 bits per channel, of which
    only the upper 8 are decoded."""
    orientation: int
    traits: tuple[str, ...]


class Small(NamedTuple):
    """An image as stored, decoded for a small picture of it."""

    image: Image.Image
    """RGB. Its longer side has at least the wanted number of pixels if that of the file has."""
    size: Size
    """Of the image in the file."""
    orientation: int


def decode_image(data: bytes, suffix: str, limits: Limits) -> Decoded:
    """Decode an image of 8 bits per channel to RGB or gray.

    Args:
        data: The bytes of the file.
        suffix: ".jpg" or ".png".
        limits: Largest and smallest sizes accepted.

    Raises:
        UndecodableError: The file has another format, is damaged, or exceeds the limits.
    """
    wanted = _FORMATS[suffix]
    _check_content(data, suffix, wanted, limits)
    with _undecodable_errors(limits):
        opened = _open(data, wanted, limits)
        mode = opened.mode
        if wanted == "PNG":
            opened = _reopen(data)
        if mode.startswith(("I", "F")):
            opened.load()
            raise UndecodableError(
                "image-format",
                "is gray of more than 8 bits: readers clip its brightness at 255",
                "convert it to 8 bits per channel",
            )
        pixels = (_jpeg_pixels if wanted == "JPEG" else _png_pixels)(data, opened)
        if pixels is None:  # Pillow decodes; now `opened` also has the chunks after the pixels
            pixels = np.asarray(opened if mode == "L" else opened.convert("RGB"))
        if wanted == "PNG":
            load_late_metadata(opened, data)
            if data[24] == 16:
                mode += ";16"
        return Decoded(pixels, mode, orientation_of(opened), traits(opened, data))


def decode_small(data: bytes, suffix: str, side: int, limits: Limits) -> Small:
    """Decode an image for a small picture of it, a JPEG at a reduced size where that is enough.

    The pixels differ slightly from those of ``decode_image``, so nothing is measured on them.

    Args:
        data: The bytes of the file.
        suffix: ".jpg" or ".png".
        side: Length that the longer side of the picture will have, in pixels.
        limits: Largest and smallest sizes accepted.

    Raises:
        UndecodableError: The file has another format, is damaged, or exceeds the limits.
    """
    if _FORMATS[suffix] == "PNG":
        decoded = decode_image(data, suffix, limits)
        image = Image.fromarray(decoded.pixels).convert("RGB")
        return Small(image, image.size, decoded.orientation)
    _check_content(data, suffix, "JPEG", limits)
    with _undecodable_errors(limits):
        opened = _open(data, "JPEG", limits)
        width, height = opened.size
        check_scans(data, width * height)
        opened.draft("RGB", fitted((width, height), side))
        return Small(opened.convert("RGB"), (width, height), orientation_of(opened))


def fitted(size: Size, side: int) -> Size:
    """Return width and height of a picture that is reduced to ``side`` pixels, if it is larger."""
    longest = max(size)
    if longest <= side:
        return size
    width, height = (max(1, (2 * length * side + longest) // (2 * longest)) for length in size)
    return width, height


def decode_mask(data: bytes, limits: Limits) -> "Pixels":
    """Decode a mask to its values, height x width.

    Raises:
        UndecodableError: The file is not a PNG of one 8-bit channel, is damaged, or exceeds the
            limits.
    """
    _check_content(data, ".png", "PNG", limits)
    with _undecodable_errors(limits):
        opened = _open(data, "PNG", limits)
        if opened.mode != "L":
            _reopen(data).load()  # damage is reported before a wrong mode
            raise UndecodableError(
                "mask-mode",
                f"is {_MODES.get(opened.mode, opened.mode)}, not one channel of 8 bits",
                "write class numbers into an 8-bit gray PNG: readers disagree on anything else",
            )
        pixels = _png_pixels(data, opened)
        return np.asarray(_reopen(data)) if pixels is None else pixels


def _check_content(data: bytes, suffix: str, wanted: str, limits: Limits) -> None:
    if not data:
        raise UndecodableError("image-unreadable", "is empty (0 bytes)", "copy the file again")
    if len(data) > limits.max_bytes:
        raise UndecodableError(
            "image-too-large",
            f"is larger than {limits.max_bytes:,} bytes",
            RAISE_MAX_BYTES,
        )
    found = _format_of(data)
    if found != wanted:
        raise UndecodableError(
            "image-format", f"is named {suffix} but holds {found}", f"convert it to a real {wanted}"
        )


def _format_of(data: bytes) -> str:
    """Return the format that the first bytes of a file indicate."""
    if data[4:8] == b"ftyp":
        return "HEIC or AVIF"
    return next(
        (name for start, name in _SIGNATURES if data.startswith(start)), "an unknown format"
    )


@contextmanager
def _undecodable_errors(limits: Limits) -> Iterator[None]:
    """Turn every exception of a decoder into an UndecodableError."""
    try:
        yield
    except UndecodableError:
        raise
    except Image.DecompressionBombError:
        raise _too_many_pixels(limits) from None
    except TooManyScansError as error:
        raise UndecodableError(
            "image-too-large", f"{error}; it was not decoded", "save it again as a baseline JPEG"
        ) from None
    except MemoryError:
        raise UndecodableError("image-too-large", "needs more memory than is available") from None
    except Exception as error:  # noqa: BLE001 - SyntaxError, struct.error, ...
        # The text of an UnidentifiedImageError contains a memory address.
        broken_header = isinstance(error, UnidentifiedImageError)
        raise UndecodableError(
            "image-unreadable",
            f"does not decode completely: {'its header is damaged' if broken_header else error}",
            f"{_COPY_AGAIN}, or leave the sample out",
        ) from None


def _open(data: bytes, kind: str, limits: Limits) -> Image.Image:
    """Open an image after checking its size and, for a PNG, its checksums."""
    if kind == "PNG" and not has_png_end(data):  # Pillow ignores a damaged end chunk
        raise UndecodableError("image-unreadable", "is truncated: its end is missing", _COPY_AGAIN)
    opened = Image.open(io.BytesIO(data), formats=[kind])
    check_size(opened.size, limits)
    if kind == "PNG":
        opened.verify()  # afterwards this object can't be decoded
    return opened


def _reopen(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=["PNG"])


def check_size(size: tuple[int, int], limits: Limits) -> None:
    """Check that an image is neither too large to decode nor too small to show a person.

    Args:
        size: Width and height in pixels.
        limits: The limits.

    Raises:
        UndecodableError: It exceeds a limit.
    """
    if size[0] * size[1] > limits.max_pixels:
        raise _too_many_pixels(limits, size)
    if min(size) < limits.min_side:
        raise UndecodableError(
            "image-too-small",
            f"is {size[0]} x {size[1]}, less than {limits.min_side} pixels on a side",
            "leave it out: it is too small to show a person",
        )


def _too_many_pixels(limits: Limits, size: tuple[int, int] | None = None) -> UndecodableError:
    shown = f"is {size[0]} x {size[1]}, more than" if size else "has more than"
    return UndecodableError(
        "image-too-large",
        f"{shown} {limits.max_pixels:,} pixels; it was not decoded",
        "raise limits.max_pixels in params.yaml if the size is correct",
    )


def _jpeg_pixels(data: bytes, opened: Image.Image) -> "Pixels | None":
    """Return the pixels by simplejpeg, or None if Pillow must decode them."""
    check_scans(data, opened.width * opened.height)
    channels = {"L": 1, "CMYK": 4}.get(opened.mode, 3)
    buffer = scratch("decoded", (opened.height, opened.width, channels))
    return decode_strictly(data, opened.mode, buffer)


def _png_pixels(data: bytes, opened: Image.Image) -> "Pixels | None":
    """Return the pixels by a decoder five times as fast as Pillow, or None if it can't decode them.

    Missing pixels, which Pillow reads as black, are an error in both cases. The fast decoder also
    refuses chunks that other readers skip, such as a cICP chunk of unspecified colours.
    """
    depth, interlaced = data[24], data[28]
    mode = {"L": "mono", "RGB": "rgb"}.get(opened.mode)
    if mode is not None and depth == 8 and not interlaced and "transparency" not in opened.info:
        from kornia_rs.io import decode_image_png_u8

        with suppress(Exception):  # Pillow decides whether the file is damaged
            pixels: Pixels = decode_image_png_u8(data, (opened.height, opened.width), mode)
            return pixels[:, :, 0] if mode == "mono" else pixels
    check_length(data)
    return None


_buffers = threading.local()


def scratch(name: str, shape: tuple[int, ...], dtype: "npt.DTypeLike" = np.uint8) -> "Pixels":
    """Return an array that this thread reuses; writing to new memory is slower than decoding.

    Args:
        name: Arrays of different names can be used at the same time.
        shape: The array's shape.
        dtype: The array's type.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = getattr(_buffers, name, None)
    if buffer is None or len(buffer) < size:
        buffer = np.empty(size, np.uint8)
        if size <= _MAX_KEPT_BUFFER:
            setattr(_buffers, name, buffer)
    array: Pixels = buffer[:size].view(dtype).reshape(shape)
    return array
