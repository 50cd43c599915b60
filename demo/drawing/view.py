"""What a camera sees of a place: where the horizon is, and the chances of one picture."""

import random
from dataclasses import dataclass

from drawing.brush import Brush, Colour, jitter

OVER = 0.35  # how far past the frame painters reach


@dataclass(slots=True)
class View:
    """What a painter works with: brush, chance, the frame's width and where the horizon is."""

    brush: Brush
    rng: random.Random
    width: float
    horizon: float
    walk: float  # nobody stands higher in the frame; painters move it

    @property
    def left(self) -> float:
        """Where painting begins."""
        return -OVER

    @property
    def right(self) -> float:
        """Where painting ends."""
        return self.width + OVER

    def x(self) -> float:
        """Return some place across the frame."""
        return self.rng.uniform(0.0, self.width)

    def pick(self, *colours: Colour) -> Colour:
        """Return one of the colours, a little changed."""
        return jitter(self.rng, self.rng.choice(colours), 16)

    def band(self, y0: float, y1: float, colour: Colour) -> None:
        """Fill all that lies between two heights."""
        self.brush.box(self.left, y0, self.right, y1, colour)

    def fade(self, y0: float, y1: float, above: Colour, below: Colour) -> None:
        """Fill all that lies between two heights with a gradient, as fine as the canvas is."""
        steps = max(4, min(32, int((y1 - y0) * self.brush.unit / 9)))
        high = (y1 - y0) / steps
        for i in range(steps):
            y = y0 + i * high
            self.band(y, min(y1, y + 1.1 * high), mix(above, below, (i + 0.5) / steps))

    def count(self, least: int, most: int) -> range:
        """Return as many numbers as chance wants."""
        return range(self.rng.randint(least, most))


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Return a colour between two: the first at 0, the other at 1."""
    r, g, b = (round(a + (z - a) * part) for a, z in zip(one, other, strict=True))
    return r, g, b
