"""The people of drawn samples: a brush that remembers whose pixels it paints, poses, bodies, gear.

A figure is drawn in body units: the pelvis is the origin, x points where the figure faces,
y points down, and a grown person standing upright is about 1 tall.
"""

import colorsys
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]
Matrix = tuple[float, float, float, float, float, float]

WHITE: Colour = (244, 243, 238)
_DARK: Colour = (38, 40, 46)
_NOBODY = 0  # in the map of owners: backdrop and gear


# --- the brush ---------------------------------------------------------------------------------


class Brush:
    """Paints shapes given in its own units, and writes down in a second picture whose they are.

    Both pictures get the very same outlines, so the mask made of the second one is exact; gear
    painted over a leg takes those pixels away from the person again.
    """

    __slots__ = ("_glaze", "_matrix", "_own", "_paint", "owner", "unit")

    def __init__(
        self,
        draws: tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw, ImageDraw.ImageDraw],
        matrix: Matrix,
        owner: int | None = None,
    ) -> None:
        self._paint, self._glaze, self._own = draws
        self._matrix = matrix
        self.owner = owner  # None: not even looked up, for backdrops
        self.unit = math.sqrt(abs(matrix[0] * matrix[4] - matrix[1] * matrix[3]))

    @classmethod
    def on(cls, image: Image.Image, owners: Image.Image) -> "Brush":
        """Return a brush for two pictures of one size, whose unit is their height."""
        draws = ImageDraw.Draw(image), ImageDraw.Draw(image, "RGBA"), ImageDraw.Draw(owners)
        return cls(draws, (image.height, 0, 0, 0, image.height, 0))

    def at(
        self,
        where: Point,
        scale: float = 1.0,
        turn: float = 0.0,
        *,
        flip: bool = False,
        owner: int | None = None,
    ) -> "Brush":
        """Return a brush whose origin, size and direction are those given, in units of this one."""
        a, b, c, d, e, f = self._matrix
        cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
        sign = -1.0 if flip else 1.0
        x, y = where
        matrix = (
            sign * (a * cos + b * sin), b * cos - a * sin, a * x + b * y + c,
            sign * (d * cos + e * sin), e * cos - d * sin, d * x + e * y + f,
        )  # fmt: skip
        draws = self._paint, self._glaze, self._own
        return Brush(draws, matrix, self.owner if owner is None else owner)

    def spot(self, where: Point) -> Point:
        """Return where a point is on the canvas, in its pixels."""
        a, b, c, d, e, f = self._matrix
        return a * where[0] + b * where[1] + c, d * where[0] + e * where[1] + f

    def _flat(self, points: Iterable[Point]) -> list[float]:
        a, b, c, d, e, f = self._matrix
        return [v for x, y in points for v in (a * x + b * y + c, d * x + e * y + f)]

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        flat = self._flat(points)
        self._paint.polygon(flat, fill=colour)
        if self.owner is not None:
            self._own.polygon(flat, fill=self.owner)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), colour)

    def oval(self, centre: Point, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse."""
        size = max(rx, ry) * self.unit
        if size < _UNSEEN and self.owner is None:
            return
        x, y = centre
        ring = _ROUND if size > _COARSE else _ROUND[::2] if size > _COARSE / 3 else _ROUND[::4]
        self.polygon([(x + rx * cos, y + ry * sin) for cos, sin in ring], colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line of the given width, never thinner than one pixel of the canvas."""
        flat = self._flat(points)
        pixels = max(1, round(width * self.unit))
        self._paint.line(flat, fill=colour, width=pixels)
        if self.owner is not None:
            self._own.line(flat, fill=self.owner, width=pixels)

    def limb(self, start: Point, end: Point, r0: float, r1: float, colour: Colour) -> None:
        """Fill the hull of two discs: an arm, a leg, a neck."""
        (x0, y0), (x1, y1) = start, end
        far = math.hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / far, (y1 - y0) / far
        arc = _ARC if max(r0, r1) * self.unit > _COARSE else _ARC[::2]
        head = [(x1 + r1 * (c * ux - s * uy), y1 + r1 * (c * uy + s * ux)) for c, s in arc]
        tail = [(x0 - r0 * (c * ux - s * uy), y0 - r0 * (c * uy + s * ux)) for c, s in arc]
        self.polygon(head + tail, colour)

    def glaze(self, points: Iterable[Point], colour: Colour, opacity: float) -> None:
        """Lay a translucent polygon over the picture; it belongs to nobody."""
        self._glaze.polygon(self._flat(points), fill=(*colour, round(255 * opacity)))

    def glow(self, centre: Point, radius: float, colour: Colour, opacity: float) -> None:
        """Lay a soft translucent disc over the picture, densest in its middle."""
        x, y = centre
        rings = 6 if radius * self.unit > _COARSE else 3
        for step in range(rings):
            part = radius * (1 - step / rings)
            ring = [(x + part * cos, y + part * sin) for cos, sin in _ROUND]
            self.glaze(ring, colour, opacity * 1.5 / rings)


# Canvas pixels: below the first a backdrop's dot is left out, above the second curves get all
# their points. Tiny samples are drawn by the thousand.
_UNSEEN, _COARSE = 1.0, 9.0
_ROUND = [(math.cos(math.tau * i / 24), math.sin(math.tau * i / 24)) for i in range(24)]
_ARC = [(math.cos(math.pi * i / 6), math.sin(math.pi * i / 6)) for i in range(-3, 4)]


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour made darker (below 1) or lighter (above 1)."""
    red, green, blue = colour
    return _clamped(red * factor, green * factor, blue * factor)


def jitter(rng: random.Random, colour: Colour, amount: int) -> Colour:
    """Return a colour near the given one: lighter or darker as a whole, and a little off in hue."""
    level, off = (2 * rng.random() - 1) * amount, amount * 2 / 3
    red, green, blue = (channel + level + (rng.random() - 0.5) * off for channel in colour)
    return _clamped(red, green, blue)


def _clamped(red: float, green: float, blue: float) -> Colour:
    return (
        255 if red > 255 else max(0, int(red)),
        255 if green > 255 else max(0, int(green)),
        255 if blue > 255 else max(0, int(blue)),
    )


# --- poses -------------------------------------------------------------------------------------

# Degrees. The trunk leans forward from upright; limbs hang at 0, point ahead at 90, up at 180.
# Last: how broad the figure is seen, 0 from the side, 1 from the front ("ahead" is then to the
# viewer's right, and the near limbs are those on the right).
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

# Where hands and feet of a rider must be: (hands, centre of the pedals, crank), in body units.
_MOUNTS: dict[str, tuple[Point, Point | None, float]] = {
    "bike": ((0.34, -0.07), (0.07, 0.41), 0.07),
    "motor": ((0.36, -0.11), (0.07, 0.30), 0.0),
    "swing": ((0.09, -0.34), None, 0.0),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure ready to be painted: its joints, what it wears, what it rides or carries."""

    joints: dict[str, Point]
    breadth: float
    lean: float
    head_turn: float
    head_size: float
    look: "Look"
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
        """How tall the body is in its pose, in body units."""
        _, y0, _, y1 = self.extent()
        return y1 - y0

    def reach(self) -> tuple[float, float]:
        """Return between which x the figure is together with what it rides or jumps over."""
        x0, _, x1, _ = self.extent()
        low, high = _GEAR_REACH.get(self.gear, (x0, x1))
        return min(x0, low), max(x1, high)


_GEAR_REACH = {
    "bike": (-0.4, 0.63), "motor": (-0.5, 0.72), "bar": (-0.7, 0.85), "bar_ahead": (0.0, 1.6),
    "skis": (-0.4, 0.6), "surfboard": (-0.5, 0.55), "soccer": (-0.2, 0.5), "bounce": (-0.2, 0.3),
}  # fmt: skip
_REACH = {"_hip": 0.06, "lder": 0.05, "nkle": 0.034, "_toe": 0.024, "hand": 0.026}
_FLOORS = {"bike": 0.60, "motor": 0.55, "swing": 0.62, "chair": 0.52}
_LIFTS = {"spike": 0.3, "block": 0.22, "layup": 0.25, "header": 0.2, "shoot": 0.1, "arch": 0.6,
          "takeoff": 0.12, "ollie": 0.28, "star": 0.2}  # fmt: skip


def make_figure(rng: random.Random, scene: str, pose: str, gear: str) -> Figure:
    """Return a figure of the scene in a pose, each joint a little off the table's angle."""
    look = _dressed(rng, scene)
    spread = 3 if pose == "arch" else 8
    angles = [angle + rng.uniform(-spread, spread) for angle in _POSES[pose][:-1]]
    breadth = min(1.0, max(0.15, _POSES[pose][-1] + rng.uniform(-0.15, 0.15)))
    size = 0.84 if look.child else 1.0
    joints = _skeleton(angles, breadth, size)
    if gear in _MOUNTS:
        _mount(joints, gear, rng.uniform(0, math.tau), size)
    _feet(joints, breadth)
    bottom = max(y for _, y in joints.values()) + 0.024
    # Gear sets the ground where it carries the figure; jumpers are above it.
    floor = _FLOORS.get(gear, bottom + _LIFTS.get(pose, 0.0) * rng.uniform(0.5, 1.1))
    head_size = (1.32 if look.child else 1.0) * rng.uniform(0.94, 1.06)
    return Figure(joints, breadth, angles[0], angles[1], head_size, look, gear, floor)


def _skeleton(angles: list[float], breadth: float, size: float) -> dict[str, Point]:
    """Return the joints that the angles lead to, walking outwards from the pelvis."""
    lean = angles[0]
    neck = _from((0.0, 0.0), 180 - lean, 0.30 * size)
    joints = {"neck": neck, "head": _from(neck, 180 - lean / 2 - angles[1], 0.115)}
    for side, sign, arm, leg in (("near", 1, 2, 6), ("far", -1, 4, 8)):
        across = 90 - lean if sign > 0 else -90 - lean
        shoulder = _from(_from(neck, -lean, 0.035), across, 0.105 * breadth * size)
        hip = _from((0.0, 0.0), across, 0.055 * breadth)
        elbow = _from(shoulder, angles[arm], 0.16 * size)
        knee = _from(hip, angles[leg], 0.245 * size)
        joints[f"{side}_shoulder"], joints[f"{side}_elbow"] = shoulder, elbow
        joints[f"{side}_hand"] = _from(elbow, angles[arm + 1], 0.15 * size)
        joints[f"{side}_hip"], joints[f"{side}_knee"] = hip, knee
        joints[f"{side}_ankle"] = _from(knee, angles[leg + 1], 0.245 * size)
    return joints


def _from(start: Point, angle: float, length: float) -> Point:
    """Return the point ``length`` away; 0 degrees is down, 90 ahead, 180 up."""
    radians = math.radians(angle)
    return start[0] + math.sin(radians) * length, start[1] + math.cos(radians) * length


def _mount(joints: dict[str, Point], gear: str, crank: float, size: float) -> None:
    """Put hands, and feet if there are pedals, where the gear wants them."""
    hands, pedals, radius = _MOUNTS[gear]
    for side, sign in (("near", 1), ("far", -1)):
        grip = (hands[0] + 0.012 * sign, hands[1])
        elbow, hand = _bent(joints[f"{side}_shoulder"], grip, 0.16 * size, 0.15 * size, 1)
        joints[f"{side}_elbow"], joints[f"{side}_hand"] = elbow, hand
        if pedals:
            x, y = math.cos(crank) * radius * sign, math.sin(crank) * radius * sign
            foot = (pedals[0] + x, pedals[1] + y - 0.03)
            knee, ankle = _bent(joints[f"{side}_hip"], foot, 0.245 * size, 0.245 * size, -1)
            joints[f"{side}_knee"], joints[f"{side}_ankle"] = knee, ankle


def _bent(start: Point, goal: Point, first: float, second: float, side: int) -> tuple[Point, Point]:
    """Return the middle and the end of a two-part limb that reaches for the goal."""
    dx, dy = goal[0] - start[0], goal[1] - start[1]
    far = min(max(math.hypot(dx, dy), 1e-6), (first + second) * 0.995)
    ahead = math.atan2(dy, dx)
    cosine = (first * first + far * far - second * second) / (2 * first * far)
    angle = ahead + side * math.acos(min(1.0, max(-1.0, cosine)))
    middle = (start[0] + first * math.cos(angle), start[1] + first * math.sin(angle))
    return middle, (start[0] + far * math.cos(ahead), start[1] + far * math.sin(ahead))


def _feet(joints: dict[str, Point], breadth: float) -> None:
    """Add the toes: ahead of the shin from the side, outwards from the front."""
    for side, sign in (("near", 1), ("far", -1)):
        knee, ankle = joints[f"{side}_knee"], joints[f"{side}_ankle"]
        shin = math.degrees(math.atan2(ankle[0] - knee[0], ankle[1] - knee[1]))
        frontal = breadth > 0.8
        joints[f"{side}_toe"] = (
            _from(ankle, shin + 40 * sign, 0.045) if frontal else _from(ankle, shin + 82, 0.075)
        )


# --- clothes -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Look:
    """What a figure looks like: colours and cuts."""

    skin: Colour
    hair: Colour
    top: Colour
    bottom: Colour
    shoes: Colour
    hat: Colour
    headgear: str  # "", "helmet", "cap"
    sleeves: bool
    shorts: bool
    skirt: bool
    long_hair: bool
    child: bool
    stout: float


_SKINS: tuple[Colour, ...] = (
    (246, 214, 186), (232, 188, 152), (214, 162, 120), (184, 128, 88), (140, 92, 62), (98, 64, 46),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (30, 26, 26), (62, 42, 30), (104, 68, 40), (168, 122, 66), (212, 178, 110), (150, 66, 36),
    (168, 166, 164),
)  # fmt: skip
# The odds of: helmet, cap, sleeves, shorts, skirt.
_DRESS: dict[str, tuple[float, float, float, float, float]] = {
    "city": (0, 0.15, 0.7, 0.15, 0.3), "indoor": (0, 0, 0.6, 0.2, 0.25),
    "mountain_motor": (0.95, 0, 1, 0, 0), "ski": (0.6, 0.4, 1, 0, 0),
    "volleyball": (0, 0.25, 0.1, 0.95, 0), "basketball": (0, 0.05, 0.05, 1, 0),
    "football": (0, 0, 0.4, 1, 0), "nature": (0, 0.45, 0.6, 0.3, 0.15),
    "sea": (0, 0.35, 0.1, 0.8, 0.2), "surfing": (0, 0, 0.5, 0.6, 0),
    "bike": (0.8, 0.1, 0.4, 0.7, 0), "kid_park": (0.05, 0.3, 0.4, 0.5, 0.25),
    "skateboard": (0.45, 0.3, 0.4, 0.4, 0), "high_jump": (0, 0, 0.05, 1, 0),
    "night_city": (0, 0.15, 0.95, 0, 0.25),
}  # fmt: skip


def _dressed(rng: random.Random, scene: str) -> Look:
    """Return a look that suits the scene."""
    helmet, cap, sleeves, shorts, skirt = (rng.random() < odds for odds in _DRESS[scene])
    light = 0.68 if scene == "night_city" else 1.0
    return Look(
        skin=shade(jitter(rng, rng.choice(_SKINS), 8), light),
        hair=jitter(rng, rng.choice(_HAIRS), 8),
        top=shade(_cloth(rng, 0.5), light),
        bottom=shade(_cloth(rng, 0.25), light),
        shoes=rng.choice((WHITE, _DARK, (120, 70, 44), (190, 50, 50))),
        hat=shade(_cloth(rng, 0.55), light),
        headgear="helmet" if helmet else "cap" if cap else "",
        sleeves=sleeves,
        shorts=shorts,
        skirt=skirt,
        long_hair=rng.random() < (0.75 if skirt else 0.3),
        child=rng.random() < (0.85 if scene == "kid_park" else 0.06),
        stout=rng.uniform(0.88, 1.22),
    )


def _cloth(rng: random.Random, least: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random(), rng.uniform(0.1, 0.85), rng.uniform(least, 0.97)
    )
    return int(red * 255), int(green * 255), int(blue * 255)


# --- bodies ------------------------------------------------------------------------------------


def paint_figure(brush: Brush, figure: Figure, owner: int, rng: random.Random) -> None:
    """Paint a figure and its gear with a brush in body units; its pixels belong to ``owner``."""
    body, things = brush.at((0, 0), owner=owner), brush.at((0, 0), owner=_NOBODY)
    _arm(body, figure, "far", 0.78)
    _leg(body, figure, "far", 0.78)
    if figure.gear:
        _GEAR[figure.gear](things, figure, rng)
    _leg(body, figure, "near", 1.0)
    if figure.look.long_hair and figure.breadth > 0.7:
        _mane(body, figure)
    _trunk(body, figure)
    _head(body, figure)
    _arm(body, figure, "near", 1.0)


def _part(
    brush: Brush, ends: tuple[Point, Point], radii: tuple[float, float], colour: Colour
) -> None:
    """Paint one part of a limb with a lighter core inside, which makes it look round."""
    (x0, y0), (x1, y1) = ends
    brush.limb(ends[0], ends[1], *radii, colour)
    if radii[0] * brush.unit < _COARSE / 2:
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
    """Paint hips, chest and neck; from the side the trunk is thinner, never flat."""
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
    """Paint one bell of cloth over both thighs, which keeps wide steps decent."""
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
    """Paint hair, face and headgear upright in the head's own directions."""
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
        own.oval((eye, 0.012), 0.007, 0.01, _DARK)
    if look.headgear:
        _headgear(own, look, side)


def _headgear(own: Brush, look: Look, side: float) -> None:
    dome = [(0.082 * cos, 0.092 * sin - 0.012) for cos, sin in _ROUND if sin <= 0.05]
    own.polygon(dome, look.hat)
    own.limb((-0.03, -0.06), (0.02, -0.075), 0.012, 0.012, shade(look.hat, 1.2))
    if look.headgear == "cap":
        own.limb((0.03 * side, -0.018), (0.12 * side, -0.006), 0.014, 0.008, shade(look.hat, 0.8))
    else:
        own.limb((-0.07, -0.005), (-0.05, 0.03), 0.018, 0.014, shade(look.hat, 0.85))


# --- gear: what figures ride, hold and jump over; never part of the person ----------------------


def _bike(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = _cloth(rng, 0.4)
    rear, front, crank = (-0.19, 0.40), (0.42, 0.40), (0.07, 0.41)
    seat, bars = (-0.03, 0.07), (0.31, -0.03)
    for hub in (rear, front):
        _wheel(brush, hub, 0.2, 0.022)
        for angle in range(0, 180, 45):
            ends = (_from(hub, angle, 0.18), _from(hub, angle + 180, 0.18))
            brush.line(ends, 0.005, (150, 150, 150))
    for tube in ((rear, crank), (rear, seat), (seat, crank), (crank, bars), (seat, bars)):
        brush.line(tube, 0.022, paint)
    brush.line((front, bars), 0.02, shade(paint, 0.8))
    brush.limb((-0.09, 0.065), (0.02, 0.06), 0.022, 0.014, _DARK)
    brush.limb(bars, figure.joints["near_hand"], 0.012, 0.012, _DARK)
    brush.oval(crank, 0.04, 0.04, _DARK)


def _wheel(brush: Brush, hub: Point, radius: float, tyre: float) -> None:
    """Draw a ring one can look through, as a line round the hub."""
    x, y = hub
    ring = [(x + radius * cos, y + radius * sin) for cos, sin in (*_ROUND, _ROUND[0], _ROUND[1])]
    brush.line(ring, tyre, _DARK)


def _motor(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = _cloth(rng, 0.5)
    rear, front = (-0.30, 0.36), (0.52, 0.36)
    for hub in (rear, front):
        brush.oval(hub, 0.19, 0.19, _DARK)
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
    brush.limb((0.31, -0.08), figure.joints["near_hand"], 0.016, 0.016, _DARK)


def _skis(brush: Brush, figure: Figure, rng: random.Random) -> None:
    paint = _cloth(rng, 0.5)
    for side in ("far", "near"):
        toe, ankle = figure.joints[f"{side}_toe"], figure.joints[f"{side}_ankle"]
        turn = math.atan2(toe[1] - ankle[1], toe[0] - ankle[0])
        ski = brush.at(ankle, 1.0, min(12.0, math.degrees(turn) - 4))
        ski.line(((-0.42, 0.04), (0.48, 0.04), (0.58, 0.0)), 0.026, paint)
        hand = figure.joints[f"{side}_hand"]
        tip = (hand[0] - 0.34, min(figure.floor, hand[1] + 0.42))
        brush.line(((hand[0] + 0.02, hand[1] - 0.03), tip), 0.012, _DARK)
        brush.oval(tip, 0.024, 0.012, _DARK)


def _plank(brush: Brush, figure: Figure) -> tuple[Brush, float]:
    """Return a brush lying under both feet, and half the distance between them."""
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
    own.line(((-length * 0.8, 0.0), (length * 0.85, 0.0)), 0.014, _cloth(rng, 0.4))
    own.polygon(((-length * 0.8, 0.03), (-length * 0.9, 0.12), (-length * 0.66, 0.04)), _DARK)


def _skateboard(brush: Brush, figure: Figure, rng: random.Random) -> None:
    own, half = _plank(brush, figure)
    length = max(0.24, half + 0.07)
    deck = ((-length - 0.06, -0.035), (-length, 0.0), (length, 0.0), (length + 0.06, -0.035))
    own.line(deck, 0.028, _cloth(rng, 0.3))
    for x in (-length * 0.7, length * 0.7):
        own.oval((x, 0.045), 0.034, 0.034, WHITE)
        own.oval((x, 0.045), 0.014, 0.014, _DARK)


def _swing(brush: Brush, figure: Figure, rng: random.Random) -> None:
    steel = (150, 152, 158)
    top = (rng.uniform(0.0, 0.3), -2.2)
    brush.line(((-0.07, 0.07), (top[0] - 0.05, top[1])), 0.014, steel)
    brush.line(((0.09, 0.07), figure.joints["near_hand"], (top[0] + 0.05, top[1])), 0.016, steel)
    brush.limb((-0.1, 0.075), (0.13, 0.075), 0.022, 0.022, _cloth(rng, 0.4))


def _chair(brush: Brush, figure: Figure, rng: random.Random) -> None:
    wood = jitter(rng, (136, 92, 58), 34)
    for x in (-0.12, 0.17):
        brush.line(((x, 0.08), (x + 0.02, figure.floor)), 0.028, shade(wood, 0.8))
    brush.limb((-0.15, -0.36), (-0.13, 0.08), 0.03, 0.03, wood)
    brush.limb((-0.13, 0.085), (0.19, 0.085), 0.032, 0.032, shade(wood, 1.15))


_BALLS: dict[str, tuple[Colour, Colour]] = {
    "volley": ((248, 226, 120), (70, 110, 190)),
    "basket": ((222, 118, 48), (70, 40, 26)),
    "soccer": (WHITE, _DARK),
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
    """Return gear that sets the bar with its posts and mat, its middle ``ahead`` of the figure."""

    def paint(brush: Brush, figure: Figure, rng: random.Random) -> None:
        level = 0.16 if ahead == 0 else rng.uniform(-0.4, -0.1)
        left, right = ahead - rng.uniform(0.5, 0.7), ahead + rng.uniform(0.5, 0.8)
        mat = _cloth(rng, 0.45)
        bed = (left + 0.12, figure.floor - 0.2, right + 0.7)
        brush.box(*bed, figure.floor + 0.02, mat)
        brush.box(*bed, figure.floor - 0.15, shade(mat, 1.25))
        for x in (left, right):
            brush.box(x - 0.022, level - 0.3, x + 0.022, figure.floor + 0.02, (226, 228, 232))
            brush.box(x - 0.09, figure.floor, x + 0.09, figure.floor + 0.03, _DARK)
        step = (right - left) / 8
        for i in range(8):
            ends = ((left + i * step, level), (left + (i + 1) * step, level))
            brush.line(ends, 0.03, (214, 44, 40) if i % 2 else WHITE)

    return paint


_GEAR: dict[str, Callable[[Brush, Figure, random.Random], None]] = {
    "bike": _bike, "motor": _motor, "skis": _skis, "surfboard": _surfboard,
    "skateboard": _skateboard, "swing": _swing, "chair": _chair, "volley": _at_hand("volley"),
    "basket": _at_hand("basket"), "bounce": _bounce, "soccer": _at_foot, "heading": _over_head,
    "bar": _bar(0.0), "bar_ahead": _bar(0.9),}  # fmt: skip
