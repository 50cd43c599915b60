"""What changed between two states in numbers: totals, and how each scene drifted."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.reporting.charts import Bar, bar_chart, paired_bars
from sceneset.reporting.contact_sheet import persons_text
from sceneset.reporting.page_words import shared_words
from sceneset.schemas.base import Localized
from sceneset.schemas.stats import RowStats
from sceneset.schemas.terms import TOTAL, Phase
from sceneset.versions.changed_samples import have_same_bytes
from sceneset.versions.drift import Drift, scene_statistics

T = TypeVar("T")

MOST_ROWS = 30
"""Rows of a chart; those that changed most are shown."""
_TEXTS = {
    **shared_words("samples", "before", "after"),
    "subsets": Localized(en="subsets", zh="子数据集"),
    "total": Localized(en="all scenes", zh="全部场景"),
    "images": Localized(en="Images of each scene", zh="各场景的图片数"),
    "person": Localized(en="Share of person pixels of each scene", zh="各场景的人像像素占比"),
    "colour": Localized(
        en="Largest change of a color's mean, 0 to 1", zh="颜色均值的最大变化（0 到 1）"
    ),
}


class StateName(NamedTuple):
    """A state as the user named it."""

    name: str
    commit: str = ""
    """"" for the working tree."""


class Total(NamedTuple):
    """A number before and after; None if it can't be read."""

    name: str
    before: int | None
    after: int | None

    @property
    def change(self) -> str:
        """The difference with its sign; "" if there is none."""
        if self.before is None or self.after is None or self.before == self.after:
            return ""
        return _signed(f"{self.after - self.before:+,}")


class Chart(NamedTuple):
    """A chart of the drift of scenes."""

    title: str
    svg: str
    more: int
    """Number of rows that are not shown."""


@dataclass
class Summary:
    """The numbers of a page on two states, in the reader's language."""

    totals: list[Total] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)


def summarize(old: Catalog, new: Catalog, drifts: Sequence[Drift], language: str) -> Summary:
    """Return totals of two states and charts of how scenes drifted.

    Args:
        old: The state before.
        new: The state after.
        drifts: The scenes that changed.
        language: "en" or "zh".

    Raises:
        FindingsError: A file of a registry can't be read.
    """
    before, after = _phase_counts(old, new)
    totals = [Total(_text("samples", language), before.total(), after.total())]
    totals += [Total(phase.value, before[phase], after[phase]) for phase in Phase]
    totals.append(Total(_text("subsets", language), len(old.names), len(new.names)))
    return Summary(totals, _charts(old, new, drifts, language))


def _phase_counts(old: Catalog, new: Catalog) -> tuple[Counter[str], Counter[str]]:
    """Return the number of samples of each phase in both states; equal scans are read once."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    in_old, in_new = set(old.names), set(new.names)
    for name in in_old | in_new:
        is_same = name in in_old & in_new and have_same_bytes(
            old.paths.scan(name), new.paths.scan(name)
        )
        counts = _phases(new, name) if name in in_new else Counter()
        after += counts
        if name in in_old:
            before += counts if is_same else _phases(old, name)
    return before, after


def _phases(catalog: Catalog, name: str) -> Counter[str]:
    import pyarrow.compute as pc

    if not catalog.paths.scan(name).exists():  # not scanned yet
        return Counter(str(tag.phase) for tag in catalog.tags(name, cache=False))
    found = pc.value_counts(catalog.scan(name, ("phase",))["phase"]).to_pylist()
    return Counter({str(row["values"]): row["counts"] for row in found})


def _charts(old: Catalog, new: Catalog, drifts: Sequence[Drift], language: str) -> list[Chart]:
    if not drifts:
        return []
    names = {**old.vocabulary.by_key, **new.vocabulary.by_key}

    def name_of(drift: Drift) -> str:
        scene = names[drift.scene].name.text(language) if drift.scene in names else drift.scene
        shown = _text("total", language) if drift.scene == TOTAL else scene
        words = (shown, persons_text(drift.persons, language), drift.phase)
        return printable(" ".join(filter(None, words)))

    before, after = scene_statistics(old), scene_statistics(new)
    images = [
        (
            abs(second - first),
            (name_of(d), float(first), float(second), _signed(f"{second - first:+,}")),
        )
        for d in drifts
        for first, second in [d.images]
        if first != second
    ]
    shares = []
    for d in drifts:
        if d.foreground:
            key = (d.scene, d.persons, d.phase)
            values = (_share(before[key]), _share(after[key]))
            row = (name_of(d), *values, _signed(f"{100 * d.foreground:+.2f} %"))
            shares.append((abs(d.foreground), row))
    colours = [(d.colour, Bar(name_of(d), d.colour, f"{d.colour:.4f}")) for d in drifts if d.colour]
    legend = (_text("before", language), _text("after", language))
    return [
        *_chart("images", images, partial(paired_bars, legend=legend), language),
        *_chart("person", shares, partial(paired_bars, legend=legend), language),
        *_chart("colour", colours, bar_chart, language),
    ]


def _chart(
    name: str, rows: Sequence[tuple[float, T]], draw: Callable[..., str], language: str
) -> Iterator[Chart]:
    """Yield a chart of the rows with the largest first numbers, if there are rows."""
    if rows:
        largest = sorted(rows, key=lambda row: -row[0])[:MOST_ROWS]
        title = _text(name, language)
        svg = draw([row for _, row in largest], label=title)
        yield Chart(title, svg, len(rows) - len(largest))


def _signed(text: str) -> str:
    """Return a number with a minus sign that is as wide as a plus sign."""
    return text.replace("-", "−")


def _share(row: RowStats) -> float:
    return row.numbers.foreground.pooled if row.numbers.foreground else 0.0


def _text(name: str, language: str) -> str:
    return _TEXTS[name].text(language)
