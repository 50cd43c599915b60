"""Where figures stand in a picture, and how large."""

import math
import random
from dataclasses import dataclass, replace

from PIL import Image

from drawing.bodies import paint_figure
from drawing.brush import Brush
from drawing.masks import NOWHERE, masked
from drawing.poses import Figure, make_figure

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
class Room:
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


def camera(frame: Brush, rng: random.Random, aspect: float, kind: str) -> Brush:
    """Return a brush that sees the place closer, rolled, mirrored: no two pictures alike."""
    zoom = rng.uniform(1.0, 1.3) if kind == "full" else rng.uniform(1.15, 2.5)
    look_x = aspect / 2 + rng.uniform(-0.5, 0.5) * (zoom - 1) * aspect
    look_y = 0.5 + rng.uniform(-0.5, 0.5) * (zoom - 1)
    flip = rng.random() < 0.5
    centred = frame.at((look_x, look_y), zoom, rng.gauss(0, 2.6), flip=flip)
    return centred.at((-aspect / 2, -0.5))


def place(rng: random.Random, scene: str, persons: int, kind: str, room: Room) -> list[_Placed]:
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


def _lead(rng: random.Random, scene: str, kind: str, room: Room) -> _Placed:
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


def peopled(
    frame: Brush, owners: Image.Image, placed: list[_Placed], rng: random.Random
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Paint all figures, the nearest in front, so that something of each can be seen."""
    everyone = range(len(placed))
    for i in sorted(everyone, key=lambda i: placed[i].scale):
        _paint(frame, placed[i], i + 1, rng)
    mask, boxes = masked(owners, len(placed))
    for _ in everyone:
        hidden = [i for i in everyone if boxes[i] == NOWHERE]
        if not hidden:
            break
        # In a crowd someone may be all covered: they step forward, the smallest to the front,
        # and without their gear, which would cover the others.
        for i in sorted(hidden, key=lambda i: -placed[i].scale):
            paint_figure(placed[i].brush(frame), replace(placed[i].figure, gear=""), i + 1, rng)
        mask, boxes = masked(owners, len(placed))
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
