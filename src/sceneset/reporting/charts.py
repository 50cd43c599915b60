"""Small charts as SVG text: bars, histograms, lines over versions, and maps of the frame.

Colors are variables of the style sheet of the pages or ``currentColor``, so charts are right in
light and dark pages. Equal values give equal bytes. Labels may come from anywhere: they are escaped
and shortened. What a chart shows is also in its aria-label, because screen readers do not read the
texts of a picture.
"""

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sceneset.reporting.svg import (
    ACCENT,
    FAINT,
    LABEL_UNITS,
    LINE,
    WIDTH,
    axis_texts,
    checked,
    cut,
    escape,
    fixed,
    number_text,
    rect,
    share_of,
    svg,
    text_at,
)

_ROW = 20
_LABEL_WIDTH, _VALUE_WIDTH = 130, 78
_SHORT_UNITS = 10
_SERIES = 6
"""Colors of lines; further lines use them again with dashes."""
_SAFE_LINK = re.compile(
    r"https?://[^\x00-\x20]*|[^\x00-\x20:/?#]*([/?#][^\x00-\x20]*)?", re.IGNORECASE
)


class Bar(NamedTuple):
    """A bar of a chart."""

    label: str
    value: float
    text: str
    """The number as it is shown."""
    href: str = ""
    """A relative or http(s) link; others are left out."""


def bar_chart(bars: Sequence[Bar], *, label: str) -> str:
    """Return horizontal bars with labels at the left and texts at the right.

    Args:
        bars: The bars, from the top; values are at least 0. A chart with links has the role
            "group", since the content of a picture can't be focused.
        label: What the chart shows.

    Raises:
        ValueError: A value is negative or not a finite number.
    """
    most = max(checked(bar.value for bar in bars), default=0)
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts, has_links = [], False
    for number, bar in enumerate(bars):
        top = number * _ROW
        drawn = (
            text_at(_LABEL_WIDTH - 6, top + 14, bar.label, anchor="end", units=LABEL_UNITS)
            + rect(_LABEL_WIDTH, top + 4, share_of(bar.value, most) * room, _ROW - 8, ACCENT)
            + text_at(WIDTH - _VALUE_WIDTH + 6, top + 14, bar.text, units=_SHORT_UNITS + 3)
        )
        if bar.href and _SAFE_LINK.fullmatch(bar.href):
            has_links = True
            drawn = f'<a href="{escape(bar.href)}">{drawn}</a>'
        parts.append(drawn)
    values = (f"{bar.label} {bar.text}" for bar in bars)
    return svg(parts, len(bars) * _ROW, label, values, role="group" if has_links else "img")


def paired_bars(
    rows: Sequence[tuple[str, float, float, str]],
    *,
    label: str,
    legend: tuple[str, str] = ("before", "after"),
) -> str:
    """Return two bars for each row, before and after, with a text at the right.

    Args:
        rows: Label, value before, value after, text. Values are at least 0.
        label: What the chart shows.
        legend: Names of the two bars of a row.

    Raises:
        ValueError: A value is negative or not a finite number.
    """
    most = max(checked(value for row in rows for value in row[1:3]), default=0)
    room = WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts = []
    if rows:
        for left, color, name in ((_LABEL_WIDTH, FAINT, legend[0]), (230, ACCENT, legend[1])):
            parts.append(rect(left, 5, 10, 8, color))
            parts.append(text_at(left + 14, 14, name, units=_SHORT_UNITS + 2))
    height = _ROW + 4
    for number, (name, before, after, text) in enumerate(rows):
        top = _ROW + number * height
        parts += [
            text_at(_LABEL_WIDTH - 6, top + 16, name, anchor="end", units=LABEL_UNITS),
            rect(_LABEL_WIDTH, top + 4, share_of(before, most) * room, 7, FAINT),
            rect(_LABEL_WIDTH, top + 12, share_of(after, most) * room, 7, ACCENT),
            text_at(WIDTH - _VALUE_WIDTH + 6, top + 16, text, units=_SHORT_UNITS + 3),
        ]
    values = (
        f"{name} {legend[0]} {number_text(before)}, {legend[1]} {number_text(after)} ({text})"
        for name, before, after, text in rows
    )
    return svg(parts, _ROW + len(rows) * height if rows else 0, label, values)


def histogram(counts: Sequence[int], edges: Sequence[float], *, label: str, unit: str = "") -> str:
    """Return columns with the width of their bins, the largest count, and some edges below.

    Args:
        counts: Number of values in each bin.
        edges: The edges of the bins, ascending: one more than counts; none without counts.
        label: What the chart shows.
        unit: Unit of the edges.

    Raises:
        ValueError: The edges don't fit, or a count is negative or not a finite number.
    """
    checked(counts)
    if any(not math.isfinite(edge) for edge in edges):
        raise ValueError("an edge is not a finite number")
    if len(edges) != len(counts) + 1 and (counts or edges):
        raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
    if any(second <= first for first, second in pairwise(edges)):
        raise ValueError("the edges do not ascend")
    most, height, left = max(counts, default=0), 100, 4
    room = WIDTH - 2 * left
    parts = []
    if counts:
        start, span = edges[0], edges[-1] - edges[0]
        places = [left + (edge - start) / span * room for edge in edges]
        parts.append(text_at(left, 11, number_text(most), color=FAINT))
        for count, first, second in zip(counts, places, places[1:], strict=False):
            tall = share_of(count, most) * (height - 16)
            if count:
                tall = max(tall, 1.0)  # a rare value is visible
            parts.append(rect(first, height - tall, max(second - first - 1, 0.5), tall, ACCENT))
        parts.append(rect(left, height, room, 1, LINE))
        texts = [f"{number_text(edge)} {unit}".strip() for edge in edges]
        parts += axis_texts(places, texts, height + 14)
    values = (
        f"{number_text(first)} to {number_text(second)}{unit and ' '}{unit}: {count}"
        for count, first, second in zip(counts, edges, edges[1:], strict=False)
    )
    return svg(parts, height + 20 if counts else 0, label, values)


def line_chart(series: Mapping[str, Sequence[float]], ticks: Sequence[str], *, label: str) -> str:
    """Return a line for each series over common ticks, with a legend and the last values.

    Args:
        series: The values of each line, one for each tick, at least 0.
        ticks: Names of the places on the x axis, for example versions.
        label: What the chart shows.

    Raises:
        ValueError: A series has another length, or a value is negative or not a finite number.
    """
    for name, values in series.items():
        if len(values) != len(ticks):
            raise ValueError(f"{name!r} has {len(values)} values for {len(ticks)} ticks")
    most = max(checked(value for values in series.values() for value in values), default=0)
    height, left, right, parts = 140, 8, WIDTH - 12, []
    if not (ticks and series):
        return svg([], 0, label, ())
    step = (right - left) / max(len(ticks) - 1, 1)
    parts.append(text_at(left, 11, number_text(most), color=FAINT))
    parts += [rect(left, 16, right - left, 1, LINE), rect(left, height, right - left, 1, LINE)]
    parts += axis_texts([left + n * step for n in range(len(ticks))], ticks, height + 14)
    for number, (name, values) in enumerate(series.items()):
        color = f"var(--series-{number % _SERIES + 1}, currentColor)"
        dash = f' stroke-dasharray="{2 + 3 * (number // _SERIES)} 3"' * (number >= _SERIES)
        points = [(left + i * step, height - share_of(v, most) * 124) for i, v in enumerate(values)]
        text = " ".join(f"{fixed(x)},{fixed(y)}" for x, y in points)
        parts.append(
            f'<polyline points="{text}" fill="none" stroke="{color}" stroke-width="2"{dash}/>'
        )
        last = points[-1]
        parts.append(f'<circle cx="{fixed(last[0])}" cy="{fixed(last[1])}" r="3" fill="{color}"/>')
        column, row = number % 2, number // 2
        x, y = left + column * 178, height + 34 + row * 18
        parts.append(
            f'<path d="M{x} {y - 4}h18" fill="none" stroke="{color}" stroke-width="3"{dash}/>'
        )
        parts.append(text_at(x + 24, y, f"{cut(name, 14)} {number_text(values[-1])}", units=24))
    texts = (
        f"{name}: " + ", ".join(f"{t} {number_text(v)}" for t, v in zip(ticks, values, strict=True))
        for name, values in series.items()
    )
    return svg(parts, height + 22 + (len(series) + 1) // 2 * 18, label, texts)


def frame_map(values: Sequence[Sequence[float]], *, label: str) -> str:
    """Return a grid over the frame of pictures, stronger where the share is larger.

    Args:
        values: Rows of shares from 0 to 1, from the top; all rows have the same length.
        label: What the chart shows.

    Raises:
        ValueError: The rows differ in length, or a value is not from 0 to 1.
    """
    columns = len(values[0]) if values else 0
    if any(len(row) != columns for row in values):
        raise ValueError("the rows differ in length")
    most = max(checked(value for row in values for value in row), default=0)
    if most > 1:
        raise ValueError(f"{most} is not a share from 0 to 1")
    if not columns:
        return svg([], 0, label, ())
    cell = min(240 / columns, 180 / len(values))
    width, height = cell * columns, cell * len(values)
    parts = [
        f'<rect x="{fixed(1 + x * cell)}" y="{fixed(1 + y * cell)}" width="{fixed(cell)}" '
        f'height="{fixed(cell)}" fill="{ACCENT}" fill-opacity="{fixed(share_of(value, most))}"/>'
        for y, row in enumerate(values)
        for x, value in enumerate(row)
        if value
    ]
    parts.append(
        f'<rect x="1" y="1" width="{fixed(width)}" height="{fixed(height)}" fill="none" '
        f'stroke="{FAINT}"/>'
    )
    parts += [  # the scale, from 0 to the maximum
        f'<rect x="{fixed(width + 12)}" y="{fixed(1 + step * height / 8)}" width="12" '
        f'height="{fixed(height / 8)}" fill="{ACCENT}" fill-opacity="{(8 - step) / 8}"/>'
        for step in range(8)
    ]
    share = f"{100 * most:.1f} %"
    parts.append(text_at(width + 29, 11, share, units=_SHORT_UNITS))
    parts.append(text_at(width + 29, height, "0 %"))
    return svg(parts, height + 4, label, [f"0 % - {share}"])
