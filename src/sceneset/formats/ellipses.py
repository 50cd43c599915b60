"""Ellipses as polygons, as CVAT and Datumaro draw them."""

import math

_ELLIPSE_POINTS = 720  # as many as Datumaro draws


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float = 0) -> tuple[float, ...]:
    """Return the ring of an ellipse, x and y by turns; NaN if it is none.

    Args:
        cx: Center.
        cy: Center.
        rx: Half of its width before it is turned.
        ry: Half of its height.
        degrees: How far it is turned clockwise.
    """
    angle = math.radians(degrees) if math.isfinite(degrees) else math.nan
    if not all(map(math.isfinite, (cx, cy, rx, ry, angle))):
        return (math.nan,) * 6
    points: list[float] = []
    for number in range(_ELLIPSE_POINTS):
        turn = 2 * math.pi * number / _ELLIPSE_POINTS
        x, y = rx * math.cos(turn), ry * math.sin(turn)
        points.append(cx + x * math.cos(angle) - y * math.sin(angle))
        points.append(cy + x * math.sin(angle) + y * math.cos(angle))
    return tuple(points)
