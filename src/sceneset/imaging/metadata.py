"""Describe what an image file contains besides its pixels, as short texts that rules evaluate.

Metadata comes from unknown sources and is used for nothing else. A broken block is reported and
never interpreted.
"""

import io
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageCms

from sceneset.imaging.segments import jpeg_segments

_GPS_IFD, _EXIF_IFD, _THUMBNAIL_IFD = 0x8825, 0x8769, 1
_ORIENTATION = 0x0112
_PERSONAL_TAGS = {
    0x013B: "artist",
    0x9C9D: "author",
    0x9C9C: "comment",
    0xA430: "owner",
    0xA431: "serial number",
    0xA435: "serial number",
    0x9286: "comment",
    0x927C: "maker notes",
}
_VALUE_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}  # bytes, by TIFF type
_BLOCKS = {
    "xmp": "XMP",
    "comment": "comment",
    "XML:com.adobe.xmp": "XMP",
}
_RESOURCES = {0x0404: "IPTC", 0x0409: "thumbnail", 0x040C: "thumbnail"}  # of Photoshop's block
_SRGB = {"c2", "c2ci"}  # compact sRGB profiles: github.com/saucecontrol/Compact-ICC-Profiles
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"

GPS, BROKEN, TRAILING, PROGRESSIVE = "gps", "broken metadata", "trailing bytes", "progressive"
PERSONAL, PROFILE, FRAMES = "personal: ", "profile: ", "frames: "
"""Prefixes of traits with a value, for example ``personal: owner``."""


def orientation_of(opened: Image.Image) -> int:
    """Return the EXIF orientation of an image, 1 to 8; 1 if it is missing or invalid."""
    try:
        value = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
        return 1
    return value if 1 <= value <= 8 else 1


def traits(opened: Image.Image, data: bytes) -> tuple[str, ...]:
    """Return the sorted traits of an image file; its pixels need not be decoded.

    Args:
        opened: The file, opened by Pillow.
        data: The bytes of the file.
    """
    found: set[str] = set()
    for read in (_exif, _blocks, _profile, _structure):
        try:
            found.update(read(opened))
        except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
            found.add(BROKEN)
    if _has_trailing_bytes(opened, data):
        found.add(TRAILING)
    return tuple(sorted(found))


def _exif(opened: Image.Image) -> Iterator[str]:
    if "exif" not in opened.info and "Raw profile type exif" not in opened.info:
        return
    exif = opened.getexif()
    if not _is_complete(opened.info.get("exif", b"")):
        yield BROKEN
    if exif.get_ifd(_GPS_IFD):
        yield GPS
    details = exif.get_ifd(_EXIF_IFD)
    for tag, word in _PERSONAL_TAGS.items():
        if str(exif.get(tag) or details.get(tag) or "").strip("\0 "):
            yield PERSONAL + word
    if exif.get_ifd(_THUMBNAIL_IFD):
        yield PERSONAL + "thumbnail"


def _is_complete(block: bytes) -> bool:
    """Return whether the first directory of an EXIF block and its values are inside the block.

    Raises:
        IndexError: The directory itself is cut off.
    """
    tiff = block.removeprefix(b"Exif\0\0")
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(start: int, size: int) -> int:
        if start + size > len(tiff):
            raise IndexError(start)
        return int.from_bytes(tiff[start : start + size], order)

    if not tiff:
        return True
    if tiff[:4] not in {b"II*\0", b"MM\0*"}:
        return False
    first = number(4, 4) + 2
    for entry in range(first, first + 12 * number(first - 2, 2), 12):
        size = _VALUE_SIZES.get(number(entry + 2, 2), 1) * number(entry + 4, 4)
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
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    name = " ".join(ImageCms.getProfileDescription(opened).split())
    return "".join(char for char in name if char.isprintable())[:80] or "without a name"


def _structure(opened: Image.Image) -> Iterator[str]:
    if opened.info.get("progressive") or opened.info.get("interlace"):
        yield PROGRESSIVE
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        yield f"{FRAMES}{frames}"


def _has_trailing_bytes(opened: Image.Image, data: bytes) -> bool:
    """Return whether bytes other than zero padding follow the image."""
    if opened.format == "PNG":
        end = data.find(_PNG_END)
        return end >= 0 and end + len(_PNG_END) != len(data)
    if opened.format != "JPEG":
        return False
    end = len(data.rstrip(b"\0"))
    # Usually the first end marker is the last one, which is fast to check. Otherwise it may be
    # the end of an embedded thumbnail, and the segments decide.
    return data.find(b"\xff\xd9") + 2 != end and _jpeg_end(data) != end


def _jpeg_end(data: bytes) -> int:
    """Return the offset of the end of the first image, or -1 if the file is damaged."""
    try:
        return max(segment.end for segment in jpeg_segments(data))
    except ValueError:
        return -1
