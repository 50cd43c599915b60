"""PNGs with valid checksums and missing or damaged pixel data are refused."""

import zlib

import numpy as np
import pytest

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import decode_image, decode_mask
from sceneset.schemas.params import Limits
from support.images import png_chunk

LIMITS = Limits()
GRAY = (0, 8, 1)
"""Colour type, bits per channel, channels."""
PALETTE = 3
PASSES = (  # pass of each pixel of an interlaced image, as drawn in the PNG specification
    *("16462646", "77777777", "56565656", "77777777"),
    *("36463646", "77777777", "56565656", "77777777"),
)


def png_of(
    pixels: bytes,
    size: tuple[int, int],
    kind: tuple[int, int, int] = GRAY,
    *,
    interlaced: bool = False,
    compress: bool = True,
) -> bytes:
    """Return a PNG with valid checksums and any pixel data, in two IDAT chunks."""
    colours, depth, _ = kind
    header = bytes([depth, colours, 0, 0, interlaced])
    parts = [png_chunk(b"IHDR", size[0].to_bytes(4) + size[1].to_bytes(4) + header)]
    parts += [png_chunk(b"PLTE", bytes(48))] if colours == PALETTE else []
    data = zlib.compress(pixels) if compress else pixels
    parts += [png_chunk(b"IDAT", data[:5]), png_chunk(b"IDAT", data[5:]), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def row_sizes(size: tuple[int, int], bits: int, *, interlaced: bool) -> list[int]:
    """Return the size of each row in bytes, pass by pass."""
    sizes = []
    for number in "1234567" if interlaced else "-":
        for y in range(size[1]):
            columns = sum(not interlaced or PASSES[y % 8][x % 8] == number for x in range(size[0]))
            if columns:
                sizes.append(1 + -(-columns * bits // 8))
    return sizes


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    "kind",
    [(0, 1, 1), (0, 2, 1), GRAY, (2, 8, 3), (2, 16, 3), (PALETTE, 4, 1), (4, 8, 2), (6, 8, 4)],
)
@pytest.mark.parametrize("size", [(8, 8), (17, 13), (9, 33), (40, 8)])
def test_decode_image_refuses_a_png_when_pixel_data_is_missing(kind, size, interlaced):
    rows = row_sizes(size, kind[1] * kind[2], interlaced=interlaced)
    complete = bytes(sum(rows))
    decoded = decode_image(png_of(complete, size, kind, interlaced=interlaced), ".png", LIMITS)
    assert decoded.pixels.shape[:2] == size[::-1]
    for missing in (1, rows[-1], sum(rows[1:]), sum(rows)):
        data = png_of(complete[missing:], size, kind, interlaced=interlaced)
        with pytest.raises(UndecodableError) as caught:
            decode_image(data, ".png", LIMITS)
        assert caught.value.code == "image-unreadable"


def test_decode_mask_refuses_an_interlaced_mask_when_passes_are_missing():
    rows = row_sizes((64, 64), 8, interlaced=True)
    complete = b"".join(b"\0" + b"\1" * (row - 1) for row in rows)
    assert decode_mask(png_of(complete, (64, 64), interlaced=True), LIMITS).sum() == 64 * 64
    with pytest.raises(UndecodableError):
        decode_mask(png_of(complete[: sum(rows[:8])], (64, 64), interlaced=True), LIMITS)


def test_decode_mask_refuses_damaged_pixel_data_when_checksums_are_valid():
    random = np.random.default_rng(0)
    good = bytes(17 * 16)
    assert decode_mask(png_of(good, (16, 16)), LIMITS).shape == (16, 16)
    compressed = zlib.compress(good)
    damaged = [png_of(good[:size], (16, 16)) for size in (0, 1, 17, 200, 271)]
    damaged += [png_of(compressed[:size], (16, 16), compress=False) for size in range(8)]
    damaged += [png_of(random.bytes(size), (16, 16), compress=False) for size in range(0, 300, 7)]
    damaged += [png_of(b"\5" + good[1:], (16, 16))]  # there is no filter 5
    for data in damaged:
        with pytest.raises(UndecodableError):
            decode_mask(data, LIMITS)
