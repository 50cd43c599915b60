"""Encode pictures for terminals: the graphics protocol of kitty, inline images of iTerm2, sixel.

A picture is sent in strips, because some terminals and tmux bound the size of one image.

Kitty: https://sw.kovidgoyal.net/kitty/graphics-protocol/
iTerm2: https://iterm2.com/documentation-images.html
Sixel: https://vt100.net/docs/vt3xx-gp/chapter14.html
"""

import io
from base64 import b64encode
from collections.abc import Iterator
from enum import StrEnum
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

    Row = npt.NDArray[np.uint8]

_CHUNK = 4096
"""Largest part of a kitty image, in characters of base64."""
_STRIP_PIXELS = 240_000
"""Pixels of a strip: its base64 text stays below 1 MiB, the most that tmux passes on."""
_BAND = 6
"""Rows of pixels in a row of sixels."""
_COLOURS = 256
_REPEATED = 4
"""Sixels from which on a run is shorter with its length: `!4?`."""


class Protocol(StrEnum):
    """How a terminal takes pictures."""

    KITTY = "kitty"
    ITERM = "iterm"
    SIXEL = "sixel"


class Cell(NamedTuple):
    """The size of a character on the terminal, in pixels."""

    width: int
    height: int


def picture_from_png(png: bytes, width: int) -> Image.Image:
    """Return a picture that is at most ``width`` pixels wide."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    return picture


def strips(picture: Image.Image, cell: Cell, lines: int) -> Iterator[Image.Image]:
    """Yield a picture in strips from top to bottom, each a whole number of text lines high.

    Args:
        picture: The picture.
        cell: The size of a character.
        lines: The most lines that a strip may take.
    """
    unit = lcm(cell.height, _BAND)
    if unit > lines * cell.height:  # a sixel strip then leaves a gap of a few pixels
        unit = cell.height
    room = min(_STRIP_PIXELS // picture.width, lines * cell.height)
    height = max(1, room // unit) * unit
    for top in range(0, picture.height, height):
        yield picture.crop((0, top, picture.width, min(top + height, picture.height)))


def encode(picture: Image.Image, protocol: Protocol) -> Iterator[str]:
    """Yield the control sequences that draw a picture at the cursor."""
    if protocol is Protocol.KITTY:
        yield from _kitty(picture)
    elif protocol is Protocol.ITERM:
        yield _iterm(picture)
    else:
        yield _sixel(picture)


def _kitty(picture: Image.Image) -> Iterator[str]:
    data = b64encode(_png(picture)).decode("ascii")
    for start in range(0, len(data), _CHUNK):
        # a=T: draw at once; f=100: a PNG file; q=2: no answers; C=1: the cursor stays.
        keys = "a=T,f=100,q=2,C=1," if start == 0 else ""
        more = int(start + _CHUNK < len(data))
        yield f"\x1b_G{keys}m={more};{data[start : start + _CHUNK]}\x1b\\"


def _iterm(picture: Image.Image) -> str:
    data = _png(picture)
    options = f"inline=1;size={len(data)};width={picture.width}px;height={picture.height}px"
    return f"\x1b]1337;File={options};doNotMoveCursor=1:{b64encode(data).decode('ascii')}\x07"


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _sixel(picture: Image.Image) -> str:
    indexed = picture.quantize(_COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = indexed.getpalette() or []
    places = np.asarray(indexed)
    used = np.unique(places).tolist()
    # Colors are given in percent. 1;1: square pixels.
    parts = [f'\x1bP0;1;0q"1;1;{picture.width};{picture.height}']
    for number in used:
        red, green, blue = (round(100 * value / 255) for value in palette[3 * number :][:3])
        parts.append(f"#{number};2;{red};{green};{blue}")
    for top in range(0, picture.height, _BAND):
        band = places[top : top + _BAND]
        lines = [f"#{number}{_sixel_line(band == number)}" for number in np.unique(band).tolist()]
        parts.append("$".join(lines))
        parts.append("-")
    return "".join([*parts, "\x1b\\"])


def _sixel_line(is_set: "npt.NDArray[np.bool_]") -> str:
    """Return the sixels of one color in a band: the top pixel is the lowest bit."""
    weights = (1 << np.arange(len(is_set), dtype=np.uint8))[:, None]
    values = (is_set * weights).sum(axis=0, dtype=np.uint8)
    values = values[: np.flatnonzero(values)[-1] + 1]  # blank ends need not be written
    starts = np.flatnonzero(np.diff(values, prepend=np.uint8(255)))
    lengths = np.diff(starts, append=len(values)).tolist()
    runs = zip((values[starts] + 63).tolist(), lengths, strict=True)
    return "".join(
        f"!{length}{chr(code)}" if length >= _REPEATED else chr(code) * length
        for code, length in runs
    )
