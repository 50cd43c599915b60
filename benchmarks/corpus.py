"""Pictures to measure on: drawn scenes, made as heavy as a camera's.

A drawn picture is smooth, and decodes sooner than a photo. With sensor noise and ragged outlines
the files take what photos of this size take: some 190 KB a JPEG, 7 KB a mask.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from contest import OURS, process

SIZE = "1280x720"
_NOISE, _RAGGED = 3.4, 0.9


def deliver(folder: Path, images: int, seed: int = 0) -> Path:
    """Draw a delivery of so many samples, each unlike all others; return its folder."""
    process(*OURS, "draw", folder, "--images", images, "--size", SIZE, "--seed", seed)()
    with ThreadPoolExecutor() as pool:
        for work, files in ((_noisy, "img_dir/*/*.jpg"), (_ragged, "ann_dir/*/*.png")):
            list(pool.map(work, *zip(*enumerate(sorted(folder.glob(files))), strict=True)))
    return folder


def _noisy(number: int, path: Path) -> None:
    rng = np.random.default_rng(number)
    pixels = np.asarray(Image.open(path)).astype(np.float32)
    pixels += rng.normal(0, _NOISE, (*pixels.shape[:2], 1)).astype(np.float32)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)


def _ragged(number: int, path: Path) -> None:
    rng = np.random.default_rng(number)
    person = np.asarray(Image.open(path)).astype(np.float32)
    noise = cv2.GaussianBlur(rng.normal(0, 1, person.shape).astype(np.float32), (0, 0), 1.5)
    edge = cv2.GaussianBlur(person, (0, 0), 3) + _RAGGED * noise
    solid = cv2.erode(person, np.ones((13, 13))) + (cv2.dilate(person, np.ones((13, 13))) == 0)
    Image.fromarray(np.where(solid, person, edge > 0.5).astype(np.uint8)).save(path)
