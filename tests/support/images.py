"""Images in memory, encoded as files."""

import io

import numpy as np
from PIL import Image


def noise(size: tuple[int, int] = (96, 64), seed: int = 0, channels: int = 3) -> np.ndarray:
    shape = (size[1], size[0], channels) if channels > 1 else (size[1], size[0])
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(seed: int = 0, **options: object) -> bytes:
    return encoded(Image.fromarray(noise((200, 150), seed)), "JPEG", quality=90, **options)
