"""Poses of figures: the positions of their joints when they walk, ride, jump or sit."""

import math
import random
from dataclasses import dataclass

from drawing.brush import Point
from drawing.clothes import Look, random_look

# Angles in degrees. The lean of the trunk is 0 when upright, positive forwards. Limbs hang down at
# 0, point ahead at 90 and up at 180. The last value is the breadth: 0 for a figure seen from the
# side, 1 from the front ("ahead" is then to the right of the image, and the near limbs are those
# on the right).
#   lean head  near arm   far arm    near leg  far leg   breadth
_POSES: dict[str, tuple[float, ...]] = {
    "stand": (0, 0, 12, 5, -12, -5, 6, 4, -6, -4, 1.0),
    "akimbo": (0, 4, 42, -35, -42, 35, 9, 6, -9, -6, 1.0),
    "wave": (-2, 5, 150, 170, -14, -6, 6, 4, -6, -4, 1.0),
    "open": (0, 0, 105, 130, -105, -130, 14, 8, -14, -8, 1.0),
    "keeper": (12, -5, 75, 100, -75, -100, 38, -4, -38, 4, 1.0),
    "phone": (3, 14, 12, 128, -6, 4, 8, 4, -8, -8, 0.5),
    "walk": (4, 0, -26, -8, 26, 48, 24, 14, -18, -36, 0.35),
    "stride": (8, 0, 30, 60, -34, -12, -20, -42, 30, 18, 0.25),
    "run": (16, -6, 48, 125, -52, 25, -24, -82, 52, -18, 0.3),
    "sit": (-4, 4, 25, 75, 15, 65, 88, 4, 82, -6, 0.25),
    "beach_sit": (-28, 12, -38, -30, -30, -24, 127, 40, 112, 46, 0.25),
    "reach": (-4, -16, 168, 176, 20, 60, 8, 0, -12, -18, 0.4),
    "tuck": (52, -30, 45, 100, 35, 92, 62, -28, 52, -30, 0.3),
    "carve": (26, -12, 58, 82, -48, 20, 46, -22, 30, -30, 0.6),
    "glide": (18, -8, 66, 30, -40, -62, 28, -6, -10, -34, 0.3),
    "surf": (24, -10, 82, 100, -82, -62, 50, -6, -44, 14, 0.75),
    "surf_low": (40, -25, 70, 80, -100, -80, 66, -18, -50, 22, 0.7),
    "board": (14, -6, 62, 84, -70, -50, 34, -8, -34, 8, 0.7),
    "ollie": (26, -12, 78, 112, -95, -70, 76, -28, 24, -62, 0.6),
    "ride": (44, -30, 0, 0, 0, 0, 0, 0, 0, 0, 0.2),
    "upright": (20, -12, 0, 0, 0, 0, 0, 0, 0, 0, 0.2),
    "swing": (-24, 8, 0, 0, 0, 0, 82, 48, 74, 40, 0.3),
    "spike": (-14, -10, 165, 192, 72, 110, -28, -88, -6, -52, 0.5),
    "block": (0, -8, 166, 176, -166, -176, 6, -10, -8, -16, 0.9),
    "dig": (38, -30, 52, 60, 44, 56, 52, -22, 14, -46, 0.4),
    "shoot": (-4, -10, 138, 172, 120, 160, 4, -14, -4, -26, 0.45),
    "dribble": (28, -18, 34, 52, -40, 30, 46, -18, -14, -46, 0.45),
    "layup": (-6, -10, 160, 172, 40, 90, -14, -28, 78, -12, 0.4),
    "kick": (-14, 8, -64, -40, 70, 90, 58, 36, -18, -8, 0.4),
    "header": (-10, 6, -62, -30, 64, 96, -30, -84, -14, -60, 0.5),
    "arch": (-104, -22, -128, -150, -60, -96, 66, -12, 58, -26, 0.25),
    "takeoff": (-12, -4, 150, 172, 60, 120, -10, -4, 82, -8, 0.3),
    "climb": (8, -14, 150, 170, 110, 160, 64, -12, 6, -14, 0.5),
    "star": (0, 0, 140, 150, -140, -150, 36, 26, -36, -26, 1.0),
}

# Positions of the hands and feet of a rider, in body units: hands, centre of the pedals (None if
# there are none), length of the crank.
_MOUNTS: dict[str, tuple[Point, Point | None, float]] = {
    "bike": ((0.34, -0.07), (0.07, 0.41), 0.07),
    "motor": ((0.36, -0.11), (0.07, 0.30), 0.0),
    "swing": ((0.09, -0.34), None, 0.0),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure to paint: its joints in body units, its look and its gear."""

    joints: dict[str, Point]
    breadth: float
    lean: float
    head_turn: float
    head_size: float
    look: Look
    gear: str
    floor: float  # y of the ground under it, in body units

    def extent(self) -> tuple[float, float, float, float]:
        """Return (x0, y0, x1, y1) of the body in body units."""
        reach = {**_REACH, "head": 0.098 * self.head_size}
        spots = [(x, y, reach.get(name[-4:], 0.035)) for name, (x, y) in self.joints.items()]
        return (
            min(x - r for x, _, r in spots),
            min(y - r for _, y, r in spots),
            max(x + r for x, _, r in spots),
            max(y + r for _, y, r in spots),
        )

    @property
    def height(self) -> float:
        """Height of the body in its pose, in body units."""
        _, y0, _, y1 = self.extent()
        return y1 - y0

    def reach(self) -> tuple[float, float]:
        """Return the smallest and largest x of the figure and its gear."""
        x0, _, x1, _ = self.extent()
        low, high = _GEAR_REACH.get(self.gear, (x0, x1))
        return min(x0, low), max(x1, high)


# Smallest and largest x of a figure with its gear, in body units.
_GEAR_REACH = {
    "bike": (-0.4, 0.63), "motor": (-0.5, 0.72), "bar": (-0.7, 0.85), "bar_ahead": (0.0, 1.6),
    "skis": (-0.4, 0.6), "surfboard": (-0.5, 0.55), "soccer": (-0.2, 0.5), "bounce": (-0.2, 0.3),
}  # fmt: skip
# Distance of the outline of the body from each joint, by the last four letters of its name.
_REACH = {"_hip": 0.06, "lder": 0.05, "nkle": 0.034, "_toe": 0.024, "hand": 0.026}
# The y of the ground below gear that carries the figure.
_FLOORS = {"bike": 0.60, "motor": 0.55, "swing": 0.62, "chair": 0.52}
# Height of a jump above the ground.
_LIFTS = {"spike": 0.3, "block": 0.22, "layup": 0.25, "header": 0.2, "shoot": 0.1, "arch": 0.6,
          "takeoff": 0.12, "ollie": 0.28, "star": 0.2}  # fmt: skip


def make_figure(rng: random.Random, scene: str, pose: str, gear: str) -> Figure:
    """Return a figure for a scene in a pose, with small random changes of all angles."""
    look = random_look(rng, scene)
    spread = 3 if pose == "arch" else 8
    angles = [angle + rng.uniform(-spread, spread) for angle in _POSES[pose][:-1]]
    breadth = min(1.0, max(0.15, _POSES[pose][-1] + rng.uniform(-0.15, 0.15)))
    size = 0.84 if look.child else 1.0
    joints = _skeleton(angles, breadth, size)
    if gear in _MOUNTS:
        _mount(joints, gear, rng.uniform(0, math.tau), size)
    _add_toes(joints, breadth)
    bottom = max(y for _, y in joints.values()) + 0.024
    # Gear that carries the figure determines the ground; figures that jump are above the ground.
    floor = _FLOORS.get(gear, bottom + _LIFTS.get(pose, 0.0) * rng.uniform(0.5, 1.1))
    head_size = (1.32 if look.child else 1.0) * rng.uniform(0.94, 1.06)
    return Figure(joints, breadth, angles[0], angles[1], head_size, look, gear, floor)


def _skeleton(angles: list[float], breadth: float, size: float) -> dict[str, Point]:
    """Compute the joints from the angles, starting at the pelvis."""
    lean = angles[0]
    neck = point_at((0.0, 0.0), 180 - lean, 0.30 * size)
    joints = {"neck": neck, "head": point_at(neck, 180 - lean / 2 - angles[1], 0.115)}
    for side, sign, arm, leg in (("near", 1, 2, 6), ("far", -1, 4, 8)):
        across = 90 - lean if sign > 0 else -90 - lean
        shoulder = point_at(point_at(neck, -lean, 0.035), across, 0.105 * breadth * size)
        hip = point_at((0.0, 0.0), across, 0.055 * breadth)
        elbow = point_at(shoulder, angles[arm], 0.16 * size)
        knee = point_at(hip, angles[leg], 0.245 * size)
        joints[f"{side}_shoulder"], joints[f"{side}_elbow"] = shoulder, elbow
        joints[f"{side}_hand"] = point_at(elbow, angles[arm + 1], 0.15 * size)
        joints[f"{side}_hip"], joints[f"{side}_knee"] = hip, knee
        joints[f"{side}_ankle"] = point_at(knee, angles[leg + 1], 0.245 * size)
    return joints


def point_at(start: Point, angle: float, length: float) -> Point:
    """Return the point at ``length`` from ``start``; 0 degrees is down, 90 ahead, 180 up."""
    radians = math.radians(angle)
    return start[0] + math.sin(radians) * length, start[1] + math.cos(radians) * length


def _mount(joints: dict[str, Point], gear: str, crank: float, size: float) -> None:
    """Move the hands, and the feet if there are pedals, to the positions on the gear."""
    hands, pedals, radius = _MOUNTS[gear]
    for side, sign in (("near", 1), ("far", -1)):
        grip = (hands[0] + 0.012 * sign, hands[1])
        elbow, hand = _bend_limb(joints[f"{side}_shoulder"], grip, 0.16 * size, 0.15 * size, 1)
        joints[f"{side}_elbow"], joints[f"{side}_hand"] = elbow, hand
        if pedals:
            x, y = math.cos(crank) * radius * sign, math.sin(crank) * radius * sign
            foot = (pedals[0] + x, pedals[1] + y - 0.03)
            knee, ankle = _bend_limb(joints[f"{side}_hip"], foot, 0.245 * size, 0.245 * size, -1)
            joints[f"{side}_knee"], joints[f"{side}_ankle"] = knee, ankle


def _bend_limb(
    start: Point, goal: Point, first: float, second: float, side: int
) -> tuple[Point, Point]:
    """Return the middle joint and the end of a two-part limb that reaches towards the goal."""
    dx, dy = goal[0] - start[0], goal[1] - start[1]
    far = min(max(math.hypot(dx, dy), 1e-6), (first + second) * 0.995)
    ahead = math.atan2(dy, dx)
    cosine = (first * first + far * far - second * second) / (2 * first * far)
    angle = ahead + side * math.acos(min(1.0, max(-1.0, cosine)))
    middle = (start[0] + first * math.cos(angle), start[1] + first * math.sin(angle))
    return middle, (start[0] + far * math.cos(ahead), start[1] + far * math.sin(ahead))


def _add_toes(joints: dict[str, Point], breadth: float) -> None:
    """Add the toes: in front of the shin in a side view, outwards in a front view."""
    for side, sign in (("near", 1), ("far", -1)):
        knee, ankle = joints[f"{side}_knee"], joints[f"{side}_ankle"]
        shin = math.degrees(math.atan2(ankle[0] - knee[0], ankle[1] - knee[1]))
        frontal = breadth > 0.8
        joints[f"{side}_toe"] = (
            point_at(ankle, shin + 40 * sign, 0.045)
            if frontal
            else point_at(ankle, shin + 82, 0.075)
        )
