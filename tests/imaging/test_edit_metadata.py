"""Personal data is removed from images, and pixels stay the same to the bit."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from sceneset.imaging.edit import (
    convert_to_rgb,
    orient_image,
    strip_personal_data,
)
from support.edited_images import (
    JPEGS,
    ORIENTATIONS,
    SECRET,
    SRGB,
    drawn,
    exif,
    kinds,
    loaded_png,
    opened,
    pixels,
    segment,
    tag_of,
    with_personal,
)
from support.images import encoded


@pytest.mark.parametrize(
    ("channels", "options"), [*product([3], JPEGS), *product([1], JPEGS[:4])], ids=str
)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_strip_personal_data_does_not_reencode_a_jpeg(
    options: dict[str, Any], channels: int, orientation: int
) -> None:
    image, icc = drawn(channels=channels), {"icc_profile": SRGB}
    bare = encoded(image, "JPEG", **options, **icc)
    loaded = with_personal(encoded(image, "JPEG", exif=exif(orientation), **options, **icc))
    assert loaded.count(SECRET) > 14
    clean = strip_personal_data(loaded)
    assert SECRET not in clean
    assert tag_of(clean) == orientation
    assert len(clean) == len(bare) + (0 if orientation == 1 else 36)
    if orientation == 1:
        assert clean == bare, "identical to the file without personal data"
    assert dict(opened(clean).getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    assert opened(clean).info["icc_profile"] == SRGB
    assert (pixels(clean) == pixels(bare)).all()
    simplejpeg.decode_jpeg(clean, "RGB")
    assert strip_personal_data(clean) == clean


def test_strip_personal_data_keeps_restart_markers_and_progressive_scans() -> None:
    restarts = encoded(drawn(), "JPEG", restart_marker_blocks=1)
    assert b"\xff\xd0" in restarts
    progressive = encoded(drawn(), "JPEG", progressive=True)
    assert progressive.count(b"\xff\xda") > 5
    assert strip_personal_data(restarts) == restarts
    assert strip_personal_data(progressive) == progressive, "tables between the scans are kept"
    assert strip_personal_data(restarts + b"trailer") == restarts


def test_strip_personal_data_keeps_a_colour_profile_in_many_segments() -> None:
    profile = SRGB[4:] + np.random.default_rng(1).bytes(200_000)
    profile = (len(profile) + 4).to_bytes(4) + profile
    data = encoded(drawn(), "JPEG", icc_profile=profile, exif=exif(1))
    assert opened(strip_personal_data(data)).info["icc_profile"] == profile


def test_strip_personal_data_removes_a_jfif_thumbnail() -> None:
    plain = encoded(drawn(), "JPEG", dpi=(300, 200))
    thumbnail = segment(0xE0, plain[6:18] + b"\x02\x03" + bytes(range(18)))
    clean = strip_personal_data(plain[:2] + thumbnail + plain[20:])
    assert clean == plain
    assert opened(clean).info["dpi"] == (300, 200)


def test_strip_personal_data_removes_a_jfif_segment_when_it_is_too_short() -> None:
    plain = encoded(drawn(), "JPEG")
    data = plain[:2] + segment(0xE0, b"JFIF\0" + b"\1\1\0\0\1\0\1") + plain[20:]
    loaded = data[:2] + segment(0xE1, exif(6)) + data[2:]
    clean = strip_personal_data(loaded)
    assert tag_of(clean) == 6
    assert (pixels(clean) == pixels(plain)).all()


def test_strip_personal_data_keeps_the_adobe_segment_that_decoders_need() -> None:
    data = encoded(drawn(), "JPEG", keep_rgb=True, exif=exif(3))
    assert b"Adobe" in strip_personal_data(data)
    cmyk = encoded(drawn().convert("CMYK"), "JPEG", comment=SECRET)
    assert (pixels(strip_personal_data(cmyk)) == pixels(cmyk)).all()
    assert SECRET not in strip_personal_data(cmyk)


@pytest.mark.parametrize("order", "<>")
def test_strip_personal_data_keeps_the_orientation_in_either_byte_order(order: str) -> None:
    data = encoded(drawn(), "JPEG", exif=exif(8, order))
    assert tag_of(strip_personal_data(data)) == 8


def test_strip_personal_data_keeps_the_orientation_when_only_xmp_has_it() -> None:
    xmp = b'<rdf:Description tiff:Orientation="6" dc:creator="' + SECRET + b'"/>'
    data = encoded(drawn(), "JPEG", xmp=xmp)
    clean = strip_personal_data(data)
    assert SECRET not in clean
    assert opened(clean).getexif()[0x0112] == 6


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_strip_personal_data_does_not_reencode_a_png(orientation: int) -> None:
    data = loaded_png(drawn(), orientation, icc_profile=SRGB, dpi=(300, 300))
    clean = strip_personal_data(data)
    tag = [] if orientation == 1 else [b"eXIf"]
    assert kinds(clean) == [b"IHDR", *tag, b"iCCP", b"gAMA", b"pHYs", b"IDAT", b"IEND"]
    assert SECRET not in clean
    assert tag_of(clean) == orientation
    assert dict(opened(clean).getexif()) == ({} if orientation == 1 else {0x0112: orientation})
    opened(clean).verify()
    assert (pixels(clean) == pixels(data)).all()
    assert data[data.index(b"IDAT") : data.index(b"prVt") - 4] in clean
    assert strip_personal_data(clean) == clean


def test_animations_keep_their_frames_and_are_not_reencoded() -> None:
    frames = [drawn(), drawn().transpose(Image.Transpose.ROTATE_180)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])
    assert strip_personal_data(data) == data
    with pytest.raises(ValueError, match="animated"):
        orient_image(data, 3)
    with pytest.raises(ValueError, match="animated"):
        convert_to_rgb(
            encoded(frames[0].convert("L"), "PNG", save_all=True, append_images=frames[1:])
        )
