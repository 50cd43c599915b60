"""Decode a JPEG so that lost pixels are an error, and an unusual header is none.

libjpeg reports damage by warnings, and simplejpeg treats every warning as an error. But libjpeg
also warns of unusual headers, which lose no pixel, and only its first warning is visible: damage
may hide behind it. So a JPEG that simplejpeg refuses is checked again in a copy whose header is
what libjpeg expects, and without the zeros that some cameras write before the end marker. What is
still an error is damage.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from sceneset.imaging.segments import jpeg_segments
from sceneset.imaging.strict_cmyk import check_with_opencv

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_COLOURS = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
"""simplejpeg's names of Pillow's modes."""
_MAX_SCANS = 20  # encoders write 10 or fewer
_MAX_SCANNED_PIXELS = 240_000_000  # pixels x scans; decoders take about 2 seconds for these
_MARKER = re.compile(rb"\xff+([\x01-\xfe])")
_SCAN = re.compile(rb"\xff\xda(..)(.)", re.DOTALL)
_SEQUENTIAL = {0xC0, 0xC1, 0xC9}  # markers of frames whose scans hold all coefficients
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PADDING = re.compile(rb"(?<!\xff)\0+(?=\xff+\xd9)")  # FF 00 is a byte of the data
_ADOBE_SIZE = 16  # bytes of its segment up to the transform
_ADOBE_TRANSFORMS = {b"\3": (b"\0\1", b"\1"), b"\4": (b"\0\2", b"\2")}
"""Transforms that libjpeg knows, and the one that it assumes, by the number of components."""
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}


class TooManyScansError(ValueError):
    """A JPEG has so many scans that decoding it would take minutes."""


def decode_strictly(data: bytes, mode: str, buffer: "Pixels | None" = None) -> "Pixels | None":
    """Return the pixels of a complete JPEG, or None if Pillow must decode them.

    Pillow decodes files with an unusual header and CMYK, for which it knows how to convert to RGB.
    These files are checked for damage before this function returns.

    Args:
        data: The bytes of the file.
        mode: Pillow's name for its mode: L, RGB or CMYK.
        buffer: height x width x channels, to write the pixels to.

    Raises:
        ValueError: Pixels are missing or damaged.
    """
    import simplejpeg

    try:
        pixels: Pixels = simplejpeg.decode_jpeg(data, _COLOURS[mode], buffer=buffer)
    except ValueError as error:
        _check_again(data, mode, error)
        return None
    if mode == "CMYK":
        return None
    return pixels[:, :, 0] if mode == "L" else pixels


def check_scans(data: bytes, pixels: int) -> None:
    """Check that a JPEG has no more scans than decoders can handle in a few seconds.

    Args:
        data: The bytes of the file.
        pixels: Width x height.

    Raises:
        TooManyScansError: It has more.
    """
    scans = data.count(b"\xff\xda")
    if scans <= _MAX_SCANS:
        return
    with suppress(ValueError):  # the decoder will report the damage, if it gets there
        scans = sum(segment.marker == 0xDA for segment in jpeg_segments(data))
    if scans > _MAX_SCANS and scans * pixels > _MAX_SCANNED_PIXELS:
        raise TooManyScansError(f"is stored in {scans:,} scans, which take minutes to decode")


def _check_again(data: bytes, mode: str, error: ValueError) -> None:
    """Raise ``error`` or a better one, unless header or padding were the only reason for it."""
    usual = with_usual_header(data)
    if usual is None:
        raise error
    try:
        _check_complete(usual, mode)
    except ValueError:
        if not any(_is_complete(shorter, mode) for shorter in _without_padding(usual)):
            raise


def _is_complete(data: bytes, mode: str) -> bool:
    try:
        _check_complete(data, mode)
    except ValueError:
        return False
    return True


def _check_complete(usual: bytes, mode: str) -> None:
    """Check that a JPEG with a usual header has all of its pixels."""
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(usual, _COLOURS[mode])
    except ValueError as remaining:
        if "subsampling" not in str(remaining):
            raise
    else:
        return
    # The simple interface of TurboJPEG has no name for this subsampling. Its other interface, which
    # kornia uses, needs none and reports warnings as errors too; but it knows no CMYK.
    if mode == "CMYK":
        check_with_opencv(usual)
        return
    from kornia_rs.io import ImageDecoder

    try:
        ImageDecoder().decode(usual)
    except Exception as damage:
        raise ValueError("its compressed data is damaged") from damage


def _without_padding(usual: bytes) -> Iterator[bytes]:
    """Yield a JPEG without the zeros before its end marker, if it has some.

    Some cameras pad the compressed data with zeros, which hold no pixel. Its last byte may be zero
    too, so a second copy keeps one.
    """
    if _PADDING.search(usual):
        yield _PADDING.sub(b"", usual)
        yield _PADDING.sub(b"\0", usual)


def with_usual_header(data: bytes) -> bytes | None:
    """Return a JPEG with a header of which libjpeg does not warn, or None if it has no header.

    Bytes between segments and all metadata are left out, with ICC profiles. The version of JFIF is
    1.1, an unknown Adobe transform is the one that libjpeg assumes, and the scans of a sequential
    JPEG declare all coefficients, which decoders assume too. The compressed data is unchanged.
    """
    segments, scans = _split_header(data)
    frames = [(marker, segment[9:10]) for marker, segment in segments if marker in _FRAMES]
    if not frames or not scans:
        return None
    frame, components = frames[-1]
    if frame in _SEQUENTIAL:
        scans = _with_all_coefficients(scans)
    header = (_usual_segment(marker, segment, components) for marker, segment in segments)
    return b"\xff\xd8" + b"".join(header) + scans


def _split_header(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return each segment before the first scan with its marker, and everything from that scan on.

    The second value is empty if there is no scan. Bytes between segments are left out, as decoders
    do.
    """
    segments: list[tuple[int, bytes]] = []
    found = _MARKER.search(data, 2)
    while found and (marker := found[1][0]) not in {0xD8, 0xD9}:
        length = found.end()
        if marker == 0xDA:
            return segments, data[length - 2 :]
        end = length
        if marker not in _WITHOUT_LENGTH:
            end += max(2, int.from_bytes(data[length : length + 2]))
            segments.append((marker, bytes((0xFF, marker)) + data[length:end]))
        found = _MARKER.search(data, end)
    return segments, b""


def _usual_segment(marker: int, segment: bytes, components: bytes) -> bytes:
    """Return a segment of a header as libjpeg expects it; nothing of a segment of metadata."""
    if marker == 0xE0 and segment[4:9] == b"JFIF\0":
        return segment[:9] + b"\1\1" + segment[11:]
    if marker == 0xEE and segment[4:9] == b"Adobe" and len(segment) >= _ADOBE_SIZE:
        known, assumed = _ADOBE_TRANSFORMS.get(components, (b"\0", b"\0"))
        transform = segment[_ADOBE_SIZE - 1 : _ADOBE_SIZE]
        transform = transform if transform in known else assumed
        return segment[: _ADOBE_SIZE - 1] + transform + segment[_ADOBE_SIZE:]
    is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
    return b"" if is_metadata else segment


def _with_all_coefficients(scans: bytes) -> bytes:
    """Return scans that declare the coefficients 0 to 63 in full precision."""
    changed = bytearray(scans)
    for found in _SCAN.finditer(scans):
        length, components = int.from_bytes(found[1]), found[2][0]
        if length == 6 + 2 * components:
            place = found.start() + 2 + length - 3
            changed[place : place + 3] = b"\0\x3f\0"
    return bytes(changed)
