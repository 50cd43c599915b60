"""Check that a PNG holds all of its pixels: Pillow reads missing ones as black."""

import zlib

from sceneset.imaging.segments import png_chunks

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_NOT_INTERLACED = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column, first row, column step and row step of each pass (PNG specification, 8.2)."""
_CHUNK_SIZE = 1 << 20  # bytes decompressed at a time; they are counted, not kept


def check_length(data: bytes) -> None:
    """Check that a PNG with valid checksums has pixel data of the length its header implies.

    Raises:
        ValueError: Pixel data is missing.
        zlib.error: The pixel data can't be decompressed.
    """
    missing = _size_of_rows(data)
    inflate = zlib.decompressobj()
    for kind, start, end in png_chunks(data):
        compressed = data[start + 8 : end - 4] if kind == b"IDAT" else b""
        while compressed and missing > 0:
            missing -= len(inflate.decompress(compressed, _CHUNK_SIZE))
            compressed = inflate.unconsumed_tail
    if missing > 0:
        raise ValueError(f"{missing} bytes of pixels are missing")


def _size_of_rows(data: bytes) -> int:
    """Return the size of all rows in bytes, each with the byte that names its filter."""
    width, height = (int.from_bytes(data[start : start + 4]) for start in (16, 20))
    bits = data[24] * _CHANNELS[data[25]]
    total = 0
    for column, row, column_step, row_step in _ADAM7 if data[28] else _NOT_INTERLACED:
        columns = (width - column + column_step - 1) // column_step
        rows = (height - row + row_step - 1) // row_step
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
