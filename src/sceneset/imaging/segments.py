"""The parts that a JPEG or PNG file is made of, up to the end of its first picture."""

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_MARKER = re.compile(rb"\xff+([\x01-\xd7\xd9-\xfe])")  # a second start is damage
_SCAN_STOPS = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # at neither a stuffed FF nor a restart
_PNG_BEGIN = 8  # bytes of what marks a PNG


class Segment(NamedTuple):
    """A segment of a JPEG, with the coded scan behind it: where it stands in the file."""

    marker: int
    at: int
    body: int
    """Where its content begins, behind its length."""
    end: int


def jpeg_segments(data: bytes) -> Iterator[Segment]:
    """Yield each segment behind the start mark, the end mark last.

    Raises:
        ValueError: the file is cut off, or something stands between segments.
    """
    at, marker = 2, 0
    while marker != 0xD9:
        found = _MARKER.match(data, at)
        if not found:
            raise ValueError(f"is cut off or damaged at byte {at}")
        marker, end = found[1][0], found.end()
        body = end + 2
        if marker != 0x01 and not 0xD0 <= marker <= 0xD9:  # these have no length
            end += max(2, int.from_bytes(data[end:body]))
        if marker == 0xDA:
            stop = _SCAN_STOPS.search(data, end)
            end = stop.start() if stop else len(data) + 1
        if end > len(data):
            raise ValueError(f"is cut off in the segment at byte {at}")
        yield Segment(marker, at, body, end)
        at = end


class Chunk(NamedTuple):
    """A chunk of a PNG: where it stands in the file, its length, kind and checksum included."""

    kind: bytes
    at: int
    end: int


def png_chunks(data: bytes) -> Iterator[Chunk]:
    """Yield each chunk, IEND last; checksums are right.

    Raises:
        ValueError: the file is cut off or damaged.
    """
    at, kind = _PNG_BEGIN, b""
    while kind != b"IEND":
        end = at + 12 + int.from_bytes(data[at : at + 4])
        kind = data[at + 4 : at + 8]
        checksum = int.from_bytes(data[end - 4 : end])
        if len(data) < end or zlib.crc32(memoryview(data)[at + 4 : end - 4]) != checksum:
            raise ValueError(f"is cut off or damaged in the chunk at byte {at}")
        yield Chunk(kind, at, end)
        at = end
