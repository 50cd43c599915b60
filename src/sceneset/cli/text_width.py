"""Fit text to the columns of a terminal: measure, shorten and wrap it.

Chinese characters take two columns and can start a new line anywhere; other words stay whole.
"""

import os
import re
import unicodedata
from functools import lru_cache

_SHORTEST = 5
"""A name is never shortened to fewer columns."""
_TOKENS = (
    # A word or a Chinese character, with the punctuation that must not start or end a line.
    "[（“《]*[^\\s\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff"
    "\ufe30-\ufe6f\uff00-\uff60（“《]+[，。；：、）”》？！]*|[（“《]*[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]"
    "[，。；：、）”》？！]*|."
)
_CONTROLS = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # they would control the terminal
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # marks of direction
    "\u2028\u2029\ud800-\udfff"  # ends of lines; halves of characters, which can't be printed
    "\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f]"  # invisible: two names would look the same
)


_WITHOUT_WIDTH = {"Mn", "Me", "Cf"}


def terminal_width() -> int:
    """Return the columns of the terminal; COLUMNS overrides them, 80 is the default."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        pass
    for stream in (1, 2, 0):
        try:
            return os.get_terminal_size(stream).columns or 80
        except OSError:
            continue
    return 80


def width_of(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns_of, text))


@lru_cache(maxsize=4096)
def _columns_of(char: str) -> int:
    if unicodedata.category(char) in _WITHOUT_WIDTH or "\u1160" <= char <= "\u11ff":
        return 0  # a mark on the character before it, a joiner of emoji, or the end of a syllable
    return 1 + (unicodedata.east_asian_width(char) in "WF")


def visible(text: str) -> str:
    r"""Escape characters that would control the terminal or reorder the text, as ``\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_CONTROLS, lambda found: ascii(found[0])[1:-1], text)


def one_line(text: str) -> str:
    r"""Return ``visible`` text without line breaks: names of files may have some."""
    return visible(text).replace("\n", r"\n")


def shorten(text: str, columns: int) -> str:
    """Return a text of at most ``columns``; the middle of a longer one is replaced by "…"."""
    columns = max(columns, _SHORTEST)
    if width_of(text) <= columns:
        return text
    head = (columns - 1) // 2
    end = columns - 1 - head
    tail = _beginning(text[::-1], end)[::-1]
    while tail and not width_of(tail[0]):  # a mark on a character that is left out
        tail = tail[1:]
    return f"{_beginning(text, head)}…{tail}"


def _beginning(text: str, columns: int) -> str:
    used = 0
    for place, char in enumerate(text):
        used += width_of(char)
        if used > columns:
            return text[:place]
    return text


def wrap(text: str, columns: int, *, whole_words: bool = False) -> list[str]:
    """Return the lines of a text, each at most ``columns`` wide and broken between words.

    Args:
        text: The text; its own line breaks are kept.
        columns: The width of a line.
        whole_words: Whether a word that is wider than a line is kept whole, on a line of its own;
            otherwise it is shortened in the middle.
    """
    return [
        line for part in text.split("\n") for line in _wrap(part, columns, whole_words=whole_words)
    ]


def _wrap(text: str, columns: int, *, whole_words: bool) -> list[str]:
    if width_of(text) <= columns:
        return [text]
    lines, line, blank = [], "", ""
    for token in re.findall(_TOKENS, text):
        if token.isspace():
            blank = token
            continue
        word = token if whole_words else shorten(token, columns)
        if line and width_of(line + blank + word) > columns:
            lines.append(line)
            line = word
        else:
            line += blank + word if line else word
        blank = ""
    return [*lines, line]
