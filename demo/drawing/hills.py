"""Backdrops of mountains, ski slopes and meadows."""

from drawing.brush import WHITE, shade
from drawing.land import GREENS, bush, ground, pine, ridge, sky, tree
from drawing.towns import track
from drawing.view import OVERSCAN, View, mix


def mountain_motor(v: View) -> None:
    """Paint the scene mountain_motor."""
    sky(v)
    far = v.pick((132, 148, 172), (156, 144, 150))
    ridge(v, v.horizon + 0.02, v.rng.uniform(0.2, 0.42), far, 18)
    ridge(v, v.horizon + 0.03, v.rng.uniform(0.08, 0.24), v.pick((96, 104, 96), (122, 92, 72)), 16)
    dirt = v.pick((166, 124, 84), (150, 100, 66), (190, 160, 118))
    ground(v, mix(dirt, (110, 116, 80), 0.6), shade(dirt, 0.9), 26)
    far_x, near_x = v.x(), v.x()
    track(v, far_x, near_x, v.rng.uniform(0.4, 0.8), shade(dirt, 1.18))
    for side in (-0.16, 0.1):
        track(v, far_x, near_x + side, 0.05, shade(dirt, 0.8))
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
        bush(v, v.x(), v.horizon + v.rng.uniform(0.03, 0.3), v.rng.uniform(0.03, 0.09))


def ski(v: View) -> None:
    """Paint the scene ski."""
    sky(v)
    rock = v.pick((122, 138, 164), (96, 108, 132), (150, 160, 180))
    for x, y in ridge(v, v.horizon + 0.02, v.rng.uniform(0.2, 0.44), rock, 12):
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
    v.fade(v.horizon, 1 + OVERSCAN, snow, shade(snow, 0.93))
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
        pine(v, x, foot, v.rng.uniform(0.14, 0.2) + (foot - v.horizon) * 1.2, snow=True)
    for _ in v.count(0, 2):
        _gate(v, v.x(), v.horizon + v.rng.uniform(0.2, 0.5))


def _gate(v: View, x: float, foot: float) -> None:
    paint = v.rng.choice(((208, 40, 44), (44, 80, 180)))
    for pole in (x, x + 0.16):
        v.brush.line(((pole, foot), (pole, foot - 0.24)), 0.012, paint)
    v.brush.box(x, foot - 0.23, x + 0.16, foot - 0.12, paint)


def nature(v: View) -> None:
    """Paint the scene nature."""
    sky(v)
    hill = v.pick((112, 140, 132), (134, 156, 120), (96, 122, 118))
    ridge(v, v.horizon + 0.02, v.rng.uniform(0.12, 0.34), hill, 20)
    ridge(v, v.horizon + 0.03, v.rng.uniform(0.05, 0.16), v.pick(*GREENS), 20)
    grass = v.pick((120, 160, 66), (92, 140, 62), (168, 168, 82))
    ground(v, grass, shade(grass, 0.78), 26)
    if v.rng.random() < 0.4:
        _river(v)
    for _ in v.count(1, 4):
        foot = v.horizon + v.rng.uniform(0.0, 0.24)
        tall = v.rng.uniform(0.2, 0.3) + (foot - v.horizon) * 2.2
        (tree if v.rng.random() < 0.7 else pine)(v, v.x(), foot, tall)
    flower = v.pick((240, 90, 90), (250, 220, 90), (240, 240, 250), (180, 110, 210))
    for _ in v.count(8, 22):
        y = v.rng.uniform(v.horizon + 0.08, 1.0)
        size = 0.004 + 0.014 * (y - v.horizon)
        v.brush.oval((v.x(), y), size * 1.2, size, flower)
    if v.rng.random() < 0.45:
        x = v.rng.choice((v.rng.uniform(-0.05, 0.2), v.width - v.rng.uniform(-0.05, 0.2)))
        tree(v, x, 1.05, v.rng.uniform(1.1, 1.5))


def _river(v: View) -> None:
    water = v.pick((110, 160, 190), (86, 132, 160))
    x0, x1 = v.x(), v.x()
    bank = [(x0, v.horizon), (x0 + (x1 - x0) * 0.7, v.horizon + 0.2), (x1, 1 + OVERSCAN)]
    other = [(x + 0.05 + 0.5 * (y - v.horizon), y) for x, y in reversed(bank)]
    v.brush.polygon([*bank, *other], water)
