"""Samples that are drawn, not photographed: people in the registry's scenes, with exact masks.

Nobody's photo may be shipped, so what the demo, the tests and the benchmarks need is made here.
"""

import math
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sceneset.registry.backdrop import SCENES, paint_backdrop
from sceneset.registry.figure import Brush, Figure, make_figure, paint_figure

_IGNORE = 255
_IGNORE_ODDS = 1 / 6  # of a sample having an ignored stretch of contour
_FINER = 2  # canvas pixels a pixel, each way
_LEAST = 9  # pixels: whoever is smaller may leave no mark in the mask
_NOWHERE = (0, 0, 0, 0)
_MOST = 250  # persons the map of owners can tell apart

# Lookup tables: whatever is not 0 becomes 255; at least half of 255 becomes 1.
_FILLED, _HALF = [0] + [255] * 255, [0] * 128 + [1] * 128

# What the largest figure of a scene does: poses, with a colon and the gear if it has some.
_LEADS = {
    "city": "walk stride phone stand wave akimbo",
    "indoor": "sit:chair sit:chair stand phone reach akimbo walk",
    "mountain_motor": "ride:motor upright:motor",
    "ski": "tuck:skis carve:skis glide:skis",
    "volleyball": "spike:volley block:volley dig:volley reach:volley",
    "basketball": "shoot:basket dribble:bounce layup:basket block",
    "football": "kick:soccer run:soccer stride:soccer header:heading keeper",
    "nature": "walk open stride beach_sit akimbo star wave",
    "sea": "open walk wave beach_sit run stand star",
    "surfing": "surf:surfboard surf_low:surfboard board:surfboard",
    "bike": "ride:bike upright:bike",
    "kid_park": "swing:swing run star climb open wave",
    "skateboard": "board:skateboard ollie:skateboard surf:skateboard",
    "high_jump": "arch:bar arch:bar takeoff:bar_ahead run:bar_ahead",
    "night_city": "walk stride phone stand akimbo",
}
# What the others do, where that is not the same.
_OTHERS = {
    "high_jump": "stand akimbo run open",
    "volleyball": "dig block stand run",
    "basketball": "block keeper run stride",
    "football": "run stride keeper akimbo",
    "kid_park": "run star wave stand",
}
# Gear that is to be seen whole wants figures that leave it the room.
_TALLEST = {"bike": 0.74, "motor": 0.66, "bar": 0.6, "bar_ahead": 0.68, "skateboard": 0.84}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn sample; ``boxes`` are (x0, y0, x1, y1) in pixels, x1 and y1 exclusive."""

    image: Image.Image  # RGB
    mask: Image.Image  # L: 0 background, 1 person, 255 ignore
    boxes: tuple[tuple[int, int, int, int], ...]  # one a person, round all that shows of them


@dataclass(frozen=True, slots=True)
class _Room:
    """What a frame offers: its width, its horizon, and where the ground to stand on begins."""

    width: float
    horizon: float
    walk: float
    least: float  # how tall a person must be to be seen


@dataclass(frozen=True, slots=True)
class _Placed:
    """A figure and where it goes: its origin, its scale, in units of the frame's height."""

    figure: Figure
    x: float
    y: float
    scale: float
    flip: bool

    def span(self) -> tuple[float, float]:
        """Return between which x the body is."""
        x0, _, x1, _ = self.figure.extent()
        low, high = _turned((x0, x1), flip=self.flip)
        return self.x + low * self.scale, self.x + high * self.scale

    def brush(self, frame: Brush) -> Brush:
        """Return the brush that paints the figure there."""
        return frame.at((self.x, self.y), self.scale, flip=self.flip)

    @property
    def height(self) -> float:
        """How tall the body is."""
        return self.figure.height * self.scale

    @property
    def ground(self) -> float:
        """Where the ground is under the figure."""
        return self.y + self.figure.floor * self.scale


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
    canvas = Image.new("RGB", (width * _FINER, height * _FINER))
    owners = Image.new("L", canvas.size)
    frame = Brush.on(canvas, owners)
    aspect = width / height
    levels = paint_backdrop(scene, _camera(frame, rng, aspect, kind), rng, aspect)
    horizon, walk = (level / canvas.height for level in levels)
    placed = _place(rng, scene, persons, kind, _Room(aspect, horizon, walk, _LEAST / height))
    mask, boxes = _peopled(frame, owners, placed, rng)
    image = _lit(canvas.reduce(_FINER), rng, 0.18 if kind == "full" else 0.27)
    if rng.random() < _IGNORE_ODDS:
        image, mask = _blurred(image, mask, boxes[0], rng)
    return Drawn(image, mask, boxes)


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
    if not 1 <= persons <= _MOST:
        raise ValueError(f"1 to {_MOST} persons can be drawn, not {persons}")


# --- where things go -----------------------------------------------------------------------------


def _camera(frame: Brush, rng: random.Random, aspect: float, kind: str) -> Brush:
    """Return a brush that sees the place closer, rolled, mirrored: no two pictures alike."""
    zoom = rng.uniform(1.0, 1.3) if kind == "full" else rng.uniform(1.15, 2.5)
    look_x = aspect / 2 + rng.uniform(-0.5, 0.5) * (zoom - 1) * aspect
    look_y = 0.5 + rng.uniform(-0.5, 0.5) * (zoom - 1)
    flip = rng.random() < 0.5
    centred = frame.at((look_x, look_y), zoom, rng.gauss(0, 2.6), flip=flip)
    return centred.at((-aspect / 2, -0.5))


def _place(rng: random.Random, scene: str, persons: int, kind: str, room: _Room) -> list[_Placed]:
    """Choose figures and their places: the first is the largest, the others find free ground."""
    lead = _lead(rng, scene, kind, room)
    placed = [lead]
    for _ in range(persons - 1):
        figure = _someone(rng, scene, _OTHERS.get(scene, _LEADS[scene]))
        # The farther away, the smaller, and the nearer its feet are to the horizon.
        one = 1 / (figure.height * lead.scale)
        ratio = min(max(rng.uniform(0.42, 0.8), room.least * one), 0.85 * lead.height * one)
        ground = room.horizon + (lead.ground - room.horizon) * ratio
        tries = [_stood(rng, figure, lead.scale * ratio, ground, room.width) for _ in range(7)]
        placed.append(min(tries, key=lambda one: _crowded(one, placed)))
    return placed


def _someone(rng: random.Random, scene: str, doings: str) -> Figure:
    pose, _, gear = rng.choice(doings.split()).partition(":")
    return make_figure(rng, scene, pose, gear)


def _lead(rng: random.Random, scene: str, kind: str, room: _Room) -> _Placed:
    """Return the largest figure, in a pose that fits the frame if there is one."""
    tall = rng.uniform(0.82, 0.93) if kind == "crop" else rng.uniform(0.57, 0.88)
    figure, scale = _fitting(rng, scene, kind, tall, room.width)
    _, y0, _, y1 = figure.extent()
    high = (y1 - y0) * scale
    if kind == "crop":
        top = (1 - high) * rng.uniform(0.35, 0.65)
    else:
        # What is under the figure, wheels or air, belongs into the frame too if there is room.
        below = max(0.015, min(0.16, (figure.floor - y1) * scale))
        top = rng.uniform(0.02, max(0.025, 1 - high - below))
        top = max(top, min(room.walk, 1.0) - high - below)
    x, flip = _across(rng, figure, scale, room.width, kind)
    return _Placed(figure, x, top - y0 * scale, scale, flip)


def _fitting(
    rng: random.Random, scene: str, kind: str, tall: float, width: float
) -> tuple[Figure, float]:
    """Return the first figure that is no broader than the frame, or the slimmest of some."""
    tries: list[tuple[float, Figure, float]] = []
    for _ in range(7):
        figure = _someone(rng, scene, _LEADS[scene])
        x0, _, x1, _ = figure.extent()
        high = tall if kind == "crop" else min(tall, _TALLEST.get(figure.gear, 1.0))
        scale = high / figure.height
        tries.append(((x1 - x0) * scale, figure, scale))
        if tries[-1][0] <= width:
            break
    _, figure, scale = min(tries, key=lambda one: one[0])
    return figure, scale


def _across(
    rng: random.Random, figure: Figure, scale: float, width: float, kind: str
) -> tuple[float, bool]:
    """Return an x that has the body in the frame, and its gear if there is room; and if mirrored.

    A body broader than the frame is centred.
    """
    flip = rng.random() < 0.5
    x0, _, x1, _ = figure.extent()
    wanted = (x0, x1) if kind == "crop" else figure.reach()
    low, high = (scale * x for x in _turned(wanted, flip=flip))
    free = width - (high - low)
    spread = 0.1 if kind == "crop" else 0.48
    x = max(free, 0.0) * (0.5 + rng.uniform(-spread, spread)) + min(free, 0.0) / 2 - low
    low, high = (scale * x for x in _turned((x0, x1), flip=flip))
    if high - low >= width:
        return (width - low - high) / 2, flip
    return min(max(x, -low), width - high), flip


def _turned(span: tuple[float, float], *, flip: bool) -> tuple[float, float]:
    return (-span[1], -span[0]) if flip else span


def _stood(
    rng: random.Random, figure: Figure, scale: float, ground: float, width: float
) -> _Placed:
    x, flip = _across(rng, figure, scale, width, "full")
    return _Placed(figure, x, ground - figure.floor * scale, scale, flip)


def _crowded(one: _Placed, others: list[_Placed]) -> float:
    """Return how much of a figure's breadth others share."""
    low, high = one.span()
    spans = [other.span() for other in others]
    return sum(max(0.0, min(high, b) - max(low, a)) for a, b in spans) / (high - low)


def _peopled(
    frame: Brush, owners: Image.Image, placed: list[_Placed], rng: random.Random
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Paint all figures, the nearest in front, so that something of each can be seen."""
    everyone = range(len(placed))
    for i in sorted(everyone, key=lambda i: placed[i].scale):
        _paint(frame, placed[i], i + 1, rng)
    mask, boxes = _masked(owners, len(placed))
    for _ in everyone:
        hidden = [i for i in everyone if boxes[i] == _NOWHERE]
        if not hidden:
            break
        # In a crowd someone may be all covered: they step forward, the smallest to the front,
        # and without their gear, which would cover the others.
        for i in sorted(hidden, key=lambda i: -placed[i].scale):
            paint_figure(placed[i].brush(frame), replace(placed[i].figure, gear=""), i + 1, rng)
        mask, boxes = _masked(owners, len(placed))
    return mask, boxes


def _paint(frame: Brush, placed: _Placed, owner: int, rng: random.Random) -> None:
    """Paint a figure on its shadow."""
    own = placed.brush(frame)
    floor, gap = placed.figure.floor, placed.figure.floor - placed.figure.extent()[3]
    reach = 0.3 if placed.figure.gear in {"bike", "motor"} else 0.2
    turns = [math.tau * i / 20 for i in range(20)]
    shadow = [(0.04 + reach * math.cos(a), floor + 0.035 * math.sin(a)) for a in turns]
    own.glaze(shadow, (20, 20, 40), 0.34 if gap < 0.15 else 0.2)
    paint_figure(own, placed.figure, owner, rng)


# --- from the canvas to the sample ---------------------------------------------------------------


def _masked(
    owners: Image.Image, persons: int
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Return the mask and the box of each person from the map of owners.

    A pixel is a person's if at least half of what it covers on the canvas is.
    """
    union = owners.point(_FILLED).reduce(_FINER)
    if persons == 1:
        return union.point(_HALF), (_box(union),)
    boxes = []
    for owner in range(1, persons + 1):
        only = owners.point([255 if value == owner else 0 for value in range(256)])
        boxes.append(_box(only.reduce(_FINER)))
    return union.point(_HALF), tuple(boxes)


def _box(cover: Image.Image) -> tuple[int, int, int, int]:
    """Return the box of what the mask shows; of a person too small for it, of any trace."""
    return cover.point(_HALF).getbbox() or cover.getbbox() or _NOWHERE


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
    band = ImageChops.multiply(band, ImageChops.subtract(outer, inner).point(_FILLED))
    image.paste(shown.filter(ImageFilter.GaussianBlur(1.5)), part[:2], band)
    mask.paste(_IGNORE, part, band)
    return image, mask
