"""Masks of one bit per pixel give the same pixels as masks of one byte per pixel."""

import cv2
import numpy as np
import pytest

from sceneset.imaging.bit_planes import (
    BITS,
    Box,
    Planes,
    box_around,
    cut,
    eroded,
    grown,
    inside,
    moved_left,
    moved_right,
    number_of,
    packed,
    places_of,
)


def random_mask(height: int, width: int, share: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(height * width).random((height, width)) < share).astype(np.uint8)


def pixels_of(bits: np.ndarray, stride: int) -> np.ndarray:
    """Return the pixels of the first plane, with their margins."""
    return np.unpackbits(bits[0].view(np.uint8), bitorder="little").reshape(-1, stride * BITS)


def whole(mask: np.ndarray, margin: int) -> Planes:
    height, width = mask.shape
    return cut([packed(mask)], Box(0, height, 0, -(-width // BITS)), margin)


@pytest.mark.parametrize("width", [1, 7, 8, 63, 64, 65, 200])
def test_packing_keeps_each_pixel(width):
    mask = random_mask(5, width)
    bits = packed(mask)
    assert bits.shape == (5, -(-width // 64))
    unpacked = np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")
    assert np.array_equal(unpacked[:, :width], mask)
    assert not unpacked[:, width:].any()
    assert number_of(bits) == mask.sum()
    assert np.array_equal(packed(np.asfortranarray(mask)), bits)  # as NumPy may save an array


@pytest.mark.parametrize("pixels", [0, 1, 7, 8, 24, 63, 64, 65, 128, 130, 10_000])
def test_moving_shifts_the_row_of_all_pixels(pixels):
    bits = packed(random_mask(1, 320))
    row = np.unpackbits(bits.view(np.uint8), bitorder="little")
    for move, expected in (
        (moved_left, np.concatenate([row, np.zeros(pixels, np.uint8)])[pixels:]),
        (moved_right, np.concatenate([np.zeros(pixels, np.uint8), row])[: len(row)]),
    ):
        assert np.array_equal(
            np.unpackbits(move(bits, pixels).view(np.uint8), bitorder="little"), expected
        )


@pytest.mark.parametrize("distance", [0, 1, 3, 4, 9, 16])
@pytest.mark.parametrize("width", [40, 64, 150])
def test_squares_equal_those_of_opencv(distance, width):
    kernel = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    mask = random_mask(50, width, 0.01)
    margin = distance + 1
    planes = whole(mask, margin)
    larger = pixels_of(grown(planes, distance), planes.stride)
    rows = slice(margin - distance, margin - distance + 50)
    assert np.array_equal(larger[rows, :width], cv2.dilate(mask, kernel))
    solid = 1 - mask
    planes = whole(solid, margin)
    smaller = eroded(planes, distance)
    expected = cv2.erode(solid, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    assert smaller is not None
    assert np.array_equal(pixels_of(smaller, planes.stride)[rows, :width], expected)
    assert number_of(smaller) == expected.sum()


def test_square_that_is_larger_than_the_box_erodes_everything():
    assert eroded(whole(np.ones((20, 4000), np.uint8), 0), 10) is None
    [found] = eroded(whole(np.ones((4000, 20), np.uint8), 0), 1000)
    assert not found.any()


@pytest.mark.parametrize(("row", "column"), [(0, 0), (11, 63), (20, 64), (39, 199)])
@pytest.mark.parametrize("around", [0, 1, 30])
def test_box_holds_all_pixels_and_those_around_them(row, column, around):
    mask = np.zeros((40, 200), np.uint8)
    mask[row, column] = mask[20, 100] = 1
    box = box_around(packed(mask), 200, around)
    left, right = min(column, 100), max(column, 100)
    assert (box.top, box.bottom) == (
        max(0, min(row, 20) - around),
        min(40, max(row, 20) + 1 + around),
    )
    assert box.left == max(0, left - around) // 64
    assert box.right == (min(200, right + 1 + around) + 63) // 64
    assert number_of(cut([packed(mask)], box, 3).bits) == mask.sum()


def test_box_of_nothing_is_none():
    assert box_around(packed(np.zeros((4, 100), np.uint8)), 100, 1) is None


def test_inside_is_the_picture_without_the_margin():
    mask = np.zeros((9, 100), np.uint8)
    mask[3, 70] = 1
    box = box_around(packed(mask), 100, 1)
    assert number_of(inside(100, box, 5)) == 3 * (100 - 64)
    planes = cut([packed(np.ones_like(mask))], box, 5)
    assert np.array_equal(inside(100, box, 5), planes.bits)


def test_places_are_those_of_set_pixels_in_all_planes():
    bits = packed(random_mask(3, 192, 0.03))
    row = np.unpackbits(bits.view(np.uint8), bitorder="little")
    assert np.array_equal(places_of(bits), np.flatnonzero(row))
    assert len(places_of(np.zeros((2, 3), np.uint64))) == 0
