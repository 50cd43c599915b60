"""Facts as a page shows them: texts and charts."""

from typing import NamedTuple

from sceneset.reporting.charts import Bar, bar_chart, frame_map, histogram
from sceneset.site.facts import MEAN_BINS, SHARE_EDGES, Facts
from sceneset.site.render import Page

_MOST_SIZES = 6


class FactsView(NamedTuple):
    """Charts are SVG text; "" without samples."""

    shares: str
    brightness: str
    sizes: str
    position: str
    position_note: str
    colour: str
    """Mean color as CSS writes it; "" without samples."""
    colour_text: str


def facts_view(facts: Facts, page: Page) -> FactsView:
    """Return the facts of a group of samples as a page shows them."""
    if not facts.images:
        return FactsView("", "", "", "", "", "", "")
    edges = [100 * edge for edge in SHARE_EDGES]
    steps = [step / MEAN_BINS for step in range(MEAN_BINS + 1)]
    position = facts.position()
    colour = facts.mean_colour or (0.0, 0.0, 0.0)
    return FactsView(
        histogram(facts.shares, edges, label=page.text("person_share"), unit="%"),
        histogram(facts.brightness, steps, label=page.text("brightness")),
        _sizes(facts, page),
        frame_map(position, label=page.text("position")) if position else "",
        page.text("position_note", facts.drawn),
        f"rgb({', '.join(str(round(255 * value)) for value in colour)})",
        " / ".join(f"{value:.4f}" for value in colour),
    )


def _sizes(facts: Facts, page: Page) -> str:
    sizes = sorted(facts.sizes.items(), key=lambda item: (-item[1], item[0]))
    bars = [
        Bar(f"{width} x {height}", count, f"{count:,}")
        for (width, height), count in sizes[:_MOST_SIZES]
    ]
    if others := sizes[_MOST_SIZES:]:
        count = sum(count for _, count in others)
        bars.append(Bar(page.text("other_sizes", len(others)), count, f"{count:,}"))
    return bar_chart(bars, label=page.text("sizes"))
