"""Backdrops of sports grounds: volleyball, basketball, football, high jump."""

import math

from drawing.brush import WHITE, Colour, shade
from drawing.land import GREENS, ground, net, ridge, sky, stands, tree
from drawing.rooms import HALF_TURN
from drawing.view import OVERSCAN, View
from drawing.water import WATERS, palm


def volleyball(v: View) -> None:
    """Paint the scene volleyball."""
    sky(v)
    if v.rng.random() < 0.5:
        v.band(v.horizon - v.rng.uniform(0.04, 0.12), v.horizon, v.pick(*WATERS))
    else:
        ridge(v, v.horizon, v.rng.uniform(0.05, 0.2), v.pick(*GREENS))
    sand = v.pick((230, 204, 156), (212, 184, 140), (238, 222, 186))
    ground(v, shade(sand, 1.04), shade(sand, 0.9), 40)
    for _ in v.count(0, 3):
        palm(v, v.x(), v.horizon + 0.03, v.rng.uniform(0.3, 0.6))
    line, y = v.pick((40, 80, 170), (190, 50, 50)), v.horizon + v.rng.uniform(0.1, 0.3)
    v.brush.line(((v.left, y), (v.right, y + v.rng.uniform(-0.1, 0.1))), 0.014, line)
    _volley_net(v, line)


def _volley_net(v: View, tape: Colour) -> None:
    foot = v.horizon + v.rng.uniform(0.1, 0.22)
    top, high = foot - v.rng.uniform(0.42, 0.6), v.rng.uniform(0.16, 0.24)
    x0, x1 = v.rng.choice(((-0.3, 0.62), (0.05, 0.95), (0.35, 1.3)))
    x0, x1 = x0 * v.width, x1 * v.width
    net(v.brush, (x0, top, x1, top + high), (26, 6), (70, 72, 76))
    v.brush.box(x0, top - 0.012, x1, top + 0.022, WHITE)
    v.brush.box(x0, top + high - 0.008, x1, top + high + 0.008, tape)
    for post in (x0, x1):
        v.brush.limb((post, top - 0.05), (post, foot + 0.02), 0.018, 0.02, shade(tape, 0.8))


def basketball(v: View) -> None:
    """Paint the scene basketball."""
    if v.rng.random() < 0.5:
        wall = v.pick((206, 200, 186), (150, 164, 180), (120, 96, 84))
        v.fade(-OVERSCAN, v.horizon, wall, shade(wall, 0.85))
        stands(v, v.horizon - v.rng.uniform(0.16, 0.36), v.horizon)
        floor = v.pick((206, 150, 92), (184, 122, 70), (216, 172, 118))
    else:
        sky(v)
        for _ in v.count(2, 4):
            tree(v, v.x(), v.horizon + 0.01, v.rng.uniform(0.25, 0.5))
        net(v.brush, (v.left, v.horizon - 0.22, v.right, v.horizon), (24, 3), (120, 126, 130))
        floor = v.pick((110, 116, 124), (64, 120, 110), (170, 84, 66), (70, 96, 140))
    v.fade(v.horizon, 1 + OVERSCAN, shade(floor, 1.08), shade(floor, 0.85))
    x = v.x()
    key = shade(floor, 0.75)
    v.brush.polygon(
        ((x - 0.2, v.horizon + 0.08), (x + 0.2, v.horizon + 0.08), (x + 0.4, 0.9), (x - 0.4, 0.9)),
        key,
    )
    arc = [(x + 0.75 * math.cos(a), v.horizon + 0.08 + 0.45 * math.sin(a)) for a in HALF_TURN]
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


def football(v: View) -> None:
    """Paint the scene football."""
    sky(v)
    if v.rng.random() < 0.6:
        stands(v, v.horizon - v.rng.uniform(0.14, 0.34), v.horizon - 0.03)
        _hoarding(v)
    else:
        ridge(v, v.horizon + 0.01, v.rng.uniform(0.08, 0.25), v.pick(*GREENS), 24)
    grass = v.pick((76, 146, 62), (60, 128, 58), (104, 158, 66))
    _stripes(v, grass)
    y = v.horizon + v.rng.uniform(0.03, 0.08)
    v.brush.line(((v.left, y), (v.right, y)), 0.012, WHITE)
    size = v.rng.uniform(0.7, 1.5)
    x = v.rng.uniform(0.0, 0.9) * v.width
    own = v.brush.at((x, y), size)
    net(own, (-0.3, -0.22, 0.3, 0.0), (14, 6), (214, 220, 220))
    own.line(((-0.3, 0.0), (-0.3, -0.23), (0.3, -0.23), (0.3, 0.0)), 0.018, WHITE)
    deep = y + 0.16 * size
    half = 0.5 * size
    v.brush.line(
        ((x - half, y), (x - half * 1.3, deep), (x + half * 1.3, deep), (x + half, y)), 0.012, WHITE
    )
    if v.rng.random() < 0.4:
        arc = [(v.width / 2 + 0.7 * math.cos(a), 1.0 - 0.25 * math.sin(a)) for a in HALF_TURN]
        v.brush.line(arc, 0.018, WHITE)


def _hoarding(v: View) -> None:
    x = v.left
    while x < v.right:
        wide = v.rng.uniform(0.2, 0.4)
        paint = v.pick((200, 50, 50), (40, 80, 160), (236, 200, 60), (236, 236, 236), (40, 120, 80))
        v.brush.box(x, v.horizon - 0.06, x + wide, v.horizon + 0.005, paint)
        x += wide


def _stripes(v: View, grass: Colour) -> None:
    """Paint a mown pitch with stripes across the image or towards the horizon."""
    v.fade(v.horizon, 1 + OVERSCAN, shade(grass, 1.06), shade(grass, 0.86))
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


def high_jump(v: View) -> None:
    """Paint the scene high_jump."""
    sky(v)
    if v.rng.random() < 0.75:
        stands(v, v.horizon - v.rng.uniform(0.14, 0.36), v.horizon - 0.02)
    ridge(v, v.horizon + 0.01, 0.06, v.pick(*GREENS), 24)
    track = v.pick((186, 88, 62), (166, 70, 56), (70, 100, 150), (200, 120, 90))
    v.fade(v.horizon, 1 + OVERSCAN, shade(track, 1.05), shade(track, 0.86))
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
