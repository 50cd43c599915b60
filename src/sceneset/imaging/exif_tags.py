"""Describe the tags of an EXIF block: every tag that says more than how pixels are encoded.

`sceneset fix` keeps the orientation, and the statement that colours are those of Adobe RGB, which
has a rule of its own (image-profile). Tags in TECHNICAL are removed with the others but not
reported: they are in most files, and numbers such as the resolution identify nobody.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from PIL import ExifTags

from sceneset.imaging.trait_names import BROKEN, GPS, PERSONAL, PROFILE

ORIENTATION = 0x0112
ADOBE_RGB = f"{PROFILE}Adobe RGB (EXIF)"
"""The trait of an image whose tags say that its colours are those of Adobe RGB."""
_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, _SUB_IFDS = 0x8769, 0x8825, 0xA005, 0x014A
_COLOR_SPACE, _INTEROP_INDEX = 0xA001, 0x0001
TECHNICAL = frozenset({
    *(0x0001, 0x0002, 0x1001, 0x1002),  # interoperability
    *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0115, 0x011A, 0x011B, 0x011C, 0x0128),
    *(0x013E, 0x013F, 0x0211, 0x0212, 0x0213, 0x0214),
    *(_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, 0x9000, 0x9101, 0xA000, _COLOR_SPACE, 0xA002, 0xA003),
})  # fmt: skip
"""Size, resolution and encoding of the pixels, versions, and where other directories are."""
_SETTINGS = frozenset({
    *(0x829A, 0x829D, 0x8822, 0x8827, *range(0x8830, 0x8836), 0x9102, *range(0x9201, 0x920B)),
    *(0x9214, 0xA20B, 0xA20E, 0xA20F, 0xA210, 0xA214, 0xA215, 0xA217, 0xA300, 0xA301),
    *(*range(0xA401, 0xA40B), 0xA40C, 0xA432, *range(0xA460, 0xA462), 0xA500),
})  # fmt: skip
_THUMBNAIL = {0x0111, 0x0117, 0x0201, 0x0202}  # where the thumbnail is
_FIRST, _NEXT = 0, 1  # directories that no tag points to: the first, and those after it
_TIMES = {0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292}
_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes, by TIFF type
_MAX_NUMBERS, _MAX_BYTES = 48, 4  # bytes of a technical value: of numbers, and of any other type
_MAX_DIRECTORIES, _MAX_ENTRIES = 32, 4096
_COMMENT_CODES = (b"ASCII\0\0\0", b"UNICODE\0", b"JIS\0\0\0\0\0")
_BLANK = b"\0 \t\r\n"
_TIFF_HEADER = b"MM\0*\0\0\0\x08"  # big-endian; the first directory follows


class _Entry(NamedTuple):
    tag: int
    kind: int
    value: bytes | None
    """None if the value is outside the block."""


class _Block:
    """The TIFF structure inside an EXIF block."""

    def __init__(self, tiff: bytes) -> None:
        self.tiff = tiff
        self.order = "little" if tiff[:2] == b"II" else "big"
        self.end = 8
        """Offset of the first byte after everything that was read."""

    def number(self, start: int, size: int) -> int:
        if start + size > len(self.tiff):
            raise ValueError(f"is cut off at byte {start}")
        data = self.tiff[start : start + size]
        return int.from_bytes(data, "little" if self.order == "little" else "big")

    def directory(self, start: int) -> tuple[list[_Entry], int]:
        """Return the entries of a directory, and the offset of the next one or 0.

        Raises:
            ValueError: The directory is outside the block.
        """
        count = self.number(start, 2)
        if count > _MAX_ENTRIES:
            raise ValueError(f"has a directory of {count} tags")
        entries = [self._entry(start + 2 + 12 * n) for n in range(count)]
        end = start + 2 + 12 * count
        self.end = max(self.end, min(end + 4, len(self.tiff)))
        return entries, self.number(end, 4) if end + 4 <= len(self.tiff) else 0

    def _entry(self, start: int) -> _Entry:
        tag, kind = self.number(start, 2), self.number(start + 2, 2)
        size = _SIZES.get(kind, 1) * self.number(start + 4, 4)
        offset = start + 8
        if size > 4:
            offset = self.number(offset, 4)
        if offset + size > len(self.tiff):
            return _Entry(tag, kind, None)
        self.end = max(self.end, offset + size)
        return _Entry(tag, kind, self.tiff[offset : offset + size])

    def pointers(self, entry: _Entry) -> list[int]:
        value = entry.value or b""
        return [
            int.from_bytes(value[n : n + 4], "little" if self.order == "little" else "big")
            for n in range(0, len(value) - 3, 4)
        ]


def describe_exif(block: bytes) -> Iterator[str]:
    """Yield the traits of an EXIF block, with or without the signature "Exif"."""
    tiff = block.removeprefix(b"Exif\0\0")
    if not tiff.strip(b"\0"):
        return
    if tiff[:4] not in {b"II*\0", b"MM\0*"}:
        yield from (BROKEN, f"{PERSONAL}EXIF")
        return
    read = _Block(tiff)
    try:
        first = read.number(4, 4)
        entries, following = read.directory(first)
    except ValueError:
        yield from (BROKEN, f"{PERSONAL}EXIF")
        return
    if any(entry.value is None for entry in entries):
        yield BROKEN
    found = set(_directory_traits(read, entries))
    pending = [*_children(read, entries), (following, _NEXT)]
    found.update(_traits_below(read, pending, {first}))
    yield from found
    is_reported = any(trait.startswith(PERSONAL) for trait in found)
    if not is_reported and tiff[read.end :].strip(_BLANK):
        yield f"{PERSONAL}bytes after EXIF"


def _traits_below(read: _Block, pending: list[tuple[int, int]], seen: set[int]) -> Iterator[str]:
    """Yield the traits of the directories at some offsets, and of those below them."""
    while pending and len(seen) < _MAX_DIRECTORIES:
        start, pointer = pending.pop()
        if not start or start in seen:
            continue
        seen.add(start)
        try:
            entries, following = read.directory(start)
        except ValueError:
            if pointer != _NEXT:  # cameras often write no offset after the first directory
                yield BROKEN
            continue
        yield from _directory_traits(read, entries, pointer)
        pending += _children(read, entries)
        if pointer == _NEXT:
            pending.append((following, _NEXT))


def _children(read: _Block, entries: list[_Entry]) -> list[tuple[int, int]]:
    """Return the offsets of the directories that entries point to, each with the pointer's tag."""
    pointers = {_EXIF_IFD, _GPS_IFD, _INTEROP_IFD, _SUB_IFDS}
    return [(at, e.tag) for e in entries if e.tag in pointers for at in read.pointers(e)]


def _directory_traits(read: _Block, entries: list[_Entry], pointer: int = _FIRST) -> Iterator[str]:
    """Yield the traits of one directory.

    Args:
        read: The block.
        entries: The tags of the directory.
        pointer: The tag that points to it; _FIRST or _NEXT if no tag does.
    """
    if pointer == _GPS_IFD:
        if entries:
            yield GPS
        return
    if pointer == _NEXT and entries:
        yield f"{PERSONAL}EXIF thumbnail"
    for entry in entries:
        word = tag_word(entry.tag, entry.kind, entry.value)
        if word and not (pointer == _NEXT and entry.tag in _THUMBNAIL):
            yield PERSONAL + word
        if _says_adobe_rgb(read, entry, pointer):
            yield ADOBE_RGB


def tag_word(tag: int, kind: int, value: bytes | None) -> str:
    """Return what to report of a tag, or "" if it says nothing besides how pixels are encoded.

    Args:
        tag: The tag's number.
        kind: The TIFF type of the value.
        value: The value; None if it is outside the block.
    """
    if value is not None and not _without_code(value).strip(_BLANK) and kind not in _SIZES:
        return ""  # cameras write empty fields
    if tag == ORIENTATION or tag in TECHNICAL:
        limit = _MAX_NUMBERS if kind in _SIZES else _MAX_BYTES
        if value is not None and len(value) <= limit:
            return ""
    if tag in _TIMES:
        return "EXIF time"
    if tag in _SETTINGS and (kind in _SIZES or (value is not None and len(value) <= _MAX_BYTES)):
        return "EXIF camera settings"
    return f"EXIF {ExifTags.TAGS.get(tag) or f'tag {tag:#06x}'}"


def _without_code(value: bytes) -> bytes:
    """Return a value without the character code of a user comment."""
    return next((value[len(c) :] for c in _COMMENT_CODES if value.startswith(c)), value)


def _says_adobe_rgb(read: _Block, entry: _Entry, pointer: int) -> bool:
    """Return whether a tag says that the colours are those of Adobe RGB."""
    value = entry.value or b""
    if pointer == _INTEROP_IFD:
        return entry.tag == _INTEROP_INDEX and value.startswith(b"R03")
    order = read.order
    return entry.tag == _COLOR_SPACE and value == (b"\2\0" if order == "little" else b"\0\2")


def kept_tags(orientation: int, *, adobe_rgb: bool) -> bytes:
    """Return an EXIF block, without its signature, that says what is kept; b"" if that is nothing.

    Adobe RGB is said as the DCF standard does it: an uncalibrated colour space, and R03 as the
    index of interoperability.
    """

    def directory(*entries: tuple[int, int, int, bytes]) -> bytes:
        written = (struct.pack(">HHI4s", *entry) for entry in entries)
        return len(entries).to_bytes(2) + b"".join(written) + bytes(4)

    turned = ((ORIENTATION, 3, 1, orientation.to_bytes(2)),) if orientation != 1 else ()
    if not adobe_rgb:
        return _TIFF_HEADER + directory(*turned) if turned else b""
    colours = len(_TIFF_HEADER) + len(directory(*turned)) + 12
    first = directory(*turned, (_EXIF_IFD, 4, 1, colours.to_bytes(4)))
    second_end = colours + len(directory((0, 0, 0, b""), (0, 0, 0, b"")))
    second = directory(
        (_COLOR_SPACE, 3, 1, b"\xff\xff"), (_INTEROP_IFD, 4, 1, second_end.to_bytes(4))
    )
    return _TIFF_HEADER + first + second + directory((_INTEROP_INDEX, 2, 4, b"R03\0"))
