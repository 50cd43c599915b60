"""Describe what an image file contains besides its pixels, as short texts that rules evaluate.

Metadata comes from unknown sources and is used for nothing else. A broken block is reported and
never interpreted. Everything that `sceneset fix` would not keep is reported; what it keeps is in
`kept_parts`.
"""

import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from PIL import Image

from sceneset.imaging.colour import chunk_traits, profile_traits
from sceneset.imaging.exif_tags import ORIENTATION as _ORIENTATION_TAG
from sceneset.imaging.exif_tags import describe_exif
from sceneset.imaging.kept_parts import PNG_SIGNATURE, TEXT_CHUNKS, Part, file_parts
from sceneset.imaging.trait_names import (
    BROKEN,
    FRAMES,
    GPS,
    ORIENTATION,
    PERSONAL,
    PROFILE,
    PROGRESSIVE,
    TRAILING,
)

_RESOURCES = {
    b"\4\4": "IPTC",
    b"\4\x09": "thumbnail",
    b"\4\x0c": "thumbnail",
    b"\4\x22": "EXIF",
    b"\4\x24": "XMP",
}
"""Contents of Photoshop's block, by the number of the resource."""
_RESOURCE = re.compile(rb"8BIM(..)", re.DOTALL)
_POSITION = re.compile(
    rb"gps(?:latitude|longitude|position|coordinates|info)|GPS[59APU]|longitude|latitude"
    rb"|geo:(?:lat|lon|point)|\b(?:lat|lon|lng)[\"']?\s*[=:]",
    re.IGNORECASE,
)
_RAW_PROFILE = re.compile(rb"\n\s*\d+\s*\n([0-9a-fA-F\s]+)")  # a size, then digits
_MAX_TEXT = 1 << 20  # bytes of a compressed text that are looked at
_REPORTED_OF_MASKS = (GPS, PERSONAL, BROKEN, TRAILING)


def orientation_of(opened: Image.Image) -> int:
    """Return the EXIF orientation of an image, 1 to 8; 1 if it is missing or invalid."""
    try:
        value = int(opened.getexif().get(_ORIENTATION_TAG, 1))
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
    try:
        parts = list(file_parts(data, check=False))
    except ValueError:
        parts = []
        found.add(BROKEN)
    readers: tuple[Callable[[], Iterable[str]], ...] = (
        lambda: _parts(parts, data),
        lambda: profile_traits(opened.info.get("icc_profile")),
        lambda: chunk_traits(data, parts) if opened.format == "PNG" else (),
        lambda: _structure(opened),
    )
    for read in readers:
        try:
            found.update(read())
        except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
            found.add(BROKEN)
    # In a multi-picture JPEG (MPO), the other pictures follow the first one.
    if parts and opened.format in {"JPEG", "PNG"}:
        is_padding_allowed = opened.format == "JPEG"
        if _has_trailing_bytes(data, parts[-1].end, is_padding_allowed=is_padding_allowed):
            found.add(TRAILING)
    if "icc_profile" in opened.info:  # the profile says more than EXIF
        found.discard(f"{PROFILE}Adobe RGB (EXIF)")
    if any(trait.startswith(FRAMES) for trait in found):  # the index of these pictures
        found.discard(f"{PERSONAL}MPF")
    return tuple(sorted(found))


def mask_traits(data: bytes) -> tuple[str, ...]:
    """Return the sorted traits of a mask: what should not be in it, and its own orientation.

    Args:
        data: The bytes of a PNG.

    Raises:
        ValueError: The file is truncated.
    """
    parts = list(file_parts(data, check=False))
    is_trailing = _has_trailing_bytes(data, parts[-1].end, is_padding_allowed=False)
    if not is_trailing and not any(part.word for part in parts):
        return ()  # almost every mask
    found = {TRAILING} if is_trailing else set()
    try:
        found.update(t for t in _parts(parts, data) if t.startswith(_REPORTED_OF_MASKS))
        opened = Image.open(io.BytesIO(data), formats=["PNG"])
        load_late_metadata(opened, data)
        if (orientation := orientation_of(opened)) != 1:
            found.add(f"{ORIENTATION}{orientation}")
    except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
        found.add(BROKEN)
    return tuple(sorted(found))


def load_late_metadata(opened: Image.Image, data: bytes) -> None:
    """Decode a PNG if metadata follows its pixels: Pillow reads it after them."""
    start, pixels = len(PNG_SIGNATURE), False
    while opened.format == "PNG" and start < len(data):
        kind = data[start + 4 : start + 8]
        if kind == b"IEND":
            return
        if pixels and kind != b"IDAT":
            opened.load()
            return
        pixels = kind == b"IDAT"
        start += 12 + int.from_bytes(data[start : start + 4])


def _kind(data: bytes, part: Part) -> bytes:
    """Return the type of a PNG chunk."""
    return data[part.start + 4 : part.start + 8]


def _parts(parts: Sequence[Part], data: bytes) -> Iterator[str]:
    """Yield the traits of everything that is not kept as it is."""
    is_png = data.startswith(PNG_SIGNATURE)
    blocks: list[bytes] = []
    for part in parts:
        if not part.word:
            continue
        body = part.content(data)
        kind = _kind(data, part) if is_png else b""
        try:
            text = _text(kind, body)
        except zlib.error:
            text = body
            yield BROKEN
        if part.word != "EXIF":
            yield from (PERSONAL + word for word in _words(part.word, body))
            if _POSITION.search(text.replace(b"\0", b"")):
                yield GPS
        elif kind in TEXT_CHUNKS:
            blocks.append(_from_hex(text))
        elif not blocks or body[6:8] in {b"II", b"MM"} or is_png:
            blocks.append(body)
        else:  # a block of more than 64 kB goes on in the next segment
            blocks[-1] += body[6:]
    for block in blocks:
        yield from describe_exif(block)


def _text(kind: bytes, body: bytes) -> bytes:
    """Return the text of a PNG's text chunk, or the content of any other part."""
    keyword, _, rest = body.partition(b"\0")
    if kind == b"zTXt":
        return keyword + b"\n" + _inflated(rest[1:])
    if kind == b"iTXt":
        text = rest[2:].split(b"\0", 2)[-1]
        return keyword + b"\n" + (_inflated(text) if rest[:1] == b"\1" else text)
    return body


def _inflated(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _MAX_TEXT)


def _from_hex(text: bytes) -> bytes:
    """Return the block that ImageMagick writes as hexadecimal text, after its name and size."""
    found = _RAW_PROFILE.search(text)
    return bytes.fromhex(found[1].decode() if found else "")


def _words(word: str, body: bytes) -> set[str]:
    """Return the words for one part: what Photoshop's block contains, otherwise its own word."""
    if word != "Photoshop":
        return {word}
    return {_RESOURCES[code] for code in _RESOURCE.findall(body) if code in _RESOURCES} or {word}


def _structure(opened: Image.Image) -> Iterator[str]:
    if opened.info.get("progressive") or opened.info.get("interlace"):
        yield PROGRESSIVE
    frames = getattr(opened, "n_frames", 1)
    if frames > 1:
        yield f"{FRAMES}{frames}"


def _has_trailing_bytes(data: bytes, end: int, *, is_padding_allowed: bool) -> bool:
    """Return whether bytes follow the end of the image; zeros are padding if that is allowed."""
    return (len(data.rstrip(b"\0")) if is_padding_allowed else len(data)) > end
