"""Outlines of masks as SVG paths."""

import re

import cv2
import numpy as np
import pytest

from sceneset.imaging.outline import GRID, SPAN, outline_of
from sceneset.schemas.orientation import STEPS


def filled(path: str, width: int, height: int) -> np.ndarray:
    """Fill a path by the even-odd rule, as pages do."""
    plane = np.zeros((height, width), np.uint8)
    for part in re.findall(r"M(\d+) (\d+)l([^z]*)z", path):
        steps = np.array(re.findall(r"(-?\d+)([+-]\d+)", part[2]), np.int32)
        start = np.array([[int(part[0]), int(part[1])]], np.int32)
        points = np.concatenate([start, start + np.cumsum(steps, axis=0)])
        one = np.zeros_like(plane)
        cv2.fillPoly(one, [points.astype(np.int32)], 1)
        plane ^= one
    return plane


def drawn_mask() -> np.ndarray:
    mask = np.zeros((360, 480), np.uint8)
    cv2.ellipse(mask, (200, 160), (60, 120), 20, 0, 360, 1, -1)
    cv2.circle(mask, (200, 160), 25, 0, -1)  # a hole
    cv2.rectangle(mask, (400, 300), (479, 359), 255, -1)  # at the border
    cv2.rectangle(mask, (20, 20), (60, 40), 7, -1)
    return mask


@pytest.mark.parametrize("orientation", sorted(STEPS))
def test_filled_paths_are_the_mask_as_shown(orientation):
    mask = drawn_mask()
    transpose, mirror, flip = STEPS[orientation]
    shown = mask.T if transpose else mask
    shown = shown[:: -1 if flip else 1, :: -1 if mirror else 1]
    outline = outline_of(mask, orientation)
    height, width = shown.shape
    assert (outline.width, outline.height) == (2 * width, 2 * height)
    assert max(outline.width, outline.height) == SPAN
    for path, area in (
        (outline.person, shown == 1),
        (outline.ignored, shown == 255),
        (outline.other, shown == 7),
    ):
        found = filled(path, outline.width, outline.height)
        wanted = cv2.resize(area.astype(np.uint8), (outline.width, outline.height), None, 0, 0, 0)
        assert (found != wanted).mean() < 0.004
    cells = np.frombuffer(outline.grid, np.uint8).reshape(GRID, GRID)
    assert cells.sum() / 255 / GRID**2 == pytest.approx((shown == 1).mean(), abs=0.005)


def test_mask_without_persons_has_no_path():
    outline = outline_of(np.zeros((40, 60), np.uint8))
    assert (outline.person, outline.ignored, outline.other) == ("", "", "")
    assert not any(outline.grid)


def test_single_pixel_stays_visible():
    mask = np.zeros((2000, 3000), np.uint8)
    mask[1000, 1500] = 1
    assert filled(outline_of(mask).person, 960, 640).any()


def test_path_of_noise_is_bounded_and_ends_with_a_whole_outline():
    noise = np.random.default_rng(0).integers(0, 2, (600, 800)).astype(np.uint8)
    path = outline_of(noise).person
    assert len(path) <= 12_000
    assert re.fullmatch(r"(M\d+ \d+l[^Mz]*z)+", path)
