"""Sections of a data card on what its samples are like: scenes and statistics."""

from collections.abc import Sequence

from sceneset.reporting.cards import group_values, label
from sceneset.reporting.charts import Bar, bar_chart, histogram
from sceneset.reporting.data_card import SHARE_BINS, CardSubset, DataCard
from sceneset.reporting.data_card_blocks import (
    Block,
    Chart,
    Code,
    Facts,
    Program,
    Section,
    Table,
    Text,
    share,
    words,
)
from sceneset.schemas.stats import GroupStats
from sceneset.schemas.terms import Phase

_MOST_BARS = 30
_PHASES = [str(phase) for phase in Phase]


def scenes(card: DataCard, language: str) -> Section:
    """Return the number of samples of each scene, in the order of the vocabulary."""
    coverage = card.coverage
    rows, bars = [], []
    for scene in card.vocabulary.scenes:
        counts = coverage.of_scene(scene.key)
        if not (total := sum(counts.values())):
            continue
        name = scene.name.text(language)
        rows.append([name, Code(scene.key), f"{total:,}", *(f"{n:,}" for n in counts.values())])
        bars.append(Bar(name, total, f"{total:,}"))
    blocks: list[Block] = []
    if rows:
        most = sorted(bars, key=lambda bar: -bar.value)[:_MOST_BARS]
        what = words(language, "samples of each scene", "各场景的样本数")
        if len(bars) > len(most):
            what = words(
                language,
                f"samples of the {len(most)} largest scenes",
                f"样本最多的 {len(most)} 个场景",
            )
        head = [
            words(language, "scene", "场景"), words(language, "key", "键"),
            words(language, "samples", "样本"), *_PHASES,
        ]  # fmt: skip
        blocks += [Chart(bar_chart(most, label=what), what), Table(head, rows, (2, 3, 4, 5))]
        note = words(
            language,
            "A sample counts in each of its scenes.",
            "一个样本在其每个场景中各计一次。",
        )
    else:
        note = words(language, "No sample has a scene.", "没有样本标有场景。")
    return Section("scenes", words(language, "Scenes", "场景"), [*blocks, Text(note)])


def statistics(card: DataCard, language: str) -> Section:
    """Return the statistics of all samples, with the values for training configs."""
    blocks = statistics_blocks(card.union.numbers, language)
    if card.samples:
        edges = [step / SHARE_BINS * 100 for step in range(SHARE_BINS + 1)]
        what = words(language, "samples by share of person pixels", "按人像像素占比的样本数")
        blocks.append(Chart(histogram(card.shares, edges, label=what, unit="%"), what))
        blocks.append(_statistics_table(card.subsets, language))
    return Section("statistics", words(language, "Statistics", "统计"), blocks)


def statistics_blocks(numbers: GroupStats, language: str) -> list[Block]:
    """Return colour, sizes and person share of samples, computed from every pixel."""
    group, colour = group_values(numbers, language), numbers.colour
    if not (group.colours and colour):
        return [Text(words(language, "There is no sample.", "没有样本。"))]
    foreground = numbers.foreground
    facts = list(group.facts)
    if foreground:
        facts.append(
            (words(language, "Share of ignored pixels", "忽略像素占比"), share(foreground.ignored))
        )
    head = [label("colour", language), "R", "G", "B"]
    scaled = [[f"{255 * value:.3f}" for value in values] for values in (colour.pooled_mean,
              colour.pooled_std)]  # fmt: skip
    plain = [[f"{value:.6f}" for value in values] for values in (colour.pooled_mean,
             colour.pooled_std)]  # fmt: skip
    lines = [
        words(language, "# for images with values from 0 to 255, channels R, G, B",
              "# 像素值为 0 到 255 的图片，通道顺序 R、G、B"),
        f"mean, std = [{', '.join(scaled[0])}], [{', '.join(scaled[1])}]",
        words(language, "# from 0 to 1", "# 像素值为 0 到 1"),
        f"mean, std = [{', '.join(plain[0])}], [{', '.join(plain[1])}]",
    ]  # fmt: skip
    return [
        Facts(facts),
        Table(head, [[name, *values] for name, values in group.colours], (1, 2, 3)),
        Text(words(language, "For a training config:", "训练配置：")),
        Program("python", lines),
    ]


def _statistics_table(subsets: Sequence[CardSubset], language: str) -> Table:
    head = [
        words(language, "subset", "子数据集"),
        words(language, "smallest", "最小尺寸"),
        words(language, "largest", "最大尺寸"),
        words(language, "most common", "最常见尺寸"),
        words(language, "share of person pixels", "人像像素占比"),
        words(language, "images without a person", "无人图片"),
    ]
    rows = []
    for entry, stats in subsets:
        sizes, foreground = stats.numbers.sizes, stats.numbers.foreground
        if sizes and foreground:
            shown = (sizes.smallest, sizes.largest, sizes.commonest)
            rows.append(
                [
                    entry.name,
                    *(f"{width} x {height}" for width, height in shown),
                    share(foreground.pooled),
                    f"{foreground.without_person:,}",
                ]
            )
    return Table(head, rows, (1, 2, 3, 4, 5))
