"""The places of drawn samples: one painter a scene, each different with every random number.

A backdrop is drawn in units of the frame's height: y is 0 at the top and 1 at the bottom, x runs
from 0 to the frame's width; painters reach past the frame, as the camera may roll and zoom.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from sceneset.registry.figure import WHITE, Brush, Colour, Point, jitter, shade

_OVER = 0.35  # how far past the frame painters reach


@dataclass(slots=True)
class View:
    """What a painter works with: brush, chance, the frame's width and where the horizon is."""

    brush: Brush
    rng: random.Random
    width: float
    horizon: float
    walk: float  # nobody stands higher in the frame; painters move it

    @property
    def left(self) -> float:
        """Where painting begins."""
        return -_OVER

    @property
    def right(self) -> float:
        """Where painting ends."""
        return self.width + _OVER

    def x(self) -> float:
        """Return some place across the frame."""
        return self.rng.uniform(0.0, self.width)

    def pick(self, *colours: Colour) -> Colour:
        """Return one of the colours, a little changed."""
        return jitter(self.rng, self.rng.choice(colours), 16)

    def band(self, y0: float, y1: float, colour: Colour) -> None:
        """Fill all that lies between two heights."""
        self.brush.box(self.left, y0, self.right, y1, colour)

    def fade(self, y0: float, y1: float, above: Colour, below: Colour) -> None:
        """Fill all that lies between two heights with a gradient, as fine as the canvas is."""
        steps = max(4, min(32, int((y1 - y0) * self.brush.unit / 9)))
        high = (y1 - y0) / steps
        for i in range(steps):
            y = y0 + i * high
            self.band(y, min(y1, y + 1.1 * high), mix(above, below, (i + 0.5) / steps))

    def count(self, least: int, most: int) -> range:
        """Return as many numbers as chance wants."""
        return range(self.rng.randint(least, most))


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Return a colour between two: the first at 0, the other at 1."""
    r, g, b = (round(a + (z - a) * part) for a, z in zip(one, other, strict=True))
    return r, g, b


def paint_backdrop(
    scene: str, brush: Brush, rng: random.Random, width: float
) -> tuple[float, float]:
    """Paint the place of a scene and return the heights of its horizon and of where ground begins.

    Both are in canvas pixels, as the brush may look from anywhere.
    """
    painter, low, high = SCENES[scene]
    horizon = rng.uniform(low, high)
    view = View(brush, rng, width, horizon, horizon + 0.07)
    painter(view)
    return brush.spot((width / 2, view.horizon))[1], brush.spot((width / 2, view.walk))[1]


# --- what many places have -----------------------------------------------------------------------

_SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((84, 142, 212), (206, 228, 244)),
    ((58, 118, 200), (134, 186, 232)),
    ((150, 162, 174), (216, 220, 222)),
    ((104, 118, 136), (172, 182, 190)),
    ((74, 104, 176), (250, 200, 150)),
    ((232, 168, 122), (252, 226, 190)),
    ((176, 206, 232), (240, 240, 236)),
)
_GREENS: tuple[Colour, ...] = ((74, 128, 58), (52, 98, 48), (112, 148, 62), (142, 154, 74))


def _sky(v: View) -> None:
    """Paint sky down to the horizon, with sun and clouds or without."""
    above, below = v.rng.choice(_SKIES)
    v.fade(-_OVER, v.horizon + 0.05, jitter(v.rng, above, 14), jitter(v.rng, below, 10))
    if v.rng.random() < 0.4 and max(above) > 180:  # no sun in a heavy sky
        sun = (v.x(), v.rng.uniform(0.02, v.horizon * 0.8))
        v.brush.glow(sun, 0.12, (255, 246, 214), 0.5)
        v.brush.oval(sun, 0.045, 0.045, (255, 248, 222))
    light = mix(below, WHITE, v.rng.uniform(0.2, 0.8))
    for _ in v.count(0, 4):
        x, y, size = v.x(), v.rng.uniform(-0.02, v.horizon * 0.75), v.rng.uniform(0.03, 0.09)
        for _ in range(4):
            spot = (x + v.rng.uniform(-2.2, 2.2) * size, y + v.rng.uniform(-0.3, 0.3) * size)
            v.brush.oval(spot, size * v.rng.uniform(0.9, 2.0), size * 0.6, light)


def _ridge(v: View, base: float, height: float, colour: Colour, rough: int = 14) -> list[Point]:
    """Paint hills or peaks standing on ``base`` and return their outline."""
    step = (v.right - v.left) / rough
    phase, wave = v.rng.uniform(0, math.tau), v.rng.uniform(0.7, 1.9)
    outline = []
    for i in range(rough + 1):
        swell = 0.5 + 0.5 * math.sin(phase + wave * i * step * 3)
        outline.append((v.left + i * step, base - height * (0.7 * swell + v.rng.uniform(0, 0.3))))
    v.brush.polygon([*outline, (v.right, base + 0.03), (v.left, base + 0.03)], colour)
    return outline


def _ground(v: View, far: Colour, near: Colour, speckles: int = 24) -> None:
    """Paint the ground from the horizon down, with short strokes that grow towards the viewer."""
    v.fade(v.horizon, 1 + _OVER, far, near)
    for _ in range(speckles):
        depth = v.rng.random()
        x, y = v.x(), v.horizon + 0.02 + (1.05 - v.horizon) * depth
        tone = shade(mix(far, near, depth), v.rng.choice((0.86, 0.92, 1.08, 1.14)))
        v.brush.oval((x, y), 0.03 + 0.12 * depth, 0.004 + 0.012 * depth, tone)


def _tree(v: View, x: float, foot: float, tall: float) -> None:
    bark, leaf = jitter(v.rng, (96, 70, 50), 16), v.pick(*_GREENS)
    v.brush.limb((x, foot), (x, foot - tall * 0.6), tall * 0.05, tall * 0.03, bark)
    for i in range(6):
        spot = (x + v.rng.uniform(-0.22, 0.22) * tall, foot - tall * v.rng.uniform(0.5, 0.92))
        v.brush.oval(spot, tall * 0.2, tall * 0.17, shade(leaf, 0.8 + 0.07 * i))


def _pine(v: View, x: float, foot: float, tall: float, snow: bool = False) -> None:
    leaf = v.pick((34, 74, 56), (48, 92, 66), (28, 60, 54))
    v.brush.box(x - tall * 0.03, foot - tall * 0.2, x + tall * 0.03, foot, (82, 62, 48))
    for i in range(3):
        low, half = foot - tall * (0.12 + 0.24 * i), tall * (0.24 - 0.055 * i)
        tip = low - tall * 0.4
        v.brush.polygon(((x - half, low), (x + half, low), (x, tip)), shade(leaf, 1 + 0.1 * i))
        if snow:
            mid = (low + tip) / 2
            v.brush.polygon(((x - half * 0.5, mid), (x + half * 0.34, mid), (x, tip)), WHITE)


def _bush(v: View, x: float, foot: float, size: float) -> None:
    leaf = v.pick(*_GREENS)
    for i in range(3):
        spot = (x + v.rng.uniform(-0.7, 0.7) * size, foot - size * 0.4)
        v.brush.oval(spot, size * 0.6, size * 0.5, shade(leaf, 0.85 + 0.1 * i))


def _lamp(v: View, x: float, foot: float, tall: float) -> Point:
    """Paint a street lamp and return where its light is."""
    side = v.rng.choice((-1, 1)) * tall * 0.18
    v.brush.line(((x, foot), (x, foot - tall), (x + side, foot - tall)), tall * 0.025, (70, 74, 80))
    v.brush.limb(
        (x + side, foot - tall + 0.005),
        (x + side * 1.4, foot - tall + 0.008),
        tall * 0.025,
        tall * 0.02,
        (228, 226, 210),
    )
    return x + side * 1.2, foot - tall + 0.012


def _stands(v: View, top: float, foot: float) -> None:
    """Paint rows of spectators, as dots of colour."""
    base = v.pick((92, 96, 108), (120, 112, 108), (66, 76, 100))
    v.band(top, foot, base)
    rows = 4
    for row in range(rows):
        y = top + (foot - top) * (row + 0.6) / rows
        v.band(y + (foot - top) * 0.1, y + (foot - top) * 0.14, shade(base, 0.75))
        x = v.rng.uniform(-0.1, 0.0)
        while x < v.width + 0.1:
            dot = v.pick(
                (206, 70, 62), (232, 206, 96), (80, 120, 190), (226, 222, 214), (64, 64, 72)
            )
            v.brush.oval((x, y), 0.016, (foot - top) * 0.09, dot)
            x += v.rng.uniform(0.05, 0.12)


def _net(
    brush: Brush, corners: tuple[float, float, float, float], cells: tuple[int, int], colour: Colour
) -> None:
    """Draw a mesh between x0, y0, x1, y1."""
    x0, y0, x1, y1 = corners
    for i in range(cells[0] + 1):
        x = x0 + (x1 - x0) * i / cells[0]
        brush.line(((x, y0), (x, y1)), 0.003, colour)
    for i in range(cells[1] + 1):
        y = y0 + (y1 - y0) * i / cells[1]
        brush.line(((x0, y), (x1, y)), 0.003, colour)


# --- towns and rooms -----------------------------------------------------------------------------


def _block(
    v: View, across: tuple[float, float], top: float, wall: Colour, panes: tuple[Colour, ...]
) -> None:
    """Paint a building with its windows, down to just below the horizon."""
    x, wide = across
    foot = v.horizon + 0.03
    v.brush.box(x, top, x + wide, foot, wall)
    v.brush.box(x + wide * 0.88, top, x + wide, foot, shade(wall, 0.82))
    columns = max(2, min(4, int(wide / 0.08)))
    rows = max(2, min(6, int((foot - top) / 0.1)))
    step, down = wide * 0.86 / columns, (foot - top) / (rows + 0.4)
    for row in range(rows):
        for column in range(columns):
            x0, y0 = x + step * (column + 0.3), top + down * (row + 0.35)
            v.brush.box(x0, y0, x0 + step * 0.55, y0 + down * 0.55, v.rng.choice(panes))


def _street(v: View, road: Colour, kerb: Colour) -> None:
    """Paint pavement and a road that either crosses or leads away."""
    v.fade(v.horizon, 1 + _OVER, kerb, shade(kerb, 1.1))
    mark = shade(road, 1.9)
    if v.rng.random() < 0.5:
        y0 = v.horizon + v.rng.uniform(0.06, 0.16)
        y1 = y0 + v.rng.uniform(0.14, 0.3)
        v.band(y0, y1, road)
        v.band(y0, y0 + 0.012, shade(kerb, 0.8))
        for i in range(7):
            x = v.left + i * 0.34
            v.brush.box(x, (y0 + y1) / 2 - 0.007, x + 0.16, (y0 + y1) / 2 + 0.007, mark)
        return
    far, near, wide = v.x(), v.x(), v.rng.uniform(0.35, 0.8)
    _track(v, far, near, wide, road)
    for i in range(5):
        part = (i / 5) ** 1.6
        x, y = far + (near - far) * part, v.horizon + (1.2 - v.horizon) * part
        half = 0.004 + 0.02 * part
        v.brush.polygon(
            (
                (x - half, y),
                (x + half, y),
                (x + half * 1.6, y + 0.02 + 0.1 * part),
                (x - half * 1.6, y + 0.02 + 0.1 * part),
            ),
            mark,
        )


def _track(v: View, far: float, near: float, wide: float, colour: Colour) -> None:
    """Paint a way that leads from the viewer to the horizon."""
    v.brush.polygon(
        (
            (far - 0.02, v.horizon),
            (far + 0.02, v.horizon),
            (near + wide, 1 + _OVER),
            (near - wide, 1 + _OVER),
        ),
        colour,
    )


def _car(v: View, x: float, foot: float, size: float) -> None:
    paint = v.pick((188, 46, 44), (52, 88, 150), (230, 230, 226), (60, 62, 68), (226, 178, 60))
    own = v.brush.at((x, foot), size)
    own.limb((-0.36, -0.13), (0.36, -0.13), 0.09, 0.09, paint)
    own.polygon(((-0.26, -0.2), (-0.16, -0.36), (0.12, -0.36), (0.26, -0.2)), paint)
    own.polygon(((-0.2, -0.21), (-0.13, -0.33), (0.1, -0.33), (0.19, -0.21)), (150, 178, 196))
    for wheel in (-0.24, 0.25):
        own.oval((wheel, -0.06), 0.075, 0.075, (30, 30, 34))
        own.oval((wheel, -0.06), 0.032, 0.032, (170, 170, 170))


_WALLS: tuple[Colour, ...] = (
    (182, 164, 146), (150, 104, 84), (128, 138, 150), (206, 196, 178), (98, 108, 122),
)  # fmt: skip


def _city(v: View) -> None:
    _sky(v)
    pale = v.pick((156, 172, 190), (180, 178, 176))
    for _ in range(7):
        x, wide = v.x() - 0.1, v.rng.uniform(0.1, 0.22)
        v.brush.box(x, v.horizon * v.rng.uniform(0.3, 0.9), x + wide, v.horizon + 0.02, pale)
    x = v.left
    while x < v.right:
        wide = v.rng.uniform(0.16, 0.36)
        if v.rng.random() < 0.8:
            top = v.horizon * v.rng.uniform(-0.2, 0.75)
            wall, glass = v.pick(*_WALLS), v.pick((88, 112, 136), (66, 78, 92), (188, 206, 216))
            _block(v, (x, wide), top, wall, (glass, glass, shade(glass, 1.15)))
        x += wide + v.rng.uniform(0.0, 0.05)
    _street(v, v.pick((92, 94, 100), (70, 72, 78)), v.pick((172, 168, 162), (142, 142, 144)))
    for _ in v.count(0, 3):
        _tree(v, v.x(), v.horizon + 0.06, v.rng.uniform(0.2, 0.5))
    for _ in v.count(1, 3):
        _car(v, v.x(), v.horizon + v.rng.uniform(0.1, 0.2), v.rng.uniform(0.3, 0.6))
    if v.rng.random() < 0.6:
        _lamp(v, v.x(), v.horizon + 0.14, v.rng.uniform(0.4, 0.7))


def _night_city(v: View) -> None:
    above, below = v.rng.choice(
        (((8, 10, 28), (40, 40, 76)), ((6, 8, 16), (26, 38, 58)), ((16, 10, 34), (84, 50, 82)))
    )
    v.fade(-_OVER, v.horizon + 0.05, above, below)
    if v.rng.random() < 0.4:
        v.brush.oval((v.x(), v.horizon * 0.25), 0.04, 0.04, (236, 232, 206))
    warm = v.rng.choice(((255, 214, 128), (255, 236, 190), (190, 220, 255)))
    wall = v.pick((24, 26, 40), (38, 36, 48), (18, 24, 36))
    lit = tuple(shade(warm, part) for part in (1.0, 0.9, 0.75))
    panes = lit * v.rng.randint(1, 4) + (shade(wall, 1.5),) * 6
    x = v.left
    while x < v.right:
        wide = v.rng.uniform(0.16, 0.36)
        if v.rng.random() < 0.85:
            tone = shade(wall, v.rng.uniform(0.7, 1.3))
            _block(v, (x, wide), v.horizon * v.rng.uniform(-0.2, 0.8), tone, panes)
        x += wide + v.rng.uniform(0.0, 0.08)
    _street(v, v.pick((34, 34, 42), (26, 28, 36)), v.pick((58, 56, 66), (46, 48, 58)))
    for _ in v.count(1, 4):
        _sign(v)
    for _ in v.count(2, 4):
        _lantern(v, v.x(), v.horizon + v.rng.uniform(0.03, 0.16), v.rng.uniform(0.3, 0.62))


def _sign(v: View) -> None:
    """Paint a neon sign and its shine on the wet ground."""
    neon = v.pick((255, 60, 110), (60, 220, 240), (255, 170, 40), (140, 90, 255), (90, 240, 130))
    x, y = v.x(), v.horizon - v.rng.uniform(0.04, 0.2)
    wide, high = v.rng.uniform(0.05, 0.2), v.rng.uniform(0.03, 0.09)
    v.brush.box(x, y - high, x + wide, y, neon)
    v.brush.box(x + 0.01, y - high + 0.01, x + wide - 0.01, y - 0.01, shade(neon, 0.5))
    shine = ((x, v.horizon + 0.04), (x + wide, v.horizon + 0.04), (x + wide, 1.2), (x, 1.2))
    v.brush.glaze(shine, neon, 0.16)


def _lantern(v: View, x: float, foot: float, tall: float) -> None:
    lx, ly = _lamp(v, x, foot, tall)
    v.brush.glow((lx, ly), tall * 0.3, (255, 208, 130), 0.5)
    v.brush.oval((lx, ly), 0.014, 0.014, (255, 250, 226))
    pool = [(lx + 0.24 * math.cos(a), foot + 0.05 + 0.06 * math.sin(a)) for a in _TURN]
    v.brush.glaze(pool, (255, 206, 130), 0.22)


_TURN = [math.tau * i / 24 for i in range(24)]
_HALF_TURN = _TURN[:13]


def _indoor(v: View) -> None:
    wall = v.pick(
        (226, 214, 192), (180, 198, 206), (202, 178, 168), (150, 168, 148), (110, 120, 140)
    )
    v.fade(-_OVER, v.horizon, shade(wall, 1.06), shade(wall, 0.9))
    floor = v.pick((156, 112, 74), (120, 84, 58), (190, 160, 122), (132, 132, 136))
    v.fade(v.horizon, 1 + _OVER, shade(floor, 0.85), shade(floor, 1.08))
    middle = v.x()
    for i in range(-7, 8):
        ends = ((middle + i * 0.14, v.horizon), (middle + i * 0.5, 1 + _OVER))
        v.brush.line(ends, 0.005, shade(floor, 0.74))
    v.band(v.horizon - 0.035, v.horizon, WHITE)
    _window(v)
    pieces = [_sofa, _shelf, _picture, _floor_lamp, _plant, _table]
    v.rng.shuffle(pieces)
    _rug(v)
    for i, piece in enumerate(pieces[:4]):
        piece(v, v.width * (i + v.rng.uniform(0.2, 0.8)) / 4)


def _window(v: View) -> None:
    wide, high = v.rng.uniform(0.3, 0.62), v.rng.uniform(0.26, 0.44)
    x, y = v.rng.uniform(0.0, max(0.05, v.width - wide)), v.rng.uniform(0.02, 0.14)
    above, below = v.rng.choice(_SKIES)
    v.brush.box(x - 0.025, y - 0.025, x + wide + 0.025, y + high + 0.03, WHITE)
    v.brush.box(x, y, x + wide, y + high * 0.6, mix(above, below, 0.4))
    v.brush.box(x, y + high * 0.6, x + wide, y + high, mix(below, v.pick(*_GREENS), 0.6))
    v.brush.box(x + wide / 2 - 0.01, y, x + wide / 2 + 0.01, y + high, WHITE)
    v.brush.box(x, y + high * 0.45, x + wide, y + high * 0.48, WHITE)
    cloth = v.pick((190, 80, 70), (236, 226, 206), (88, 112, 150), (196, 160, 80))
    for side, sign in ((x - 0.04, 1), (x + wide + 0.04, -1)):
        end = side + sign * 0.11
        v.brush.polygon(
            (
                (side, y - 0.05),
                (end, y - 0.05),
                (end - sign * 0.03, y + high + 0.1),
                (side - sign * 0.02, y + high + 0.1),
            ),
            cloth,
        )
        v.brush.line(
            ((end - sign * 0.05, y), (end - sign * 0.06, y + high)), 0.01, shade(cloth, 0.8)
        )


def _rug(v: View) -> None:
    x, y = v.x(), (v.horizon + 1) / 2 + 0.06
    rug = v.pick((176, 66, 60), (70, 96, 130), (220, 200, 160), (120, 140, 100))
    v.brush.oval((x, y), 0.46, 0.12, rug)
    v.brush.oval((x, y), 0.36, 0.085, shade(rug, 1.2))


def _sofa(v: View, x: float) -> None:
    cloth = v.pick((98, 120, 140), (160, 92, 70), (206, 190, 160), (84, 110, 84), (70, 62, 78))
    foot = v.horizon + 0.09
    v.brush.limb((x - 0.26, foot - 0.27), (x + 0.26, foot - 0.27), 0.07, 0.07, shade(cloth, 0.9))
    v.brush.box(x - 0.32, foot - 0.28, x + 0.32, foot - 0.03, shade(cloth, 0.9))
    v.brush.limb((x - 0.24, foot - 0.12), (x + 0.24, foot - 0.12), 0.05, 0.05, shade(cloth, 1.12))
    for side in (-0.32, 0.32):
        v.brush.limb((x + side, foot - 0.2), (x + side, foot - 0.03), 0.055, 0.05, cloth)


def _shelf(v: View, x: float) -> None:
    wood = v.pick((120, 80, 52), (226, 222, 214), (80, 60, 50))
    top, foot, half = v.horizon - v.rng.uniform(0.35, 0.6), v.horizon + 0.04, 0.16
    v.brush.box(x - half, top, x + half, foot, wood)
    high = (foot - top) / 4
    for row in range(4):
        y = top + row * high
        v.brush.box(x - half + 0.02, y + 0.015, x + half - 0.02, y + high - 0.01, shade(wood, 0.6))
        for i in range(5):
            book = v.pick((190, 70, 60), (70, 110, 150), (220, 190, 90), (90, 130, 90))
            left = x - half + 0.03 + i * 0.05
            v.brush.box(left, y + high * 0.3, left + 0.036, y + high - 0.01, book)


def _picture(v: View, x: float) -> None:
    y, wide = v.rng.uniform(0.08, 0.26), v.rng.uniform(0.12, 0.22)
    v.brush.box(x - wide, y - wide * 0.7, x + wide, y + wide * 0.7, (70, 52, 40))
    v.brush.box(
        x - wide * 0.9,
        y - wide * 0.58,
        x + wide * 0.9,
        y + wide * 0.58,
        v.pick((236, 228, 210), (120, 160, 190), (214, 150, 110)),
    )
    v.brush.oval((x, y + wide * 0.15), wide * 0.4, wide * 0.3, v.pick(*_GREENS, (200, 90, 60)))


def _floor_lamp(v: View, x: float) -> None:
    foot, top = v.horizon + 0.08, v.horizon - 0.42
    v.brush.line(((x, foot), (x, top)), 0.012, (60, 56, 54))
    v.brush.glow((x, top), 0.2, (255, 232, 180), 0.4)
    v.brush.polygon(
        (
            (x - 0.05, top - 0.06),
            (x + 0.05, top - 0.06),
            (x + 0.1, top + 0.06),
            (x - 0.1, top + 0.06),
        ),
        (250, 228, 176),
    )
    v.brush.oval((x, foot), 0.07, 0.014, (60, 56, 54))


def _plant(v: View, x: float) -> None:
    foot, leaf = v.horizon + 0.1, v.pick((56, 120, 66), (84, 140, 70))
    for i in range(7):
        tip = (x + (i - 3) * 0.06, foot - v.rng.uniform(0.28, 0.46))
        v.brush.limb((x, foot - 0.12), tip, 0.012, 0.022, shade(leaf, 0.8 + 0.06 * i))
    pot = ((x - 0.08, foot - 0.15), (x + 0.08, foot - 0.15), (x + 0.055, foot), (x - 0.055, foot))
    v.brush.polygon(pot, v.pick((190, 104, 70), (230, 226, 220)))


def _table(v: View, x: float) -> None:
    wood, y = v.pick((140, 96, 60), (90, 66, 48)), v.horizon - 0.08
    for leg in (-0.2, 0.2):
        v.brush.line(((x + leg, y), (x + leg, y + 0.26)), 0.024, shade(wood, 0.75))
    v.brush.limb((x - 0.25, y), (x + 0.25, y), 0.02, 0.02, wood)
    v.brush.box(x - 0.04, y - 0.13, x + 0.04, y - 0.02, v.pick((210, 90, 70), (80, 130, 160)))
    v.brush.oval((x, y - 0.17), 0.07, 0.06, v.pick(*_GREENS, (240, 190, 90)))


# --- mountains and meadows -----------------------------------------------------------------------


def _mountain_motor(v: View) -> None:
    _sky(v)
    far = v.pick((132, 148, 172), (156, 144, 150))
    _ridge(v, v.horizon + 0.02, v.rng.uniform(0.2, 0.42), far, 18)
    _ridge(v, v.horizon + 0.03, v.rng.uniform(0.08, 0.24), v.pick((96, 104, 96), (122, 92, 72)), 16)
    dirt = v.pick((166, 124, 84), (150, 100, 66), (190, 160, 118))
    _ground(v, mix(dirt, (110, 116, 80), 0.6), shade(dirt, 0.9), 26)
    far_x, near_x = v.x(), v.x()
    _track(v, far_x, near_x, v.rng.uniform(0.4, 0.8), shade(dirt, 1.18))
    for side in (-0.16, 0.1):
        _track(v, far_x, near_x + side, 0.05, shade(dirt, 0.8))
    for _ in v.count(3, 7):
        x, y = v.x(), v.horizon + v.rng.uniform(0.04, 0.55)
        size = 0.02 + 0.12 * (y - v.horizon)
        rock = v.pick((128, 122, 116), (104, 92, 84))
        v.brush.polygon(
            (
                (x - size, y),
                (x - size * 0.6, y - size * 0.8),
                (x + size * 0.3, y - size),
                (x + size * 1.1, y),
            ),
            rock,
        )
    for _ in v.count(1, 5):
        _bush(v, v.x(), v.horizon + v.rng.uniform(0.03, 0.3), v.rng.uniform(0.03, 0.09))


def _ski(v: View) -> None:
    _sky(v)
    rock = v.pick((122, 138, 164), (96, 108, 132), (150, 160, 180))
    for x, y in _ridge(v, v.horizon + 0.02, v.rng.uniform(0.2, 0.44), rock, 12):
        size = max(0.0, v.horizon - y) * 0.34
        v.brush.polygon(
            (
                (x - size * 0.8, y + size),
                (x, y - 0.004),
                (x + size, y + size),
                (x + size * 0.2, y + size * 0.6),
            ),
            WHITE,
        )
    snow = v.pick((232, 240, 248), (214, 226, 242), (244, 240, 236))
    v.fade(v.horizon, 1 + _OVER, snow, shade(snow, 0.93))
    tilt = v.rng.choice((-1, 1)) * v.rng.uniform(0.1, 0.34)
    low = v.horizon + 0.2
    v.brush.polygon(
        ((v.left, low - tilt), (v.right, low + tilt), (v.right, 1.4), (v.left, 1.4)),
        shade(snow, 1.03),
    )
    for _ in v.count(3, 7):
        x, y = v.x(), v.rng.uniform(low, 1.1)
        v.brush.line(
            ((x - 0.7, y - tilt * 0.7), (x, y), (x + 0.5, y + tilt * 0.4)),
            v.rng.uniform(0.005, 0.03),
            shade(snow, 0.88),
        )
    side = v.rng.choice((0.0, 0.6, 1.0))
    for _ in v.count(4, 9):
        x = v.rng.uniform(0.0, 0.4) * v.width + side * v.width * 0.6
        foot = v.horizon + v.rng.uniform(0.02, 0.3)
        _pine(v, x, foot, v.rng.uniform(0.14, 0.2) + (foot - v.horizon) * 1.2, snow=True)
    for _ in v.count(0, 2):
        _gate(v, v.x(), v.horizon + v.rng.uniform(0.2, 0.5))


def _gate(v: View, x: float, foot: float) -> None:
    paint = v.rng.choice(((208, 40, 44), (44, 80, 180)))
    for pole in (x, x + 0.16):
        v.brush.line(((pole, foot), (pole, foot - 0.24)), 0.012, paint)
    v.brush.box(x, foot - 0.23, x + 0.16, foot - 0.12, paint)


def _nature(v: View) -> None:
    _sky(v)
    hill = v.pick((112, 140, 132), (134, 156, 120), (96, 122, 118))
    _ridge(v, v.horizon + 0.02, v.rng.uniform(0.12, 0.34), hill, 20)
    _ridge(v, v.horizon + 0.03, v.rng.uniform(0.05, 0.16), v.pick(*_GREENS), 20)
    grass = v.pick((120, 160, 66), (92, 140, 62), (168, 168, 82))
    _ground(v, grass, shade(grass, 0.78), 26)
    if v.rng.random() < 0.4:
        _river(v)
    for _ in v.count(1, 4):
        foot = v.horizon + v.rng.uniform(0.0, 0.24)
        tall = v.rng.uniform(0.2, 0.3) + (foot - v.horizon) * 2.2
        (_tree if v.rng.random() < 0.7 else _pine)(v, v.x(), foot, tall)
    flower = v.pick((240, 90, 90), (250, 220, 90), (240, 240, 250), (180, 110, 210))
    for _ in v.count(8, 22):
        y = v.rng.uniform(v.horizon + 0.08, 1.0)
        size = 0.004 + 0.014 * (y - v.horizon)
        v.brush.oval((v.x(), y), size * 1.2, size, flower)
    if v.rng.random() < 0.45:
        x = v.rng.choice((v.rng.uniform(-0.05, 0.2), v.width - v.rng.uniform(-0.05, 0.2)))
        _tree(v, x, 1.05, v.rng.uniform(1.1, 1.5))


def _river(v: View) -> None:
    water = v.pick((110, 160, 190), (86, 132, 160))
    x0, x1 = v.x(), v.x()
    bank = [(x0, v.horizon), (x0 + (x1 - x0) * 0.7, v.horizon + 0.2), (x1, 1 + _OVER)]
    other = [(x + 0.05 + 0.5 * (y - v.horizon), y) for x, y in reversed(bank)]
    v.brush.polygon([*bank, *other], water)


# --- water -------------------------------------------------------------------------------------

_WATERS: tuple[Colour, ...] = ((44, 118, 160), (52, 148, 168), (70, 110, 140), (36, 86, 130))


def _sea(v: View) -> None:
    _sky(v)
    if v.rng.random() < 0.5:
        x, wide = v.x(), v.rng.uniform(0.14, 0.4)
        v.brush.oval((x, v.horizon), wide, v.rng.uniform(0.04, 0.14), v.pick((96, 122, 120)))
    water, sand = v.pick(*_WATERS), v.pick((232, 208, 162), (214, 190, 150), (240, 224, 190))
    shore = v.horizon + (0.85 - v.horizon) * v.rng.uniform(0.2, 0.7)
    v.walk = shore + 0.16
    tilt = v.rng.uniform(-0.14, 0.14)
    v.fade(v.horizon, 1 + _OVER, shade(water, 0.9), mix(water, (190, 226, 220), 0.7))
    for _ in range(16):
        x, y = v.x(), v.rng.uniform(v.horizon + 0.01, shore)
        size = 0.03 + 0.2 * (y - v.horizon)
        v.brush.line(((x, y), (x + size, y)), 0.005, mix(water, WHITE, v.rng.uniform(0.2, 0.7)))
    for _ in v.count(0, 2):
        _sail(v, v.x(), v.horizon + 0.012, v.rng.uniform(0.06, 0.16))
    for drop, tone in ((0.0, WHITE), (0.02, shade(sand, 0.84)), (0.07, sand)):
        edge = [
            (
                v.left + i * 0.17,
                shore + drop + tilt * (i / 6 - 1) + 0.018 * math.sin(i * 1.9 + tilt * 40),
            )
            for i in range(16)
        ]
        v.brush.polygon([*edge, (edge[-1][0], 1.4), (v.left, 1.4)], tone)
    for _ in range(14):
        spot = (v.x(), v.rng.uniform(shore + 0.1, 1.05))
        v.brush.oval(spot, 0.06, 0.008, shade(sand, v.rng.choice((0.9, 0.94, 1.06))))
    for _ in v.count(0, 2):
        _parasol(v, v.x(), shore + v.rng.uniform(0.12, 0.3), v.rng.uniform(0.3, 0.55))
    if v.rng.random() < 0.3:
        _palm(v, v.x(), shore + 0.2, v.rng.uniform(0.6, 0.9))


def _sail(v: View, x: float, foot: float, size: float) -> None:
    v.brush.polygon(
        (
            (x - size * 0.4, foot - size * 0.2),
            (x + size * 0.5, foot - size * 0.2),
            (x + size * 0.3, foot),
            (x - size * 0.3, foot),
        ),
        (120, 60, 50),
    )
    v.brush.polygon(
        ((x, foot - size * 0.25), (x, foot - size * 1.5), (x + size * 0.6, foot - size * 0.25)),
        WHITE,
    )


def _parasol(v: View, x: float, foot: float, tall: float) -> None:
    paint = v.pick((214, 60, 60), (240, 190, 60), (60, 130, 190), (70, 160, 120))
    v.brush.line(((x, foot), (x, foot - tall)), 0.014, (230, 226, 216))
    for part, tone in ((1.0, paint), (0.62, WHITE), (0.24, paint)):
        dome = [
            (x + 0.5 * tall * part * math.cos(a), foot - tall * 0.8 - tall * 0.3 * math.sin(a))
            for a in _HALF_TURN
        ]
        v.brush.polygon(dome, tone)


def _palm(v: View, x: float, foot: float, tall: float) -> None:
    top = (x + v.rng.uniform(-0.12, 0.12), foot - tall)
    v.brush.limb((x, foot), top, 0.026, 0.016, (128, 100, 70))
    leaf = v.pick((60, 124, 62), (84, 140, 70))
    for i in range(7):
        angle = math.pi * (i - 0.5) / 5 + math.pi
        mid = (top[0] + 0.14 * math.cos(angle), top[1] + 0.1 * math.sin(angle))
        tip = (top[0] + 0.25 * math.cos(angle), top[1] + 0.1 * math.sin(angle) + 0.08)
        v.brush.polygon((top, (mid[0], mid[1] - 0.03), tip, (mid[0], mid[1] + 0.02)), leaf)


def _surfing(v: View) -> None:
    _sky(v)
    water = v.pick(*_WATERS)
    v.fade(v.horizon, 1 + _OVER, shade(water, 1.1), shade(water, 0.78))
    _wave(v, water)
    for _ in range(26):
        x, y = v.x(), v.rng.uniform(0.72, 1.08)
        size = v.rng.uniform(0.03, 0.16)
        v.brush.oval((x, y), size, size * 0.08, mix(water, WHITE, v.rng.uniform(0.1, 0.6)))


def _wave(v: View, water: Colour) -> None:
    """Paint a breaking wave: a face with streaks that rise to a curling lip, and its foam."""
    top, foot = v.rng.uniform(0.1, 0.42), v.rng.uniform(0.72, 0.86)
    v.walk, high = foot + 0.05, foot - top
    own = v.brush.at((v.width * v.rng.uniform(0.25, 0.75), foot), 1.0, flip=v.rng.random() < 0.5)
    # The back rises like a swell; the lip then curls over in most of a half circle.
    curl = high * v.rng.uniform(0.2, 0.3)
    rise = [(-1.6 + 0.16 * i, -high * (0.1 + 0.9 * (i / 10) ** 1.7)) for i in range(11)]
    lip = [(curl * 1.5 * math.sin(a), curl * (1 - math.cos(a)) - high) for a in _TURN[:11]]
    trough = [(0.1, -high * 0.4), (0.2, -high * 0.2), (0.5, -high * 0.05), (1.6, 0.0)]
    face = mix(water, (120, 210, 200), 0.35)
    own.polygon([*rise, *lip, *trough, (1.6, 0.1), (-1.6, 0.1)], face)
    own.polygon([*lip[6:], *trough[:2], (0.0, -high * 0.5)], shade(water, 0.7))
    for i in range(13):
        x, crest = -1.5 + i * 0.12, rise[min(10, i * 3 // 4)][1]
        streak = ((x, -0.01), (x + 0.06, crest * 0.5), (x + 0.16, crest * 0.86))
        own.line(streak, 0.014, mix(face, WHITE, 0.1 + 0.025 * i))
    _foam(v, own, [*rise[3:], *lip], high)


def _foam(v: View, own: Brush, crest: list[Point], high: float) -> None:
    """Paint the white of a wave: along its crest, where it has broken, and in the air."""
    own.line(crest, 0.026, WHITE)
    for x, y in crest[3:]:
        own.oval((x, y), v.rng.uniform(0.02, 0.045), v.rng.uniform(0.018, 0.034), WHITE)
    for _ in range(22):
        spot = (v.rng.uniform(0.3, 1.4), high * v.rng.uniform(-0.42, 0.05))
        own.oval(
            spot,
            v.rng.uniform(0.04, 0.12),
            v.rng.uniform(0.03, 0.07),
            v.pick((240, 246, 248), (214, 230, 236)),
        )
    for _ in range(12):
        spot = (v.rng.uniform(-0.5, 0.5), -high * v.rng.uniform(0.9, 1.2))
        own.oval(spot, 0.011, 0.011, WHITE)


# --- sports grounds ----------------------------------------------------------------------------


def _volleyball(v: View) -> None:
    _sky(v)
    if v.rng.random() < 0.5:
        v.band(v.horizon - v.rng.uniform(0.04, 0.12), v.horizon, v.pick(*_WATERS))
    else:
        _ridge(v, v.horizon, v.rng.uniform(0.05, 0.2), v.pick(*_GREENS))
    sand = v.pick((230, 204, 156), (212, 184, 140), (238, 222, 186))
    _ground(v, shade(sand, 1.04), shade(sand, 0.9), 40)
    for _ in v.count(0, 3):
        _palm(v, v.x(), v.horizon + 0.03, v.rng.uniform(0.3, 0.6))
    line, y = v.pick((40, 80, 170), (190, 50, 50)), v.horizon + v.rng.uniform(0.1, 0.3)
    v.brush.line(((v.left, y), (v.right, y + v.rng.uniform(-0.1, 0.1))), 0.014, line)
    _volley_net(v, line)


def _volley_net(v: View, tape: Colour) -> None:
    foot = v.horizon + v.rng.uniform(0.1, 0.22)
    top, high = foot - v.rng.uniform(0.42, 0.6), v.rng.uniform(0.16, 0.24)
    x0, x1 = v.rng.choice(((-0.3, 0.62), (0.05, 0.95), (0.35, 1.3)))
    x0, x1 = x0 * v.width, x1 * v.width
    _net(v.brush, (x0, top, x1, top + high), (26, 6), (70, 72, 76))
    v.brush.box(x0, top - 0.012, x1, top + 0.022, WHITE)
    v.brush.box(x0, top + high - 0.008, x1, top + high + 0.008, tape)
    for post in (x0, x1):
        v.brush.limb((post, top - 0.05), (post, foot + 0.02), 0.018, 0.02, shade(tape, 0.8))


def _basketball(v: View) -> None:
    if v.rng.random() < 0.5:
        wall = v.pick((206, 200, 186), (150, 164, 180), (120, 96, 84))
        v.fade(-_OVER, v.horizon, wall, shade(wall, 0.85))
        _stands(v, v.horizon - v.rng.uniform(0.16, 0.36), v.horizon)
        floor = v.pick((206, 150, 92), (184, 122, 70), (216, 172, 118))
    else:
        _sky(v)
        for _ in v.count(2, 4):
            _tree(v, v.x(), v.horizon + 0.01, v.rng.uniform(0.25, 0.5))
        _net(v.brush, (v.left, v.horizon - 0.22, v.right, v.horizon), (24, 3), (120, 126, 130))
        floor = v.pick((110, 116, 124), (64, 120, 110), (170, 84, 66), (70, 96, 140))
    v.fade(v.horizon, 1 + _OVER, shade(floor, 1.08), shade(floor, 0.85))
    x = v.x()
    key = shade(floor, 0.75)
    v.brush.polygon(
        ((x - 0.2, v.horizon + 0.08), (x + 0.2, v.horizon + 0.08), (x + 0.4, 0.9), (x - 0.4, 0.9)),
        key,
    )
    arc = [(x + 0.75 * math.cos(a), v.horizon + 0.08 + 0.45 * math.sin(a)) for a in _HALF_TURN]
    v.brush.line(arc, 0.016, WHITE)
    v.brush.line(((v.left, v.horizon + 0.08), (v.right, v.horizon + 0.08)), 0.014, WHITE)
    _hoop(v)


def _hoop(v: View) -> None:
    size, x = v.rng.uniform(0.75, 1.25), v.rng.uniform(0.15, 0.85) * v.width
    foot = v.horizon + 0.12
    y = v.rng.uniform(0.18, 0.3)
    own = v.brush.at((x, y), size)
    v.brush.box(x - 0.016, y, x + 0.016, foot, (84, 88, 96))
    own.box(-0.19, -0.13, 0.19, 0.12, (60, 62, 70))
    own.box(-0.18, -0.12, 0.18, 0.11, v.pick((240, 240, 240), (200, 216, 226)))
    own.line(((-0.07, 0.06), (-0.07, -0.05), (0.07, -0.05), (0.07, 0.06)), 0.012, (206, 60, 46))
    own.oval((0.0, 0.1), 0.085, 0.022, (224, 92, 40))
    own.oval((0.0, 0.1), 0.07, 0.013, (120, 60, 40))
    for i in range(6):
        ends = ((-0.078 + i * 0.031, 0.11), (-0.045 + i * 0.018, 0.22))
        own.line(ends, 0.006, WHITE)
    for y in (0.14, 0.18):
        own.line(((-0.066, y), (0.066, y)), 0.005, WHITE)


def _football(v: View) -> None:
    _sky(v)
    if v.rng.random() < 0.6:
        _stands(v, v.horizon - v.rng.uniform(0.14, 0.34), v.horizon - 0.03)
        _hoarding(v)
    else:
        _ridge(v, v.horizon + 0.01, v.rng.uniform(0.08, 0.25), v.pick(*_GREENS), 24)
    grass = v.pick((76, 146, 62), (60, 128, 58), (104, 158, 66))
    _stripes(v, grass)
    y = v.horizon + v.rng.uniform(0.03, 0.08)
    v.brush.line(((v.left, y), (v.right, y)), 0.012, WHITE)
    size = v.rng.uniform(0.7, 1.5)
    x = v.rng.uniform(0.0, 0.9) * v.width
    own = v.brush.at((x, y), size)
    _net(own, (-0.3, -0.22, 0.3, 0.0), (14, 6), (214, 220, 220))
    own.line(((-0.3, 0.0), (-0.3, -0.23), (0.3, -0.23), (0.3, 0.0)), 0.018, WHITE)
    deep = y + 0.16 * size
    half = 0.5 * size
    v.brush.line(
        ((x - half, y), (x - half * 1.3, deep), (x + half * 1.3, deep), (x + half, y)), 0.012, WHITE
    )
    if v.rng.random() < 0.4:
        arc = [(v.width / 2 + 0.7 * math.cos(a), 1.0 - 0.25 * math.sin(a)) for a in _HALF_TURN]
        v.brush.line(arc, 0.018, WHITE)


def _hoarding(v: View) -> None:
    x = v.left
    while x < v.right:
        wide = v.rng.uniform(0.2, 0.4)
        paint = v.pick((200, 50, 50), (40, 80, 160), (236, 200, 60), (236, 236, 236), (40, 120, 80))
        v.brush.box(x, v.horizon - 0.06, x + wide, v.horizon + 0.005, paint)
        x += wide


def _stripes(v: View, grass: Colour) -> None:
    """Paint a mown pitch, its stripes across or leading away."""
    v.fade(v.horizon, 1 + _OVER, shade(grass, 1.06), shade(grass, 0.86))
    if v.rng.random() < 0.5:
        for i in range(4):
            y0 = v.horizon + (1.2 - v.horizon) * ((2 * i + 1) / 8) ** 1.5
            y1 = v.horizon + (1.2 - v.horizon) * ((2 * i + 2) / 8) ** 1.5
            v.band(y0, y1, shade(grass, 1.14))
        return
    x = v.x()
    for i in range(-4, 5):
        v.brush.polygon(
            (
                (x + i * 0.2, v.horizon),
                (x + i * 0.2 + 0.1, v.horizon),
                (x + i * 0.8 + 0.4, 1.4),
                (x + i * 0.8, 1.4),
            ),
            shade(grass, 1.14),
        )


def _high_jump(v: View) -> None:
    _sky(v)
    if v.rng.random() < 0.75:
        _stands(v, v.horizon - v.rng.uniform(0.14, 0.36), v.horizon - 0.02)
    _ridge(v, v.horizon + 0.01, 0.06, v.pick(*_GREENS), 24)
    track = v.pick((186, 88, 62), (166, 70, 56), (70, 100, 150), (200, 120, 90))
    v.fade(v.horizon, 1 + _OVER, shade(track, 1.05), shade(track, 0.86))
    grass = v.horizon + v.rng.uniform(0.03, 0.2)
    v.band(v.horizon, grass, v.pick((90, 146, 70), (110, 150, 80)))
    x, lean = v.x(), v.rng.uniform(0.5, 1.5)
    for i in range(-4, 5):
        ends = ((x + i * 0.22, grass), (x + i * 0.22 * (1 + lean) + (lean - 1) * 0.5, 1.4))
        v.brush.line(ends, 0.012, WHITE)
    v.brush.line(((v.left, grass), (v.right, grass)), 0.014, WHITE)
    if v.rng.random() < 0.5:
        flag = v.x()
        v.brush.line(((flag, v.horizon), (flag, v.horizon - 0.4)), 0.012, (210, 210, 214))
        v.brush.box(flag, v.horizon - 0.4, flag + 0.16, v.horizon - 0.3, v.pick((200, 50, 50)))


# --- play and wheels ---------------------------------------------------------------------------


def _bike(v: View) -> None:
    _sky(v)
    _ridge(v, v.horizon + 0.01, v.rng.uniform(0.06, 0.26), v.pick(*_GREENS, (120, 140, 150)), 22)
    verge = v.pick((126, 156, 76), (170, 160, 90), (96, 140, 70))
    _ground(v, verge, shade(verge, 0.85), 12)
    asphalt = v.pick((112, 114, 120), (86, 88, 94), (138, 134, 132))
    if v.rng.random() < 0.5:
        y = v.horizon + v.rng.uniform(0.1, 0.3)
        v.brush.polygon(((v.left, y), (v.right, y), (v.right, 1.4), (v.left, 1.4)), asphalt)
        v.band(y + 0.02, y + 0.036, WHITE)
        for i in range(6):
            x = v.left + i * 0.5
            v.brush.box(x, y + 0.24, x + 0.26, y + 0.265, WHITE)
    else:
        far, near = v.x(), v.x()
        _track(v, far, near, 0.95, WHITE)
        _track(v, far, near, 0.9, asphalt)
        _track(v, far, near, 0.03, (236, 216, 120))
    for _ in v.count(2, 6):
        foot = v.horizon + v.rng.uniform(0.01, 0.08)
        _tree(v, v.x(), foot, v.rng.uniform(0.16, 0.5))
    if v.rng.random() < 0.5:
        _rail(v)
    if v.rng.random() < 0.5:
        x = v.x()
        v.brush.line(((x, v.horizon + 0.12), (x, v.horizon - 0.2)), 0.014, (150, 150, 150))
        v.brush.oval((x, v.horizon - 0.24), 0.06, 0.06, (40, 90, 170))
        v.brush.oval((x, v.horizon - 0.24), 0.035, 0.035, WHITE)


def _rail(v: View) -> None:
    y = v.horizon + 0.06
    for i in range(9):
        x = v.left + i * 0.24
        v.brush.line(((x, y - 0.06), (x, y + 0.02)), 0.014, (120, 120, 124))
    v.band(y - 0.07, y - 0.035, (196, 198, 202))


def _kid_park(v: View) -> None:
    _sky(v)
    for _ in v.count(2, 5):
        _tree(v, v.x(), v.horizon + 0.02, v.rng.uniform(0.25, 0.55))
    ground = v.pick((128, 172, 84), (226, 196, 140), (214, 116, 86), (94, 158, 170))
    v.fade(v.horizon, 1 + _OVER, shade(ground, 1.05), shade(ground, 0.9))
    for _ in v.count(2, 5):
        spot = (v.x(), v.rng.uniform(v.horizon + 0.1, 1.0))
        v.brush.oval(spot, 0.2, 0.05, v.pick((236, 196, 90), (110, 190, 130), (90, 150, 210)))
    fence = v.pick((240, 240, 236), (200, 150, 90), (90, 140, 190))
    for i in range(18):
        x = v.left + i * 0.13
        v.brush.limb((x, v.horizon - 0.07), (x, v.horizon + 0.03), 0.016, 0.016, fence)
    v.band(v.horizon - 0.04, v.horizon - 0.02, fence)
    toys = [_slide, _swings, _dome, _seesaw]
    v.rng.shuffle(toys)
    toys = toys[: v.rng.randint(1, 2)] if _slide in toys[:2] else [_slide, toys[0]]
    for i, toy in enumerate(toys):
        toy(v, v.width * (i + v.rng.uniform(0.3, 0.7)) / len(toys), v.rng.uniform(0.75, 1.25))


_PLASTIC: tuple[Colour, ...] = ((226, 66, 60), (248, 196, 56), (56, 130, 206), (70, 176, 96))


def _slide(v: View, x: float, size: float) -> None:
    own = v.brush.at((x, v.horizon + 0.2), size, flip=v.rng.random() < 0.5)
    chute, frame, roof = (v.pick(*_PLASTIC) for _ in range(3))
    for post in (-0.3, -0.08):
        own.line(((post, 0.0), (post, -0.62)), 0.026, frame)
    for i in range(6):
        own.line(((-0.3, -0.05 - i * 0.075), (-0.2, -0.05 - i * 0.075)), 0.016, shade(frame, 0.8))
    own.box(-0.32, -0.46, -0.05, -0.4, frame)
    own.polygon(((-0.36, -0.6), (-0.02, -0.6), (-0.19, -0.78)), roof)
    way = ((-0.06, -0.46), (0.06, -0.4), (0.3, -0.12), (0.42, -0.06), (0.52, -0.05))
    own.line(way, 0.085, chute)
    own.line([(px, py - 0.02) for px, py in way], 0.03, shade(chute, 1.25))


def _swings(v: View, x: float, size: float) -> None:
    own, frame = v.brush.at((x, v.horizon + 0.17), size), v.pick(*_PLASTIC)
    for side in (-0.36, 0.36):
        for foot in (-0.09, 0.09):
            own.line(((side, -0.66), (side + foot, 0.02)), 0.024, frame)
    own.line(((-0.38, -0.65), (0.38, -0.65)), 0.028, shade(frame, 0.85))
    for seat in (-0.16, 0.16):
        sway = v.rng.uniform(-0.14, 0.14)
        for rope in (-0.05, 0.05):
            own.line(((seat + rope, -0.65), (seat + rope + sway, -0.18)), 0.007, (90, 90, 96))
        own.limb(
            (seat + sway - 0.06, -0.18), (seat + sway + 0.06, -0.18), 0.016, 0.016, (60, 60, 66)
        )


def _dome(v: View, x: float, size: float) -> None:
    own, paint = v.brush.at((x, v.horizon + 0.16), size), v.pick(*_PLASTIC)
    for part in (1.0, 0.6, 0.2):
        arc = [(0.32 * part * math.cos(a), -0.42 * math.sin(a)) for a in _HALF_TURN]
        own.line(arc, 0.016, paint)
    for y, half in ((-0.15, 0.3), (-0.29, 0.23), (-0.38, 0.13)):
        own.line(((-half, y), (half, y)), 0.014, shade(paint, 0.85))


def _seesaw(v: View, x: float, size: float) -> None:
    tilt = v.rng.choice((-14.0, 14.0))
    own = v.brush.at((x, v.horizon + 0.2), size)
    own.polygon(((-0.07, 0.0), (0.07, 0.0), (0.0, -0.16)), v.pick(*_PLASTIC))
    beam = own.at((0.0, -0.15), 1.0, tilt)
    beam.limb((-0.42, 0.0), (0.42, 0.0), 0.022, 0.022, v.pick(*_PLASTIC))
    for side in (-0.34, 0.34):
        beam.line(((side * 0.85, 0.0), (side * 0.85, -0.08)), 0.018, (70, 70, 76))


def _skateboard(v: View) -> None:
    _sky(v)
    if v.rng.random() < 0.5:
        for _ in v.count(2, 5):
            _tree(v, v.x(), v.horizon + 0.01, v.rng.uniform(0.2, 0.45))
    else:
        _graffiti(v)
    stone = v.pick((176, 174, 170), (148, 150, 156), (196, 186, 170))
    _ground(v, shade(stone, 1.05), shade(stone, 0.88), 10)
    for i in range(4):
        y = v.horizon + 0.06 + (1 - v.horizon) * (i / 4) ** 1.4
        v.brush.line(((v.left, y), (v.right, y)), 0.004, shade(stone, 0.8))
    _quarter_pipe(v, stone)
    extras = (_rails, _stairs, _kicker)
    v.rng.choice(extras)(v, v.x(), stone)


def _graffiti(v: View) -> None:
    wall, top = v.pick((150, 130, 120), (120, 124, 130)), v.horizon - v.rng.uniform(0.16, 0.36)
    v.band(top, v.horizon + 0.01, wall)
    for _ in range(9):
        x, y = v.x(), v.rng.uniform(top + 0.04, v.horizon - 0.03)
        paint = v.pick(
            (236, 70, 120), (60, 190, 200), (250, 200, 50), (120, 80, 200), (240, 240, 240)
        )
        swirl = [(x + i * 0.05, y + v.rng.uniform(-0.06, 0.06)) for i in range(5)]
        v.brush.line(swirl, v.rng.uniform(0.015, 0.04), paint)


def _quarter_pipe(v: View, stone: Colour) -> None:
    """Paint a ramp that curves up to a platform at one side."""
    foot = (v.width * v.rng.uniform(0.3, 0.7), v.horizon + v.rng.uniform(0.12, 0.26))
    own = v.brush.at(foot, v.rng.uniform(0.7, 1.2), flip=v.rng.random() < 0.5)
    face = [(0.45 * math.sin(a), -0.45 * (1 - math.cos(a))) for a in (0, 0.3, 0.6, 0.9, 1.2, 1.45)]
    tone = v.pick((186, 140, 96), (160, 164, 172), (120, 140, 160))
    own.polygon([*face, (1.6, -0.4), (1.6, 0.04), (-0.1, 0.04)], shade(tone, 0.8))
    front = [(x - 0.16, y + 0.1) for x, y in face]
    own.polygon([*face, *reversed(front)], shade(tone, 1.2))
    own.polygon([*front, (1.6, -0.3), (1.6, 0.14), (-0.2, 0.14)], tone)
    own.line(((0.28, -0.3), (0.45, -0.4), (1.6, -0.4)), 0.02, shade(stone, 0.5))
    for i in range(4):
        x = 0.6 + i * 0.22
        own.line(((x, -0.4), (x, -0.56)), 0.012, (80, 84, 90))
    own.line(((0.55, -0.56), (1.6, -0.56)), 0.016, (80, 84, 90))


def _rails(v: View, x: float, stone: Colour) -> None:
    y, steel = v.horizon + 0.3, shade(stone, 0.45)
    v.brush.line(((x - 0.3, y + 0.1), (x - 0.3, y), (x + 0.3, y), (x + 0.3, y + 0.1)), 0.02, steel)


def _stairs(v: View, x: float, stone: Colour) -> None:
    for i in range(4):
        y = v.horizon + 0.04 + i * 0.045
        v.brush.box(x - 0.2 - i * 0.04, y, x + 0.2 + i * 0.04, y + 0.02, shade(stone, 1.15))
        v.brush.box(x - 0.2 - i * 0.04, y + 0.02, x + 0.2 + i * 0.04, y + 0.045, shade(stone, 0.7))


def _kicker(v: View, x: float, stone: Colour) -> None:
    y = v.horizon + 0.34
    wedge = ((x - 0.26, y), (x + 0.22, y - 0.18), (x + 0.22, y))
    v.brush.polygon(wedge, shade(stone, 0.7))
    v.brush.line(wedge[:2], 0.03, v.pick((200, 150, 100)))


# A painter, and between which heights its horizon lies.
SCENES: dict[str, tuple[Callable[[View], None], float, float]] = {
    "city": (_city, 0.38, 0.74),
    "indoor": (_indoor, 0.55, 0.76),
    "mountain_motor": (_mountain_motor, 0.34, 0.68),
    "ski": (_ski, 0.26, 0.56),
    "volleyball": (_volleyball, 0.34, 0.66),
    "basketball": (_basketball, 0.36, 0.66),
    "football": (_football, 0.3, 0.6),
    "nature": (_nature, 0.28, 0.66),
    "sea": (_sea, 0.22, 0.6),
    "surfing": (_surfing, 0.16, 0.5),
    "bike": (_bike, 0.3, 0.66),
    "kid_park": (_kid_park, 0.32, 0.62),
    "skateboard": (_skateboard, 0.32, 0.64),
    "high_jump": (_high_jump, 0.34, 0.66),
    "night_city": (_night_city, 0.4, 0.76),
}
