"""The detail of outlines: degraded masks have less, and size, turns and borders do not matter."""

import cv2
import numpy as np
import pytest
from PIL import Image

from sceneset.imaging.facts import measure_image, measure_mask, outline_edge
from sceneset.imaging.mask_shape import trace_outline
from sceneset.imaging.outline_detail import Detail, edge_agreement, measure_detail
from sceneset.schemas.params import Limits
from support.images import encoded, noise
from support.outlines import blurred, figure, image_of, polygon

LIMITS = Limits(min_side=1)


def measured(mask: np.ndarray, image: np.ndarray | None = None) -> tuple[Detail, int | None]:
    """Return what the scan measures of a mask and an image, through their files."""
    facts = measure_mask(encoded(Image.fromarray(mask), "PNG"), LIMITS)
    shown = image_of(mask) if image is None else image
    return facts.detail, outline_edge(
        measure_image(encoded(Image.fromarray(shown), "PNG"), ".png", LIMITS), facts
    )


def fineness(mask: np.ndarray, image: np.ndarray | None = None) -> float:
    detail, edge = measured(mask, image)
    assert detail.outline_turning is not None
    assert detail.outline_straight is not None
    assert edge is not None
    return detail.outline_turning * (1000 - detail.outline_straight) * edge / 1e9


@pytest.mark.parametrize("seed", range(4))
def test_masks_with_less_detail_have_lower_fineness(seed: int) -> None:
    mask = figure(320, seed)
    image = image_of(mask)
    original = fineness(mask, image)
    blurs = [fineness(blurred(mask, sigma), image) for sigma in (2, 4, 8)]
    polygons = [fineness(polygon(mask, corners), image) for corners in (50, 20, 12)]
    for values in (blurs, polygons):
        assert [original, *values] == sorted([original, *values], reverse=True)
        assert values[-1] < 0.6 * original


def test_polygons_have_straight_edges_and_smooth_outlines_turn_less() -> None:
    mask = figure(320, 0)
    full, coarse, smooth = (measured(one)[0] for one in (mask, polygon(mask, 12), blurred(mask, 8)))
    assert full.outline_straight < 300
    assert coarse.outline_straight > 800
    assert smooth.outline_turning < 0.8 * full.outline_turning


def test_an_outline_beside_the_contrast_has_little_agreement() -> None:
    mask = figure(320, 1)
    image = image_of(mask)
    edges = [measured(np.roll(mask, shift, axis=1), image)[1] for shift in (0, 2, 4)]
    assert edges[0] > 950
    assert edges[0] > edges[1] > edges[2]


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_image_and_mask_by_90_degrees_changes_little(turns: int) -> None:
    mask = figure(300, 2)
    expected = fineness(mask)
    turned = np.ascontiguousarray(np.rot90(mask, turns))
    assert fineness(turned, image_of(turned)) == pytest.approx(expected, rel=0.03)
    assert fineness(np.ascontiguousarray(mask[:, ::-1])) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("height", [240, 480, 960])
def test_the_size_of_a_drawing_changes_little(height: int) -> None:
    detail = measured(figure(height, 3))[0]
    reference = measured(figure(360, 3))[0]
    assert detail.outline_turning == pytest.approx(reference.outline_turning, rel=0.25)
    assert abs(detail.outline_straight - reference.outline_straight) < 120


def test_border_and_ignored_pixels_are_no_outline() -> None:
    mask = np.zeros((200, 200), np.uint8)
    mask[:, 60:] = 1
    mask[:, 140:] = 255
    detail, _ = measured(mask)
    assert detail.outline == 198  # only the left side, without its ends on the border
    mask[:, 140:] = 0
    assert measured(mask)[0].outline == 2 * 198


@pytest.mark.parametrize(
    "mask",
    [
        np.zeros((40, 40), np.uint8),
        np.full((40, 40), 255, np.uint8),
        np.ones((40, 40), np.uint8),
        np.pad(np.ones((1, 1), np.uint8), 20),
        np.pad(np.ones((2, 2), np.uint8), 20, constant_values=255),
        np.pad(np.ones((300, 1), np.uint8), 0),
        np.ones((1, 300), np.uint8),
    ],
    ids=["empty", "ignored", "whole", "pixel", "in ignored", "column", "row"],
)
def test_masks_without_an_outline_have_no_detail(mask: np.ndarray) -> None:
    assert measured(mask) == (Detail(), None)


def test_a_strip_of_100_000_pixels_is_measured() -> None:
    mask = np.zeros((12, 100_000), np.uint8)
    mask[4:8, 50:-50] = 1
    detail, edge = measured(mask)
    assert detail.outline == 2 * (99_900 + 2)
    assert detail.outline_straight == 1000
    assert edge == 1000


def test_an_outline_beyond_the_limit_is_cut() -> None:
    comb = np.zeros((1202, 802), np.uint8)
    comb[1:-1, 1:-1:2] = 1
    comb[1, 1:-1] = 1
    detail, edge = measured(comb)
    assert 250_000 < detail.outline <= 1 << 18
    assert edge is not None


def test_an_image_without_contrast_has_no_agreement() -> None:
    mask = figure(200, 0)
    detail, edge = measured(mask, np.full((*mask.shape, 3), 90, np.uint8))
    assert detail.outline > 500
    assert edge is None


def test_an_image_of_another_size_has_no_agreement() -> None:
    mask = figure(200, 0)
    assert measured(mask, image_of(mask)[:-1])[1] is None


def test_equal_masks_give_equal_numbers_in_any_array_layout() -> None:
    mask = figure(240, 5)
    padded = np.zeros((mask.shape[0] + 9, mask.shape[1] + 7), np.uint8)
    padded[4:-5, 3:-4] = mask
    left, top, width, height = cv2.boundingRect(mask)
    box = (left, top, left + width, top + height)
    results = []
    for one in (mask, np.asfortranarray(mask), padded[4:-5, 3:-4]):
        traced = trace_outline(np.ascontiguousarray(one), box)
        detail, probes = measure_detail(traced.contours, traced.areas, one.shape[::-1], None)
        results.append((detail, edge_agreement(probes, image_of(mask)[:, :, 1])))
    assert results[0] == results[1] == results[2]


def test_numbers_are_those_of_the_release_that_introduced_them() -> None:
    """A scan must give the same bytes on every machine; a change needs a new algorithm number."""
    mask = figure(240, 5)
    image = image_of(mask) // 4 + noise((240, 240), 1) // 8
    assert measured(mask, image) == (Detail(579, 0, 13983), 994)
    assert measured(polygon(mask, 20), image) == (Detail(530, 610, 6702), 794)
