"""Draw the equipment that figures ride, hold or jump over. It is not part of the person mask."""

import math
import random
from collections.abc import Callable

from drawing.brush import DARK, ROUND, WHITE, Brush, Colour, Point, jitter, shade
from drawing.clothes import random_cloth
from drawing.poses import Figure, point_at


def _bike(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = random_cloth(rng, 0.4)
    rear, front, crank = (-0.19, 0.40), (0.42, 0.40), (0.07, 0.41)
    seat, bars = (-0.03, 0.07), (0.31, -0.03)
    for hub in (rear, front):
        _wheel(brush, hub, 0.2, 0.022)
        for angle in range(0, 180, 45):
            ends = (point_at(hub, angle, 0.18), point_at(hub, angle + 180, 0.18))
            brush.line(ends, 0.005, (150, 150, 150))
    for tube in ((rear, crank), (rear, seat), (seat, crank), (crank, bars), (seat, bars)):
        brush.line(tube, 0.022, paint)
    brush.line((front, bars), 0.02, shade(paint, 0.8))
    brush.limb((-0.09, 0.065), (0.02, 0.06), 0.022, 0.014, DARK)
    brush.limb(bars, figure.joints["near_hand"], 0.012, 0.012, DARK)
    brush.oval(crank, 0.04, 0.04, DARK)


def _wheel(brush: Brush, hub: Point, radius: float, tyre: float) -> None:
    """Draw a wheel as a ring around the hub, so that the background is visible inside."""
    x, y = hub
    ring = [(x + radius * cos, y + radius * sin) for cos, sin in (*ROUND, ROUND[0], ROUND[1])]
    brush.line(ring, tyre, DARK)


def _motor(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = random_cloth(rng, 0.5)
    rear, front = (-0.30, 0.36), (0.52, 0.36)
    for hub in (rear, front):
        brush.oval(hub, 0.19, 0.19, DARK)
        brush.oval(hub, 0.125, 0.125, (120, 116, 110))
        brush.oval(hub, 0.05, 0.05, (70, 70, 74))
    brush.line((rear, (0.0, 0.24)), 0.05, (90, 90, 96))
    brush.line((front, (0.31, -0.06)), 0.04, (170, 170, 176))
    brush.polygon(((-0.05, 0.14), (0.24, 0.12), (0.2, 0.38), (-0.02, 0.38)), (74, 76, 82))
    brush.limb((0.02, 0.3), (-0.42, 0.2), 0.026, 0.034, (168, 168, 172))
    brush.polygon(((-0.46, 0.02), (-0.2, 0.08), (0.1, 0.14), (-0.3, 0.2)), paint)
    brush.limb((-0.24, 0.075), (0.08, 0.075), 0.03, 0.03, (48, 44, 44))
    brush.polygon(((0.06, 0.1), (0.16, 0.0), (0.34, 0.02), (0.3, 0.17), (0.14, 0.2)), paint)
    brush.polygon(((0.28, -0.05), (0.37, -0.1), (0.42, 0.06), (0.33, 0.08)), shade(paint, 1.25))
    brush.limb((0.38, 0.15), (0.68, 0.2), 0.025, 0.014, paint)
    brush.limb((0.31, -0.08), figure.joints["near_hand"], 0.016, 0.016, DARK)


def _skis(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = random_cloth(rng, 0.5)
    for side in ("far", "near"):
        toe, ankle = figure.joints[f"{side}_toe"], figure.joints[f"{side}_ankle"]
        turn = math.atan2(toe[1] - ankle[1], toe[0] - ankle[0])
        ski = brush.at(ankle, 1.0, min(12.0, math.degrees(turn) - 4))
        ski.line(((-0.42, 0.04), (0.48, 0.04), (0.58, 0.0)), 0.026, paint)
        hand = figure.joints[f"{side}_hand"]
        tip = (hand[0] - 0.34, min(figure.floor, hand[1] + 0.42))
        brush.line(((hand[0] + 0.02, hand[1] - 0.03), tip), 0.012, DARK)
        brush.oval(tip, 0.024, 0.012, DARK)


def _plank(brush: Brush, figure: Figure) -> tuple[Brush, float]:
    """Return a brush positioned under both feet, and half the distance between the feet."""
    (x0, y0), (x1, y1) = figure.joints["far_ankle"], figure.joints["near_ankle"]
    if x0 > x1:
        x0, y0, x1, y1 = x1, y1, x0, y0
    drop = max(figure.joints["near_toe"][1] - y1, figure.joints["far_toe"][1] - y0, 0.0) + 0.03
    turn = math.degrees(math.atan2(y1 - y0, x1 - x0))
    middle = ((x0 + x1) / 2 + 0.02, (y0 + y1) / 2 + drop)
    return brush.at(middle, 1.0, min(24.0, max(-24.0, turn))), (x1 - x0) / 2


def _surfboard(brush: Brush, figure: Figure, rng: random.Random) -> None:
    own, half = _plank(brush, figure)
    paint = rng.choice((WHITE, (250, 214, 90), (236, 110, 84), (120, 206, 196)))
    length = max(0.5, half + 0.2)
    own.oval((0.02, 0.015), length, 0.05, shade(paint, 0.75))
    own.oval((0.02, 0.0), length, 0.045, paint)
    own.line(((-length * 0.8, 0.0), (length * 0.85, 0.0)), 0.014, random_cloth(rng, 0.4))
    own.polygon(((-length * 0.8, 0.03), (-length * 0.9, 0.12), (-length * 0.66, 0.04)), DARK)


def _skateboard(brush: Brush, figure: Figure, rng: random.Random) -> None:
    own, half = _plank(brush, figure)
    length = max(0.24, half + 0.07)
    deck = ((-length - 0.06, -0.035), (-length, 0.0), (length, 0.0), (length + 0.06, -0.035))
    own.line(deck, 0.028, random_cloth(rng, 0.3))
    for x in (-length * 0.7, length * 0.7):
        own.oval((x, 0.045), 0.034, 0.034, WHITE)
        own.oval((x, 0.045), 0.014, 0.014, DARK)


def _swing(brush: Brush, figure: Figure, rng: random.Random) -> None:
    steel = (150, 152, 158)
    top = (rng.uniform(0.0, 0.3), -2.2)
    brush.line(((-0.07, 0.07), (top[0] - 0.05, top[1])), 0.014, steel)
    brush.line(((0.09, 0.07), figure.joints["near_hand"], (top[0] + 0.05, top[1])), 0.016, steel)
    brush.limb((-0.1, 0.075), (0.13, 0.075), 0.022, 0.022, random_cloth(rng, 0.4))


def _chair(brush: Brush, figure: Figure, rng: random.Random) -> None:
    wood = jitter(rng, (136, 92, 58), 34)
    for x in (-0.12, 0.17):
        brush.line(((x, 0.08), (x + 0.02, figure.floor)), 0.028, shade(wood, 0.8))
    brush.limb((-0.15, -0.36), (-0.13, 0.08), 0.03, 0.03, wood)
    brush.limb((-0.13, 0.085), (0.19, 0.085), 0.032, 0.032, shade(wood, 1.15))


_BALLS: dict[str, tuple[Colour, Colour]] = {
    "volley": ((248, 226, 120), (70, 110, 190)),
    "basket": ((222, 118, 48), (70, 40, 26)),
    "soccer": (WHITE, DARK),
}


def _ball(brush: Brush, centre: Point, kind: str) -> None:
    paint, seam = _BALLS[kind]
    x, y = centre
    brush.oval(centre, 0.075, 0.075, shade(paint, 0.8))
    brush.oval((x + 0.006, y - 0.008), 0.066, 0.066, paint)
    if kind == "soccer":
        for dx, dy in ((0.0, 0.0), (0.045, -0.03), (-0.04, -0.035), (0.01, 0.055)):
            brush.oval((x + dx, y + dy), 0.018, 0.018, seam)
    else:
        brush.line(((x - 0.07, y), (x, y - 0.012), (x + 0.07, y)), 0.01, seam)
        brush.line(((x - 0.01, y - 0.07), (x + 0.012, y), (x - 0.01, y + 0.07)), 0.01, seam)


def _at_hand(kind: str) -> Callable[[Brush, Figure, random.Random], None]:
    def paint(brush: Brush, figure: Figure, rng: random.Random) -> None:
        elbow, (x, y) = figure.joints["near_elbow"], figure.joints["near_hand"]
        gap = rng.uniform(0.10, 0.22) / 0.15
        _ball(brush, (x + (x - elbow[0]) * gap, y + (y - elbow[1]) * gap), kind)

    return paint


def _at_foot(brush: Brush, figure: Figure, rng: random.Random) -> None:
    x, y = figure.joints["near_toe"]
    _ball(brush, (x + rng.uniform(0.1, 0.3), min(y, figure.floor - 0.07)), "soccer")


def _over_head(brush: Brush, figure: Figure, rng: random.Random) -> None:
    x, y = figure.joints["head"]
    _ball(brush, (x + rng.uniform(0.02, 0.12), y - rng.uniform(0.19, 0.26)), "soccer")


def _bounce(brush: Brush, figure: Figure, rng: random.Random) -> None:
    x, y = figure.joints["near_hand"]
    _ball(brush, (x + 0.04, y + (figure.floor - y) * rng.uniform(0.3, 0.85)), "basket")


def _bar(ahead: float) -> Callable[[Brush, Figure, random.Random], None]:
    """Return a painter of the high-jump bar, posts and mat, centred ``ahead`` of the figure."""

    def paint(brush: Brush, figure: Figure, rng: random.Random) -> None:
        level = 0.16 if ahead == 0 else rng.uniform(-0.4, -0.1)
        left, right = ahead - rng.uniform(0.5, 0.7), ahead + rng.uniform(0.5, 0.8)
        mat = random_cloth(rng, 0.45)
        bed = (left + 0.12, figure.floor - 0.2, right + 0.7)
        brush.box(*bed, figure.floor + 0.02, mat)
        brush.box(*bed, figure.floor - 0.15, shade(mat, 1.25))
        for x in (left, right):
            brush.box(x - 0.022, level - 0.3, x + 0.022, figure.floor + 0.02, (226, 228, 232))
            brush.box(x - 0.09, figure.floor, x + 0.09, figure.floor + 0.03, DARK)
        step = (right - left) / 8
        for i in range(8):
            ends = ((left + i * step, level), (left + (i + 1) * step, level))
            brush.line(ends, 0.03, (214, 44, 40) if i % 2 else WHITE)

    return paint


GEAR: dict[str, Callable[[Brush, Figure, random.Random], None]] = {
    "bike": _bike, "motor": _motor, "skis": _skis, "surfboard": _surfboard,
    "skateboard": _skateboard, "swing": _swing, "chair": _chair, "volley": _at_hand("volley"),
    "basket": _at_hand("basket"), "bounce": _bounce, "soccer": _at_foot, "heading": _over_head,
    "bar": _bar(0.0), "bar_ahead": _bar(0.9),}  # fmt: skip
