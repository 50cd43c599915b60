"""Parts of many backdrops: sky, hills, ground, trees, street lamps, spectators, nets."""

import math

from drawing.brush import WHITE, Brush, Colour, Point, jitter, shade
from drawing.view import OVERSCAN, View, mix

SKIES: tuple[tuple[Colour, Colour], ...] = (
    ((84, 142, 212), (206, 228, 244)),
    ((58, 118, 200), (134, 186, 232)),
    ((150, 162, 174), (216, 220, 222)),
    ((104, 118, 136), (172, 182, 190)),
    ((74, 104, 176), (250, 200, 150)),
    ((232, 168, 122), (252, 226, 190)),
    ((176, 206, 232), (240, 240, 236)),
)
GREENS: tuple[Colour, ...] = ((74, 128, 58), (52, 98, 48), (112, 148, 62), (142, 154, 74))


def sky(v: View) -> None:
    """Paint the sky down to the horizon, sometimes with a sun and clouds."""
    above, below = v.rng.choice(SKIES)
    v.fade(-OVERSCAN, v.horizon + 0.05, jitter(v.rng, above, 14), jitter(v.rng, below, 10))
    if v.rng.random() < 0.4 and max(above) > 180:  # no sun in a dark sky
        sun = (v.x(), v.rng.uniform(0.02, v.horizon * 0.8))
        v.brush.glow(sun, 0.12, (255, 246, 214), 0.5)
        v.brush.oval(sun, 0.045, 0.045, (255, 248, 222))
    light = mix(below, WHITE, v.rng.uniform(0.2, 0.8))
    for _ in v.count(0, 4):
        x, y, size = v.x(), v.rng.uniform(-0.02, v.horizon * 0.75), v.rng.uniform(0.03, 0.09)
        for _ in range(4):
            spot = (x + v.rng.uniform(-2.2, 2.2) * size, y + v.rng.uniform(-0.3, 0.3) * size)
            v.brush.oval(spot, size * v.rng.uniform(0.9, 2.0), size * 0.6, light)


def ridge(v: View, base: float, height: float, colour: Colour, rough: int = 14) -> list[Point]:
    """Paint hills or mountains with the foot at ``base``, and return their outline."""
    step = (v.right - v.left) / rough
    phase, wave = v.rng.uniform(0, math.tau), v.rng.uniform(0.7, 1.9)
    outline = []
    for i in range(rough + 1):
        swell = 0.5 + 0.5 * math.sin(phase + wave * i * step * 3)
        outline.append((v.left + i * step, base - height * (0.7 * swell + v.rng.uniform(0, 0.3))))
    v.brush.polygon([*outline, (v.right, base + 0.03), (v.left, base + 0.03)], colour)
    return outline


def ground(v: View, far: Colour, near: Colour, speckles: int = 24) -> None:
    """Paint the ground below the horizon, with strokes that get larger towards the viewer."""
    v.fade(v.horizon, 1 + OVERSCAN, far, near)
    for _ in range(speckles):
        depth = v.rng.random()
        x, y = v.x(), v.horizon + 0.02 + (1.05 - v.horizon) * depth
        tone = shade(mix(far, near, depth), v.rng.choice((0.86, 0.92, 1.08, 1.14)))
        v.brush.oval((x, y), 0.03 + 0.12 * depth, 0.004 + 0.012 * depth, tone)


def tree(v: View, x: float, foot: float, tall: float) -> None:
    """Paint a tree with leaves."""
    bark, leaf = jitter(v.rng, (96, 70, 50), 16), v.pick(*GREENS)
    v.brush.limb((x, foot), (x, foot - tall * 0.6), tall * 0.05, tall * 0.03, bark)
    for i in range(6):
        spot = (x + v.rng.uniform(-0.22, 0.22) * tall, foot - tall * v.rng.uniform(0.5, 0.92))
        v.brush.oval(spot, tall * 0.2, tall * 0.17, shade(leaf, 0.8 + 0.07 * i))


def pine(v: View, x: float, foot: float, tall: float, snow: bool = False) -> None:
    """Paint a pine tree, optionally with snow."""
    leaf = v.pick((34, 74, 56), (48, 92, 66), (28, 60, 54))
    v.brush.box(x - tall * 0.03, foot - tall * 0.2, x + tall * 0.03, foot, (82, 62, 48))
    for i in range(3):
        low, half = foot - tall * (0.12 + 0.24 * i), tall * (0.24 - 0.055 * i)
        tip = low - tall * 0.4
        v.brush.polygon(((x - half, low), (x + half, low), (x, tip)), shade(leaf, 1 + 0.1 * i))
        if snow:
            mid = (low + tip) / 2
            v.brush.polygon(((x - half * 0.5, mid), (x + half * 0.34, mid), (x, tip)), WHITE)


def bush(v: View, x: float, foot: float, size: float) -> None:
    """Paint a bush."""
    leaf = v.pick(*GREENS)
    for i in range(3):
        spot = (x + v.rng.uniform(-0.7, 0.7) * size, foot - size * 0.4)
        v.brush.oval(spot, size * 0.6, size * 0.5, shade(leaf, 0.85 + 0.1 * i))


def street_lamp(v: View, x: float, foot: float, tall: float) -> Point:
    """Paint a street lamp and return the position of its light."""
    side = v.rng.choice((-1, 1)) * tall * 0.18
    v.brush.line(((x, foot), (x, foot - tall), (x + side, foot - tall)), tall * 0.025, (70, 74, 80))
    v.brush.limb(
        (x + side, foot - tall + 0.005),
        (x + side * 1.4, foot - tall + 0.008),
        tall * 0.025,
        tall * 0.02,
        (228, 226, 210),
    )
    return x + side * 1.2, foot - tall + 0.012


def stands(v: View, top: float, foot: float) -> None:
    """Paint rows of spectators as coloured dots."""
    base = v.pick((92, 96, 108), (120, 112, 108), (66, 76, 100))
    v.band(top, foot, base)
    rows = 4
    for row in range(rows):
        y = top + (foot - top) * (row + 0.6) / rows
        v.band(y + (foot - top) * 0.1, y + (foot - top) * 0.14, shade(base, 0.75))
        x = v.rng.uniform(-0.1, 0.0)
        while x < v.width + 0.1:
            dot = v.pick(
                (206, 70, 62), (232, 206, 96), (80, 120, 190), (226, 222, 214), (64, 64, 72)
            )
            v.brush.oval((x, y), 0.016, (foot - top) * 0.09, dot)
            x += v.rng.uniform(0.05, 0.12)


def net(
    brush: Brush, corners: tuple[float, float, float, float], cells: tuple[int, int], colour: Colour
) -> None:
    """Draw a net into the box x0, y0, x1, y1."""
    x0, y0, x1, y1 = corners
    for i in range(cells[0] + 1):
        x = x0 + (x1 - x0) * i / cells[0]
        brush.line(((x, y0), (x, y1)), 0.003, colour)
    for i in range(cells[1] + 1):
        y = y0 + (y1 - y0) * i / cells[1]
        brush.line(((x0, y), (x1, y)), 0.003, colour)
