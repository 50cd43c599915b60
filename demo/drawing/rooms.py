"""Backdrop of a room: windows, furniture, pictures."""

import math

from drawing.brush import WHITE, shade
from drawing.land import GREENS, SKIES
from drawing.view import OVERSCAN, View, mix

TURN = [math.tau * i / 24 for i in range(24)]
HALF_TURN = TURN[:13]


def indoor(v: View) -> None:
    """Paint the scene indoor."""
    wall = v.pick(
        (226, 214, 192), (180, 198, 206), (202, 178, 168), (150, 168, 148), (110, 120, 140)
    )
    v.fade(-OVERSCAN, v.horizon, shade(wall, 1.06), shade(wall, 0.9))
    floor = v.pick((156, 112, 74), (120, 84, 58), (190, 160, 122), (132, 132, 136))
    v.fade(v.horizon, 1 + OVERSCAN, shade(floor, 0.85), shade(floor, 1.08))
    middle = v.x()
    for i in range(-7, 8):
        ends = ((middle + i * 0.14, v.horizon), (middle + i * 0.5, 1 + OVERSCAN))
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
    above, below = v.rng.choice(SKIES)
    v.brush.box(x - 0.025, y - 0.025, x + wide + 0.025, y + high + 0.03, WHITE)
    v.brush.box(x, y, x + wide, y + high * 0.6, mix(above, below, 0.4))
    v.brush.box(x, y + high * 0.6, x + wide, y + high, mix(below, v.pick(*GREENS), 0.6))
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
    v.brush.oval((x, y + wide * 0.15), wide * 0.4, wide * 0.3, v.pick(*GREENS, (200, 90, 60)))


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
    v.brush.oval((x, y - 0.17), 0.07, 0.06, v.pick(*GREENS, (240, 190, 90)))
