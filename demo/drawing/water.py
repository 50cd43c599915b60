"""Backdrops of beaches, the sea and waves."""

import math

from drawing.brush import WHITE, Brush, Colour, Point, shade
from drawing.land import sky
from drawing.rooms import HALF_TURN, TURN
from drawing.view import OVERSCAN, View, mix

WATERS: tuple[Colour, ...] = ((44, 118, 160), (52, 148, 168), (70, 110, 140), (36, 86, 130))


def sea(v: View) -> None:
    """Paint the scene sea."""
    sky(v)
    if v.rng.random() < 0.5:
        x, wide = v.x(), v.rng.uniform(0.14, 0.4)
        v.brush.oval((x, v.horizon), wide, v.rng.uniform(0.04, 0.14), v.pick((96, 122, 120)))
    water, sand = v.pick(*WATERS), v.pick((232, 208, 162), (214, 190, 150), (240, 224, 190))
    shore = v.horizon + (0.85 - v.horizon) * v.rng.uniform(0.2, 0.7)
    v.ground_top = shore + 0.16
    tilt = v.rng.uniform(-0.14, 0.14)
    v.fade(v.horizon, 1 + OVERSCAN, shade(water, 0.9), mix(water, (190, 226, 220), 0.7))
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
        palm(v, v.x(), shore + 0.2, v.rng.uniform(0.6, 0.9))


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
            for a in HALF_TURN
        ]
        v.brush.polygon(dome, tone)


def palm(v: View, x: float, foot: float, tall: float) -> None:
    """Paint a palm tree."""
    top = (x + v.rng.uniform(-0.12, 0.12), foot - tall)
    v.brush.limb((x, foot), top, 0.026, 0.016, (128, 100, 70))
    leaf = v.pick((60, 124, 62), (84, 140, 70))
    for i in range(7):
        angle = math.pi * (i - 0.5) / 5 + math.pi
        mid = (top[0] + 0.14 * math.cos(angle), top[1] + 0.1 * math.sin(angle))
        tip = (top[0] + 0.25 * math.cos(angle), top[1] + 0.1 * math.sin(angle) + 0.08)
        v.brush.polygon((top, (mid[0], mid[1] - 0.03), tip, (mid[0], mid[1] + 0.02)), leaf)


def surfing(v: View) -> None:
    """Paint the scene surfing."""
    sky(v)
    water = v.pick(*WATERS)
    v.fade(v.horizon, 1 + OVERSCAN, shade(water, 1.1), shade(water, 0.78))
    _wave(v, water)
    for _ in range(26):
        x, y = v.x(), v.rng.uniform(0.72, 1.08)
        size = v.rng.uniform(0.03, 0.16)
        v.brush.oval((x, y), size, size * 0.08, mix(water, WHITE, v.rng.uniform(0.1, 0.6)))


def _wave(v: View, water: Colour) -> None:
    """Paint a breaking wave: a face with streaks, a curling lip, and foam."""
    top, foot = v.rng.uniform(0.1, 0.42), v.rng.uniform(0.72, 0.86)
    v.ground_top, high = foot + 0.05, foot - top
    own = v.brush.at((v.width * v.rng.uniform(0.25, 0.75), foot), 1.0, flip=v.rng.random() < 0.5)
    # The back rises like a swell; then the lip curls over in most of a half circle.
    curl = high * v.rng.uniform(0.2, 0.3)
    rise = [(-1.6 + 0.16 * i, -high * (0.1 + 0.9 * (i / 10) ** 1.7)) for i in range(11)]
    lip = [(curl * 1.5 * math.sin(a), curl * (1 - math.cos(a)) - high) for a in TURN[:11]]
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
    """Paint the foam of a wave: along its crest, behind it, and in the air."""
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
