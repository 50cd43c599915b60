"""Decide which segments of a JPEG and which chunks of a PNG are kept, and name all others.

One table for two uses: `sceneset fix` writes what is kept, and a scan reports the rest. So nothing
is removed that was not reported, and nothing is reported that `fix` does not remove.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sceneset.imaging.segments import Segment, jpeg_segments, png_chunks

PNG_SIGNATURE, JPEG_SIGNATURE = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
COLOUR_CHUNKS = frozenset(b"cHRM gAMA sRGB iCCP cICP mDCV cLLI".split())
_KEPT_CHUNKS = COLOUR_CHUNKS | frozenset(
    b"IHDR PLTE IDAT IEND CgBI tRNS sBIT bKGD hIST pHYs acTL fcTL fdAT".split()
)
_SIZES = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"IEND": 0,
    b"CgBI": 4,
    b"sBIT": 4,
    b"bKGD": 6,
    b"hIST": 512,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
    b"tRNS": 256,
    b"cHRM": 32,
    b"gAMA": 4,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
}
"""Bytes of a kept chunk that readers use; anything may follow them."""
_TRANSPARENCY_SIZES = {0: 2, 2: 6}  # bytes of a tRNS chunk, by colour type
TEXT_CHUNKS = {b"tEXt", b"zTXt", b"iTXt"}
_CHUNK_WORDS = {b"eXIf": "EXIF", b"tIME": "PNG time", b"caBX": "C2PA"}
_TEXT_WORDS = {
    "XML:com.adobe.xmp": "XMP",
    "Raw profile type xmp": "XMP",
    "Raw profile type exif": "EXIF",
    "Raw profile type APP1": "EXIF",
    "Raw profile type iptc": "IPTC",
    "Raw profile type 8bim": "IPTC",
}
_SEGMENT_WORDS = (  # start of a segment after its length -> what it is
    (0xE0, b"JFXX\0", "JFXX thumbnail"),
    (0xE1, b"Exif\0", "EXIF"),
    (0xE1, b"http://ns.adobe.com/x", "XMP"),
    (0xE1, b"FLIR\0", "FLIR"),
    (0xE2, b"MPF\0", "MPF"),
    (0xE6, b"GoPro", "GoPro"),
    (0xEB, b"JP", "C2PA"),
    (0xED, b"Photoshop 3.0\0", "Photoshop"),
    (0xFE, b"", "comment"),
)
_NUMBER_OF_LINES = 0xDC  # a segment that decoders skip
_LAST_DECODER_MARKER = 0xDF  # frames, tables, scans and restarts; application data follows
_JFIF_SIZE, _ADOBE_SIZE, _LINES_SIZE = 14, 12, 2  # bytes of content that decoders read
_ICC_NAME = b"ICC_PROFILE\0"
_PROFILE_HEADER = 128  # bytes of an ICC profile before its tags
_MAX_PROFILE = 1 << 24  # bytes; that of a printer has fewer than 4 million


class Part(NamedTuple):
    """A segment or chunk of a file, with the entropy-coded data after it; offsets are in bytes."""

    start: int
    end: int
    body: int
    """Offset of its content."""
    size: int
    """Size of its content."""
    word: str = ""
    """What it is, if it is not kept as it is; empty if it is kept."""
    replacement: bytes = b""
    """What is kept of a part that is not kept as it is."""

    def kept(self, data: bytes) -> bytes:
        """Return the bytes to keep."""
        return self.replacement if self.word else data[self.start : self.end]

    def content(self, data: bytes) -> bytes:
        """Return the content without marker, length and checksum."""
        return data[self.body : self.body + self.size]


def file_parts(data: bytes, *, check: bool = True) -> Iterator[Part]:
    """Yield every part of a JPEG or PNG after its signature, up to the end of the first image.

    Args:
        data: The bytes of the file.
        check: Whether to check the checksums of a PNG.

    Raises:
        ValueError: The file is truncated or damaged, or neither a JPEG nor a PNG.
    """
    if data.startswith(PNG_SIGNATURE):
        for kind, start, end in png_chunks(data, check=check):
            yield _png_part(data, kind, start, end)
    elif data.startswith(JPEG_SIGNATURE):
        yield from _jpeg_parts(data)
    else:
        raise ValueError("is not a JPEG or PNG")


def kept_file(data: bytes) -> bytes:
    """Return a JPEG or PNG with what is kept of its parts; the orientation is not.

    Raises:
        ValueError: As for ``file_parts``.
    """
    start = len(PNG_SIGNATURE) if data.startswith(PNG_SIGNATURE) else 2
    return data[:start] + b"".join(part.kept(data) for part in file_parts(data))


def _png_part(data: bytes, kind: bytes, start: int, end: int) -> Part:
    part = Part(start, end, start + 8, end - start - 12)
    if kind not in _KEPT_CHUNKS:
        return part._replace(word=_chunk_word(data, kind, part.body, end - 4))
    if kind == b"iCCP" and not is_profile(_png_profile(part.content(data))):
        return part._replace(word="damaged ICC profile")
    used = _SIZES.get(kind, part.size)
    if kind == b"tRNS":
        used = _TRANSPARENCY_SIZES.get(data[25], used)
    if part.size <= used:
        return part
    body = kind + data[part.body : part.body + used]
    chunk = used.to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    return part._replace(word=f"PNG chunk {_printable(kind)}", replacement=chunk)


def _chunk_word(data: bytes, kind: bytes, body: int, end: int) -> str:
    if kind not in TEXT_CHUNKS:
        return _CHUNK_WORDS.get(kind) or f"PNG chunk {_printable(kind)}"
    keyword = _printable(data[body : min(end, body + 80)].partition(b"\0")[0])
    return _TEXT_WORDS.get(keyword) or f"PNG text {keyword}"


def _png_profile(content: bytes) -> bytes:
    """Return the profile of an iCCP chunk, or nothing if other bytes are in the chunk."""
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(content.partition(b"\0")[2][1:], _MAX_PROFILE)
    except zlib.error:
        return b""
    return profile if inflate.eof and not inflate.unused_data else b""


def is_profile(profile: bytes) -> bool:
    """Return whether bytes are an ICC profile by its header, and nothing but zeros follows it."""
    size = int.from_bytes(profile[:4])
    is_icc = len(profile) > _PROFILE_HEADER and profile[36:40] == b"acsp"
    return is_icc and not profile[size:].strip(b"\0")


def _jpeg_parts(data: bytes) -> Iterator[Part]:
    """Yield the parts of a JPEG; those before damage are yielded before the error is raised."""
    segments: list[Segment] = []
    damage: ValueError | None = None
    try:
        segments.extend(jpeg_segments(data))
    except ValueError as error:
        damage = error
    parts = [_part(data, segment) for segment in segments]
    profiles = [
        part.content(data)
        for segment, part in zip(segments, parts, strict=True)
        if segment.marker == 0xE2 and part.content(data).startswith(_ICC_NAME)
    ]
    keeps_profile = _is_whole_profile(profiles)
    for segment, part in zip(segments, parts, strict=True):
        yield _judged(data, segment.marker, part, keeps_profile=keeps_profile)
    if damage:
        raise damage


def _is_whole_profile(contents: Sequence[bytes]) -> bool:
    """Return whether segments are one profile, each piece once, as readers require."""
    if not contents:
        return False
    head = len(_ICC_NAME)
    pieces = {content[head : head + 1]: content[head + 2 :] for content in contents}
    counts = {content[head + 1 : head + 2] for content in contents}
    numbers = [bytes([number]) for number in range(1, min(len(contents), 255) + 1)]
    if sorted(pieces) != numbers or counts != {numbers[-1]} or len(contents) != len(numbers):
        return False
    return is_profile(b"".join(pieces[number] for number in numbers))


def _part(data: bytes, segment: Segment) -> Part:
    marker, start, body, end = segment
    if not marker:
        return Part(start, end, start, end - start)
    size = max(0, int.from_bytes(data[body - 2 : body]) - 2) if end >= body else 0
    return Part(start, end, body, size)


def _judged(data: bytes, marker: int, part: Part, *, keeps_profile: bool) -> Part:
    """Return a part of a JPEG with its word if it is not kept as it is."""
    if not marker:
        return part._replace(word="bytes between segments")
    content = part.content(data)
    if marker == _NUMBER_OF_LINES:
        return _with_content(data, part, b"\xff\xdc", content[:_LINES_SIZE], "JPEG segment DC")
    if marker <= _LAST_DECODER_MARKER:
        return part
    if marker == 0xE0 and content.startswith(b"JFIF\0") and part.size >= _JFIF_SIZE:
        head = content[: _JFIF_SIZE - 2] + b"\0\0"  # thumbnail size 0 x 0
        return _with_content(data, part, b"\xff\xe0", head, "JFIF thumbnail")
    if marker == 0xEE and content.startswith(b"Adobe") and part.size >= _ADOBE_SIZE:
        return _with_content(data, part, b"\xff\xee", content[:_ADOBE_SIZE], "APP14")
    if marker == 0xE2 and content.startswith(_ICC_NAME):
        return part if keeps_profile else part._replace(word="damaged ICC profile")
    return part._replace(word=_segment_word(marker, content))


def _with_content(data: bytes, part: Part, marker: bytes, content: bytes, word: str) -> Part:
    """Return a part whose content is kept in this form, and named only if it has another one."""
    if part.content(data) == content:
        return part
    replacement = marker + (len(content) + 2).to_bytes(2) + content
    return part._replace(word=word, replacement=replacement)


def _segment_word(marker: int, content: bytes) -> str:
    for known, start, word in _SEGMENT_WORDS:
        if marker == known and content.startswith(start):
            return word
    return f"APP{marker - 0xE0}" if marker <= 0xEF else f"JPEG segment {marker:02X}"


def _printable(text: bytes) -> str:
    return re.sub(r"[^ -~\xa1-\xff]", "?", text.decode("latin-1")).strip() or "without a name"
