"""A brush that paints an image and, at the same time, a map of the person at each pixel."""

import math
import random
from collections.abc import Iterable, Sequence

from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[int, int, int]
Matrix = tuple[float, float, float, float, float, float]

WHITE: Colour = (244, 243, 238)
DARK: Colour = (38, 40, 46)
NO_OWNER = 0  # value of backdrop and gear in the owner map


class Brush:
    """Paint shapes into an image, and the number of their owner into the owner map.

    Shapes are given in the units of the brush. Both images get the same outlines, so the mask that
    is made from the owner map is exact. Gear painted over a leg resets these pixels to no owner.
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
        self.owner = owner  # None: leave the owner map as it is, for backdrops
        self.unit = math.sqrt(abs(matrix[0] * matrix[4] - matrix[1] * matrix[3]))

    @classmethod
    def on(cls, image: Image.Image, owners: Image.Image) -> "Brush":
        """Return a brush for two images of the same size; its unit is their height."""
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
        """Return a brush moved to ``where``, scaled, turned (degrees) and mirrored."""
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

    def to_canvas(self, where: Point) -> Point:
        """Return the position of a point on the canvas, in canvas pixels."""
        a, b, c, d, e, f = self._matrix
        return a * where[0] + b * where[1] + c, d * where[0] + e * where[1] + f

    def _all_to_canvas(self, points: Iterable[Point]) -> list[float]:
        a, b, c, d, e, f = self._matrix
        return [v for x, y in points for v in (a * x + b * y + c, d * x + e * y + f)]

    def polygon(self, points: Iterable[Point], colour: Colour) -> None:
        """Fill a polygon."""
        flat = self._all_to_canvas(points)
        self._paint.polygon(flat, fill=colour)
        if self.owner is not None:
            self._own.polygon(flat, fill=self.owner)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), colour)

    def oval(self, centre: Point, rx: float, ry: float, colour: Colour) -> None:
        """Fill an ellipse."""
        size = max(rx, ry) * self.unit
        if size < _MIN_VISIBLE and self.owner is None:
            return
        x, y = centre
        ring = ROUND if size > COARSE else ROUND[::2] if size > COARSE / 3 else ROUND[::4]
        self.polygon([(x + rx * cos, y + ry * sin) for cos, sin in ring], colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a line of the given width, at least one canvas pixel wide."""
        flat = self._all_to_canvas(points)
        pixels = max(1, round(width * self.unit))
        self._paint.line(flat, fill=colour, width=pixels)
        if self.owner is not None:
            self._own.line(flat, fill=self.owner, width=pixels)

    def limb(self, start: Point, end: Point, r0: float, r1: float, colour: Colour) -> None:
        """Fill the convex hull of two discs, for example an arm, a leg or a neck."""
        (x0, y0), (x1, y1) = start, end
        far = math.hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / far, (y1 - y0) / far
        arc = _ARC if max(r0, r1) * self.unit > COARSE else _ARC[::2]
        head = [(x1 + r1 * (c * ux - s * uy), y1 + r1 * (c * uy + s * ux)) for c, s in arc]
        tail = [(x0 - r0 * (c * ux - s * uy), y0 - r0 * (c * uy + s * ux)) for c, s in arc]
        self.polygon(head + tail, colour)

    def glaze(self, points: Iterable[Point], colour: Colour, opacity: float) -> None:
        """Paint a translucent polygon over the image; the owner map does not change."""
        self._glaze.polygon(self._all_to_canvas(points), fill=(*colour, round(255 * opacity)))

    def glow(self, centre: Point, radius: float, colour: Colour, opacity: float) -> None:
        """Paint a soft translucent disc over the image, most opaque at its centre."""
        x, y = centre
        rings = 6 if radius * self.unit > COARSE else 3
        for step in range(rings):
            part = radius * (1 - step / rings)
            ring = [(x + part * cos, y + part * sin) for cos, sin in ROUND]
            self.glaze(ring, colour, opacity * 1.5 / rings)


# In canvas pixels: ovals of a backdrop below the first size are skipped, curves above the second
# size get all their points. This makes small samples, which benchmarks draw by the thousand, fast.
_MIN_VISIBLE, COARSE = 1.0, 9.0
ROUND = [(math.cos(math.tau * i / 24), math.sin(math.tau * i / 24)) for i in range(24)]
_ARC = [(math.cos(math.pi * i / 6), math.sin(math.pi * i / 6)) for i in range(-3, 4)]


def shade(colour: Colour, factor: float) -> Colour:
    """Return a darker (factor below 1) or lighter (factor above 1) colour."""
    red, green, blue = colour
    return _clamp(red * factor, green * factor, blue * factor)


def jitter(rng: random.Random, colour: Colour, amount: int) -> Colour:
    """Return a similar colour: random brightness within ``amount``, and a slightly random hue."""
    level, off = (2 * rng.random() - 1) * amount, amount * 2 / 3
    red, green, blue = (channel + level + (rng.random() - 0.5) * off for channel in colour)
    return _clamp(red, green, blue)


def _clamp(red: float, green: float, blue: float) -> Colour:
    return (
        255 if red > 255 else max(0, int(red)),
        255 if green > 255 else max(0, int(green)),
        255 if blue > 255 else max(0, int(blue)),
    )
