"""Images in memory, and the parts that image files are made of."""

import io
import zlib

import numpy as np
from PIL import Image


def noise(size: tuple[int, int] = (96, 64), seed: int = 0, channels: int = 3) -> np.ndarray:
    """Return random pixels: height x width x channels, or height x width for one channel."""
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image encoded as a file of the format ``kind``, for example "JPEG"."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(seed: int = 0, **options: object) -> bytes:
    """Return a JPEG file of 200 x 150 random pixels."""
    return encoded(Image.fromarray(noise((200, 150), seed)), "JPEG", quality=90, **options)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its length and checksum."""
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
