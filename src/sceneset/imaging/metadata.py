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
from sceneset.imaging.exif_tags import ADOBE_RGB, describe_exif
from sceneset.imaging.exif_tags import ORIENTATION as _ORIENTATION_TAG
from sceneset.imaging.kept_parts import PNG_SIGNATURE, TEXT_CHUNKS, Part, file_parts
from sceneset.imaging.trait_names import (
    BROKEN,
    FRAMES,
    GPS,
    ORIENTATION,
    PERSONAL,
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
_RAW_PROFILE = re.compile(  # keyword, name, size, digits: each on lines of its own
    rb"[^\n\0]*[\n\0]\n?(?:exif|app1|generic profile|)\n\s*\d{1,10}\s*\n([0-9a-f\s]+)\0?",
    re.IGNORECASE,
)
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
    parts, damage = _readable_parts(data)
    found = {BROKEN} if damage else set()
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
    if not damage and opened.format in {"JPEG", "PNG"}:
        is_padding_allowed = opened.format == "JPEG"
        if _has_trailing_bytes(data, parts[-1].end, is_padding_allowed=is_padding_allowed):
            found.add(TRAILING)
    if "icc_profile" in opened.info:  # the profile says more than EXIF
        found.discard(ADOBE_RGB)
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


def _readable_parts(data: bytes) -> tuple[list[Part], ValueError | None]:
    """Return the parts of a file up to damage, and the error if there is some."""
    parts: list[Part] = []
    try:
        for part in file_parts(data, check=False):
            parts.append(part)  # noqa: PERF402 - the parts before an error are kept
    except ValueError as error:
        return parts, error
    return parts, None


def _kind(data: bytes, part: Part) -> bytes:
    """Return the type of a PNG chunk."""
    return data[part.start + 4 : part.start + 8]


def _parts(parts: Sequence[Part], data: bytes) -> Iterator[str]:
    """Yield the traits of everything that is not kept as it is; a broken part hides no other."""
    for part in parts:
        if part.word and part.word != "EXIF":
            yield from _part_traits(part, data)
    blocks, is_broken = _exif_blocks(parts, data)
    if is_broken:
        yield from (BROKEN, f"{PERSONAL}EXIF")
    for block in blocks:
        try:
            yield from list(describe_exif(block))
        except Exception:  # noqa: BLE001 - broken metadata raises exceptions of many types
            yield from (BROKEN, f"{PERSONAL}EXIF")


def _part_traits(part: Part, data: bytes) -> Iterator[str]:
    body = text = part.content(data)
    try:
        text = _text(_kind(data, part) if _is_png(data) else b"", body)
    except zlib.error:
        yield BROKEN
    yield from (PERSONAL + word for word in _words(part.word, body))
    if _POSITION.search(text.replace(b"\0", b"")):
        yield GPS


def says_adobe_rgb(data: bytes) -> bool:
    """Return whether the EXIF tags of a JPEG or PNG say that its colours are those of Adobe RGB."""
    parts, _ = _readable_parts(data)
    blocks, _ = _exif_blocks(parts, data)
    return any(ADOBE_RGB in describe_exif(block) for block in blocks)


def _exif_blocks(parts: Sequence[Part], data: bytes) -> tuple[list[bytes], bool]:
    """Return the EXIF blocks of a file, and whether it has one that can't be read."""
    is_broken = False
    blocks: list[bytes] = []
    for part in parts:
        if part.word != "EXIF":
            continue
        body = part.content(data)
        if _is_png(data) and _kind(data, part) in TEXT_CHUNKS:
            try:
                blocks.append(_from_hex(_text(_kind(data, part), body)))
            except (ValueError, zlib.error):
                is_broken = True
        elif not blocks or body[6:8] in {b"II", b"MM"} or _is_png(data):
            blocks.append(body)
        else:  # a block of more than 64 kB goes on in the next segment
            blocks[-1] += body[6:]
    return blocks, is_broken


def _is_png(data: bytes) -> bool:
    return data.startswith(PNG_SIGNATURE)


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
    """Return the block that ImageMagick writes as hexadecimal text, after its name and size.

    Raises:
        ValueError: The text has another form.
    """
    found = _RAW_PROFILE.fullmatch(text)
    if not found:
        raise ValueError("is not a block in hexadecimal digits")
    return bytes.fromhex(found[1].decode())


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
