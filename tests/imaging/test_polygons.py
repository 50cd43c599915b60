"""Polygons of a mask, drawn again by each reader's rule, give the mask with its holes filled."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from scipy.ndimage import binary_fill_holes

from sceneset.imaging.polygons import centre_rings, edge_rings, filled, painted_layers

SIZES = st.tuples(st.integers(1, 12), st.integers(1, 12))
MASKS = SIZES.flatmap(lambda size: arrays(np.uint8, size, elements=st.integers(0, 1)))


@given(MASKS)
def test_filled_agrees_with_scipy(mask):
    np.testing.assert_array_equal(filled(mask), binary_fill_holes(mask))


@given(MASKS)
def test_centre_rings_give_the_filled_mask_when_opencv_fills_them(mask):
    drawn = np.zeros_like(mask)
    for ring in centre_rings(mask):
        assert len(ring) >= 3
        cv2.fillPoly(drawn, [ring], 1)
    np.testing.assert_array_equal(drawn, binary_fill_holes(mask))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@given(MASKS)
def test_edge_rings_give_the_filled_mask_by_the_rule_of_coco(mask):
    coco = pytest.importorskip("pycocotools.mask")
    rings = [ring.ravel().tolist() for ring in edge_rings(mask)]
    assert all(len(ring) >= 8 for ring in rings)
    drawn = np.zeros_like(mask)
    if rings:
        drawn = coco.decode(coco.merge(coco.frPyObjects(rings, *mask.shape)))
    np.testing.assert_array_equal(drawn, binary_fill_holes(mask))


@given(MASKS)
def test_painted_layers_return_what_pillow_draws(mask):
    layers, drawn = painted_layers(mask)
    image = Image.fromarray(np.zeros_like(mask))
    for rings, is_inside in layers:
        for ring in rings:
            points = [tuple(point) for point in ring]
            ImageDraw.Draw(image).polygon(points, fill=int(is_inside), outline=int(is_inside))
    np.testing.assert_array_equal(np.asarray(image), drawn)
    np.testing.assert_array_equal(drawn, mask)
