"""Backdrops of towns by day and by night."""

import math

from drawing.brush import Colour, shade
from drawing.land import sky, street_lamp, tree
from drawing.rooms import TURN
from drawing.view import OVERSCAN, View


def _block(
    v: View, across: tuple[float, float], top: float, wall: Colour, panes: tuple[Colour, ...]
) -> None:
    """Paint a building with windows; its foot is just below the horizon."""
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
    """Paint pavement and a road, either across the image or towards the horizon."""
    v.fade(v.horizon, 1 + OVERSCAN, kerb, shade(kerb, 1.1))
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
    track(v, far, near, wide, road)
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


def track(v: View, far: float, near: float, wide: float, colour: Colour) -> None:
    """Paint a path from the viewer to the horizon."""
    v.brush.polygon(
        (
            (far - 0.02, v.horizon),
            (far + 0.02, v.horizon),
            (near + wide, 1 + OVERSCAN),
            (near - wide, 1 + OVERSCAN),
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


def city(v: View) -> None:
    """Paint the scene city."""
    sky(v)
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
        tree(v, v.x(), v.horizon + 0.06, v.rng.uniform(0.2, 0.5))
    for _ in v.count(1, 3):
        _car(v, v.x(), v.horizon + v.rng.uniform(0.1, 0.2), v.rng.uniform(0.3, 0.6))
    if v.rng.random() < 0.6:
        street_lamp(v, v.x(), v.horizon + 0.14, v.rng.uniform(0.4, 0.7))


def night_city(v: View) -> None:
    """Paint the scene night_city."""
    above, below = v.rng.choice(
        (((8, 10, 28), (40, 40, 76)), ((6, 8, 16), (26, 38, 58)), ((16, 10, 34), (84, 50, 82)))
    )
    v.fade(-OVERSCAN, v.horizon + 0.05, above, below)
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
    """Paint a neon sign and its reflection on the wet ground."""
    neon = v.pick((255, 60, 110), (60, 220, 240), (255, 170, 40), (140, 90, 255), (90, 240, 130))
    x, y = v.x(), v.horizon - v.rng.uniform(0.04, 0.2)
    wide, high = v.rng.uniform(0.05, 0.2), v.rng.uniform(0.03, 0.09)
    v.brush.box(x, y - high, x + wide, y, neon)
    v.brush.box(x + 0.01, y - high + 0.01, x + wide - 0.01, y - 0.01, shade(neon, 0.5))
    shine = ((x, v.horizon + 0.04), (x + wide, v.horizon + 0.04), (x + wide, 1.2), (x, 1.2))
    v.brush.glaze(shine, neon, 0.16)


def _lantern(v: View, x: float, foot: float, tall: float) -> None:
    lx, ly = street_lamp(v, x, foot, tall)
    v.brush.glow((lx, ly), tall * 0.3, (255, 208, 130), 0.5)
    v.brush.oval((lx, ly), 0.014, 0.014, (255, 250, 226))
    pool = [(lx + 0.24 * math.cos(a), foot + 0.05 + 0.06 * math.sin(a)) for a in TURN]
    v.brush.glaze(pool, (255, 206, 130), 0.22)
