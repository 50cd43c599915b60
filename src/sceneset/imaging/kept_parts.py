"""Decide which segments of a JPEG and which chunks of a PNG are kept, and name all others.

One table for two uses: `sceneset fix` writes what is kept, and a scan reports the rest. So nothing
is removed that was not reported, and nothing is reported that `fix` does not remove.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from sceneset.imaging.segments import Segment, jpeg_segments, png_chunks

PNG_SIGNATURE, JPEG_SIGNATURE = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
COLOUR_CHUNKS = frozenset(b"cHRM gAMA sRGB iCCP cICP mDCV cLLI".split())
_KEPT_CHUNKS = COLOUR_CHUNKS | frozenset(
    b"IHDR PLTE IDAT IEND CgBI tRNS sBIT bKGD hIST pHYs acTL fcTL fdAT".split()
)
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
_LAST_DECODER_MARKER = 0xDF  # frames, tables, scans and restarts; application data follows
_JFIF_SIZE, _ADOBE_SIZE = 14, 12  # bytes of content that decoders read


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
            word = "" if kind in _KEPT_CHUNKS else _chunk_word(data, kind, start + 8, end - 4)
            yield Part(start, end, start + 8, end - start - 12, word)
    elif data.startswith(JPEG_SIGNATURE):
        yield from (_jpeg_part(data, segment) for segment in jpeg_segments(data))
    else:
        raise ValueError("is not a JPEG or PNG")


def kept_file(data: bytes) -> bytes:
    """Return a JPEG or PNG with what is kept of its parts; the orientation is not.

    Raises:
        ValueError: As for ``file_parts``.
    """
    start = len(PNG_SIGNATURE) if data.startswith(PNG_SIGNATURE) else 2
    return data[:start] + b"".join(part.kept(data) for part in file_parts(data))


def _chunk_word(data: bytes, kind: bytes, body: int, end: int) -> str:
    if kind not in TEXT_CHUNKS:
        return _CHUNK_WORDS.get(kind) or f"PNG chunk {_printable(kind)}"
    keyword = _printable(data[body : min(end, body + 80)].partition(b"\0")[0])
    return _TEXT_WORDS.get(keyword) or f"PNG text {keyword}"


def _jpeg_part(data: bytes, segment: Segment) -> Part:
    marker, start, body, end = segment
    size = max(0, int.from_bytes(data[body - 2 : body]) - 2) if end >= body else 0
    part = Part(start, end, body, size)
    if marker <= _LAST_DECODER_MARKER:
        return part
    if marker == 0xE0 and data.startswith(b"JFIF\0", body) and size >= _JFIF_SIZE:
        head = data[body : body + _JFIF_SIZE - 2] + b"\0\0"  # thumbnail size 0 x 0
        return _with_content(data, part, b"\xff\xe0", head, "JFIF thumbnail")
    if marker == 0xEE and data.startswith(b"Adobe", body) and size >= _ADOBE_SIZE:
        head = data[body : body + _ADOBE_SIZE]
        return _with_content(data, part, b"\xff\xee", head, "APP14")
    if marker == 0xE2 and data.startswith(b"ICC_PROFILE\0", body):
        return part
    return part._replace(word=_segment_word(data, marker, body, size))


def _with_content(data: bytes, part: Part, marker: bytes, content: bytes, word: str) -> Part:
    """Return a part whose content is kept in this form, and named only if it has another one."""
    if part.content(data) == content:
        return part
    replacement = marker + (len(content) + 2).to_bytes(2) + content
    return part._replace(word=word, replacement=replacement)


def _segment_word(data: bytes, marker: int, body: int, size: int) -> str:
    for known, start, word in _SEGMENT_WORDS:
        if marker == known and data.startswith(start, body, body + size):
            return word
    return f"APP{marker - 0xE0}" if marker <= 0xEF else f"JPEG segment {marker:02X}"


def _printable(text: bytes) -> str:
    return re.sub(r"[^ -~\xa1-\xff]", "?", text.decode("latin-1")).strip() or "without a name"
