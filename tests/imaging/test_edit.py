"""Edits of damaged, hostile and real image files."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageOps

from sceneset.imaging.edit import (
    convert_to_rgb,
    map_255_to_1,
    orient_image,
    orient_mask,
    strip_personal_data,
)
from support.build import SHARED, needs_shared
from support.edited_images import drawn, exif, opened, pixels, tag_of
from support.images import encoded

HOSTILE = SHARED / "data/hostile"


def damaged() -> Iterator[tuple[str, bytes]]:
    jpeg = encoded(drawn(9, 9), "JPEG", progressive=True, exif=exif(6))
    png = encoded(drawn(9, 9), "PNG", exif=exif(6))
    for cut in range(len(jpeg)):
        yield f"jpeg[:{cut}]", jpeg[:cut]
    for cut in range(len(png)):
        yield f"png[:{cut}]", png[:cut]
    broken = bytearray(png)
    broken[png.index(b"IDAT") + 9] ^= 1
    yield "wrong checksum", bytes(broken)
    yield "no scan", b"\xff\xd8\xff\xd9"
    yield "second start marker", jpeg[:2] + jpeg
    yield "no marker between segments", jpeg[:2] + b"junk" + jpeg[2:]
    yield "wrong chunk length", png[:8] + b"\0" + png[9:12] + png[16:]
    yield "empty", b""
    yield "GIF", encoded(drawn(), "GIF")


EDITS: list[Callable[[bytes], bytes]] = [
    strip_personal_data,
    lambda data: orient_image(data, 6),
    lambda data: orient_mask(data, 6),
    convert_to_rgb,
    map_255_to_1,
]


def test_edits_give_a_reason_when_the_file_is_truncated_or_damaged() -> None:
    for (name, data), edit in product(damaged(), EDITS):
        with pytest.raises(ValueError, match=r"^[a-z].+") as refused:
            edit(data)
        assert "0x" not in str(refused.value), f"{name}: a message contains a memory address"


def test_edits_refuse_damaged_pixels_when_pillow_accepts_them() -> None:
    for channels in (1, 3):
        data = encoded(drawn(200, 200, channels), "JPEG")
        middle = (data.index(b"\xff\xda") + len(data)) // 2
        data = data[:middle] + data[middle + 40 :]
        opened(data).load()  # Pillow accepts it
        with pytest.raises(ValueError, match="Corrupt"):
            orient_image(data, 6)
        if channels == 1:
            with pytest.raises(ValueError, match="Corrupt"):
                convert_to_rgb(data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_edits_raise_only_value_errors_when_bytes_are_changed(
    kind: str, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(encoded(drawn(9, 9), kind, exif=exif(6)))
    for at, value in flips:
        data[at % len(data)] = value
    for edit in EDITS:
        try:
            edit(bytes(data))
        except ValueError:
            continue


@needs_shared
@pytest.mark.parametrize("folder", ["04_exif_orientation", "05_bad_metadata"])
def test_edits_handle_or_refuse_hostile_files(folder: str) -> None:
    edited = refused = 0
    for path in sorted((HOSTILE / folder).iterdir()):
        data = path.read_bytes()
        for edit in EDITS:
            try:
                result = edit(data)
            except ValueError:
                refused += 1
                continue
            edited += 1
            assert strip_personal_data(result) == result
            assert {*opened(result).getexif()} <= {0x0112}
    assert edited > 20
    assert refused > 0


@needs_shared
def test_strip_personal_data_keeps_pixels_when_metadata_is_broken() -> None:
    for path in sorted((HOSTILE / "05_bad_metadata").iterdir()):
        data = path.read_bytes()
        try:
            clean = strip_personal_data(data)
        except ValueError:
            continue
        assert (pixels(clean) == pixels(data)).all(), path.name


def examples() -> list[Path]:
    folder = HOSTILE / "04_exif_orientation"
    return sorted([*folder.glob("Portrait_?.jpg"), *folder.glob("Landscape_?.jpg")])


@needs_shared
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_real_photos_are_stripped_and_oriented(path: Path) -> None:
    data, tag = path.read_bytes(), int(path.stem[-1])
    clean = strip_personal_data(data)
    assert len(clean) < len(data)
    assert tag_of(clean) == tag
    assert (pixels(clean) == pixels(data)).all()
    assert clean[clean.index(b"\xff\xda") :] in data, "the encoded pixels are unchanged"
    oriented = orient_image(data, tag)
    assert tag_of(oriented) == 1
    expected = np.asarray(ImageOps.exif_transpose(opened(data))).astype(int)
    assert pixels(oriented).shape == expected.shape
    assert np.abs(pixels(oriented) - expected).mean() < 2
    simplejpeg.decode_jpeg(oriented, "RGB")


@needs_shared
def test_orientation_tags_of_real_pngs_are_kept_and_applied() -> None:
    for name in ("exif_imagemagick_orientation.png", "xmp_tags_orientation_exiftool.png"):
        data = (HOSTILE / "04_exif_orientation" / name).read_bytes()
        assert tag_of(strip_personal_data(data)) == 3
        expected = ImageOps.exif_transpose(opened(data))
        assert (pixels(orient_image(data, 3)) == np.asarray(expected)).all()


@needs_shared
def test_strip_personal_data_removes_the_gps_location() -> None:
    data = (HOSTILE / "05_bad_metadata/exif_gps.jpg").read_bytes()
    assert opened(data).getexif().get_ifd(0x8825)
    clean = strip_personal_data(data)
    assert not opened(clean).getexif()
    assert b"Exif" not in clean


@needs_shared
def test_strip_personal_data_keeps_the_first_image_of_a_multi_picture_jpeg() -> None:
    data = (HOSTILE / "07_wrong_name_or_format/mpo_inside.jpg").read_bytes()
    assert getattr(opened(data), "n_frames", 1) == 2
    clean = strip_personal_data(data)
    assert opened(clean).format == "JPEG"
    assert getattr(opened(clean), "n_frames", 1) == 1
    assert clean.count(b"\xff\xd9") == 1
    assert (pixels(clean) == pixels(data)).all()
    assert simplejpeg.decode_jpeg(clean, "RGB").shape == (480, 640, 3)


@needs_shared
@pytest.mark.parametrize("name", ["cat.jpg", "3.jpg"])
def test_real_progressive_photos_stay_progressive(name: str) -> None:
    data = (HOSTILE / "08_animated_progressive_interlaced" / name).read_bytes()
    clean = strip_personal_data(data)
    assert (pixels(clean) == pixels(data)).all()
    assert opened(orient_image(data, 6)).info["progressive"]
