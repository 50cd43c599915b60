"""Images and masks are turned and converted without loss, or refused."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from sceneset.imaging.edit import (
    convert_to_rgb,
    map_255_to_1,
    orient_image,
    orient_mask,
    strip_personal_data,
)
from support.edited_images import (
    GRAY_PROFILE,
    JPEGS,
    ORIENTATIONS,
    SECRET,
    SRGB,
    drawn,
    exif,
    kinds,
    loaded_png,
    mask,
    opened,
    pixels,
    png_of_16_bits,
    tag_of,
    transposed,
    with_personal,
)
from support.images import encoded


@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orient_image_transposes_the_quantization_tables_of_a_jpeg(
    options: dict[str, Any], orientation: int
) -> None:
    source = with_personal(
        encoded(drawn(48, 32), "JPEG", exif=exif(orientation), icc_profile=SRGB, **options)
    )
    oriented = orient_image(source, orientation)
    before, after = JpegImageFile(io.BytesIO(source)), JpegImageFile(io.BytesIO(oriented))
    assert SECRET not in oriented
    assert tag_of(oriented) == 1
    assert after.info["icc_profile"] == SRGB
    assert bool(after.info.get("progressive")) == bool(options.get("progressive"))
    tables = {n: np.reshape(t, (8, 8)) for n, t in before.quantization.items()}
    for number, table in after.quantization.items():
        expected = tables[number].T if orientation >= 5 else tables[number]
        assert (np.reshape(table, (8, 8)) == expected).all()
    if "keep_rgb" not in options:
        sampling = get_sampling(before)
        assert get_sampling(after) == (0 if sampling == 1 and orientation >= 5 else sampling)
    expected = transposed(source, orientation)
    assert np.abs(pixels(oriented).astype(int) - expected).mean() < 2
    assert orient_image(oriented, 1) == oriented, "an oriented image does not change"
    if orientation == 1:
        assert oriented == strip_personal_data(source), "not encoded again"


def test_orient_image_keeps_a_gray_jpeg_gray() -> None:
    source = encoded(drawn(channels=1), "JPEG", exif=exif(5))
    oriented = orient_image(source, 5)
    assert opened(oriented).mode == "L"
    assert np.abs(pixels(oriented).astype(int) - transposed(source, 5)).mean() < 1


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orient_image_is_lossless_for_a_png(orientation: int) -> None:
    images = [drawn(), drawn(channels=1), drawn(channels=4), drawn().quantize(17)]
    images += [drawn(channels=1).convert("1"), drawn(channels=4).convert("LA")]
    images.append(Image.fromarray(np.arange(600, dtype=np.uint16).reshape(20, 30) * 100))
    for image in images:
        source = loaded_png(image, orientation, icc_profile=SRGB)
        oriented = orient_image(source, orientation)
        assert opened(oriented).mode == image.mode
        assert (pixels(oriented) == transposed(source, orientation)).all()
        assert kinds(oriented).count(b"iCCP") == kinds(oriented).count(b"gAMA") == 1
        assert opened(oriented).info["icc_profile"] == SRGB
        assert tag_of(oriented) == 1
        assert SECRET not in oriented
        if image.mode == "P":
            assert opened(oriented).getpalette() == opened(source).getpalette()
        opened(oriented).verify()


def test_orient_image_keeps_a_transparent_colour() -> None:
    source = encoded(drawn().quantize(5), "PNG", transparency=2)
    assert (
        opened(orient_image(source, 6)).info["transparency"] == opened(source).info["transparency"]
    )


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_edits_refuse_to_reencode_when_channels_have_16_bits(channels: int) -> None:
    data = png_of_16_bits(channels)
    assert strip_personal_data(data) == data
    with pytest.raises(ValueError, match="16 bits"):
        orient_image(data, 6)
    with pytest.raises(ValueError, match="16 bits"):
        convert_to_rgb(data)


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_orient_functions_refuse_an_invalid_orientation(orientation: int) -> None:
    image, gray = encoded(drawn(), "JPEG"), encoded(drawn(channels=1), "PNG")
    for edit in (lambda: orient_image(image, orientation), lambda: orient_mask(gray, orientation)):
        with pytest.raises(ValueError, match="1 to 8"):
            edit()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orient_mask_turns_a_mask_like_its_image(orientation: int) -> None:
    source = loaded_png(mask(0, 1, 255, 17), orientation, transparency=17, icc_profile=GRAY_PROFILE)
    oriented = orient_mask(source, orientation)
    assert (pixels(oriented) == transposed(source, orientation)).all()
    assert kinds(oriented) == [b"IHDR", b"IDAT", b"IEND"]
    assert oriented == orient_mask(source, orientation)


def test_mask_edits_refuse_a_file_when_it_is_not_an_8_bit_gray_png() -> None:
    others = [drawn(), drawn(channels=4), drawn().quantize(2), mask(0, 255).convert("1")]
    others.append(Image.fromarray(np.zeros((20, 30), np.uint16)))
    for data in [*(encoded(image, "PNG") for image in others), encoded(mask(0, 1), "JPEG")]:
        for edit in (lambda d: orient_mask(d, 3), map_255_to_1):
            with pytest.raises(ValueError, match="8-bit"):
                edit(data)


@pytest.mark.parametrize("values", [(0, 255), (255,), (0,)])
def test_map_255_to_1_returns_a_mask_of_0_and_1(values: tuple[int, ...]) -> None:
    source = loaded_png(mask(*values), 1)
    edited = map_255_to_1(source)
    assert (pixels(edited) == (pixels(source) == 255)).all()
    assert opened(edited).mode == "L"
    assert kinds(edited) == [b"IHDR", b"IDAT", b"IEND"]
    assert edited == map_255_to_1(source)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_map_255_to_1_keeps_the_orientation_of_the_mask(orientation: int) -> None:
    mask = Image.fromarray(np.array([[0, 255, 255], [0, 0, 255]], np.uint8))
    mapped = map_255_to_1(encoded(mask, "PNG", exif=exif(orientation)))
    assert (pixels(mapped) == np.asarray(mask) // 255).all()
    assert tag_of(mapped) == orientation
    assert SECRET not in mapped


def test_map_255_to_1_lists_other_values_when_there_are_any() -> None:
    with pytest.raises(ValueError, match=r"0 and 255: 1, 7, 254$"):
        map_255_to_1(encoded(mask(0, 1, 7, 254, 255), "PNG"))
    with pytest.raises(ValueError, match="1"):
        map_255_to_1(encoded(mask(0, 1), "PNG"))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 98}], ids=str)
def test_convert_to_rgb_keeps_the_appearance_and_quality_of_a_gray_jpeg(
    options: dict[str, Any],
) -> None:
    source = encoded(
        drawn(channels=1), "JPEG", exif=exif(6), icc_profile=GRAY_PROFILE, comment=SECRET, **options
    )
    edited = convert_to_rgb(source)
    before, after = JpegImageFile(io.BytesIO(source)), JpegImageFile(io.BytesIO(edited))
    assert after.mode == "RGB"
    assert after.quantization == before.quantization
    assert bool(after.info.get("progressive")) == bool(options.get("progressive"))
    assert "icc_profile" not in after.info, "a gray profile is invalid for RGB"
    assert tag_of(edited) == 6, "the orientation tag is kept"
    assert SECRET not in edited
    rgb = pixels(edited).astype(int)
    assert (rgb == rgb[..., :1]).all(), "all channels are equal"
    assert np.abs(rgb[..., 0] - pixels(source)).mean() < 0.5
    assert convert_to_rgb(edited) == edited


def test_convert_to_rgb_converts_a_png_when_it_is_opaque() -> None:
    opaque = drawn(channels=4)
    opaque.putalpha(255)
    images = [drawn(channels=1), opaque, opaque.convert("LA"), drawn().quantize(9), drawn()]
    images.append(drawn(channels=1).convert("1"))
    for image in images:
        source = loaded_png(image, 8, icc_profile=SRGB)
        edited = convert_to_rgb(source)
        assert opened(edited).mode == "RGB"
        assert (pixels(edited) == np.asarray(image.convert("RGB"))).all()
        assert tag_of(edited) == 8
        assert opened(edited).info["icc_profile"] == SRGB
        assert SECRET not in edited
        opened(edited).verify()


def test_convert_to_rgb_ignores_a_transparent_colour_when_no_pixel_has_it() -> None:
    gray = Image.fromarray(np.full((5, 6), 40, np.uint8))
    unused = convert_to_rgb(encoded(gray, "PNG", transparency=41))
    assert opened(unused).mode == "RGB"
    assert "transparency" not in opened(unused).info
    used = encoded(Image.new("RGB", (5, 6), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    with pytest.raises(ValueError, match="transparent"):
        convert_to_rgb(used)


def test_convert_to_rgb_refuses_an_image_when_the_result_is_ambiguous() -> None:
    see_through = drawn(channels=4)
    see_through.putpixel((3, 4), (1, 2, 3, 254))
    palette = encoded(drawn().quantize(4), "PNG", transparency=0)
    for data in (encoded(see_through, "PNG"), palette, encoded(see_through.convert("LA"), "PNG")):
        with pytest.raises(ValueError, match="transparent"):
            convert_to_rgb(data)
    with pytest.raises(ValueError, match="CMYK"):
        convert_to_rgb(encoded(drawn().convert("CMYK"), "JPEG"))
    with pytest.raises(ValueError, match="I;16"):
        convert_to_rgb(encoded(Image.fromarray(np.zeros((20, 30), np.uint16)), "PNG"))
