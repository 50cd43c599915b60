"""A plan as one HTML file that needs nothing else.

See `sceneset.reporting.page` for what such a page may load.
"""

import math
from typing import Any

from sceneset.catalog.subset_folder import printable
from sceneset.reporting.charts import Bar, bar_chart
from sceneset.reporting.page import LANGUAGE_TAGS, html_environment, policy, style_of
from sceneset.reporting.page_words import shared_words
from sceneset.reporting.plan_kinds import KINDS
from sceneset.reporting.plan_reasons import CellPlan, CellResult
from sceneset.reporting.plan_values import Plan
from sceneset.schemas.base import Localized
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.terms import Phase

GENERATOR = '<meta name="generator" content="sceneset plan">'
"""The line of a page by which its next writer knows that it may be replaced."""

_MOST_BARS = 20
TEXTS = {
    **shared_words("order", "scenes", "scene", "images", "single", "multi", "unknown"),
    "title": Localized(en="What to collect next", zh="下一步采集什么"),
    "counted": Localized(en="Counted samples: {}", zh="统计的样本：{}"),
    "near": Localized(
        en="Images of a phase that look alike count as one.",
        zh="同一阶段中看起来相同的图片只算一张。",
    ),
    "exact": Localized(
        en="Images of a phase that have the same pixels count as one.",
        zh="同一阶段中像素相同的图片只算一张。",
    ),
    "several": Localized(
        en="Samples in several rows, counted in each: {}",
        zh="属于多行并在每行中都计入的样本：{}",
    ),
    "without_scene": Localized(
        en="Samples in no scene, counted in no row: {}",
        zh="不属于任何场景、不计入任何行的样本：{}",
    ),
    "withdrawn": Localized(en="Withdrawn samples, not counted: {}", zh="已撤回、不计入的样本：{}"),
    "restricted": Localized(
        en="Restricted samples, not counted: {} ({})", zh="受限、不计入的样本：{}（{}）"
    ),
    "unknown_samples": Localized(
        en="Evaluated samples that are not among the counted ones: {}",
        zh="已评估但不在统计中的样本：{}",
    ),
    "evaluated": Localized(
        en="Evaluated images: {}, IoU of all their pixels: {}",
        zh="已评估的图片：{}，所有像素的 IoU：{}",
    ),
    "day": Localized(en="Consent is compared with {}.", zh="同意的期限与 {} 比较。"),
    "no_targets": Localized(
        en="No target is set, so scenes are compared with each other only. Write targets in "
        "params.yaml.",
        zh="没有设置目标，因此只比较各场景。请在 params.yaml 中写入 targets。",
    ),
    "reached": Localized(en="All targets are reached.", zh="所有目标都已达到。"),
    "order_text": Localized(
        en="Scenes are in the order of their most urgent reason. Among equal reasons, the largest "
        "share comes first.",
        zh="场景按其最紧迫的原因排序；原因相同时，比例大的在前。",
    ),
    "most_wanted": Localized(en="Images to collect", zh="需要采集的图片"),
    "images_chart": Localized(en="Different images by scene", zh="各场景的不同图片"),
    "persons": Localized(en="persons", zh="人数"),
    "different": Localized(en="different / target", zh="不同图片 / 目标"),
    "wanted": Localized(en="wanted", zh="需要"),
    "largest": Localized(en="largest source", zh="最大来源"),
    "effective": Localized(en="effective sources", zh="有效来源数"),
    "iou": Localized(en="IoU", zh="IoU"),
    "why": Localized(en="why", zh="原因"),
    "nothing": Localized(en="needs nothing", zh="无需采集"),
    "unused": Localized(en="Scenes without a sample and a target", zh="既没有样本也没有目标的场景"),
    "empty": Localized(en="No scene has a sample or a target.", zh="没有场景有样本或目标。"),
    "effective_text": Localized(
        en="Effective sources are 1 / (sum of squared shares of the sources): so many equally "
        "large sources would be as diverse. Images without a source are left out.",
        zh="有效来源数为 1 /（各来源占比的平方和），即同样多样的等量来源的数目。"
        "没有来源的图片不计入。",
    ),
}


def plan_page(plan: Plan, vocabulary: Vocabulary, language: str) -> str:
    """Return the text of an HTML page.

    Args:
        plan: The plan.
        vocabulary: Has the names of scenes.
        language: "en" or "zh".
    """

    def label(name: str) -> str:
        return TEXTS[name].text(language)

    def scene_name(key: str) -> str:
        return printable(vocabulary.by_key[key].name.text(language))

    used = {cell.reasons[0].kind for cell in plan.cells if cell.reasons}
    return (
        html_environment()
        .get_template("plan.html.jinja")
        .render(
            lang=LANGUAGE_TAGS[language],
            title=label("title"),
            generator=GENERATOR,
            style=style_of("plan.css"),
            policy=policy(),
            label=label,
            notes=_notes(plan, language),
            warning=_warning(plan, language),
            order=[text.text(language) for kind, text in KINDS.items() if kind in used],
            chart_title=label("most_wanted" if plan.targets.is_set else "images_chart"),
            chart=_chart(plan, language, scene_name),
            rows=[_row(cell, language, scene_name(cell.scene)) for cell in plan.cells],
            phases=[str(phase) for phase in Phase],
            has_results=plan.results is not None,
            unused=[(scene_name(key), key) for key in plan.unused],
        )
    )


def _notes(plan: Plan, language: str) -> list[str]:
    def text(name: str, *values: object) -> str:
        shown = (f"{value:,}" if isinstance(value, int) else str(value) for value in values)
        return TEXTS[name].text(language).format(*shown)

    notes = [text("counted", plan.samples), text("near" if plan.is_near else "exact")]
    notes.append(text("day", plan.day))
    notes += [
        text(name, count)
        for name, count in (
            ("several", plan.several),
            ("without_scene", plan.without_scene),
            ("withdrawn", plan.withdrawn),
        )
        if count
    ]
    notes += [text("restricted", count, str(name)) for name, count in plan.restricted.items()]
    if plan.results:
        if whole := plan.results.whole:
            notes.append(text("evaluated", whole.images, _number(whole.iou)))
        if plan.results.unknown:
            notes.append(text("unknown_samples", plan.results.unknown))
    return notes


def _warning(plan: Plan, language: str) -> str:
    if not plan.targets.is_set:
        return TEXTS["no_targets"].text(language)
    reached = not any(cell.wanted for cell in plan.cells)
    return TEXTS["reached"].text(language) if reached else ""


def _chart(plan: Plan, language: str, scene_name: Any) -> str:
    """Return bars of the scenes that need most images; without targets, of all images."""
    totals: dict[str, int] = {}
    for cell in plan.cells:
        number = cell.wanted if plan.targets.is_set else cell.pictures
        totals[cell.scene] = totals.get(cell.scene, 0) + number
    shown = sorted(
        ((key, number) for key, number in totals.items() if number), key=lambda one: -one[1]
    )[:_MOST_BARS]
    name = "most_wanted" if plan.targets.is_set else "images_chart"
    bars = [Bar(scene_name(key), number, f"{number:,}") for key, number in shown]
    return bar_chart(bars, label=TEXTS[name].text(language)) if bars else ""


def _row(cell: CellPlan, language: str, name: str) -> dict[str, Any]:
    return {
        "scene": name,
        "key": cell.scene,
        "persons": TEXTS[cell.persons or "unknown"].text(language),
        "images": f"{cell.images:,}",
        "wanted": f"{cell.wanted:,}" if cell.targets else "–",
        "phases": [_phase(cell, phase) for phase in Phase],
        "iou": _iou(cell.result),
        "why": [reason.text.text(language) for reason in cell.reasons],
        "is_urgent": bool(cell.wanted),
    }


def _phase(cell: CellPlan, phase: Phase) -> dict[str, Any]:
    """Return what a cell of the table shows of a phase: numbers, and how full the bar is."""
    count, target = cell.of(phase), cell.targets.get(phase)
    have = f"{count.pictures:,}"
    sources = ""
    if count.sources:
        sources = f"{count.effective:.1f} · {100 * count.largest_share:.0f}\u00a0%"
    return {
        "text": have if target is None else f"{have} / {target:,}",
        "share": min(100, round(100 * count.pictures / target)) if target else None,
        "sources": sources,
    }


def _iou(result: CellResult | None) -> tuple[str, str]:
    if result is None or math.isnan(result.iou):
        return "–", ""
    interval = "" if math.isnan(result.low) else f"{result.low:.3f} – {result.high:.3f}"
    return _number(result.iou), interval


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
