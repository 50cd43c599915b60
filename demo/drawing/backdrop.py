"""Paint the backdrop of a scene. Each scene has one painter; all images differ."""

import random
from collections.abc import Callable

from drawing.brush import Brush
from drawing.hills import mountain_motor, nature, ski
from drawing.play import bike, kid_park, skateboard
from drawing.rooms import indoor
from drawing.sports import basketball, football, high_jump, volleyball
from drawing.towns import city, night_city
from drawing.view import View
from drawing.water import sea, surfing


def paint_backdrop(
    scene: str, brush: Brush, rng: random.Random, width: float
) -> tuple[float, float]:
    """Paint the backdrop of a scene.

    Returns:
        The y of the horizon and of the top of the ground, in canvas pixels, because the brush may
        be moved and turned.
    """
    painter, low, high = SCENES[scene]
    horizon = rng.uniform(low, high)
    view = View(brush, rng, width, horizon, horizon + 0.07)
    painter(view)
    middle = width / 2
    _, horizon_y = brush.to_canvas((middle, view.horizon))
    _, ground_y = brush.to_canvas((middle, view.ground_top))
    return horizon_y, ground_y


# The painter of each scene, and the range of y in which its horizon lies.
SCENES: dict[str, tuple[Callable[[View], None], float, float]] = {
    "city": (city, 0.38, 0.74),
    "indoor": (indoor, 0.55, 0.76),
    "mountain_motor": (mountain_motor, 0.34, 0.68),
    "ski": (ski, 0.26, 0.56),
    "volleyball": (volleyball, 0.34, 0.66),
    "basketball": (basketball, 0.36, 0.66),
    "football": (football, 0.3, 0.6),
    "nature": (nature, 0.28, 0.66),
    "sea": (sea, 0.22, 0.6),
    "surfing": (surfing, 0.16, 0.5),
    "bike": (bike, 0.3, 0.66),
    "kid_park": (kid_park, 0.32, 0.62),
    "skateboard": (skateboard, 0.32, 0.64),
    "high_jump": (high_jump, 0.34, 0.66),
    "night_city": (night_city, 0.4, 0.76),
}
