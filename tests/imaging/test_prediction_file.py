"""Tests of reading predicted masks."""

import io

import numpy as np
import pytest
from PIL import Image

from sceneset.imaging.prediction_file import PredictionError, Reading, Values, read_prediction
from sceneset.schemas.params import Limits
from support.images import encoded

RAMP = np.linspace(0, 1, 24 * 32).reshape(24, 32)
PERSON = RAMP >= 0.5
AUTO = Reading()
LIMITS = Limits()


def png(array: np.ndarray, mode: str | None = None) -> bytes:
    image = Image.fromarray(array)
    return encoded(image.convert(mode) if mode else image, "PNG")


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def npz(*arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, *arrays)
    return out.getvalue()


def read(data: bytes, suffix: str = ".png", reading: Reading = AUTO, limits: Limits = LIMITS):
    return read_prediction(data, suffix, reading, limits)


def palette(array: np.ndarray) -> bytes:
    image = Image.frombytes("P", array.shape[::-1], array.astype(np.uint8).tobytes())
    image.putpalette([0, 0, 0, 192, 128, 128])
    return encoded(image, "PNG")


EQUAL = np.repeat((PERSON * np.uint8(255))[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("data", "suffix", "values"),
    [
        (png(PERSON.astype(np.uint8)), ".png", "0/1"),
        (png(PERSON * np.uint8(255)), ".png", "0/255"),
        (png(PERSON), ".png", "0/1"),
        (palette(PERSON), ".png", "0/1"),
        (png(EQUAL), ".png", "0/255"),
        (png(EQUAL, "RGBA"), ".png", "0/255"),
        (png((RAMP * 255).astype(np.uint8)), ".png", "probability (8 bits)"),
        (png(np.floor(RAMP * 65_535).astype(np.uint16)), ".png", "probability (16 bits)"),
        (png(PERSON * np.uint16(65_535)), ".png", "0/255"),
        (encoded(Image.fromarray(PERSON.astype(np.uint8)), "TIFF"), ".tif", "0/1"),
        (encoded(Image.fromarray(RAMP.astype(np.float32)), "TIFF"), ".tif", "probability (float)"),
        (encoded(Image.fromarray(PERSON * np.uint8(255)), "BMP"), ".bmp", "0/255"),
        (npy(PERSON), ".npy", "0/1"),
        (npy(PERSON.astype(np.int64)), ".npy", "0/1"),
        (npy(PERSON.astype(np.float32)), ".npy", "0/1"),
        (npy(RAMP.astype(np.float32)[None]), ".npy", "probability (float)"),
        (npy(RAMP[:, :, None]), ".npy", "probability (float)"),
        (npy(np.asfortranarray(RAMP)), ".npy", "probability (float)"),
        (npz(RAMP), ".npz", "probability (float)"),
        (png(0 * PERSON.astype(np.uint8)), ".png", "empty"),
    ],
)
def test_meaning_of_values_is_found(data, suffix, values):
    found = read(data, suffix)
    assert found.values == values
    assert found.mask.dtype == np.uint8
    expected = PERSON if values != "empty" else PERSON & False
    if "bits" in values:  # 0.5 is between two levels; none of them is a person by rounding
        full = 255 if "(8" in values else 65_535
        expected = np.floor(RAMP * full) / full >= 0.5
    np.testing.assert_array_equal(found.mask, expected)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 200 / 255, 1.0])
def test_threshold_is_the_smallest_probability_of_a_person(threshold):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    found = read(png(levels), reading=Reading(threshold=threshold))
    assert found.mask.sum() == sum(level / 255 >= threshold for level in range(256))
    floats = read(npy(levels / 255), ".npy", Reading(threshold=threshold))
    assert floats.mask.sum() == found.mask.sum()


def test_given_meaning_decides_values_that_are_not_clear():
    classes = np.zeros((24, 32), np.uint8)
    classes[:8], classes[8:12] = 1, 7
    with pytest.raises(PredictionError, match=r"values 0, 1, 7; say what they mean") as error:
        read(png(classes))
    assert error.value.problem == "values-unclear"
    assert read(png(classes), reading=Reading(Values.CLASSES)).mask.sum() == 8 * 32
    assert read(png(classes * 36), reading=Reading(Values.PROBABILITY)).mask.sum() == 4 * 32
    assert read(png(classes * 36), reading=Reading(threshold=0.1)).mask.sum() == 12 * 32
    with pytest.raises(PredictionError, match="other values than 0 and 255"):
        read(png(classes), reading=Reading(Values.BINARY))
    # A probability map without a person may hold 0 and 1 alone.
    almost_empty = (classes > 0).astype(np.uint8)
    assert read(png(almost_empty), reading=Reading(Values.PROBABILITY)).mask.sum() == 0


def test_16_bits_with_values_of_8_bits_are_not_clear():
    low = (RAMP * 200).astype(np.uint16)
    with pytest.raises(PredictionError, match="16 bits and values up to 200 only"):
        read(png(low))
    found = read(png(low), reading=Reading(Values.PROBABILITY))
    assert (found.values, found.mask.sum()) == ("probability (16 bits)", 0)


def test_0_1_and_255_together_are_not_clear():
    mask = PERSON.astype(np.uint8)
    mask[0] = 255
    with pytest.raises(PredictionError, match="values 0, 1, 255"):
        read(png(mask))


NAN = RAMP.copy()
NAN[3, :5] = np.nan
COLOURS = np.zeros((24, 32, 3), np.uint8)
COLOURS[4:8, 4:8, 0] = 128


@pytest.mark.parametrize(
    ("data", "suffix", "problem", "detail"),
    [
        (png(COLOURS), ".png", "colours", "channels differ"),
        (png(COLOURS, "RGBA"), ".png", "colours", "channels differ"),
        (encoded(Image.new("LA", (32, 24), (1, 7)), "PNG"), ".png", "colours", "transparent"),
        (npy(NAN), ".npy", "not-a-number", "5 pixels"),
        (npy(RAMP * 12 - 6), ".npy", "values-unclear", "from -6 to 6"),
        (npy(RAMP.astype(np.complex64)), ".npy", "values-unclear", "complex64"),
        (npy(-(PERSON.astype(np.int8))), ".npy", "values-unclear", "from -1 to 0; write"),
        (npy(np.zeros((2, 24, 32))), ".npy", "wrong-shape", "2 x 24 x 32"),
        (npy(np.zeros(24)), ".npy", "wrong-shape", "array of 24"),
        (npy(np.array([{}], object)), ".npy", "wrong-shape", ""),
        (npy(np.array([[{}]], object)), ".npy", "unreadable", "NumPy array"),
        (npz(RAMP, RAMP), ".npz", "wrong-shape", "2 arrays"),
        (npz(RAMP)[:60], ".npz", "unreadable", "archive"),
        (b"text", ".npy", "unreadable", "NumPy array"),
        (npy(RAMP)[:300], ".npy", "unreadable", "NumPy array"),
        (png(PERSON * np.uint8(255))[:60], ".png", "unreadable", "truncated"),
        (png(EQUAL)[:90], ".png", "unreadable", "truncated"),
        (png(EQUAL)[:-24] + png(EQUAL)[-12:], ".png", "unreadable", ""),
        (b"text", ".png", "unreadable", "header is damaged"),
        (b"", ".png", "unreadable", "0 bytes"),
        (b"", ".npy", "unreadable", "0 bytes"),
        (encoded(Image.new("L", (32, 24)), "JPEG"), ".png", "unreadable", "write PNG"),
    ],
)
def test_file_that_is_no_clear_mask_is_refused(data, suffix, problem, detail):
    with pytest.raises(PredictionError) as error:
        read(data, suffix)
    assert error.value.problem == problem
    assert detail in error.value.detail


@pytest.mark.parametrize(
    ("data", "suffix"),
    [(npy(RAMP), ".npy"), (npz(RAMP), ".npz"), (png(EQUAL), ".png"), (png(PERSON), ".png")],
)
def test_file_with_too_many_pixels_is_refused_before_it_is_decoded(data, suffix):
    with pytest.raises(PredictionError, match="more than 100 pixels"):
        read(data, suffix, limits=Limits(max_pixels=100))
