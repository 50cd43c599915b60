"""The view that backdrop painters work with: brush, random numbers, width and horizon."""

import random
from dataclasses import dataclass

from drawing.brush import Brush, Colour, jitter

OVERSCAN = (
    0.35  # how far painters paint beyond the image, so that a turned view has no blank corners
)


@dataclass(slots=True)
class View:
    """Brush, random numbers and measures of one image, in units of its height."""

    brush: Brush
    rng: random.Random
    width: float
    horizon: float
    ground_top: float  # smallest y at which figures can stand; painters may change it

    @property
    def left(self) -> float:
        """The x at which painting starts."""
        return -OVERSCAN

    @property
    def right(self) -> float:
        """The x at which painting ends."""
        return self.width + OVERSCAN

    def x(self) -> float:
        """Return a random x inside the image."""
        return self.rng.uniform(0.0, self.width)

    def pick(self, *colours: Colour) -> Colour:
        """Return a random one of the colours, slightly changed."""
        return jitter(self.rng, self.rng.choice(colours), 16)

    def band(self, y0: float, y1: float, colour: Colour) -> None:
        """Fill the area between two heights."""
        self.brush.box(self.left, y0, self.right, y1, colour)

    def fade(self, y0: float, y1: float, above: Colour, below: Colour) -> None:
        """Fill the area between two heights with a gradient, in steps of about 9 canvas pixels."""
        steps = max(4, min(32, int((y1 - y0) * self.brush.unit / 9)))
        high = (y1 - y0) / steps
        for i in range(steps):
            y = y0 + i * high
            self.band(y, min(y1, y + 1.1 * high), mix(above, below, (i + 0.5) / steps))

    def count(self, least: int, most: int) -> range:
        """Return a range of random length, from ``least`` to ``most``."""
        return range(self.rng.randint(least, most))


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Return a mix of two colours: ``one`` at part 0, ``other`` at part 1."""
    r, g, b = (round(a + (z - a) * part) for a, z in zip(one, other, strict=True))
    return r, g, b
