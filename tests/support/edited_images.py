"""Images with metadata that `sceneset fix` edits, and what they hold."""

import io
import re
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngInfo

from support.images import encoded, png_chunk

SECRET = b"Jane Doe, 12 Elm Street"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]
ORIENTATIONS = range(1, 9)
JPEGS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 1},
    {"restart_marker_rows": 1, "progressive": True},
    {"subsampling": 0, "quality": 95},
    {"subsampling": 1},
    {"keep_rgb": True},
]


def drawn(width: int = 53, height: int = 37, channels: int = 3) -> Image.Image:
    """Draw a smooth image that looks different in each of the eight orientations."""
    low = np.random.default_rng(7).integers(0, 256, (4, 5, channels), dtype=np.uint8)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    image = Image.fromarray(low[..., 0] if channels == 1 else low)
    assert image.mode == mode
    return image.resize((width, height), Image.Resampling.BICUBIC)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(opened(data))


def tag_of(data: bytes) -> int:
    return int(opened(data).getexif().get(0x0112, 1))


def exif(orientation: int, order: str = ">") -> bytes:
    """Return an EXIF block with an author, a location, a fake thumbnail and an orientation."""
    made = Image.Exif()
    made.endian = order
    made[0x0112] = orientation
    made[0x013B] = SECRET.decode()
    made.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    return made.tobytes() + b"\xff\xd8 a thumbnail \xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


PERSONAL = (
    segment(0xFE, SECRET)
    + segment(0xE0, b"JFXX\0\x10" + SECRET)
    + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET)
    + segment(0xE2, b"MPF\0" + SECRET)
    + b"\xff\xff\xff"  # fill bytes
    + segment(0xED, b"Photoshop 3.0\0" + SECRET)
    + segment(0xEB, b"JP" + SECRET)
    + segment(0xFE, b"Adobe ICC_PROFILE\0 " + SECRET)
)


def with_personal(jpeg: bytes) -> bytes:
    """Insert personal data after the header, between the scans and after the end of a JPEG."""
    head = 20 if jpeg[2:4] == b"\xff\xe0" else 2
    first_scan = jpeg.index(b"\xff\xda")
    after = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]").search(jpeg, first_scan + 2)
    assert after
    between = after.start()
    return jpeg[:head] + PERSONAL + jpeg[head:between] + PERSONAL + jpeg[between:] + jpeg + SECRET


def loaded_png(image: Image.Image, orientation: int, **options: Any) -> bytes:
    info = PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_text("Comment", SECRET.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>")
    info.add(b"tIME", bytes((7, 232, 1, 15, 9, 30, 0)))
    info.add(b"gAMA", struct.pack(">I", 45455))
    info.add(b"prVt", SECRET, after_idat=True)
    data = encoded(image, "PNG", exif=exif(orientation), pnginfo=info, **options)
    return data + b"the rest of a cropped image: " + SECRET


def kinds(png: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(png):
        found.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4])
    return found


def transposed(data: bytes, orientation: int) -> npt.NDArray[np.uint8]:
    """Return the pixels as Pillow orients an image with this EXIF orientation."""
    image = JpegImageFile(io.BytesIO(data)) if data[:1] == b"\xff" else opened(data)
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


def png_of_16_bits(channels: int) -> bytes:
    kind = {2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", 4, 3, 16, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes([255]) * (8 * channels) for _ in range(3)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", body)
        + png_chunk(b"IEND", b"")
    )


def mask(*values: int) -> Image.Image:
    random_values = np.random.default_rng(3).choice(np.array(values, np.uint8), (21, 34))
    return Image.fromarray(random_values)
