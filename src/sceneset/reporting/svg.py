"""The parts of small charts as SVG text: texts, rectangles, and the picture around them."""

import html
import math
import unicodedata
from collections.abc import Iterable, Sequence

from sceneset.catalog.subset_folder import printable

WIDTH = 360
"""Width of a chart in its own units, which are pixels at 390 pixels of window width."""
LABEL_UNITS = 20
"""Widths of a Latin letter that fit beside a bar."""
ACCENT = "var(--accent, currentColor)"
FAINT = "var(--faint, currentColor)"
LINE = "var(--line, currentColor)"
"""Colors: variables of the style sheet of all pages."""
_TICK_UNITS, _TICK_GAP = 12, 14
_NO_CHART = 20  # height without parts
_NOT_XML = str.maketrans("\ufffe\uffff", "\ufffd\ufffd")


def escape(text: str) -> str:
    """Return text for an element or attribute of XML."""
    return html.escape(text.translate(_NOT_XML))


def svg(
    parts: Sequence[str], height: float, label: str, values: Iterable[str], role: str = "img"
) -> str:
    """Return a chart of some parts; a dash if there are none.

    Args:
        parts: The elements.
        height: Height in units of ``WIDTH``.
        label: What the chart shows.
        values: What the chart says, as texts, for readers who do not see it.
        role: The role of the element.
    """
    if not parts:
        parts, height = [text_at(0, 14, "-", color=FAINT)], _NO_CHART
    shown = "; ".join(map(printable, values))
    name = f"{printable(label)}: {shown}" if shown else printable(label)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="{role}" '
        f'aria-label="{escape(name)}" viewBox="0 0 {WIDTH} {fixed(height)}" width="{WIDTH}" '
        f'font-size="11" fill="currentColor">{"".join(parts)}</svg>'
    )


def text_at(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    units: int = LABEL_UNITS,
    color: str = "currentColor",
) -> str:
    """Return a text of at most ``units`` widths of a Latin letter, whole in its title."""
    shown, whole = cut(text, units), printable(text)
    title = f"<title>{escape(whole)}</title>" if shown != whole else ""
    return (
        f'<text x="{fixed(x)}" y="{fixed(y)}" text-anchor="{anchor}" fill="{color}">'
        f"{title}{escape(shown)}</text>"
    )


def cut(text: str, units: int) -> str:
    """Return text that is as wide as a number of Latin letters at most, without its middle.

    The ends of names differ more often than their middles: CustomSeg_Person_20240115_ski.
    """
    text = printable(text)
    if sum(map(_units, text)) <= units:
        return text
    tail = _fitting(reversed(text), units // 2 - 1)
    head = _fitting(text, units - 1 - units // 2)
    return f"{head}…{tail[::-1]}"


def _fitting(chars: Iterable[str], units: int) -> str:
    kept, used = "", 0
    for char in chars:
        used += _units(char)
        if used > units:
            break
        kept += char
    return kept


def rect(x: float, y: float, width: float, height: float, color: str) -> str:
    """Return a rectangle."""
    return (
        f'<rect x="{fixed(x)}" y="{fixed(y)}" width="{fixed(width)}" '
        f'height="{fixed(height)}" fill="{color}"/>'
    )


def checked(values: Iterable[float]) -> list[float]:
    """Return values, which must be finite numbers of at least 0.

    Raises:
        ValueError: One is not.
    """
    found = list(values)
    for value in found:
        if not math.isfinite(value) or value < 0:
            raise ValueError(f"{value} is not a number of at least 0")
    return found


def share_of(value: float, most: float) -> float:
    """Return a value as a share of the largest one."""
    return value / most if most else 0.0


def axis_texts(places: Sequence[float], texts: Sequence[str], y: float) -> list[str]:
    """Return the first and the last text of an x axis, and those between that have room.

    Args:
        places: Ascending places of the texts.
        texts: The texts.
        y: Their baseline.
    """
    last = len(texts) - 1
    shown = [cut(text, _TICK_UNITS) for text in texts]
    parts = [text_at(places[0], y, texts[0], units=_TICK_UNITS)]
    if not last:
        return parts
    free = places[0] + _width(shown[0]) + _TICK_GAP
    end = places[last] - _width(shown[last]) - _TICK_GAP
    for place, text, whole in zip(places[1:-1], shown[1:-1], texts[1:-1], strict=True):
        half = _width(text) / 2
        if place - half >= free and place + half <= end:
            parts.append(text_at(place, y, whole, anchor="middle", units=_TICK_UNITS))
            free = place + half + _TICK_GAP
    return [*parts, text_at(places[last], y, texts[last], anchor="end", units=_TICK_UNITS)]


def _width(text: str) -> float:
    return 6.2 * sum(map(_units, text))


def _units(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def number_text(value: float) -> str:
    """Return a number as it is shown: whole, or with three digits."""
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.3g}"


def fixed(value: float) -> str:
    """Return a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
