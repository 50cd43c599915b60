"""Files, measured masks and rows of a scan are judged by the same rules on their values."""

import numpy as np
import pytest
from PIL import Image

from sceneset.imaging.facts import measure_image, measure_mask, pair_findings
from sceneset.imaging.mask_values import (
    is_void,
    is_void_file,
    uses_1,
    uses_classes,
    values_of_file,
)
from sceneset.schemas.params import Limits
from support.images import encoded

LIMITS = Limits()


def mask_of(*values: int) -> Image.Image:
    pixels = np.zeros((16, 32), np.uint8)
    pixels.flat[: len(values)] = values
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    ("values", "void", "has_1"),
    [
        ((), False, False),
        ((255,), True, False),
        ((255,) * 512, True, False),
        ((1,), False, True),
        ((1, 255), False, True),
        ((2, 255), False, False),
        (tuple(range(1, 25)), False, True),
        ((*range(1, 25), 255), False, True),
        (tuple(range(1, 26)), False, False),
    ],
)
def test_files_and_measured_masks_are_judged_alike(
    values: tuple[int, ...], void: bool, has_1: bool
) -> None:
    mask = mask_of(*values)
    data = encoded(mask, "PNG")
    facts = measure_mask(data, LIMITS)
    image = measure_image(encoded(Image.new("RGB", (32, 16)), "PNG"), ".png", LIMITS)
    codes = {found.code for found in pair_findings(image, facts)}
    assert is_void_file(data) == is_void(facts.person, facts.ignore, facts.other) == void
    assert ("mask-0-255" in codes) == void
    colours = encoded(mask.convert("RGB"), "PNG")
    assert (
        facts.uses_1
        == uses_1(*values_of_file(colours))
        == uses_1(facts.person, facts.other)
        == has_1
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((), False),
        ((255,), False),
        ((1,), True),
        ((15, 255), True),
        ((2,), True),
        ((128, 255), False),
        ((64, 128, 192, 255), False),
        (tuple(range(2, 80)), False),
    ],
)
def test_class_numbers_differ_from_levels_of_gray(values: tuple[int, ...], expected: bool) -> None:
    facts = measure_mask(encoded(mask_of(*values), "PNG"), LIMITS)
    assert uses_classes(facts.person, facts.other) == expected
