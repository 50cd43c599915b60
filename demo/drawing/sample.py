"""Draw one sample: an image of people in a scene, and its exact mask.

The demo, the tests and the benchmarks use drawn images, because photos of people must not be
published.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from drawing.backdrop import SCENES, paint_backdrop
from drawing.brush import Brush
from drawing.masks import MAX_PERSONS, MIN_PERSON_PIXELS, NONZERO_TO_255, SUPERSAMPLING, clean_mask
from drawing.placing import FrameGeometry, paint_people, place_figures, random_camera

_IGNORE = 255
_IGNORE_ODDS = 1 / 6  # probability that a part of a contour is blurred and ignored


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """An image, its mask, and the box of each person.

    Boxes are (x0, y0, x1, y1) in pixels; x1 and y1 are exclusive. They enclose the visible pixels.
    """

    image: Image.Image  # RGB
    mask: Image.Image  # L: 0 background, 1 person, 255 ignore
    boxes: tuple[tuple[int, int, int, int], ...]  # one box per person


def draw_sample(
    scene: str, persons: int, *, kind: str, size: tuple[int, int], seed: int
) -> DrawnSample:
    """Draw one sample. The same arguments give the same pixels.

    Args:
        scene: a key of ``SCENES``.
        persons: number of figures; a crop has one.
        kind: "full" for an image of the whole scene, "crop" for an image of one person.
        size: width and height in pixels.
        seed: a different seed gives a different image.

    Raises:
        ValueError: the scene, the kind or the number of persons can't be drawn.
    """
    _check(scene, persons, kind)
    rng = random.Random(f"{scene}/{persons}/{kind}/{size}/{seed}")  # noqa: S311 - not used for secrets
    width, height = size
    canvas = Image.new("RGB", (width * SUPERSAMPLING, height * SUPERSAMPLING))
    owners = Image.new("L", canvas.size)
    frame = Brush.on(canvas, owners)
    aspect = width / height
    levels = paint_backdrop(scene, random_camera(frame, rng, aspect, kind), rng, aspect)
    horizon, ground_top = (level / canvas.height for level in levels)
    placed = place_figures(
        rng,
        scene,
        persons,
        kind,
        FrameGeometry(aspect, horizon, ground_top, MIN_PERSON_PIXELS / height),
    )
    mask, boxes = paint_people(frame, owners, placed, rng)
    image = _add_light_and_grain(
        canvas.reduce(SUPERSAMPLING), rng, 0.18 if kind == "full" else 0.27
    )
    if rng.random() < _IGNORE_ODDS:
        image, mask = _blur_contour(image, mask, boxes[0], rng)
    return DrawnSample(image, clean_mask(mask), boxes)


def save_sample(drawn: DrawnSample, image_path: Path, mask_path: Path) -> None:
    """Write the image as a JPEG without metadata, and the mask as a gray PNG."""
    drawn.image.save(image_path, "JPEG", quality=85, subsampling="4:2:0")
    drawn.mask.save(mask_path, "PNG", optimize=True)


def _check(scene: str, persons: int, kind: str) -> None:
    if scene not in SCENES:
        raise ValueError(f"no scene {scene!r}; choose one of: {', '.join(SCENES)}")
    if kind not in {"full", "crop"}:
        raise ValueError(f"no kind {kind!r}; choose one of: full, crop")
    if kind == "crop" and persons != 1:
        raise ValueError(f"a crop shows 1 person, not {persons}")
    if not 1 <= persons <= MAX_PERSONS:
        raise ValueError(f"1 to {MAX_PERSONS} persons can be drawn, not {persons}")


def _add_light_and_grain(image: Image.Image, rng: random.Random, uneven: float) -> Image.Image:
    """Return the image with uneven light and sensor noise."""
    exposure = rng.uniform(0.86, 1.12)
    spots = bytes(int(128 * exposure * rng.uniform(1 - uneven, 1 + uneven)) for _ in range(12))
    light = Image.frombytes("L", (4, 3), spots).resize(image.size, Image.Resampling.BICUBIC)
    # Fixed-point numbers in which 128 means 1: they fit into 16 bits, and the result is the same
    # on every machine.
    chance = np.random.default_rng(rng.getrandbits(64))
    grain = chance.integers(0, 128 * rng.randint(2, 6), light.size[::-1], np.uint16)
    pixels = np.asarray(image).astype(np.uint16)
    pixels *= np.asarray(light)[:, :, None]
    pixels += grain[:, :, None]
    pixels >>= 7
    return Image.fromarray(np.minimum(pixels, 255).astype(np.uint8))


def _blur_contour(
    image: Image.Image, mask: Image.Image, box: tuple[int, int, int, int], rng: random.Random
) -> tuple[Image.Image, Image.Image]:
    """Blur a part of a person's contour, like hair or motion blur, and set its mask to ignore."""
    x0, y0, x1, y1 = box
    wide, high = max(4.0, (x1 - x0) * 0.3), max(4.0, (y1 - y0) * 0.16)
    x, y = rng.uniform(x0, x1), rng.choice((y0 + high / 2, rng.uniform(y0, y1)))
    # Process only the area around the blurred part, with a margin for the filters.
    part = (
        max(0, int(x - wide) - 4),
        max(0, int(y - high) - 4),
        min(mask.width, int(x + wide) + 5),
        min(mask.height, int(y + high) + 5),
    )
    near, shown = mask.crop(part), image.crop(part)
    outer, inner = near.filter(ImageFilter.MaxFilter(3)), near.filter(ImageFilter.MinFilter(3))
    band = Image.new("L", near.size)
    ellipse = (x - wide - part[0], y - high - part[1], x + wide - part[0], y + high - part[1])
    ImageDraw.Draw(band).ellipse(ellipse, fill=_IGNORE)
    band = ImageChops.multiply(band, ImageChops.subtract(outer, inner).point(NONZERO_TO_255))
    image.paste(shown.filter(ImageFilter.GaussianBlur(1.5)), part[:2], band)
    mask.paste(_IGNORE, part, band)
    return image, mask
