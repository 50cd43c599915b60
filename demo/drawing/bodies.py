"""Paint the body of a figure, limb by limb."""

import math
import random

from drawing.brush import COARSE, DARK, NO_OWNER, ROUND, Brush, Colour, Point, shade
from drawing.clothes import Look
from drawing.gear import GEAR
from drawing.poses import Figure


def paint_figure(brush: Brush, figure: Figure, owner: int, rng: random.Random) -> None:
    """Paint a figure and its gear with a brush in body units.

    ``owner`` is the number of the person in the owner map; gear has no owner.
    """
    body, objects = brush.at((0, 0), owner=owner), brush.at((0, 0), owner=NO_OWNER)
    _arm(body, figure, "far", 0.78)
    _leg(body, figure, "far", 0.78)
    if figure.gear:
        GEAR[figure.gear](objects, figure, rng)
    _leg(body, figure, "near", 1.0)
    if figure.look.long_hair and figure.breadth > 0.7:
        _mane(body, figure)
    _trunk(body, figure)
    _head(body, figure)
    _arm(body, figure, "near", 1.0)


def _part(
    brush: Brush, ends: tuple[Point, Point], radii: tuple[float, float], colour: Colour
) -> None:
    """Paint one part of a limb, with a lighter core that makes it look round."""
    (x0, y0), (x1, y1) = ends
    brush.limb(ends[0], ends[1], *radii, colour)
    if radii[0] * brush.unit < COARSE / 2:
        return
    inside = ((x0 + 0.008, y0 - 0.006), (x1 + 0.008, y1 - 0.006))
    brush.limb(*inside, radii[0] * 0.5, radii[1] * 0.5, shade(colour, 1.12))


def _leg(brush: Brush, figure: Figure, side: str, light: float) -> None:
    look, joints = figure.look, figure.joints
    cloth, skin = shade(look.bottom, light), shade(look.skin, light)
    hip, knee = joints[f"{side}_hip"], joints[f"{side}_knee"]
    ankle, toe = joints[f"{side}_ankle"], joints[f"{side}_toe"]
    bare = look.shorts or look.skirt
    _part(brush, (knee, ankle), (0.04 * look.stout, 0.027), skin if bare else cloth)
    _part(brush, (hip, knee), (0.064 * look.stout, 0.044 * look.stout), cloth)

    brush.limb(ankle, toe, 0.03, 0.022, shade(look.shoes, light))


def _arm(brush: Brush, figure: Figure, side: str, light: float) -> None:
    look, joints = figure.look, figure.joints
    cloth, skin = shade(look.top, light * 0.94), shade(look.skin, light)
    shoulder, elbow, hand = (joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "hand"))
    _part(brush, (elbow, hand), (0.029, 0.022), cloth if look.sleeves else skin)
    _part(brush, (shoulder, elbow), (0.042 * look.stout, 0.031), cloth)
    beyond = (hand[0] + (hand[0] - elbow[0]) * 0.14, hand[1] + (hand[1] - elbow[1]) * 0.14)
    brush.limb(hand, beyond, 0.022, 0.02, skin)


def _trunk(brush: Brush, figure: Figure) -> None:
    """Paint hips, chest and neck; the trunk is thinner in a side view."""
    look, joints = figure.look, figure.joints
    near, far = joints["near_shoulder"], joints["far_shoulder"]
    hips = (joints["near_hip"], joints["far_hip"])
    brush.limb(*hips, 0.066 * look.stout, 0.066 * look.stout, look.bottom)
    if look.skirt:
        _skirt(brush, figure)
    chest, hems = look.top, []
    for shoulder, hip in zip((far, near), (hips[1], hips[0]), strict=True):
        above = (hip[0] * 0.85 + shoulder[0] * 0.15, hip[1] * 0.85 + shoulder[1] * 0.15)
        brush.limb(shoulder, above, 0.058 * look.stout, 0.064 * look.stout, chest)
        hems.append(above)
    brush.limb(hems[0], hems[1], 0.064 * look.stout, 0.064 * look.stout, chest)
    brush.polygon((near, far, hips[1], hips[0]), chest)
    brush.limb(far, near, 0.052, 0.052, chest)
    middle = ((near[0] + far[0]) / 2, (near[1] + far[1]) / 2)
    lit = (middle[0] * 0.4 + 0.014, middle[1] * 0.4)
    brush.limb((middle[0] * 0.9 + 0.014, middle[1] * 0.9), lit, 0.03, 0.034, shade(chest, 1.05))
    brush.limb(joints["neck"], joints["head"], 0.032, 0.03, shade(look.skin, 0.86))


def _skirt(brush: Brush, figure: Figure) -> None:
    """Paint a skirt that covers both thighs, also in wide steps."""
    joints, cloth = figure.joints, figure.look.bottom
    hems = []
    for side in ("near", "far"):
        (hx, hy), (kx, ky) = joints[f"{side}_hip"], joints[f"{side}_knee"]
        hem = (hx * 0.3 + kx * 0.7, hy * 0.3 + ky * 0.7)
        hems.append(hem)
        brush.limb((hx, hy), hem, 0.068, 0.062, cloth)
    brush.polygon((joints["near_hip"], hems[0], hems[1], joints["far_hip"]), cloth)
    brush.limb(hems[0], hems[1], 0.06, 0.06, cloth)


def _mane(brush: Brush, figure: Figure) -> None:
    head, neck = figure.joints["head"], figure.joints["neck"]
    brush.limb(head, (neck[0], neck[1] + 0.05), 0.075, 0.055, figure.look.hair)


def _head(brush: Brush, figure: Figure) -> None:
    """Paint hair, face and headgear, aligned with the head."""
    look, neck, head = figure.look, figure.joints["neck"], figure.joints["head"]
    tilt = math.degrees(math.atan2(head[0] - neck[0], neck[1] - head[1]))
    own = brush.at(head, figure.head_size, tilt * 0.7 + figure.head_turn * 0.3)
    side = 1 - figure.breadth
    own.oval((-0.014 * side, -0.012), 0.069, 0.084, look.hair)
    if look.long_hair and side > 0.3:
        own.limb((-0.035, 0.0), (-0.075, 0.11), 0.042, 0.022, look.hair)
    own.oval((0.014 * side, 0.016), 0.058 - 0.006 * side, 0.066, look.skin)
    own.limb((0.03 * side, -0.03), (-0.045, -0.035), 0.022, 0.026, look.hair)
    for eye in (0.038, -0.006) if side > 0.3 else (0.024, -0.024):
        own.oval((eye, 0.012), 0.007, 0.01, DARK)
    if look.headgear:
        _headgear(own, look, side)


def _headgear(own: Brush, look: Look, side: float) -> None:
    dome = [(0.082 * cos, 0.092 * sin - 0.012) for cos, sin in ROUND if sin <= 0.05]
    own.polygon(dome, look.hat)
    own.limb((-0.03, -0.06), (0.02, -0.075), 0.012, 0.012, shade(look.hat, 1.2))
    if look.headgear == "cap":
        own.limb((0.03 * side, -0.018), (0.12 * side, -0.006), 0.014, 0.008, shade(look.hat, 0.8))
    else:
        own.limb((-0.07, -0.005), (-0.05, 0.03), 0.018, 0.014, shade(look.hat, 0.85))
