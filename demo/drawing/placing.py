"""Choose the poses, positions and sizes of the figures in an image, and paint them."""

import math
import random
from dataclasses import dataclass, replace

from PIL import Image

from drawing.bodies import paint_figure
from drawing.brush import Brush
from drawing.masks import NO_BOX, mask_and_boxes
from drawing.poses import Figure, make_figure

# Poses of the largest figure of a scene, as "pose" or "pose:gear". Repeated ones are likelier.
_LEAD_POSES = {
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
# Poses of the other figures, in scenes where they differ from those of the largest figure.
_OTHER_POSES = {
    "high_jump": "stand akimbo run open",
    "volleyball": "dig block stand run",
    "basketball": "block keeper run stride",
    "football": "run stride keeper akimbo",
    "kid_park": "run star wave stand",
}
# Largest height of a figure with this gear, as a share of the image: the gear must fit as well.
_MAX_HEIGHT = {"bike": 0.74, "motor": 0.66, "bar": 0.6, "bar_ahead": 0.68, "skateboard": 0.84}


@dataclass(frozen=True, slots=True)
class FrameGeometry:
    """Measures of an image, in units of its height; y is 0 at the top and 1 at the bottom."""

    width: float
    horizon: float  # y of the horizon
    ground_top: float  # smallest y at which a figure can stand
    min_height: float  # height of the smallest person that is visible in the mask


@dataclass(frozen=True, slots=True)
class _PlacedFigure:
    """A figure with its position and scale, in units of the height of the image."""

    figure: Figure
    x: float
    y: float
    scale: float
    flip: bool

    def span(self) -> tuple[float, float]:
        """Return the smallest and largest x of the body."""
        x0, _, x1, _ = self.figure.extent()
        low, high = _flip_span((x0, x1), flip=self.flip)
        return self.x + low * self.scale, self.x + high * self.scale

    def brush(self, frame: Brush) -> Brush:
        """Return a brush in the units and at the position of the figure."""
        return frame.at((self.x, self.y), self.scale, flip=self.flip)

    @property
    def height(self) -> float:
        """Height of the body."""
        return self.figure.height * self.scale

    @property
    def ground(self) -> float:
        """The y of the ground under the figure."""
        return self.y + self.figure.floor * self.scale


def random_camera(frame: Brush, rng: random.Random, aspect: float, kind: str) -> Brush:
    """Return a brush with random zoom, position, roll and mirroring, so that all images differ."""
    zoom = rng.uniform(1.0, 1.3) if kind == "full" else rng.uniform(1.15, 2.5)
    look_x = aspect / 2 + rng.uniform(-0.5, 0.5) * (zoom - 1) * aspect
    look_y = 0.5 + rng.uniform(-0.5, 0.5) * (zoom - 1)
    flip = rng.random() < 0.5
    centred = frame.at((look_x, look_y), zoom, rng.gauss(0, 2.6), flip=flip)
    return centred.at((-aspect / 2, -0.5))


def place_figures(
    rng: random.Random, scene: str, persons: int, kind: str, geometry: FrameGeometry
) -> list[_PlacedFigure]:
    """Choose figures and positions: the first is the largest, the others get free positions."""
    lead = _lead_figure(rng, scene, kind, geometry)
    placed = [lead]
    for _ in range(persons - 1):
        figure = _random_figure(rng, scene, _OTHER_POSES.get(scene, _LEAD_POSES[scene]))
        # Perspective: a figure farther away is smaller, and its feet are closer to the horizon.
        unit = 1 / (figure.height * lead.scale)
        smallest, largest = geometry.min_height * unit, 0.85 * lead.height * unit
        ratio = min(max(rng.uniform(0.42, 0.8), smallest), largest)
        ground = geometry.horizon + (lead.ground - geometry.horizon) * ratio
        tries = [
            _place_on_ground(rng, figure, lead.scale * ratio, ground, geometry.width)
            for _ in range(7)
        ]
        placed.append(min(tries, key=lambda candidate: _overlap(candidate, placed)))
    return placed


def _random_figure(rng: random.Random, scene: str, poses: str) -> Figure:
    pose, _, gear = rng.choice(poses.split()).partition(":")
    return make_figure(rng, scene, pose, gear)


def _lead_figure(
    rng: random.Random, scene: str, kind: str, geometry: FrameGeometry
) -> _PlacedFigure:
    """Return the largest figure, in a pose that fits into the image if possible."""
    tall = rng.uniform(0.82, 0.93) if kind == "crop" else rng.uniform(0.57, 0.88)
    figure, scale = _choose_fitting(rng, scene, kind, tall, geometry.width)
    _, y0, _, y1 = figure.extent()
    high = (y1 - y0) * scale
    if kind == "crop":
        top = (1 - high) * rng.uniform(0.35, 0.65)
    else:
        # Include what is below the figure (wheels, or air under a jump) if there is space.
        below = max(0.015, min(0.16, (figure.floor - y1) * scale))
        top = rng.uniform(0.02, max(0.025, 1 - high - below))
        top = max(top, min(geometry.ground_top, 1.0) - high - below)
    x, flip = _choose_x(rng, figure, scale, geometry.width, kind)
    return _PlacedFigure(figure, x, top - y0 * scale, scale, flip)


def _choose_fitting(
    rng: random.Random, scene: str, kind: str, tall: float, width: float
) -> tuple[Figure, float]:
    """Return the first of 7 random figures that is not wider than the image, or the narrowest."""
    tries: list[tuple[float, Figure, float]] = []
    for _ in range(7):
        figure = _random_figure(rng, scene, _LEAD_POSES[scene])
        x0, _, x1, _ = figure.extent()
        high = tall if kind == "crop" else min(tall, _MAX_HEIGHT.get(figure.gear, 1.0))
        scale = high / figure.height
        tries.append(((x1 - x0) * scale, figure, scale))
        if tries[-1][0] <= width:
            break
    _, figure, scale = min(tries, key=lambda candidate: candidate[0])
    return figure, scale


def _choose_x(
    rng: random.Random, figure: Figure, scale: float, width: float, kind: str
) -> tuple[float, bool]:
    """Choose the x of a figure and whether it is mirrored.

    The body is inside the image, and its gear as well if there is space. A body that is wider than
    the image is centred.
    """
    flip = rng.random() < 0.5
    x0, _, x1, _ = figure.extent()
    wanted = (x0, x1) if kind == "crop" else figure.reach()
    low, high = (scale * x for x in _flip_span(wanted, flip=flip))
    free = width - (high - low)
    spread = 0.1 if kind == "crop" else 0.48
    x = max(free, 0.0) * (0.5 + rng.uniform(-spread, spread)) + min(free, 0.0) / 2 - low
    low, high = (scale * x for x in _flip_span((x0, x1), flip=flip))
    if high - low >= width:
        return (width - low - high) / 2, flip
    return min(max(x, -low), width - high), flip


def _flip_span(span: tuple[float, float], *, flip: bool) -> tuple[float, float]:
    return (-span[1], -span[0]) if flip else span


def _place_on_ground(
    rng: random.Random, figure: Figure, scale: float, ground: float, width: float
) -> _PlacedFigure:
    x, flip = _choose_x(rng, figure, scale, width, "full")
    return _PlacedFigure(figure, x, ground - figure.floor * scale, scale, flip)


def _overlap(figure: _PlacedFigure, others: list[_PlacedFigure]) -> float:
    """Return the share of the width of a figure that other figures overlap."""
    low, high = figure.span()
    spans = [other.span() for other in others]
    return sum(max(0.0, min(high, b) - max(low, a)) for a, b in spans) / (high - low)


def paint_people(
    frame: Brush, owners: Image.Image, placed: list[_PlacedFigure], rng: random.Random
) -> tuple[Image.Image, tuple[tuple[int, int, int, int], ...]]:
    """Paint all figures, the nearest in front, and return the mask and the box of each person.

    Every figure is visible, at least in part.
    """
    everyone = range(len(placed))
    for i in sorted(everyone, key=lambda i: placed[i].scale):
        _paint(frame, placed[i], i + 1, rng)
    mask, boxes = mask_and_boxes(owners, len(placed))
    for _ in everyone:
        hidden = [i for i in everyone if boxes[i] == NO_BOX]
        if not hidden:
            break
        # A figure may be hidden completely by others. Paint hidden figures again on top, the
        # smallest last, without their gear, which would hide other figures.
        for i in sorted(hidden, key=lambda i: -placed[i].scale):
            paint_figure(placed[i].brush(frame), replace(placed[i].figure, gear=""), i + 1, rng)
        mask, boxes = mask_and_boxes(owners, len(placed))
    return mask, boxes


def _paint(frame: Brush, placed: _PlacedFigure, owner: int, rng: random.Random) -> None:
    """Paint the shadow of a figure, and then the figure."""
    own = placed.brush(frame)
    floor, gap = placed.figure.floor, placed.figure.floor - placed.figure.extent()[3]
    reach = 0.3 if placed.figure.gear in {"bike", "motor"} else 0.2
    turns = [math.tau * i / 20 for i in range(20)]
    shadow = [(0.04 + reach * math.cos(a), floor + 0.035 * math.sin(a)) for a in turns]
    own.glaze(shadow, (20, 20, 40), 0.34 if gap < 0.15 else 0.2)
    paint_figure(own, placed.figure, owner, rng)
