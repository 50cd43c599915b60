"""Split JPEG files into segments and PNG files into chunks, up to the end of the first image."""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_MARKER = re.compile(rb"\xff\xff*([\x01-\xfe])")
# Neither a stuffed FF nor a restart marker. `\xff\xff*` means `\xff+`, but begins with a literal,
# which `re` searches 15 times as fast.
_SCAN_END = re.compile(rb"\xff\xff*[\x01-\xcf\xd8-\xfe]")
_PNG_SIGNATURE_SIZE = 8  # bytes
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
"""The chunk that ends every PNG, with its length and checksum."""


class Segment(NamedTuple):
    """A segment of a JPEG with the entropy-coded data after it; offsets are in bytes."""

    marker: int
    """0 for bytes between two segments, which decoders skip."""
    start: int
    body: int
    """Offset of its content, after marker and length."""
    end: int


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """Yield each segment after the start marker, the end marker last.

    Bytes between segments are yielded too, with the marker 0. Decoders skip them up to the next
    marker, so they can hold anything.

    Raises:
        ValueError: The file is truncated, or has a second start marker.
    """
    start, marker = 2, 0
    while marker != 0xD9:
        found = _MARKER.search(data, start)
        if not found or found[1] == b"\xd8":
            raise ValueError(f"is cut off or damaged at byte {start}")
        if found.start() > start:
            yield Segment(0, start, start, found.start())
            start = found.start()
        marker, end = found[1][0], found.end()
        body = end + 2
        if marker != 0x01 and not 0xD0 <= marker <= 0xD9:  # these have no length
            end += max(2, int.from_bytes(data[end:body]))
        if marker == 0xDA:
            stop = _SCAN_END.search(data, end)
            end = stop.start() if stop else len(data) + 1
        if end > len(data):
            raise ValueError(f"is cut off in the segment at byte {start}")
        yield Segment(marker, start, body, end)
        start = end


class Chunk(NamedTuple):
    """A chunk of a PNG, with its length, type and checksum; offsets are in bytes."""

    kind: bytes
    start: int
    end: int


def png_chunks(data: bytes, *, check: bool = True) -> Iterator[Chunk]:
    """Yield each chunk, IEND last.

    Args:
        data: The bytes of the file.
        check: Whether to check the checksums.

    Raises:
        ValueError: The file is truncated, or a checksum is wrong.
    """
    start, kind = _PNG_SIGNATURE_SIZE, b""
    while kind != b"IEND":
        end = start + 12 + int.from_bytes(data[start : start + 4])
        kind = data[start + 4 : start + 8]
        checksum = int.from_bytes(data[end - 4 : end])
        if len(data) < end or (
            check and zlib.crc32(memoryview(data)[start + 4 : end - 4]) != checksum
        ):
            raise ValueError(f"is cut off or damaged in the chunk at byte {start}")
        yield Chunk(kind, start, end)
        start = end


def has_png_end(data: bytes) -> bool:
    """Return whether the chunks of a PNG lead to a valid end chunk."""
    end = b""
    try:
        for _, start, stop in png_chunks(data, check=False):
            end = data[start:stop] if stop - start == len(PNG_END) else b""
    except ValueError:
        return False
    return end == PNG_END
