"""Tests of counting how far masks agree, against slow programs written from the definitions."""

from itertools import product

import cv2
import numpy as np
import pytest
from PIL import Image

from sceneset.imaging import mask_agreement
from sceneset.imaging.mask_agreement import (
    Agreement,
    Band,
    Edges,
    PackedMask,
    band_pixels,
    radius_pixels,
)
from support.build import SHARED, needs_shared

DISTANCES, RADII = (1, 3), (0, 1, 4)


def agreement(truth: np.ndarray, predicted: np.ndarray, distances, radii) -> Agreement:
    masks = (PackedMask.of(mask) for mask in (truth, predicted))
    return mask_agreement.agreement(*masks, distances, radii)


def cheng_band(mask: np.ndarray, distance: int) -> np.ndarray:
    """Return the band as the reference code of Boundary IoU does: pad, erode d times, subtract."""
    height, width = mask.shape
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)
    return (mask - eroded[1 : height + 1, 1 : width + 1]).astype(bool)


def davis_outline(mask: np.ndarray) -> np.ndarray:
    """Return the outline as seg2bmap of the DAVIS code does."""
    seg = mask.astype(bool)
    e, s, se = np.zeros_like(seg), np.zeros_like(seg), np.zeros_like(seg)
    e[:, :-1] = seg[:, 1:]
    s[:-1, :] = seg[1:, :]
    se[:-1, :-1] = seg[1:, 1:]
    b = seg ^ e | seg ^ s | seg ^ se
    b[-1, :] = seg[-1, :] ^ e[-1, :]
    b[:, -1] = seg[:, -1] ^ s[:, -1]
    b[-1, -1] = 0
    return b


def disk(radius: int) -> np.ndarray:
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (rows**2 + columns**2 <= radius**2).astype(np.uint8)


def edges_of(truth: np.ndarray, predicted: np.ndarray, radius: int) -> Edges:
    grown = [
        cv2.dilate(outline.astype(np.uint8), disk(radius)) > 0 for outline in (truth, predicted)
    ]
    return Edges(
        int(truth.sum()),
        int((truth & grown[1]).sum()),
        int(predicted.sum()),
        int((predicted & grown[0]).sum()),
    )


def by_reference(truth: np.ndarray, predicted: np.ndarray, distances, radii) -> Agreement:
    """Count by the reference code of the papers, on whole masks; nothing is ignored."""
    first, second = ((mask == 1).astype(np.uint8) for mask in (truth, predicted))
    bands = []
    for distance in distances:
        one, two = cheng_band(first, distance), cheng_band(second, distance)
        bands.append(Band(int(one.sum()), int(two.sum()), int((one & two).sum())))
    outlines = davis_outline(first), davis_outline(second)
    edges = tuple(edges_of(*outlines, radius) for radius in radii)
    areas = (int(first.sum()), int(second.sum()), int((first & second).sum()))
    return Agreement(0, *areas, tuple(bands), edges)


def defined_band(mask: np.ndarray, ignored: np.ndarray, distance: int) -> np.ndarray:
    """Mark the pixels of a mask from whose square background or the outside can be reached."""
    around = np.pad(mask | ignored, distance, constant_values=False)
    side = 2 * distance + 1
    flags = np.zeros(mask.shape, bool)
    for y, x in zip(*np.nonzero(mask), strict=True):
        flags[y, x] = not around[y : y + side, x : x + side].all()
    return flags


def defined_outline(mask: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """Mark the pixels that differ from the next one; none of the two may be ignored."""
    height, width = mask.shape
    flags = np.zeros(mask.shape, bool)
    for (y, x), (down, right) in product(np.ndindex(mask.shape), ((0, 1), (1, 0), (1, 1))):
        row, column = y + down, x + right
        if row < height and column < width and not (ignored[y, x] or ignored[row, column]):
            flags[y, x] |= mask[row, column] != mask[y, x]
    return flags


def by_definition(truth: np.ndarray, predicted: np.ndarray, distances, radii) -> Agreement:
    """Count by loops over pixels, with ignored ones."""
    ignored = (truth == 255) | (predicted == 255)
    masks = [(mask == 1) & ~ignored for mask in (truth, predicted)]
    bands = []
    for distance in distances:
        one, two = (defined_band(mask, ignored, distance) for mask in masks)
        bands.append(Band(int(one.sum()), int(two.sum()), int((one & two).sum())))
    outlines = [defined_outline(mask, ignored) for mask in masks]
    edges = tuple(edges_of(*outlines, radius) for radius in radii)
    areas = (int(flags.sum()) for flags in (*masks, masks[0] & masks[1]))
    return Agreement(int(ignored.sum()), *areas, tuple(bands), edges)


def shapes(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a true and a predicted mask of 40 x 56 pixels."""
    truth, predicted = np.zeros((2, 40, 56), np.uint8)
    if kind == "apart":
        truth[3:12, 4:20], predicted[25:38, 30:50] = 1, 1
    elif kind == "ellipses":
        cv2.ellipse(truth, (28, 20), (14, 11), 20, 0, 360, 1, -1)
        cv2.ellipse(predicted, (31, 19), (15, 9), 10, 0, 360, 1, -1)
        truth[18:22, 24:30] = 0  # a hole
    elif kind == "at the border":
        truth[:, :20], predicted[5:, :24] = 1, 1
    elif kind == "corner":
        truth[30:, 44:], predicted[32:, 40:] = 1, 1
    elif kind == "whole picture":
        truth[:], predicted[:] = 1, 1
    elif kind == "no truth":
        predicted[10:14, 10:30] = 1
    elif kind == "no prediction":
        truth[10:14, 10:30] = 1
    elif kind == "noise":
        truth, predicted = np.random.default_rng(3).integers(0, 2, (2, 40, 56), dtype=np.uint8)
    elif kind == "specks":
        truth, predicted = (np.random.default_rng(4).random((2, 40, 56)) < 0.01).astype(np.uint8)
    return truth, predicted


KINDS = (
    *("apart", "ellipses", "at the border", "corner", "whole picture"),
    *("no truth", "no prediction", "noise", "specks", "empty"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_counts_equal_those_of_the_reference_code(kind):
    truth, predicted = shapes(kind)
    found = agreement(truth, predicted, DISTANCES, RADII)
    assert found == by_reference(truth, predicted, DISTANCES, RADII)
    if kind == "ellipses":
        assert found == by_definition(truth, predicted, DISTANCES, RADII)


@pytest.mark.parametrize("kind", ["ellipses", "at the border", "noise", "no prediction"])
@pytest.mark.parametrize("where", ["box", "stripe", "specks", "around"])
def test_counts_equal_the_definition_with_ignored_pixels(kind, where):
    truth, predicted = (mask[8:32, 14:46].copy() for mask in shapes(kind))
    if where == "box":
        truth[5:16, 14:22] = 255
    elif where == "stripe":
        truth[:, 3:6] = 255
        predicted[12:14, :] = 255
    elif where == "specks":
        truth[np.random.default_rng(5).random(truth.shape) < 0.05] = 255
    else:
        truth[:2] = truth[20:] = truth[:, :3] = truth[:, 28:] = 255
    expected = by_definition(truth, predicted, DISTANCES, RADII)
    assert agreement(truth, predicted, DISTANCES, RADII) == expected


@pytest.mark.parametrize("width", [63, 64, 65, 128, 300])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.5])
def test_counts_equal_the_reference_at_any_width_and_distance(width, share):
    random = np.random.default_rng(width)
    truth, predicted = (random.random((2, 150, width)) < share).astype(np.uint8)
    truth[20:130, width // 4 : width // 2] = 1
    predicted[25:120, width // 5 : width // 2 + 4] = 1
    distances, radii = (1, 8, 29), (0, 5, 12, 28, 29, 60)
    found = agreement(truth, predicted, distances, radii)
    assert found == by_reference(truth, predicted, distances, radii)


def test_counts_equal_the_reference_when_only_the_exact_disk_decides():
    truth, predicted = np.zeros((2, 200, 200), np.uint8)
    truth[100, 100] = 1
    for angle in range(0, 360, 3):
        for distance in (11, 12, 13, 40, 41, 42):
            row, column = 100 + distance * np.sin(angle), 100 + distance * np.cos(angle)
            predicted[round(row), round(column)] = 1
    found = agreement(truth, predicted, (), (12, 41))
    assert found == by_reference(truth, predicted, (), (12, 41))
    assert 0 < found.edges[0].predicted_matched < found.edges[1].predicted_matched


def test_prediction_inside_ignored_pixels_changes_nothing():
    truth, predicted = shapes("ellipses")
    truth[10:26, 30:45] = 255
    other = predicted.copy()
    other[10:26, 30:45] ^= 1
    assert agreement(truth, other, DISTANCES, RADII) == agreement(
        truth, predicted, DISTANCES, RADII
    )


def test_edge_against_ignored_pixels_is_no_boundary():
    truth, predicted = np.zeros((2, 30, 30), np.uint8)
    truth[:, 15:], predicted[:] = 255, 1
    truth[:, :15] = 1
    found = agreement(truth, predicted, (1,), (2,))
    assert found.truth == found.both == 450
    assert found.bands == (Band(30 + 2 * 14, 30 + 2 * 14, 30 + 2 * 14),)  # the picture's border
    assert found.edges == (Edges(0, 0, 0, 0),)


def test_other_values_are_background():
    truth, predicted = shapes("ellipses")
    changed = truth.copy()
    changed[0, 0], changed[1, 1] = 2, 128
    assert agreement(changed, predicted, (1,), (1,)) == agreement(truth, predicted, (1,), (1,))


def test_widths_are_shares_of_the_diagonal():
    assert band_pixels(0.02, 1280, 720) == 29
    assert band_pixels(0.02, 10, 10) == 1
    assert radius_pixels(0.008, 1280, 720) == 12
    assert radius_pixels(0.008, 854, 480) == 8  # as DAVIS does at 480p


@needs_shared
def test_counts_equal_those_of_the_reference_code_on_real_masks():
    [*files] = sorted((SHARED / "data/drop_F_davis").rglob("Annotations/**/*.png"))
    assert len(files) > 20
    for one, two in ((files[10], files[13]), (files[-20], files[-16])):
        assert one.parent == two.parent  # two frames of one video
        truth, predicted = (
            (np.asarray(Image.open(file)) > 0).astype(np.uint8) for file in (one, two)
        )
        height, width = truth.shape
        distances = (band_pixels(0.02, width, height), band_pixels(0.005, width, height))
        radii = (radius_pixels(0.008, width, height),)
        found = agreement(truth, predicted, distances, radii)
        assert found.truth
        assert found == by_reference(truth, predicted, distances, radii)
