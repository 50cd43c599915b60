"""JPEGs that every reader takes are taken, with Pillow's pixels; lost pixels are still found."""

import io
import re
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from sceneset.errors import UndecodableError
from sceneset.imaging.edit import orient_image, strip_personal_data
from sceneset.imaging.facts import measure_image
from sceneset.imaging.strict_jpeg import with_usual_header
from sceneset.schemas.params import Limits
from support.images import encoded, noise

LIMITS = Limits()


def photo(seed: int = 0, size: tuple[int, int] = (203, 155)) -> Image.Image:
    """Draw an image with soft shapes and some noise, as photos have."""
    soft = Image.fromarray(noise((9, 7), seed)).resize(size, Image.Resampling.BICUBIC)
    grain = noise(size, seed + 1).astype(int) // 16 - 8
    return Image.fromarray((np.asarray(soft, int) + grain).clip(0, 255).astype(np.uint8))


def jpeg(seed: int = 0, **options: object) -> bytes:
    return encoded(photo(seed), "JPEG", quality=88, **options)


def with_jfif_2(data: bytes) -> bytes:
    return data[:11] + b"\2\1" + data[13:]


def with_adobe(transform: int) -> Callable[[bytes], bytes]:
    segment = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([transform])
    return lambda data: data[:2] + segment + data[20:]


def with_scan_end_0(data: bytes) -> bytes:
    """Write 0 for the last coefficient of each scan, as many phones' front cameras do."""
    return re.sub(rb"(\xff\xda..\x03.{6}\0)\x3f\0", rb"\1\0\0", data, flags=re.DOTALL)


def with_junk(data: bytes) -> bytes:
    """Insert bytes between two segments of the header, which decoders skip."""
    return data[:20] + b"junk" + data[20:]


def with_bad_icc(data: bytes) -> bytes:
    return data[:20] + b"\xff\xe2\0\x12ICC_PROFILE\0\x05\x03ab" + data[20:]


def with_padding(data: bytes) -> bytes:
    """Insert zeros before the end marker, as some cameras do."""
    return data[:-2] + bytes(40) + data[-2:]


def sampled(factors: str, seed: int = 0) -> bytes:
    """Return a JPEG with sampling factors that Pillow can't write, such as "22,21,12".

    Its compressed data is that of another subsampling, so it is decoded to other blocks: every
    block is there, and that is all that the decoder needs.
    """
    blocks = sum(int(f[0]) * int(f[1]) for f in factors.split(","))
    widest = (
        max(int(f[0]) for f in factors.split(",")),
        max(int(f[1]) for f in factors.split(",")),
    )
    columns, rows = 8, 6
    size = (columns * 8 * widest[0], rows * 8 * widest[1])
    # A gray image with all blocks of the scan in a row; then the header is replaced.
    gray = photo(seed, (8 * blocks * columns, 8 * rows)).convert("L")
    data = encoded(gray, "JPEG", quality=88)
    frame = data.index(b"\xff\xc0")
    scan = data.index(b"\xff\xda")
    length = int.from_bytes(data[frame + 2 : frame + 4])
    header = bytearray(b"\xff\xc0\0\x11\x08")
    header += size[1].to_bytes(2) + size[0].to_bytes(2) + b"\3"
    for number, factor in enumerate(factors.split(","), 1):
        header += bytes((number, int(factor[0]) << 4 | int(factor[1]), 0))
    start = b"\xff\xda\0\x0c\3\1\0\2\0\3\0\0\x3f\0"
    tail = data[scan + 2 + int.from_bytes(data[scan + 2 : scan + 4]) :]
    between = data[frame + 2 + length : scan]
    return data[:frame] + bytes(header) + between + start + tail


UNUSUAL: dict[str, Callable[[int], bytes]] = {
    "JFIF 2.01": lambda seed: with_jfif_2(jpeg(seed)),
    "Adobe 5": lambda seed: with_adobe(5)(jpeg(seed)),
    "scan end 0": lambda seed: with_scan_end_0(jpeg(seed)),
    "JFIF 2.01 and scan end 0": lambda seed: with_jfif_2(with_scan_end_0(jpeg(seed))),
    "progressive JFIF 2.01": lambda seed: with_jfif_2(jpeg(seed, progressive=True)),
    "junk in the header": lambda seed: with_junk(jpeg(seed)),
    "bad ICC segment": lambda seed: with_bad_icc(jpeg(seed)),
    "zeros before the end": lambda seed: with_padding(jpeg(seed)),
    "JFIF 2.01 and zeros before the end": lambda seed: with_padding(with_jfif_2(jpeg(seed))),
    "progressive and zeros before the end": lambda seed: with_padding(jpeg(seed, progressive=True)),
    "4:1:0": lambda seed: sampled("42,11,11", seed),
    "2x2, 2x1, 1x2": lambda seed: sampled("22,21,12", seed),
    "less luma than chroma": lambda seed: sampled("11,22,22", seed),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_jpeg_with_an_unusual_header_has_the_pixels_of_pillow(name: str) -> None:
    data = UNUSUAL[name](3)
    facts = measure_image(data, ".jpg", LIMITS)
    pixels = np.asarray(Image.open(io.BytesIO(data)), np.int64)
    assert facts.sums == tuple(pixels.sum((0, 1)))
    assert facts.squares == tuple((pixels**2).sum((0, 1)))


@pytest.mark.parametrize("name", UNUSUAL)
def test_every_missing_part_of_an_unusual_jpeg_is_found(name: str) -> None:
    """Pillow alone reads all of these without an error, except truncated files."""
    missed = tried = 0
    for seed in range(8):
        data = UNUSUAL[name](seed)
        scan = data.index(b"\xff\xda") + 14
        middle = (scan + len(data)) // 2
        damaged = [data[: int(len(data) * share)] for share in (0.5, 0.9, 0.99)]
        damaged += [data[:-2], data[:middle] + data[middle + 512 :]]
        for file in damaged:
            tried += 1
            with suppress(UndecodableError):
                measure_image(file, ".jpg", LIMITS)
                missed += 1
    assert (missed, tried) == (0, 40)


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_damage_in_a_cmyk_jpeg_is_found_in_any_subsampling(
    subsampling: int, options: dict[str, object]
) -> None:
    """Pillow subsamples all inks but the first, which TurboJPEG has no name for."""
    inks = Image.fromarray(noise((9, 7), channels=4), "CMYK")
    soft = inks.resize((203, 155), Image.Resampling.BICUBIC)
    data = encoded(soft, "JPEG", quality=88, subsampling=subsampling, **options)
    facts = measure_image(data, ".jpg", LIMITS)
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int64)
    assert (facts.mode, facts.sums) == ("CMYK", tuple(pixels.sum((0, 1))))
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    for damaged in (data[:middle], data[:-2], data[:middle] + data[middle + 100 :]):
        with pytest.raises(UndecodableError, match="does not decode"):
            measure_image(damaged, ".jpg", LIMITS)


def test_an_unusual_jpeg_can_be_edited() -> None:
    for make in (UNUSUAL["4:1:0"], UNUSUAL["scan end 0"], UNUSUAL["Adobe 5"]):
        data = make(1)
        expected = np.asarray(Image.open(io.BytesIO(data)).transpose(Image.Transpose.ROTATE_180))
        turned = np.asarray(Image.open(io.BytesIO(orient_image(data, 3))), int)
        assert np.abs(turned - expected).mean() < 4
        clean = strip_personal_data(data)
        assert (
            np.asarray(Image.open(io.BytesIO(clean))) == np.asarray(Image.open(io.BytesIO(data)))
        ).all()


def test_usual_header_keeps_the_compressed_data_and_a_usual_file() -> None:
    data = encoded(photo(), "JPEG", quality=88)
    assert with_usual_header(data) == data
    unusual = with_jfif_2(with_bad_icc(with_junk(data)))
    assert with_usual_header(unusual) == data
    assert with_usual_header(with_scan_end_0(data)) == data
    assert with_scan_end_0(data) != data
    for broken in (b"\xff\xd8", data[:200], b"\xff\xd8\xff\xd9", data[:2] + data):
        assert with_usual_header(broken) is None


def with_scans(count: int, size: tuple[int, int]) -> bytes:
    """Return a progressive JPEG with many more scans, each an empty refinement."""
    data = encoded(Image.new("L", size, 77), "JPEG", progressive=True)
    end = data.rindex(b"\xff\xd9")
    last = data.rindex(b"\xff\xda")
    return data[:end] + data[last:end] * count + data[end:]


def test_a_jpeg_with_thousands_of_scans_is_refused_before_it_is_decoded() -> None:
    data = with_scans(3000, (2000, 1500))
    start = time.process_time()
    with pytest.raises(UndecodableError) as caught:
        measure_image(data, ".jpg", LIMITS)
    assert time.process_time() - start < 2
    assert caught.value.code == "image-too-large"
    assert "scans" in caught.value.message
    with pytest.raises(ValueError, match="scans"):
        orient_image(data, 3)


def test_ordinary_progressive_jpegs_have_few_enough_scans() -> None:
    for seed in range(3):
        data = jpeg(seed, progressive=True)
        assert 5 < data.count(b"\xff\xda") <= 20
        assert measure_image(data, ".jpg", Limits(max_pixels=170_000_000)).mode == "RGB"
    assert JpegImageFile(io.BytesIO(with_scans(3, (64, 64)))).info["progressive"]
