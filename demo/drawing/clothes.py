"""Random clothes, hair and skin of a figure."""

import colorsys
import random
from dataclasses import dataclass

from drawing.brush import DARK, WHITE, Colour, jitter, shade


@dataclass(frozen=True, slots=True)
class Look:
    """Colours and clothes of a figure."""

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
# Probabilities of helmet, cap, sleeves, shorts and skirt in each scene.
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


def random_look(rng: random.Random, scene: str) -> Look:
    """Return a random look that is plausible in the scene."""
    helmet, cap, sleeves, shorts, skirt = (rng.random() < odds for odds in _DRESS[scene])
    light = 0.68 if scene == "night_city" else 1.0
    return Look(
        skin=shade(jitter(rng, rng.choice(_SKINS), 8), light),
        hair=jitter(rng, rng.choice(_HAIRS), 8),
        top=shade(random_cloth(rng, 0.5), light),
        bottom=shade(random_cloth(rng, 0.25), light),
        shoes=rng.choice((WHITE, DARK, (120, 70, 44), (190, 50, 50))),
        hat=shade(random_cloth(rng, 0.55), light),
        headgear="helmet" if helmet else "cap" if cap else "",
        sleeves=sleeves,
        shorts=shorts,
        skirt=skirt,
        long_hair=rng.random() < (0.75 if skirt else 0.3),
        child=rng.random() < (0.85 if scene == "kid_park" else 0.06),
        stout=rng.uniform(0.88, 1.22),
    )


def random_cloth(rng: random.Random, min_brightness: float) -> Colour:
    """Return a random colour with a brightness of at least ``min_brightness`` (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(
        rng.random(), rng.uniform(0.1, 0.85), rng.uniform(min_brightness, 0.97)
    )
    return int(red * 255), int(green * 255), int(blue * 255)
