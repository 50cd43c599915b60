"""Run-length codecs of annotation tools."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceneset.imaging import rle
from support.images import noise


def masks(seed: int) -> list[np.ndarray]:
    shapes = ((1, 1), (1, 7), (7, 1), (24, 32), (31, 33))
    random = np.random.default_rng(seed)
    return [(random.random(shape) < share) for shape in shapes for share in (0, 0.02, 0.5, 1)]


@pytest.mark.parametrize("seed", range(3))
def test_a_mask_is_the_same_after_encoding_and_decoding(seed):
    for mask in masks(seed):
        height, width = mask.shape
        assert np.array_equal(rle.decode_coco(rle.encode_coco(mask), width, height), mask)
        assert np.array_equal(rle.decode_coco(rle.uncompressed_coco(mask), width, height), mask)
        runs = rle.runs_of(mask.ravel()).tolist()
        assert np.array_equal(rle.decode_row_major(runs, width, height), mask)


@pytest.mark.parametrize("seed", range(3))
def test_compressed_text_equals_that_of_pycocotools(seed):
    coco = pytest.importorskip("pycocotools.mask")
    for mask in masks(seed):
        peer = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert rle.encode_coco(mask) == peer["counts"].decode()


def test_runs_are_column_major():
    mask = np.array([[0, 1, 1], [0, 0, 1]])
    assert rle.uncompressed_coco(mask) == [2, 1, 1, 2]
    assert rle.decode_coco([2, 1, 1, 2], 3, 2).tolist() == mask.tolist()


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        ([3, 2], "add up to 5 pixels, not 6"),
        ([7, -1], "negative run"),
        ([1.5, 4.5], "not a list of whole numbers"),
        ([[6]], "not a list of whole numbers"),
        (["6"], "not a list of whole numbers"),
        ([10**30], "whole numbers|add up"),
        ([2**62, 2**62], "add up"),
        ("é", "characters that COCO does not use"),
        ("6`", "ends within a number"),
        ("oooooooooo0", "longer than any image"),
        ("", "add up to 0 pixels"),
    ],
)
def test_a_broken_rle_is_refused_with_the_reason(counts, reason):
    with pytest.raises(ValueError, match=reason):
        rle.decode_coco(counts, 3, 2)


def test_values_and_lengths_are_decoded_by_turns():
    assert rle.decode_row_major([0, 2, 7, 3, 1, 1], 3, 2, repeated=True).tolist() == [
        [0, 0, 7],
        [7, 7, 1],
    ]
    for broken in ([0, 2, 7], [300, 6], [-1, 6], [1, 5]):
        with pytest.raises(ValueError, match="RLE"):
            rle.decode_row_major(broken, 3, 2, repeated=True)


def brush(alpha: np.ndarray) -> bytes:
    """Return a Label Studio brush of an alpha channel: written value by value, and as runs."""
    values = np.repeat(alpha.ravel(), 4).tolist()
    bits = [f"{len(values):032b}", f"{7:05b}", *(f"{width - 1:04b}" for width in (3, 4, 8, 16))]
    position = 0
    while position < len(values):
        end = position
        while end < len(values) and values[end] == values[position] and end - position < 60_000:
            end += 1
        if end - position > 4:
            bits.append(f"1{3:02b}{end - position - 1:016b}{values[position]:08b}")
        else:
            end = min(len(values), position + 4)
            bits.append(f"0{0:02b}{end - position - 1:03b}")
            bits += [f"{value:08b}" for value in values[position:end]]
        position = end
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


@pytest.mark.parametrize("seed", range(3))
def test_a_brush_gives_its_alpha(seed):
    alpha = noise((9, 7), seed, 1)
    alpha[2:5] = 255
    assert np.array_equal(rle.decode_brush(brush(alpha), 9, 7), alpha)
    assert np.array_equal(rle.decode_brush(list(brush(alpha)), 9, 7), alpha)


@given(data=st.binary(max_size=40), cut=st.integers(0, 60))
def test_a_broken_brush_is_refused(data, cut):
    whole = brush(np.full((3, 4), 9, np.uint8))
    for broken in (data, whole[: min(cut, len(whole) - 2)], whole[:4] + data):
        if broken == whole:
            continue
        try:
            rle.decode_brush(broken, 4, 3)
        except ValueError as error:
            assert "RLE" in str(error)  # noqa: PT017 - a lucky input may also decode


def test_a_brush_of_another_size_is_refused():
    with pytest.raises(ValueError, match="not 5 x 3 pixels"):
        rle.decode_brush(brush(np.zeros((3, 4), np.uint8)), 5, 3)
    with pytest.raises(ValueError, match="not a list of bytes"):
        rle.decode_brush([1, 700], 4, 3)
