"""Tests of the charts, which are parsed as XML."""

import math
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from sceneset.reporting.charts import (
    Bar,
    bar_chart,
    frame_map,
    histogram,
    line_chart,
    paired_bars,
)

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e\ud800\uffff\x00 滑雪" * 3
SVG = "{http://www.w3.org/2000/svg}"

Draw = Callable[[str, float], str]
CHARTS: dict[str, Draw] = {
    "bars": lambda text, value: bar_chart([Bar(text, value, text, "x.html")], label=text),
    "pairs": lambda text, value: paired_bars([(text, 1, value, text)], label=text),
    "histogram": lambda text, value: histogram([3, 0], [0, 1, value], label=text, unit=text),
    "lines": lambda text, value: line_chart({text: [1, value]}, [text, text], label=text),
    "map": lambda text, value: frame_map([[0, value / 2], [0.5, 1]], label=text),
}
EMPTY = {
    "bars": bar_chart([], label="none"),
    "pairs": paired_bars([], label="none"),
    "histogram": histogram([], [], label="none"),
    "lines": line_chart({}, [], label="none"),
    "lines-without-ticks": line_chart({"a": []}, [], label="none"),
    "map": frame_map([], label="none"),
}


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)


def widths(text: str) -> list[float]:
    return [float(rect.attrib["width"]) for rect in parsed(text).iter(f"{SVG}rect")]


@pytest.mark.parametrize("name", CHARTS)
def test_chart_is_xml_with_its_texts_escaped_when_texts_are_hostile(name: str) -> None:
    text = CHARTS[name](HOSTILE, 2)
    root = parsed(text)
    assert root.attrib["aria-label"].startswith("<script>")
    assert not list(root.iter(f"{SVG}script"))
    assert not set(text) & set("\x1b\u202e\ud800\uffff\x00")
    assert text == CHARTS[name](HOSTILE, 2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1])
@pytest.mark.parametrize("name", CHARTS)
def test_chart_refuses_a_value_that_it_cannot_show(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=r"number|ascend|edge"):
        CHARTS[name]("a", value)


@pytest.mark.parametrize("name", EMPTY)
def test_chart_is_a_dash_when_there_is_no_data(name: str) -> None:
    root = parsed(EMPTY[name])
    assert root.attrib["role"] == "img"
    assert "".join(root.itertext()) == "-"


def test_lengths_of_bars_follow_their_values() -> None:
    first, second, third = widths(
        bar_chart([Bar("a", 10, "10"), Bar("b", 5, "5"), Bar("c", 0, "0")], label="images")
    )
    assert first == 2 * second > third == 0
    legend_and_rows = widths(paired_bars([("ski", 1, 4, "+3")], label="images"))
    assert legend_and_rows[3] == 4 * legend_and_rows[2]


def test_bar_chart_has_links_only_to_pages() -> None:
    hrefs = ["x.html", "../a/b.html#c", "https://example.org/", "javascript:alert(1)"]
    hrefs += [" javascript:alert(1)", "java\tscript:alert(1)", "data:text/html,x"]
    root = parsed(bar_chart([Bar("a", 1, "1", href) for href in hrefs], label="links"))
    assert [a.attrib["href"] for a in root.iter(f"{SVG}a")] == hrefs[:3]
    assert root.attrib["role"] == "group"  # a picture's content can't be focused


def test_screen_readers_get_the_numbers() -> None:
    root = parsed(paired_bars([("ski", 10, 12, "+2")], label="Images", legend=("1.0", "1.1")))
    assert root.attrib["aria-label"] == "Images: ski 1.0 10, 1.1 12 (+2)"


def test_long_label_is_shortened_and_whole_in_its_title() -> None:
    root = parsed(bar_chart([Bar("滑雪" * 40, 1, "1")], label="images"))
    [title] = root.iter(f"{SVG}title")
    assert title.text == "滑雪" * 40
    assert "".join(root.itertext()).count("滑雪") < 50


def test_texts_of_an_axis_do_not_overlap_when_there_are_many() -> None:
    ticks = [f"1.{number}.0" for number in range(200)]
    root = parsed(line_chart({"a": range(200)}, ticks, label="growth"))
    shown = [text.text for text in root.iter(f"{SVG}text") if text.text in ticks]
    assert 3 < len(shown) < 12
    assert (shown[0], shown[-1]) == (ticks[0], ticks[-1])


def test_rare_value_is_visible_in_a_histogram() -> None:
    rects = parsed(histogram([100_000, 1, 0], [0, 1, 2, 3], label="x")).iter(f"{SVG}rect")
    heights = [float(rect.attrib["height"]) for rect in rects]
    assert heights[1] == 1
    assert heights[2] == 0


@pytest.mark.parametrize(
    "draw",
    [
        lambda: histogram([1], [0], label="x"),
        lambda: histogram([1, 2], [0, 0, 1], label="x"),
        lambda: line_chart({"a": [1]}, ["x", "y"], label="x"),
        lambda: frame_map([[0, 1], [1]], label="x"),
        lambda: frame_map([[1.5]], label="x"),
    ],
)
def test_chart_refuses_values_that_do_not_fit_together(draw: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match=r"edges|ascend|values|differ|share"):
        draw()
