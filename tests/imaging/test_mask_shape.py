"""Outlines of masks: exact areas, and noise is measured in time proportional to its pixels."""

import time

import cv2
import numpy as np
import pytest
from PIL import Image

from sceneset.catalog.scan_table import table_from_rows
from sceneset.imaging import mask_shape
from sceneset.imaging.facts import measure_mask
from sceneset.imaging.mask_shape import trace_outline
from sceneset.rules.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Pair, measure_pair
from sceneset.schemas.params import Limits, Params
from sceneset.schemas.terms import Phase
from support.images import encoded

LIMITS = Limits()


def checkerboard(width: int, height: int) -> np.ndarray:
    return (np.indices((height, width)).sum(0) % 2).astype(np.uint8)


def dithered(width: int, height: int) -> np.ndarray:
    gray = Image.linear_gradient("L").resize((width, height)).convert("1")
    return np.asarray(gray).astype(np.uint8)


def outline_of(mask: np.ndarray, **options: object):
    return trace_outline(mask, (0, 0, mask.shape[1], mask.shape[0]), **options).outline


@pytest.mark.parametrize(
    "mask",
    [
        pytest.param(checkerboard(1000, 1000), id="checkerboard"),
        pytest.param(dithered(4000, 3000), id="dithered"),
        pytest.param(np.where(dithered(1500, 1000) > 0, 1, 255).astype(np.uint8), id="with 255"),
    ],
)
def test_a_noisy_mask_is_measured_quickly_and_reported(mask, tmp_path) -> None:
    height, width = mask.shape
    Image.new("RGB", (width, height)).save(tmp_path / "a.jpg")
    (tmp_path / "a.png").write_bytes(encoded(Image.fromarray(mask), "PNG"))
    pair = Pair(Phase.TRAIN, "a", tmp_path / "a.jpg", tmp_path / "a.png", tmp_path)
    start = time.process_time()
    row = measure_pair(pair, LIMITS).row
    assert time.process_time() - start < 4  # 0.5 s on an idle machine; it was 126 s
    assert row.parts_total + row.holes_total > 20_000
    assert len(row.parts) <= 32
    assert len(row.holes) <= 32
    codes = {p.code for p in sample_findings(table_from_rows([row], 1), Params())}
    assert codes & {"mask-specks", "mask-holes"}


@pytest.mark.parametrize("seed", range(6))
def test_areas_of_noise_are_those_of_its_outlines(seed: int, monkeypatch) -> None:
    random = np.random.default_rng(seed)
    mask = (random.random((60, 80)) < 0.1 + 0.1 * seed).astype(np.uint8)
    exact = outline_of(mask)
    monkeypatch.setattr(mask_shape, "_MAX_CHANGES", 10)
    assert outline_of(mask) == exact, "with few parts and holes it is outlined"
    monkeypatch.setattr(mask_shape, "_MAX_CONTOURS", 5)
    quick = outline_of(mask)
    assert (quick.parts_total, quick.holes_total) == (exact.parts_total, exact.holes_total)
    assert quick.parts[:31] == exact.parts[:31]
    labels = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    assert quick.parts[-1] == labels.min()


def test_ignored_pixels_inside_noise_are_not_holes(monkeypatch) -> None:
    monkeypatch.setattr(mask_shape, "_MAX_CHANGES", 10)
    monkeypatch.setattr(mask_shape, "_MAX_CONTOURS", 5)
    person = np.ones((40, 40), np.uint8)
    person[2:38:4, 2:38:4] = 0
    assert outline_of(person).holes_total == 81
    filled = person.copy()
    filled[2:38:4, 2:20:4] = 255
    assert outline_of(person, filled=filled).holes_total == 36


def test_a_small_area_is_listed_when_large_ones_fill_the_list(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(mask_shape, "_MAX_CHANGES", 10)
    monkeypatch.setattr(mask_shape, "_MAX_CONTOURS", 5)
    mask = np.zeros((200, 400), np.uint8)
    for left in range(0, 400, 10):
        mask[:150, left : left + 8] = 1
    mask[190, 5::10] = 1
    outline = measure_mask(encoded(Image.fromarray(mask), "PNG"), LIMITS).outline
    assert outline.parts_total == 80
    assert outline.parts[0] == 1200
    assert outline.parts[-1] == 1


def test_a_mask_of_a_person_with_many_strands_is_outlined() -> None:
    mask = np.zeros((1200, 1600), np.uint8)
    cv2.ellipse(mask, (800, 600), (400, 500), 0, 0, 360, 1, -1)
    mask[100:1100:2, 400:1200:9] ^= 1
    outline = outline_of(mask)
    assert outline.parts_total + outline.holes_total < 60_000
    assert outline.parts[0] > 400_000
