"""Edits of image files: metadata is removed, pixels stay the same, and damage is refused."""

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngInfo

from sceneset.imaging.edit import (
    clean_stem,
    convert_to_rgb,
    map_255_to_1,
    orient_image,
    orient_mask,
    strip_personal_data,
)
from sceneset.schemas.names import invalid_stem_reason
from support.build import SHARED, needs_shared
from support.images import encoded, png_chunk

HOSTILE = SHARED / "data/hostile"
SECRET = b"Jane Doe, 12 Elm Street"
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GRAY_PROFILE = SRGB[:16] + b"GRAY" + SRGB[20:]
ORIENTATIONS = range(1, 9)
JPEGS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 1},
    {"restart_marker_rows": 1, "progressive": True},
    {"subsampling": 0, "quality": 95},
    {"subsampling": 1},
    {"keep_rgb": True},
]


def drawn(width: int = 53, height: int = 37, channels: int = 3) -> Image.Image:
    """Draw a smooth image that looks different in each of the eight orientations."""
    low = np.random.default_rng(7).integers(0, 256, (4, 5, channels), dtype=np.uint8)
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    image = Image.fromarray(low[..., 0] if channels == 1 else low)
    assert image.mode == mode
    return image.resize((width, height), Image.Resampling.BICUBIC)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def pixels(data: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(opened(data))


def tag_of(data: bytes) -> int:
    return int(opened(data).getexif().get(0x0112, 1))


def exif(orientation: int, order: str = ">") -> bytes:
    """Return an EXIF block with an author, a location, a fake thumbnail and an orientation."""
    made = Image.Exif()
    made.endian = order
    made[0x0112] = orientation
    made[0x013B] = SECRET.decode()
    made.get_ifd(0x8825)[2] = (48.0, 12.0, 30.0)
    return made.tobytes() + b"\xff\xd8 a thumbnail \xff\xd9"


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


PERSONAL = (
    segment(0xFE, SECRET)
    + segment(0xE0, b"JFXX\0\x10" + SECRET)
    + segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET)
    + segment(0xE2, b"MPF\0" + SECRET)
    + b"\xff\xff\xff"  # fill bytes
    + segment(0xED, b"Photoshop 3.0\0" + SECRET)
    + segment(0xEB, b"JP" + SECRET)
    + segment(0xFE, b"Adobe ICC_PROFILE\0 " + SECRET)
)


def with_personal(jpeg: bytes) -> bytes:
    """Insert personal data after the header, between the scans and after the end of a JPEG."""
    head = 20 if jpeg[2:4] == b"\xff\xe0" else 2
    first_scan = jpeg.index(b"\xff\xda")
    after = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]").search(jpeg, first_scan + 2)
    assert after
    between = after.start()
    return jpeg[:head] + PERSONAL + jpeg[head:between] + PERSONAL + jpeg[between:] + jpeg + SECRET


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


def loaded_png(image: Image.Image, orientation: int, **options: Any) -> bytes:
    info = PngInfo()
    info.add_text("Author", SECRET.decode())
    info.add_text("Comment", SECRET.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>")
    info.add(b"tIME", bytes((7, 232, 1, 15, 9, 30, 0)))
    info.add(b"gAMA", struct.pack(">I", 45455))
    info.add(b"prVt", SECRET, after_idat=True)
    data = encoded(image, "PNG", exif=exif(orientation), pnginfo=info, **options)
    return data + b"the rest of a cropped image: " + SECRET


def kinds(png: bytes) -> list[bytes]:
    found, at = [], 8
    while at < len(png):
        found.append(png[at + 4 : at + 8])
        at += 12 + int.from_bytes(png[at : at + 4])
    return found


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


def transposed(data: bytes, orientation: int) -> npt.NDArray[np.uint8]:
    """Return the pixels as Pillow orients an image with this EXIF orientation."""
    image = JpegImageFile(io.BytesIO(data)) if data[:1] == b"\xff" else opened(data)
    image.getexif()[0x0112] = orientation
    return np.asarray(ImageOps.exif_transpose(image))


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


def png_of_16_bits(channels: int) -> bytes:
    kind = {2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", 4, 3, 16, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes([255]) * (8 * channels) for _ in range(3)))
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"IDAT", body)
        + png_chunk(b"IEND", b"")
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


def mask(*values: int) -> Image.Image:
    random_values = np.random.default_rng(3).choice(np.array(values, np.uint8), (21, 34))
    return Image.fromarray(random_values)


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


@pytest.mark.parametrize(
    ("stem", "clean"),
    [
        ("滑雪_001", "滑雪_001"),
        ("cafe\u0301", "caf\u00e9"),
        ("IMG 0001 (copy)", "IMG_0001_(copy)"),
        ("clip.v2.0001", "clip_v2_0001"),
        (".hidden", "hidden"),
        ("._IMG_0001", "_IMG_0001"),
        ("_MG_1234", "_MG_1234"),
        ("../../etc/passwd", "etc_passwd"),
        ("C:\\photos\\a", "C__photos_a"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("con", "con_"),
        ("LPT1", "LPT1_"),
        ("con.v2", "con_v2"),
        ("a\tb\nc\0d\u3000e\u200bf\u202eg\ud800h", "a_b_c_d_e_f_g_h"),
        ("  a  ", "a"),
        ("=1+1", "1+1"),
        ("--rf", "rf"),
        ("@ +x-", "x-"),
        ("\u200eIMG\u061c1", "IMG_1"),
        ("a\u00adb\u180ec\u2060d\ufeffe\U000e0041f\u200d", "a_b_c_d_e_f"),
        ("滑" * 80, "滑" * 66),
        ("x" * 300, "x" * 200),
    ],
)
def test_clean_stem_replaces_unsafe_characters(stem: str, clean: str) -> None:
    assert clean_stem(stem) == clean


@pytest.mark.parametrize("stem", ["", " ", "...", "\u3000", "/", "\ud800", "\0"])
def test_clean_stem_refuses_a_stem_when_nothing_is_left(stem: str) -> None:
    with pytest.raises(ValueError, match="no characters"):
        clean_stem(stem)


ODD = st.sampled_from([*' .\t\n_/\\:*?"<>|', "con", "NUL", "\u0301", "滑", "é", "\ud800", "\u2028"])


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), st.lists(ODD, max_size=8).map("".join), st.text(min_size=70)))
def test_clean_stem_returns_a_valid_stem_for_any_text(stem: str) -> None:
    try:
        clean = clean_stem(stem)
    except ValueError:
        assert not any(char.isalnum() for char in stem)
        return
    assert invalid_stem_reason(clean) is None
    assert clean_stem(clean) == clean
    assert not any(char in ' .<>:"|?*\\/' or char.isspace() for char in clean)
    if stem.isalnum() and len(stem.encode()) <= 150:
        assert len(clean.rstrip("_")) >= 1


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
