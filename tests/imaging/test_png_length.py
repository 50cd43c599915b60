"""PNGs whose checksums are right and whose pixels are not."""

import zlib

import numpy as np
import pytest

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import decoded_image, decoded_mask
from sceneset.schemas.params import Limits

LIMITS = Limits()
GRAY = (0, 8, 1)
PALETTE = 3
PASSES = (  # of interlaced pictures, as the PNG specification draws them
    *("16462646", "77777777", "56565656", "77777777"),
    *("36463646", "77777777", "56565656", "77777777"),
)


def png_of(
    pixels: bytes,
    size: tuple[int, int],
    kind: tuple[int, int, int] = GRAY,
    *,
    interlaced: bool = False,
    packed: bool = True,
) -> bytes:
    """Write a PNG whose checksums are right, whatever its pixels are; in two IDAT chunks."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4)

    colours, depth, _ = kind
    said = bytes([depth, colours, 0, 0, interlaced])
    parts = [chunk(b"IHDR", size[0].to_bytes(4) + size[1].to_bytes(4) + said)]
    parts += [chunk(b"PLTE", bytes(48))] if colours == PALETTE else []
    data = zlib.compress(pixels) if packed else pixels
    parts += [chunk(b"IDAT", data[:5]), chunk(b"IDAT", data[5:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def rows_of(size: tuple[int, int], bits: int, *, interlaced: bool) -> list[int]:
    """Return how many bytes each row takes, pass by pass."""
    found = []
    for number in "1234567" if interlaced else "-":
        for y in range(size[1]):
            columns = sum(not interlaced or PASSES[y % 8][x % 8] == number for x in range(size[0]))
            if columns:
                found.append(1 + -(-columns * bits // 8))
    return found


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    "kind",
    [(0, 1, 1), (0, 2, 1), GRAY, (2, 8, 3), (2, 16, 3), (PALETTE, 4, 1), (4, 8, 2), (6, 8, 4)],
)
@pytest.mark.parametrize("size", [(8, 8), (17, 13), (9, 33), (40, 8)])
def test_pixels_that_end_too_early_are_refused(kind, size, interlaced):
    rows = rows_of(size, kind[1] * kind[2], interlaced=interlaced)
    whole = bytes(sum(rows))
    found = decoded_image(png_of(whole, size, kind, interlaced=interlaced), ".png", LIMITS)
    assert found.pixels.shape[:2] == size[::-1]
    for lacking in (1, rows[-1], sum(rows[1:]), sum(rows)):
        data = png_of(whole[lacking:], size, kind, interlaced=interlaced)
        with pytest.raises(UndecodableError) as caught:
            decoded_image(data, ".png", LIMITS)
        assert caught.value.code == "image-unreadable"


def test_an_interlaced_mask_that_lacks_passes_is_refused():
    rows = rows_of((64, 64), 8, interlaced=True)
    whole = b"".join(b"\0" + b"\1" * (row - 1) for row in rows)
    assert decoded_mask(png_of(whole, (64, 64), interlaced=True), LIMITS).sum() == 64 * 64
    with pytest.raises(UndecodableError):
        decoded_mask(png_of(whole[: sum(rows[:8])], (64, 64), interlaced=True), LIMITS)


def test_pixels_that_are_wrong_in_spite_of_right_checksums_are_refused():
    random = np.random.default_rng(0)
    good = bytes(17 * 16)
    assert decoded_mask(png_of(good, (16, 16)), LIMITS).shape == (16, 16)
    packed = zlib.compress(good)
    wrong = [png_of(good[:size], (16, 16)) for size in (0, 1, 17, 200, 271)]
    wrong += [png_of(packed[:size], (16, 16), packed=False) for size in range(8)]
    wrong += [png_of(random.bytes(size), (16, 16), packed=False) for size in range(0, 300, 7)]
    wrong += [png_of(b"\5" + good[1:], (16, 16))]  # no such filter
    for data in wrong:
        with pytest.raises(UndecodableError):
            decoded_mask(data, LIMITS)
