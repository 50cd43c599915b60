"""Everything that `sceneset fix` would not keep in an image or a mask is reported, and no more."""

import io
import struct
import zlib

import pytest
from PIL import ExifTags, Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from sceneset.imaging.edit import strip_personal_data
from sceneset.imaging.exif_tags import ORIENTATION, TECHNICAL
from sceneset.imaging.facts import measure_image, measure_mask
from sceneset.imaging.metadata import traits
from sceneset.schemas.params import Limits
from support.images import encoded, png_chunk

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's, on broken metadata; as in a scan
LIMITS = Limits()
SECRET = b"A. Nobody, serial 000"
SMALL = Image.linear_gradient("L").resize((40, 24)).convert("RGB")
JPEG, PNG = encoded(SMALL, "JPEG", quality=90), encoded(SMALL, "PNG")
MASK = encoded(Image.new("L", (40, 24), 1), "PNG")
XMP = b"http://ns.adobe.com/xap/1.0/\0"
KEPT_CHUNKS = {
    b"gAMA": (45455).to_bytes(4),
    b"cHRM": struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000),
    b"sRGB": b"\0",
    b"cICP": b"\1\x0d\0\1",
    b"sBIT": b"\x08\x08\x08",
    b"pHYs": bytes(9),
    b"bKGD": bytes(6),
}


def suffix_of(data: bytes) -> str:
    return ".png" if data.startswith(b"\x89") else ".jpg"


def traits_of(data: bytes) -> tuple[str, ...]:
    return measure_image(data, suffix_of(data), LIMITS).traits


def words_of(data: bytes) -> list[str]:
    return [t.removeprefix("personal: ") for t in traits_of(data) if t.startswith("personal: ")]


def with_segment(marker: int, body: bytes) -> bytes:
    """Return a JPEG with one more segment after the JFIF header."""
    segment = bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body
    return JPEG[:20] + segment + JPEG[20:]


def with_chunk(kind: bytes, body: bytes, png: bytes = PNG, *, late: bool = False) -> bytes:
    """Return a PNG with one more chunk, after its header or after its pixels."""
    place = len(png) - 12 if late else 33
    return png[:place] + png_chunk(kind, body) + png[place:]


def exif_with(tag: int, kind: int, value: bytes) -> bytes:
    """Return an EXIF block in big-endian order whose first directory has one tag."""
    sizes = {3: 2, 4: 4, 5: 8}
    head = struct.pack(">HHHI", 1, tag, kind, len(value) // sizes.get(kind, 1))
    inline = value.ljust(4, b"\0") if len(value) <= 4 else (26).to_bytes(4)
    tail = b"" if len(value) <= 4 else value
    return b"Exif\0\0MM\0*\0\0\0\x08" + head + inline + bytes(4) + tail


def test_traits_of_a_plain_file_are_empty() -> None:
    assert traits_of(JPEG) == traits_of(PNG) == ()
    assert measure_mask(MASK, LIMITS).traits == ()


@pytest.mark.parametrize("marker", [*range(0xE0, 0xF0), 0xFE])
@pytest.mark.parametrize("start", [b"", b"JFIF\0", b"Adobe", b"ICC_PROFIL", b"MPF\0", b"Exif\0\0"])
def test_every_segment_that_fix_removes_is_reported(marker: int, start: bytes) -> None:
    data = with_segment(marker, start + SECRET)
    clean = strip_personal_data(data)
    is_decoded = marker == 0xEE and start == b"Adobe"  # cut down to what decoders read
    assert (SECRET in clean) is False
    assert words_of(data), f"segment {marker:02X} is not reported"
    if not is_decoded and not (marker == 0xE0 and start == b"JFIF\0"):
        assert clean == JPEG
    assert words_of(clean) == []


@pytest.mark.parametrize(
    ("marker", "body", "word"),
    [
        (0xE1, XMP + b"<x>", "XMP"),
        (0xE1, b"FLIR\0\1" + SECRET, "FLIR"),
        (0xE2, b"FPXR\0" + SECRET, "APP2"),
        (0xE5, SECRET, "APP5"),
        (0xE6, b"GoPro\0" + SECRET, "GoPro"),
        (0xEB, b"JP\0\0jumb" + SECRET, "C2PA"),
        (0xEC, SECRET, "APP12"),
        (0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\2ab", "IPTC"),
        (0xED, b"Photoshop 3.0\x008BIM\3\xed\0\0\0\0\0\2ab", "Photoshop"),
        (0xFE, SECRET, "comment"),
        (0xE0, b"JFXX\0\x10" + SECRET, "JFXX thumbnail"),
    ],
)
def test_a_segment_is_reported_by_a_word_for_its_place(marker: int, body: bytes, word: str) -> None:
    assert words_of(with_segment(marker, body)) == [word]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    "kind", b"tIME caBX oFFs sCAL pCAL sTER sPLT gIFg gIFx dSIG fRAc vpAg prVt orNT".split()
)
def test_every_chunk_that_fix_removes_is_reported(kind: bytes, late: bool) -> None:
    data = with_chunk(kind, SECRET[:7] if kind == b"tIME" else SECRET, late=late)
    assert len(words_of(data)) == 1
    assert strip_personal_data(data) == PNG


@pytest.mark.parametrize("kind", KEPT_CHUNKS)
def test_chunks_that_fix_keeps_are_not_reported(kind: bytes) -> None:
    data = with_chunk(kind, KEPT_CHUNKS[kind])
    assert traits_of(data) == ()
    assert strip_personal_data(data) == data


@pytest.mark.parametrize(
    "key", ["Author", "Comment", "Copyright", "Description", "Source", "parameters", "prompt"]
)
@pytest.mark.parametrize("form", ["tEXt", "zTXt", "iTXt"])
def test_every_text_of_a_png_is_reported_by_its_key(key: str, form: str) -> None:
    info = PngInfo()
    if form == "iTXt":
        info.add_itxt(key, "A. Nobody", zip=True)
    else:
        info.add_text(key, "A. Nobody", zip=form == "zTXt")
    data = encoded(SMALL, "PNG", pnginfo=info)
    assert words_of(data) == [f"PNG text {key}"]
    assert strip_personal_data(data) == PNG


def raw_profile(name: str, content: bytes) -> bytes:
    """Return a text chunk with a block of metadata as ImageMagick writes it."""
    digits = content.hex()
    lines = "\n".join(digits[n : n + 72] for n in range(0, len(digits), 72))
    text = f"\n{name}\n{len(content):8}\n{lines}\n".encode()
    return f"Raw profile type {name}".encode() + b"\0\0" + zlib.compress(text)


@pytest.mark.parametrize(
    ("name", "content", "trait"),
    [
        ("iptc", b"8BIM\4\4" + SECRET, "personal: IPTC"),
        ("xmp", b"<x:xmpmeta>", "personal: XMP"),
        ("exif", exif_with(0x013B, 2, SECRET), "personal: EXIF Artist"),
        ("APP1", exif_with(0x8298, 2, SECRET), "personal: EXIF Copyright"),
    ],
)
def test_raw_profiles_in_a_png_are_reported_as_what_they_hold(
    name: str, content: bytes, trait: str
) -> None:
    assert trait in traits_of(with_chunk(b"zTXt", raw_profile(name, content)))


@pytest.mark.parametrize("tag", [*ExifTags.TAGS, 0xC0DE])
def test_every_tag_of_exif_is_reported_unless_it_is_a_technical_number(tag: int) -> None:
    text = with_segment(0xE1, exif_with(tag, 2, SECRET))
    assert words_of(text), "text is reported in whatever tag it is"
    assert SECRET not in strip_personal_data(text)
    if tag in {0x8769, 0x8825, 0xA005, 0x014A, 0x0201, 0x0202}:
        return  # offsets: a number leads somewhere else
    number = with_segment(0xE1, exif_with(tag, 3, b"\0\1"))
    assert bool(words_of(number)) == (tag not in TECHNICAL | {ORIENTATION})


def test_blank_tags_are_not_reported() -> None:
    for value in (b"      \0", bytes(20), b"ASCII\0\0\0     "):
        tag = 0x9286 if value.startswith(b"ASCII") else 0x013B
        kind = 7 if value.startswith(b"ASCII") else 2
        assert traits_of(with_segment(0xE1, exif_with(tag, kind, value))) == ()


@pytest.mark.parametrize(
    ("tag", "kind", "value", "word"),
    [
        (0x013B, 2, SECRET, "EXIF Artist"),
        (0x8298, 2, SECRET, "EXIF Copyright"),
        (0x010E, 2, SECRET, "EXIF ImageDescription"),
        (0x013C, 2, SECRET, "EXIF HostComputer"),
        (0x9C9B, 1, "Nobody".encode("utf-16le"), "EXIF XPTitle"),
        (0x0132, 2, b"2024:01:15 10:00:00\0", "EXIF time"),
        (0x829A, 5, struct.pack(">2I", 1, 125), "EXIF camera settings"),
        (0xC0DE, 3, b"\0\1", "EXIF tag 0xc0de"),
    ],
)
def test_tags_are_reported_by_name(tag: int, kind: int, value: bytes, word: str) -> None:
    assert words_of(with_segment(0xE1, exif_with(tag, kind, value))) == [word]
    assert words_of(with_chunk(b"eXIf", exif_with(tag, kind, value)[6:])) == [word]


def test_tags_in_directories_below_the_first_are_reported() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA431] = "000"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    data = encoded(SMALL, "JPEG", exif=exif.tobytes())
    assert traits_of(data) == ("gps", "personal: EXIF BodySerialNumber")


def test_an_orientation_alone_is_not_reported_as_metadata() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    facts = measure_image(encoded(SMALL, "JPEG", exif=exif.tobytes()), ".jpg", LIMITS)
    assert (facts.traits, facts.orientation) == ((), 6)
    late = with_chunk(b"eXIf", exif.tobytes()[6:], late=True)
    assert measure_image(late, ".png", LIMITS).orientation == 6
    assert Image.open(io.BytesIO(strip_personal_data(late))).getexif()[ORIENTATION] == 6


def test_bytes_hidden_behind_the_tags_of_exif_are_reported() -> None:
    block = exif_with(ORIENTATION, 3, b"\0\1")
    assert traits_of(with_segment(0xE1, block + bytes(30))) == ()
    assert words_of(with_segment(0xE1, block + SECRET)) == ["bytes after EXIF"]


GPS_BLOCK = exif_with(0x8825, 4, bytes((0, 0, 0, 26))) + bytes((0, 1)) + bytes(16)


@pytest.mark.parametrize(
    "data",
    [
        with_segment(0xE1, XMP + b'<rdf:Description exif:GPSLatitude="1,0N"/>'),
        with_segment(0xE1, XMP + "exif:GPSLatitude".encode("utf-16")),
        with_segment(0xE6, b"GoPro\0DEVC" + b"GPS5\1\2"),
        with_segment(0xEC, b"owner=A. Nobody;lat=1.0;lon=2.0"),
        with_chunk(b"tEXt", b"exif:GPSInfo\x0042"),
        with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b'{"latitude": 1.0}')),
        with_chunk(b"zTXt", raw_profile("exif", GPS_BLOCK)),
    ],
    ids=["XMP", "UTF-16", "GoPro", "text", "PNG text", "compressed", "raw EXIF"],
)  # fmt: skip
def test_positions_outside_of_exif_are_reported(data: bytes) -> None:
    assert "gps" in traits_of(data)
    assert "gps" not in traits_of(strip_personal_data(data))


def test_broken_metadata_is_reported_and_does_not_hide_the_rest() -> None:
    data = with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(SECRET)[:-6])
    data = with_chunk(b"tEXt", b"Author\0" + SECRET, data)
    assert set(traits_of(data)) >= {"personal: PNG text Author", "personal: PNG text Comment"}
    broken = with_segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01")
    assert "broken metadata" in traits_of(broken)


def test_an_index_of_pictures_is_reported_as_frames_only() -> None:
    data = encoded(SMALL, "MPO", save_all=True, append_images=[SMALL])
    assert traits_of(data) == ("frames: 2",)


@pytest.mark.parametrize("late", [False, True])
def test_a_mask_with_metadata_and_its_own_orientation_is_reported(late: bool) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    data = with_chunk(b"eXIf", exif.tobytes()[6:], MASK, late=late)
    data = with_chunk(b"tEXt", b"Author\0" + SECRET, data, late=late)
    data = with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x>", data, late=late)
    facts = measure_mask(data + b"more", LIMITS)
    assert facts.traits == (
        "gps",
        "orientation: 6",
        "personal: PNG text Author",
        "personal: XMP",
        "trailing bytes",
    )
    clean = strip_personal_data(data)
    assert measure_mask(clean, LIMITS).traits == ("orientation: 6",)


@pytest.mark.parametrize("junk", [SECRET, b"\xff\0\xff\0" + SECRET, b"Exif\0\0" + SECRET])
@pytest.mark.parametrize("place", [20, JPEG.index(b"\xff\xc0"), JPEG.index(b"\xff\xda")])
def test_bytes_between_segments_are_reported_and_hide_nothing(junk: bytes, place: int) -> None:
    """Decoders skip bytes up to the next marker, so anything can be there."""
    comment = b"\xff\xfe\0\x04ab"
    data = JPEG[:place] + comment + junk + comment + JPEG[place:]
    assert words_of(data) == ["bytes between segments", "comment"]
    assert "broken metadata" not in traits_of(data)
    assert strip_personal_data(data) == JPEG
    position = JPEG[:20] + b"GPSLatitude 1.0" + JPEG[20:]
    assert "gps" in traits_of(position)


def test_damage_after_metadata_does_not_hide_the_metadata() -> None:
    data = with_segment(0xFE, SECRET)
    for broken in (data[:-2], data[:100]):
        found = traits(Image.open(io.BytesIO(data)), broken)
        assert set(found) >= {"personal: comment", "broken metadata"}


@pytest.mark.parametrize(
    "text",
    [
        b"\nexif\n       9\n4d4d002a0\n",
        b"\nexif\n       4\nA. Nobody\n",
        b"A. Nobody",
        b"\nexif\n       4\n4d4d002a\nA. Nobody\n",
        b"\nA. Nobody\n       4\n4d4d002a\n",
    ],
    ids=["odd digits", "no digits", "text", "text after digits", "another name"],
)
@pytest.mark.parametrize("is_mask", [False, True])
def test_a_broken_raw_profile_is_reported_and_hides_nothing(text: bytes, is_mask: bool) -> None:
    body = b"Raw profile type exif\0\0" + zlib.compress(text)
    data = with_chunk(b"tEXt", b"Author\0" + SECRET, MASK if is_mask else PNG)
    data = with_chunk(b"eXIf", exif_with(0x013B, 2, SECRET)[6:], data, late=True)
    data = with_chunk(b"zTXt", body, data)
    found = measure_mask(data, LIMITS).traits if is_mask else traits_of(data)
    assert set(found) >= {
        *("broken metadata", "personal: EXIF"),
        *("personal: PNG text Author", "personal: EXIF Artist"),
    }
    assert strip_personal_data(data) == (MASK if is_mask else PNG)


@pytest.mark.parametrize("kind", KEPT_CHUNKS)
def test_bytes_after_those_that_readers_use_of_a_chunk_are_removed(kind: bytes) -> None:
    used = KEPT_CHUNKS[kind]
    size = {b"sBIT": 4}.get(kind, len(used))
    padded = used.ljust(size, b"\1")
    data = with_chunk(kind, padded + SECRET)
    assert f"personal: PNG chunk {kind.decode()}" in traits(Image.open(io.BytesIO(data)), data)
    assert strip_personal_data(data) == with_chunk(kind, padded)


def icc_segments(profile: bytes, *numbers: tuple[int, int]) -> bytes:
    """Return a JPEG with a profile in as many segments as numbers are given."""
    size = -(-len(profile) // len(numbers))
    data = JPEG
    for place, (number, count) in enumerate(numbers):
        piece = profile[place * size : (place + 1) * size]
        body = b"ICC_PROFILE\0" + bytes((number, count)) + piece
        segment = b"\xff\xe2" + (len(body) + 2).to_bytes(2) + body
        data = data[: len(data) - len(JPEG) + 20] + segment + data[len(data) - len(JPEG) + 20 :]
    return data


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("numbers", [[(1, 1)], [(1, 2), (2, 2)], [(1, 3), (2, 3), (3, 3)]])
def test_a_whole_profile_is_kept_and_not_reported(numbers: list[tuple[int, int]]) -> None:
    data = icc_segments(SRGB, *numbers)
    assert traits_of(data) == ()
    assert strip_personal_data(data) == data


@pytest.mark.parametrize(
    ("profile", "numbers"),
    [
        (SECRET * 20, [(1, 1)]),
        (SRGB + SECRET, [(1, 1)]),
        (SRGB[:36] + b"abcd" + SRGB[40:], [(1, 1)]),
        (SRGB, [(1, 2)]),
        (SRGB, [(2, 2)]),
        (SRGB, [(0, 0)]),
        (SRGB * 2, [(1, 1), (1, 1)]),
        (SRGB, [(1, 2), (2, 3)]),
        (SRGB, [(1, 3), (3, 3)]),
        (b"", [(1, 1)]),
    ],
)
def test_segments_that_only_look_like_a_profile_are_removed(
    profile: bytes, numbers: list[tuple[int, int]]
) -> None:
    data = icc_segments(profile, *numbers)
    assert words_of(data) == ["damaged ICC profile"]
    assert strip_personal_data(data) == JPEG


def test_a_profile_of_a_png_is_kept_only_if_it_is_one() -> None:
    whole = with_chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(SRGB))
    assert strip_personal_data(whole) == whole
    for content in (SECRET, zlib.compress(SECRET * 20), zlib.compress(SRGB) + SECRET):
        data = with_chunk(b"iCCP", b"sRGB\0\0" + content)
        assert words_of(data) == ["damaged ICC profile"]
        assert strip_personal_data(data) == PNG


def test_lines_that_a_jpeg_declares_late_hold_nothing_else() -> None:
    data = JPEG[:-2] + b"\xff\xdc\0\x04\0\x18" + JPEG[-2:]
    assert strip_personal_data(data) == data
    hidden = JPEG[:-2] + b"\xff\xdc\0\x19\0\x18" + SECRET + JPEG[-2:]
    assert strip_personal_data(hidden) == data
