"""Draw a contact sheet: a grid of pictures with their labels, as a PNG file.

Pillow's own font has Latin letters only. Other characters are drawn with a font of this machine if
it has one that is known to have Chinese characters.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

GENERATOR = "sceneset"
"""The text chunk "Software" of a sheet."""
MAX_PIXELS = 120_000_000
"""Largest sheet that is drawn; it takes 3 bytes of memory for each pixel."""

_TEXT_SIZE, _TITLE_SIZE, _LEADING, _GAP, _MARGIN = 13, 20, 17, 12, 20
_PAPER, _INK, _FAINT, _GREY = (255, 255, 255), (20, 24, 32), (90, 98, 110), (208, 212, 218)
_MAX_TEXT_LINES = 4
_WIDE_FONTS = (  # files of fonts with Chinese characters, as systems name them
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "NotoSansSC-Regular.otf"),
    *("SourceHanSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf", "PingFang.ttc"),
    *("Hiragino Sans GB.ttc", "STHeiti Light.ttc", "msyh.ttc"),
)
_UNKNOWN = "\uffff"
"""No font has this character."""


class Tile(NamedTuple):
    """A picture with what is written below it."""

    picture: "Pixels | None"
    """height x width x 3; None gives a gray tile."""
    reason: str = ""
    """Why there is no picture; it is written on the gray tile."""
    labels: tuple[str, ...] = ()
    """One line each, shortened in the middle."""
    texts: tuple[str, ...] = ()
    """Sentences, wrapped."""


class Legend(NamedTuple):
    """What a color means."""

    colour: tuple[int, int, int]
    text: str


@dataclass
class Sheet:
    """A drawn sheet."""

    png: bytes
    missing: str = ""
    """Characters of the labels that no font of this machine has; "?" is drawn for them."""


class SheetTooLargeError(ValueError):
    """A sheet would have more than MAX_PIXELS."""


def draw_sheet(
    title: str,
    notes: Sequence[str],
    legend: Sequence[Legend],
    tiles: Sequence[Tile],
    side: int,
    *,
    room: int = 1600,
) -> Sheet:
    """Return a sheet of tiles, from left to right and from top to bottom.

    Args:
        title: The first line.
        notes: Further lines above the tiles.
        legend: What the colors mean.
        tiles: The tiles; their pictures have at most ``side`` pixels a side.
        side: Width of a column.
        room: Width of the sheet, about.

    Raises:
        SheetTooLargeError: There are too many tiles for one file.
    """
    pen = _Pen()
    columns = max(1, min(len(tiles), room // side))
    width = max(columns * (side + _GAP) - _GAP, 480) + 2 * _MARGIN
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    laid = [[(tile, list(pen.lines_of(tile, side))) for tile in row] for row in rows]
    heads = [line for note in notes for line in pen.wrapped(note, width - 2 * _MARGIN)]
    top = _MARGIN + 30 + _LEADING * (len(heads) + bool(legend)) + _GAP
    heights = [
        (
            max(_picture_height(tile, side) for tile, _ in row),
            max(len(lines) for _, lines in row) * _LEADING + _GAP,
        )
        for row in laid
    ]
    height = top + sum(map(sum, heights)) + _MARGIN
    if width * height > MAX_PIXELS:
        raise SheetTooLargeError
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen.canvas = ImageDraw.Draw(sheet)
    pen.write(_MARGIN, _MARGIN, pen.shortened(title, width - 2 * _MARGIN, _TITLE_SIZE), _TITLE_SIZE)
    y = _MARGIN + 30
    for line in heads:
        pen.write(_MARGIN, y, line, colour=_FAINT)
        y += _LEADING
    _draw_legend(pen, legend, y)
    y = top
    for row, (picture_height, text_height) in zip(laid, heights, strict=True):
        for column, (tile, lines) in enumerate(row):
            x = _MARGIN + column * (side + _GAP)
            _draw_picture(sheet, pen, tile, (x, y), side)
            for number, (line, colour) in enumerate(lines):
                pen.write(x, y + picture_height + 3 + number * _LEADING, line, colour=colour)
        y += picture_height + text_height
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", GENERATOR)
    out = io.BytesIO()
    sheet.save(out, "PNG", pnginfo=info)
    return Sheet(out.getvalue(), "".join(sorted(pen.missing)))


def _picture_height(tile: Tile, side: int) -> int:
    return side * 9 // 16 if tile.picture is None else tile.picture.shape[0]


def _draw_picture(
    sheet: Image.Image, pen: "_Pen", tile: Tile, place: tuple[int, int], side: int
) -> None:
    x, y = place
    if tile.picture is not None:
        sheet.paste(Image.fromarray(tile.picture), (x, y))
        return
    bottom = y + _picture_height(tile, side) - 1
    pen.canvas.rectangle((x, y, x + side - 1, bottom), fill=_GREY)
    lines = pen.wrapped(tile.reason, side - 2 * _GAP)
    for number, line in enumerate(lines[: (bottom - y - 2 * _GAP) // _LEADING + 1]):
        pen.write(x + _GAP, y + _GAP + number * _LEADING, line)


def _draw_legend(pen: "_Pen", legend: Sequence[Legend], y: int) -> None:
    x = _MARGIN
    for colour, text in legend:
        pen.canvas.rectangle((x, y + 2, x + 11, y + 13), fill=colour, outline=_INK)
        pen.write(x + 17, y, text)
        x += 17 + pen.width(text) + 20


class _Pen:
    """Writes text in the fonts that have its characters."""

    def __init__(self) -> None:
        self.canvas = ImageDraw.Draw(Image.new("RGB", (1, 1)))
        self.missing: set[str] = set()

    def lines_of(self, tile: Tile, side: int) -> Iterator[tuple[str, tuple[int, int, int]]]:
        """Yield the lines below a tile with their colors."""
        for number, label in enumerate(tile.labels):
            yield self.shortened(label, side), _FAINT if number else _INK
        for text in tile.texts:
            lines = self.wrapped(text, side)
            if len(lines) > _MAX_TEXT_LINES:
                kept = lines[: _MAX_TEXT_LINES - 1]
                lines = [*kept, self.shortened(" ".join(lines[len(kept) :]), side)]
            yield from ((line, _INK) for line in lines)

    def write(
        self,
        x: int,
        y: int,
        text: str,
        size: int = _TEXT_SIZE,
        colour: tuple[int, int, int] = _INK,
    ) -> None:
        """Write a text; characters that no font has become question marks."""
        left = float(x)
        for run, font in self._runs(text, size):
            # On one baseline: fonts differ in height.
            self.canvas.text((left, y + size), run, colour, font=font, anchor="ls")
            left += font.getlength(run)

    def width(self, text: str, size: int = _TEXT_SIZE) -> int:
        """Return the width of a text in pixels."""
        return round(sum(font.getlength(run) for run, font in self._runs(text, size)))

    def shortened(self, text: str, width: int, size: int = _TEXT_SIZE) -> str:
        """Return a text that fits ``width``; the middle of a longer one is replaced by dots."""
        if self.width(text, size) <= width:
            return text
        low, high = 0, len(text)
        while low < high:  # the largest number of characters that fits
            middle = (low + high + 1) // 2
            if self.width(_without_middle(text, middle), size) <= width:
                low = middle
            else:
                high = middle - 1
        return _without_middle(text, low)

    def wrapped(self, text: str, width: int) -> list[str]:
        """Return the lines of a text; a word that is wider than a line is shortened."""
        lines: list[str] = []
        for word in text.split():
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self.width(joined) <= width:
                lines[-1] = joined
            else:
                lines += self._parts(word, width)
        return lines

    def _parts(self, word: str, width: int) -> list[str]:
        """Return a word that has no blank; Chinese sentences are broken anywhere."""
        if self.width(word) <= width:
            return [word]
        if word.isascii():
            return [self.shortened(word, width)]
        parts = [""]
        for character in word:
            if self.width(parts[-1] + character) > width:
                parts.append("")
            parts[-1] += character
        return parts

    def _runs(self, text: str, size: int) -> Iterator[tuple[str, "ImageFont.FreeTypeFont"]]:
        """Yield the parts of a text, each with a font that has its characters."""
        run, current = "", _font(size)
        for character in text:
            shown, font = self._shown(character, size)
            if font is not current and run:
                yield run, current
                run = ""
            current = font
            run += shown
        if run:
            yield run, current

    def _shown(self, character: str, size: int) -> tuple[str, "ImageFont.FreeTypeFont"]:
        """Return what is drawn for a character, and its font."""
        font = _font(size)
        if _has(font, character):
            return character, font
        wide = _wide_font(size)
        if wide and _has(wide, character):
            return character, wide
        self.missing.add(character)
        return "?", font


def _without_middle(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    tail = kept - head
    return f"{text[:head]}...{text[len(text) - tail :] if tail else ''}"


@cache
def _font(size: int) -> "ImageFont.FreeTypeFont":
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow's wheels have FreeType"
    return font


@cache
def _wide_font(size: int) -> "ImageFont.FreeTypeFont | None":
    """Return a font of this machine with Chinese characters, or None."""
    for name in _WIDE_FONTS:
        try:
            return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.BASIC)
        except OSError:
            continue
    return None


@cache
def _shape(font: "ImageFont.FreeTypeFont", character: str) -> tuple[object, bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def _has(font: "ImageFont.FreeTypeFont", character: str) -> bool:
    """Return whether a font has a character: it draws it otherwise than an unknown one."""
    return character.isspace() or _shape(font, character) != _shape(font, _UNKNOWN)
