"""Draw images and masks that take as long to decode as photos.

Drawn images are smooth and decode faster than photos. Noise and ragged mask outlines make the
files as large as those of photos of this size: about 190 KB per JPEG and 7 KB per mask.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from timing import ROOT, process

SIZE = "1280x720"
_NOISE = 3.4  # standard deviation, in levels of 0-255
_ROUGHNESS = 0.9  # amplitude relative to the step at the outline


def deliver(folder: Path, images: int, seed: int = 0) -> Path:
    """Draw a delivery with the given number of different samples; return its folder."""
    options = ("--images", images, "--size", SIZE, "--seed", seed)
    process(sys.executable, ROOT / "demo/draw.py", folder, *options, cwd=ROOT)()
    with ThreadPoolExecutor() as pool:
        for change, files in (
            (_add_noise, "img_dir/*/*.jpg"),
            (_roughen_outline, "ann_dir/*/*.png"),
        ):
            list(pool.map(change, *zip(*enumerate(sorted(folder.glob(files))), strict=True)))
    return folder


def _add_noise(number: int, path: Path) -> None:
    rng = np.random.default_rng(number)
    pixels = np.asarray(Image.open(path)).astype(np.float32)
    pixels += rng.normal(0, _NOISE, (*pixels.shape[:2], 1)).astype(np.float32)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path, quality=90)


def _roughen_outline(number: int, path: Path) -> None:
    rng = np.random.default_rng(number)
    person = np.asarray(Image.open(path)).astype(np.float32)
    noise = cv2.GaussianBlur(rng.normal(0, 1, person.shape).astype(np.float32), (0, 0), 1.5)
    edge = cv2.GaussianBlur(person, (0, 0), 3) + _ROUGHNESS * noise
    solid = cv2.erode(person, np.ones((13, 13))) + (cv2.dilate(person, np.ones((13, 13))) == 0)
    Image.fromarray(np.where(solid, person, edge > 0.5).astype(np.uint8)).save(path)
