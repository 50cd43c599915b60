"""Pictures for terminals, decoded again."""

import io

import numpy as np
import pytest
from PIL import Image

from sceneset.imaging.terminal_picture import Cell, Protocol, encode, picture_from_png, strips
from support.terminal_graphics import joined, pictures_in


def photo(width: int, height: int) -> Image.Image:
    """Return a smooth picture with noise, so that it neither compresses well nor has few colors."""
    noise = np.random.default_rng(7).integers(0, 24, (height, width, 3))
    y, x = np.mgrid[:height, :width]
    base = np.stack([200 * x / width, 200 * y / height, 100 + 0 * x], axis=-1)
    return Image.fromarray((base + noise).astype(np.uint8))


def sent(picture: Image.Image, protocol: Protocol) -> Image.Image:
    [found] = pictures_in("".join(encode(picture, protocol)))
    return found


@pytest.mark.parametrize("size", [(1, 1), (97, 43), (300, 200)], ids=str)
@pytest.mark.parametrize("protocol", [Protocol.KITTY, Protocol.ITERM])
def test_terminal_gets_the_same_pixels(protocol, size):
    picture = photo(*size)
    assert np.array_equal(np.asarray(sent(picture, protocol)), np.asarray(picture))


@pytest.mark.parametrize("size", [(1, 1), (97, 43), (64, 6), (5, 7)], ids=str)
def test_sixel_has_the_pixels_in_256_colors(size):
    picture = photo(*size)
    found = np.asarray(sent(picture, Protocol.SIXEL), int)
    assert found.shape == (size[1], size[0], 3)
    difference = np.abs(found - np.asarray(picture, int))
    assert difference.mean() < 12
    few = picture.quantize(8, dither=Image.Dither.NONE).convert("RGB")
    again = np.asarray(sent(few, Protocol.SIXEL), int)
    assert np.abs(again - np.asarray(few, int)).max() <= 2, "colors are in percent"


def test_strips_are_whole_lines_and_give_the_picture():
    picture = photo(720, 1000)
    found = list(strips(picture, Cell(9, 17), 23))
    assert len(found) > 2
    assert all(strip.height % 17 == 0 and strip.height <= 23 * 17 for strip in found[:-1])
    assert np.array_equal(np.asarray(joined(found)), np.asarray(picture))


def test_strip_fits_what_tmux_passes_on():
    noise = np.random.default_rng(1).integers(0, 256, (400, 1600, 3), np.uint8)
    for strip in strips(Image.fromarray(noise), Cell(10, 20), 50):
        assert sum(map(len, encode(strip, Protocol.ITERM))) < 1 << 20


def test_wide_picture_is_made_smaller_and_others_are_kept():
    data = io.BytesIO()
    photo(400, 100).save(data, "PNG")
    assert picture_from_png(data.getvalue(), 200).size == (200, 50)
    assert picture_from_png(data.getvalue(), 400).size == (400, 100)
