"""Whether a PNG holds all of its pixels: Pillow takes those that are lacking for black."""

import zlib

from sceneset.imaging.segments import png_chunks

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column and row, and steps between them, of each pass (PNG specification, 8.2)."""
_PIECE = 1 << 20  # bytes inflated at a time: they are counted, not kept


def check_length(data: bytes) -> None:
    """Refuse a PNG of right checksums whose pixels end too early.

    Raises:
        ValueError: they do.
        zlib.error: they can't be inflated.
    """
    wanted = _bytes_of_rows(data)
    inflate = zlib.decompressobj()
    for kind, at, end in png_chunks(data):
        left = data[at + 8 : end - 4] if kind == b"IDAT" else b""
        while left and wanted > 0:
            wanted -= len(inflate.decompress(left, _PIECE))
            left = inflate.unconsumed_tail
    if wanted > 0:
        raise ValueError(f"{wanted} bytes of pixels are lacking")


def _bytes_of_rows(data: bytes) -> int:
    """Return how long all rows are, with the byte before each that names its filter."""
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    bits = data[24] * _CHANNELS[data[25]]
    total = 0
    for column, row, across, down in _ADAM7 if data[28] else _WHOLE:
        columns = (width - column + across - 1) // across
        rows = (height - row + down - 1) // down
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
