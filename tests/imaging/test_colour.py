"""Colours are judged by curves and primaries, not by the name of a profile."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from sceneset.catalog.scan_table import table_from_rows
from sceneset.imaging.edit import orient_image, strip_personal_data
from sceneset.imaging.facts import measure_image
from sceneset.rules.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Pair, measure_pair
from sceneset.schemas.params import Limits, Params
from sceneset.schemas.terms import Phase
from support.images import encoded, noise, png_chunk

LIMITS = Limits()
SMALL = Image.fromarray(noise((24, 16)))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = ((0.5151, 0.2412, -0.0011), (0.2919, 0.6922, 0.0419), (0.1572, 0.0666, 0.7841))
P3_CHROMATICITIES = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_XYZ = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))


def curve(gamma: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def table(values: list[float]) -> bytes:
    numbers = [round(65535 * value) for value in values]
    return b"curv" + bytes(4) + struct.pack(f">I{len(numbers)}H", len(numbers), *numbers)


def srgb_to_linear(x: float) -> float:
    return x / 12.92 if x < 0.04 else float(((x + 0.055) / 1.055) ** 2.4)


def parametric(*values: float) -> bytes:
    kind = {1: 0, 3: 1, 4: 2, 5: 3, 7: 4}[len(values)]
    numbers = [round(65536 * value) for value in values]
    return b"para" + bytes(4) + struct.pack(f">HH{len(numbers)}i", kind, 0, *numbers)


SRGB_CURVE = parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
LINEAR = b"curv" + bytes(8)


def profile(name: str, tone: bytes, primaries: tuple[tuple[float, ...], ...]) -> bytes:
    """Return an ICC profile of version 2 with three equal curves."""
    text = name.encode() + b"\0"
    white = (0.9642, 1.0, 0.8249)
    colours = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), (*primaries, white), strict=True))
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        **{
            key: b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * v) for v in xyz))
            for key, xyz in colours.items()
        },
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), tone),
    }
    offset, entries, body = 132 + 12 * len(tags), b"", b""
    for key, content in tags.items():
        entries += key + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"\0" * 4, 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    head += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + body  # fmt: skip


def reported(data: bytes, suffix: str = ".png") -> list[str]:
    traits = measure_image(data, suffix, LIMITS).traits
    return [t.removeprefix("profile: ") for t in traits if t.startswith("profile: ")]


def with_chunks(**chunks: bytes) -> bytes:
    png = encoded(SMALL, "PNG")
    added = b"".join(png_chunk(kind.encode(), body) for kind, body in chunks.items())
    return png[:33] + added + png[33:]


def test_profiles_written_for_these_tests_are_valid() -> None:
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile("Mine", SRGB_CURVE, SRGB_XYZ)))
    assert ImageCms.getProfileDescription(opened).strip() == "Mine"


@pytest.mark.parametrize(
    "icc",
    [
        pytest.param(SRGB, id="Pillow's"),
        pytest.param(profile("c2", SRGB_CURVE, SRGB_XYZ), id="c2"),
        pytest.param(profile("Monitor of the studio", SRGB_CURVE, SRGB_XYZ), id="another name"),
        pytest.param(profile("Simple", curve(2.2), SRGB_XYZ), id="gamma 2.2"),
        pytest.param(
            profile("Table", table([srgb_to_linear(n / 255) for n in range(256)]), SRGB_XYZ),
            id="table",
        ),
    ],
)  # fmt: skip
def test_profiles_with_the_curves_and_primaries_of_srgb_are_not_reported(icc: bytes) -> None:
    assert reported(encoded(SMALL, "PNG", icc_profile=icc)) == []
    assert reported(encoded(SMALL, "JPEG", icc_profile=icc), ".jpg") == []


@pytest.mark.parametrize(
    ("icc", "word"),
    [
        pytest.param(profile("Linear sRGB", LINEAR, SRGB_XYZ), "curve", id="linear"),
        pytest.param(profile("sRGB", curve(1.0), SRGB_XYZ), "curve", id="gamma 1"),
        pytest.param(profile("sRGB", parametric(1.8), SRGB_XYZ), "curve", id="gamma 1.8"),
        pytest.param(profile("sRGB", table([0, 1]), SRGB_XYZ), "curve", id="linear table"),
        pytest.param(profile("sRGB", SRGB_CURVE, P3), "primaries", id="P3 named sRGB"),
        pytest.param(profile("Display P3", SRGB_CURVE, P3), "Display P3", id="P3"),
        pytest.param(profile("sRGB", b"oops" + bytes(20), SRGB_XYZ), "curve", id="no curve"),
    ],
)
def test_profiles_with_other_curves_or_primaries_are_reported(icc: bytes, word: str) -> None:
    for kind, suffix in (("PNG", ".png"), ("JPEG", ".jpg")):
        [found] = reported(encoded(SMALL, kind, icc_profile=icc), suffix)
        assert word in found


@pytest.mark.parametrize(
    ("chunks", "word"),
    [
        ({"gAMA": (100_000).to_bytes(4)}, "gamma 1.00"),
        ({"gAMA": (55_556).to_bytes(4)}, "gamma 1.80"),
        ({"gAMA": bytes(4)}, "gamma 0.00"),
        ({"cHRM": P3_CHROMATICITIES}, "cHRM"),
        ({"cICP": bytes((9, 16, 0, 1))}, "cICP 9/16/0/1"),
        ({"cICP": bytes((12, 13, 0, 1))}, "cICP 12/13/0/1"),
        ({"cICP": bytes((1, 13, 0, 0))}, "cICP 1/13/0/0"),
        ({"sRGB": b"\0", "cICP": bytes((9, 16, 0, 1))}, "cICP"),
    ],
)  # fmt: skip
def test_chunks_that_say_other_colours_are_reported(chunks: dict[str, bytes], word: str) -> None:
    [found] = reported(with_chunks(**chunks))
    assert word in found


@pytest.mark.parametrize(
    "chunks",
    [
        {"gAMA": (45_455).to_bytes(4)},
        {"gAMA": (45_000).to_bytes(4)},
        {"cICP": bytes((1, 13, 0, 1))},
        {"gAMA": (100_000).to_bytes(4), "sRGB": b"\0"},
        {"gAMA": (100_000).to_bytes(4), "cICP": bytes((1, 13, 0, 1))},
    ],
)
def test_chunks_that_say_srgb_or_do_not_count_are_not_reported(chunks: dict[str, bytes]) -> None:
    assert reported(with_chunks(**chunks)) == []


def test_adobe_rgb_is_reported_when_only_exif_says_so() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 2
    data = encoded(SMALL, "JPEG", exif=exif.tobytes())
    assert reported(data, ".jpg") == ["Adobe RGB (EXIF)"]
    assert reported(encoded(SMALL, "JPEG", exif=exif.tobytes(), icc_profile=SRGB), ".jpg") == []


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("says", ["colour space", "interoperability"])
def test_fix_keeps_that_colours_are_adobe_rgb(says: str, kind: str, orientation: int) -> None:
    """Without these tags, the same numbers would be shown as other colours."""
    exif = Image.Exif()
    exif[0x013B] = "A. Nobody"
    if orientation != 1:
        exif[0x0112] = orientation
    if says == "colour space":
        exif.get_ifd(0x8769)[0xA001] = 2
    else:
        exif.get_ifd(0x8769)[0xA001] = 0xFFFF
        exif.get_ifd(0x8769)[0xA005] = {1: "R03"}
    data = encoded(SMALL, kind, exif=exif.tobytes())
    suffix = ".jpg" if kind == "JPEG" else ".png"
    assert reported(data, suffix) == ["Adobe RGB (EXIF)"]
    for clean in (strip_personal_data(data), orient_image(data, orientation)):
        assert b"Nobody" not in clean
        facts = measure_image(clean, suffix, Limits())
        assert facts.traits == ("profile: Adobe RGB (EXIF)",)
        tags = Image.open(io.BytesIO(clean)).getexif()
        assert tags.get_ifd(0x8769)[0xA001] == 0xFFFF
        assert tags.get_ifd(0xA005)[1] == "R03"
    assert Image.open(io.BytesIO(strip_personal_data(data))).getexif().get(0x0112, 1) == orientation
    with_profile = encoded(SMALL, kind, exif=exif.tobytes(), icc_profile=SRGB)
    assert b"R03" not in strip_personal_data(with_profile)


def test_16_bits_per_channel_are_named(tmp_path) -> None:
    header = (24).to_bytes(4) + (16).to_bytes(4) + bytes((16, 2, 0, 0, 0))
    rows = b"".join(b"\0" + noise((24, 2), n).tobytes()[: 24 * 6] for n in range(16))
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks)
    (tmp_path / "a.png").write_bytes(data)
    Image.new("L", (24, 16), 1).save(tmp_path / "m.png")
    pair = Pair(Phase.TRAIN, "a", tmp_path / "a.png", tmp_path / "m.png", tmp_path)
    row = measure_pair(pair, LIMITS).row
    assert row.mode == "RGB;16"
    found = {p.code: p.message for p in sample_findings(table_from_rows([row], 1), Params())}
    assert "RGB of 16 bits per channel" in found["image-mode"]
