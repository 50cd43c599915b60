"""Backdrops of roads, playgrounds and skate parks."""

import math

from drawing.brush import WHITE, Colour, shade
from drawing.land import GREENS, ground, ridge, sky, tree
from drawing.rooms import HALF_TURN
from drawing.towns import track
from drawing.view import OVERSCAN, View


def bike(v: View) -> None:
    """Paint the scene bike."""
    sky(v)
    ridge(v, v.horizon + 0.01, v.rng.uniform(0.06, 0.26), v.pick(*GREENS, (120, 140, 150)), 22)
    verge = v.pick((126, 156, 76), (170, 160, 90), (96, 140, 70))
    ground(v, verge, shade(verge, 0.85), 12)
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
        track(v, far, near, 0.95, WHITE)
        track(v, far, near, 0.9, asphalt)
        track(v, far, near, 0.03, (236, 216, 120))
    for _ in v.count(2, 6):
        foot = v.horizon + v.rng.uniform(0.01, 0.08)
        tree(v, v.x(), foot, v.rng.uniform(0.16, 0.5))
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


def kid_park(v: View) -> None:
    """Paint the scene kid_park."""
    sky(v)
    for _ in v.count(2, 5):
        tree(v, v.x(), v.horizon + 0.02, v.rng.uniform(0.25, 0.55))
    ground = v.pick((128, 172, 84), (226, 196, 140), (214, 116, 86), (94, 158, 170))
    v.fade(v.horizon, 1 + OVERSCAN, shade(ground, 1.05), shade(ground, 0.9))
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
        arc = [(0.32 * part * math.cos(a), -0.42 * math.sin(a)) for a in HALF_TURN]
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


def skateboard(v: View) -> None:
    """Paint the scene skateboard."""
    sky(v)
    if v.rng.random() < 0.5:
        for _ in v.count(2, 5):
            tree(v, v.x(), v.horizon + 0.01, v.rng.uniform(0.2, 0.45))
    else:
        _graffiti(v)
    stone = v.pick((176, 174, 170), (148, 150, 156), (196, 186, 170))
    ground(v, shade(stone, 1.05), shade(stone, 0.88), 10)
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
    """Paint a curved ramp with a platform at one side."""
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
