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
_BLOCK = 16  # pixels of a block of a JPEG with halved colours
_ROUGHNESS = 0.9  # amplitude relative to the step at the outline


def deliver(folder: Path, images: int, seed: int = 0, *, size: str = SIZE) -> Path:
    """Draw a delivery with the given number of different samples; return its folder."""
    options = ("--images", images, "--size", size, "--seed", seed)
    process(sys.executable, ROOT / "demo/draw.py", folder, *options, cwd=ROOT)()
    with ThreadPoolExecutor() as pool:
        for change, files in (
            (_add_noise, "img_dir/*/*.jpg"),
            (_roughen_outline, "ann_dir/*/*.png"),
        ):
            list(pool.map(change, *zip(*enumerate(sorted(folder.glob(files))), strict=True)))
    return folder


def multiply(folder: Path, images: int) -> None:
    """Add shifted copies of the samples of a delivery, until it has the given number.

    Drawing a sample takes a quarter of a second. A copy is moved around the edges by whole JPEG
    blocks, so that its files are as large and take as long to decode, but have other bytes.
    """
    drawn = sorted(folder.glob("img_dir/*/*.jpg"))
    numbers = range(len(drawn), images)
    with ThreadPoolExecutor() as pool:
        list(pool.map(_shift, (drawn[number % len(drawn)] for number in numbers), numbers))
    stems: dict[str, list[str]] = {image.stem: [image.stem] for image in drawn}
    for number in numbers:
        stem = drawn[number % len(drawn)].stem
        stems[stem].append(_copy_of(stem, number))
    for path in folder.glob("split_dir/*.txt"):
        lines = [one for stem in path.read_text().split() for one in stems[stem]]
        path.write_text("".join(f"{line}\n" for line in lines))


def _copy_of(stem: str, number: int) -> str:
    return f"{stem}_{number}"


def _shift(image: Path, number: int) -> None:
    mask = image.parents[2] / "ann_dir" / image.parent.name / f"{image.stem}.png"
    steps = (_BLOCK * (number // 7 % 45), _BLOCK * (number % 80))
    for path, options in ((image, {"quality": 90}), (mask, {})):
        pixels = np.roll(np.asarray(Image.open(path)), steps, axis=(0, 1))
        copy = path.with_stem(_copy_of(path.stem, number))
        Image.fromarray(pixels).save(copy, **options)


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
