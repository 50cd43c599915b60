"""What an image file carries beside its pixels: words for rules to judge.

Metadata comes from strangers and is read for nothing else; a broken block is told, not trusted.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageCms

from sceneset.imaging.segments import jpeg_segments

_GPS, _DETAILS = 0x8825, 0x8769  # folders of EXIF
_ORIENTATION = 0x0112
_PERSONAL = {
    0x013B: "artist",
    0x9C9D: "author",
    0x9C9C: "comment",
    0xA430: "owner",
    0xA431: "serial number",
    0xA435: "serial number",
    0x9286: "comment",
    0x927C: "maker notes",
}
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes of a value, by its kind
_BLOCKS = {
    "xmp": "XMP",
    "comment": "comment",
    "XML:com.adobe.xmp": "XMP",
}
_RESOURCES = {0x0404: "IPTC", 0x0409: "thumbnail", 0x040C: "thumbnail"}  # of Photoshop's block
_SRGB = {"c2", "c2ci"}  # compact profiles of sRGB: github.com/saucecontrol/Compact-ICC-Profiles
GPS, BROKEN, TRAILING, PROGRESSIVE = "gps", "broken metadata", "trailing bytes", "progressive"
PERSONAL, PROFILE, FRAMES = "personal: ", "profile: ", "frames: "
"""Beginnings of traits that say more: `personal: owner`."""


def orientation_of(opened: Image.Image) -> int:
    """Return the EXIF orientation of a picture, 1 to 8; 1 where there is none that makes sense."""
    try:
        value = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata raises anything and says nothing of pixels
        return 1
    return value if 1 <= value <= 8 else 1


def traits(opened: Image.Image, data: bytes) -> tuple[str, ...]:
    """Return what an opened image file is and carries, sorted; it need not be decoded."""
    found: set[str] = set()
    for read in (_exif, _blocks, _profile, _form):
        try:
            found.update(read(opened))
        except Exception:  # noqa: BLE001 - broken metadata raises anything
            found.add(BROKEN)
    if _has_trailer(opened, data):
        found.add(TRAILING)
    return tuple(sorted(found))


def _exif(opened: Image.Image) -> Iterator[str]:
    if "exif" not in opened.info and "Raw profile type exif" not in opened.info:
        return
    exif = opened.getexif()
    if not _is_whole(opened.info.get("exif", b"")):
        yield BROKEN
    if exif.get_ifd(_GPS):
        yield GPS
    details = exif.get_ifd(_DETAILS)
    for tag, word in _PERSONAL.items():
        if str(exif.get(tag) or details.get(tag) or "").strip("\0 "):
            yield PERSONAL + word
    if exif.get_ifd(1):  # IFD1
        yield PERSONAL + "thumbnail"


def _is_whole(block: bytes) -> bool:
    """Say whether the first folder of an EXIF block, and what it points to, lie inside of it."""
    tiff = block.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        if at + size > len(tiff):
            raise IndexError(at)
        return int.from_bytes(tiff[at : at + size], order)

    if tiff and tiff[:4] not in {b"II*\0", b"MM\0*"}:
        return False
    start = number(4, 4) if tiff else 0
    for entry in range(start + 2, start + 2 + 12 * number(start, 2) if tiff else 0, 12):
        size = _SIZES.get(number(entry + 2, 2), 1) * number(entry + 4, 4)
        if size > len(tiff) or (size > 4 and number(entry + 8, 4) + size > len(tiff)):
            return False
    return True


def _blocks(opened: Image.Image) -> Iterator[str]:
    yield from (PERSONAL + word for name, word in _BLOCKS.items() if opened.info.get(name))
    resources = opened.info.get("photoshop") or {}
    yield from (PERSONAL + word for code, word in _RESOURCES.items() if resources.get(code))


def _profile(opened: Image.Image) -> Iterator[str]:
    profile = opened.info.get("icc_profile")
    name = _profile_name(profile) if profile else ""
    if name and "srgb" not in name.casefold() and name not in _SRGB:
        yield PROFILE + name


@lru_cache(maxsize=64)
def _profile_name(profile: bytes) -> str:
    read = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    name = " ".join(ImageCms.getProfileDescription(read).split())
    return "".join(char for char in name if char.isprintable())[:80] or "without a name"


def _form(opened: Image.Image) -> Iterator[str]:
    if opened.info.get("progressive") or opened.info.get("interlace"):
        yield PROGRESSIVE
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        yield f"{FRAMES}{frames}"


def _has_trailer(opened: Image.Image, data: bytes) -> bool:
    if opened.format == "PNG":
        end = data.find(b"\0\0\0\0IEND\xaeB`\x82")
        return end >= 0 and end + 12 != len(data)
    if opened.format != "JPEG":
        return False
    end = len(data.rstrip(b"\0"))
    # The first end mark is mostly the last, and found in no time; that of a small copy is not.
    return data.find(b"\xff\xd9") + 2 != end and _jpeg_end(data) != end


def _jpeg_end(data: bytes) -> int:
    """Return where the first picture ends, or -1."""
    try:
        return max(segment.end for segment in jpeg_segments(data))
    except ValueError:
        return -1
