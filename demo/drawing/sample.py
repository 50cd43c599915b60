"""Samples that are drawn, not photographed: people in scenes, with exact masks.

Nobody's photo may be shipped, so what the demo, the tests and the benchmarks need is made here.
"""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from drawing.backdrop import SCENES, paint_backdrop
from drawing.brush import Brush
from drawing.masks import FILLED, FINER, LEAST, MOST, cleaned
from drawing.placing import Room, camera, peopled, place

_IGNORE = 255
_IGNORE_ODDS = 1 / 6  # of a sample having an ignored stretch of contour


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn sample; ``boxes`` are (x0, y0, x1, y1) in pixels, x1 and y1 exclusive."""

    image: Image.Image  # RGB
    mask: Image.Image  # L: 0 background, 1 person, 255 ignore
    boxes: tuple[tuple[int, int, int, int], ...]  # one a person, round all that shows of them


def draw_sample(scene: str, persons: int, *, kind: str, size: tuple[int, int], seed: int) -> Drawn:
    """Draw one sample; the same arguments give the same pixels.

    Args:
        scene: one of the fifteen scenes.
        persons: how many figures; a crop shows one.
        kind: "full" for a picture of a scene, "crop" for one cut out round a person.
        size: width and height in pixels.
        seed: what makes this sample differ from the others.
    """
    _check(scene, persons, kind)
    rng = random.Random(f"{scene}/{persons}/{kind}/{size}/{seed}")  # noqa: S311  # no secrets here
    width, height = size
    canvas = Image.new("RGB", (width * FINER, height * FINER))
    owners = Image.new("L", canvas.size)
    frame = Brush.on(canvas, owners)
    aspect = width / height
    levels = paint_backdrop(scene, camera(frame, rng, aspect, kind), rng, aspect)
    horizon, walk = (level / canvas.height for level in levels)
    placed = place(rng, scene, persons, kind, Room(aspect, horizon, walk, LEAST / height))
    mask, boxes = peopled(frame, owners, placed, rng)
    image = _lit(canvas.reduce(FINER), rng, 0.18 if kind == "full" else 0.27)
    if rng.random() < _IGNORE_ODDS:
        image, mask = _blurred(image, mask, boxes[0], rng)
    return Drawn(image, cleaned(mask), boxes)


def save_sample(drawn: Drawn, image_path: Path, mask_path: Path) -> None:
    """Write the image as JPEG without metadata, and the mask as a small gray PNG."""
    drawn.image.save(image_path, "JPEG", quality=85, subsampling="4:2:0")
    drawn.mask.save(mask_path, "PNG", optimize=True)


def _check(scene: str, persons: int, kind: str) -> None:
    if scene not in SCENES:
        raise ValueError(f"no scene {scene!r}; there are: {', '.join(SCENES)}")
    if kind not in {"full", "crop"}:
        raise ValueError(f"no kind {kind!r}; there are: full, crop")
    if kind == "crop" and persons != 1:
        raise ValueError(f"a crop shows 1 person, not {persons}")
    if not 1 <= persons <= MOST:
        raise ValueError(f"1 to {MOST} persons can be drawn, not {persons}")


def _lit(image: Image.Image, rng: random.Random, uneven: float) -> Image.Image:
    """Return the image under uneven light and with the grain of a sensor."""
    exposure = rng.uniform(0.86, 1.12)
    spots = bytes(int(128 * exposure * rng.uniform(1 - uneven, 1 + uneven)) for _ in range(12))
    light = Image.frombytes("L", (4, 3), spots).resize(image.size, Image.Resampling.BICUBIC)
    # In whole numbers, 128 being 1: 16 bits hold all of it, and every machine gets the same.
    chance = np.random.default_rng(rng.getrandbits(64))
    grain = chance.integers(0, 128 * rng.randint(2, 6), light.size[::-1], np.uint16)
    pixels = np.asarray(image).astype(np.uint16)
    pixels *= np.asarray(light)[:, :, None]
    pixels += grain[:, :, None]
    pixels >>= 7
    return Image.fromarray(np.minimum(pixels, 255).astype(np.uint8))


def _blurred(
    image: Image.Image, mask: Image.Image, box: tuple[int, int, int, int], rng: random.Random
) -> tuple[Image.Image, Image.Image]:
    """Blur a stretch of a person's contour, as hair or motion does, and mark it to be ignored."""
    x0, y0, x1, y1 = box
    wide, high = max(4.0, (x1 - x0) * 0.3), max(4.0, (y1 - y0) * 0.16)
    x, y = rng.uniform(x0, x1), rng.choice((y0 + high / 2, rng.uniform(y0, y1)))
    # Only what is round the stretch is looked at, with a margin for the filters.
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
    band = ImageChops.multiply(band, ImageChops.subtract(outer, inner).point(FILLED))
    image.paste(shown.filter(ImageFilter.GaussianBlur(1.5)), part[:2], band)
    mask.paste(_IGNORE, part, band)
    return image, mask
