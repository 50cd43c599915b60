"""An evaluation as one HTML file that needs nothing else.

See `sceneset.reporting.page` for what such a page may load.
"""

import math
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from sceneset.catalog.subset_folder import printable
from sceneset.evaluation.difference import RunDifference
from sceneset.evaluation.page_texts import (
    NAMES,
    TEXTS,
    group_name,
    interval,
    measure_title,
    number,
    signed,
    value_name,
)
from sceneset.evaluation.pictures import Picture
from sceneset.evaluation.report import Evaluation
from sceneset.reporting.fineness_intervals import FEW
from sceneset.reporting.page import LANGUAGE_TAGS, data_uri, html_environment, policy, style_of

GENERATOR = '<meta name="generator" content="sceneset evaluate">'
"""The line of a page by which its next writer knows that it may be replaced."""

_MOVED = 50  # samples listed
_PROBLEMS = 20  # samples listed of each kind


def evaluation_page(
    found: Evaluation,
    pictures: Sequence[Picture],
    language: str,
    translate: Callable[[str], str] = str,
) -> str:
    """Return the text of an HTML page.

    Args:
        found: The evaluation.
        pictures: Of its worst samples, in their order.
        language: "en" or "zh".
        translate: Returns a message in this language.
    """

    def label(name: str) -> str:
        return TEXTS[name].text(language)

    about = found.counts.about
    return (
        html_environment()
        .get_template("evaluation.html.jinja")
        .render(
            lang=LANGUAGE_TAGS[language],
            title=label("title").format(printable(about.get("predictions", ""))),
            generator=GENERATOR,
            style=style_of("evaluation.css"),
            policy=policy(),
            label=label,
            notes=notes_of(found, language),
            has_few=any(one.sources < FEW for one in found.estimates),
            measures=measure_rows(found, language),
            groups=group_tables(found, language),
            difference=difference_view(found.difference, language) if found.difference else None,
            problems=_problems(found, language, translate),
            pictures=[
                _picture(picture, sample.iou, translate)
                for picture, sample in zip(pictures, found.worst, strict=True)
            ],
        )
    )


def measure_rows(found: Evaluation, language: str) -> list[tuple[str, str, str]]:
    """Return name, value and interval of each measure of all samples."""
    if not found.compared:
        return []
    return [
        (measure_title(name, language), number(value.value), interval(value))
        for name, value in found.estimates[0].measures.items()
    ]


def notes_of(found: Evaluation, language: str) -> list[str]:
    """Return sentences on what was compared, and how."""
    about = found.counts.about

    def text(name: str, *values: object) -> str:
        return TEXTS[name].text(language).format(*values)

    numbers = (f"{found.compared:,}", f"{len(found.counts.table):,}")
    truth = about.get("truth", "")
    notes = [
        text("truth", NAMES[truth].text(language) if truth in NAMES else printable(truth)),
        text("compared", *numbers, f"{found.estimates[0].sources:,}"),
    ]
    kinds = (f"{n:,} {value_name(kind, language)}" for kind, n in sorted(found.values.items()))
    if values := ", ".join(kinds):
        notes.append(text("values", values))
    if "threshold" in about:
        notes.append(text("threshold", about["threshold"]))
    notes.append(text(f"empty_{found.empty.value}"))
    return [*notes, *(doubt.text(language) for doubt in found.doubts)]


_COLUMNS = ("dataset_iou", "image_iou", "image_boundary_iou", "image_boundary_f")


def group_tables(found: Evaluation, language: str) -> list[dict[str, Any]]:
    """Return a table for each kind of group, as templates show it."""
    names = [
        name
        for start in _COLUMNS
        for name in found.estimates[0].measures
        if name == start or name.rpartition("_")[0] == start
    ]
    tables = []
    for kind, group in groupby(found.estimates[1:], key=lambda one: one.group.kind):
        rows = [
            (
                group_name(kind, one.group.name, language),
                f"{one.group.rows.size:,}",
                f"{one.sources:,}{'*' if one.sources < FEW else ''}",
                *(
                    (number(one.measures[name].value), interval(one.measures[name]))
                    for name in names
                ),
            )
            for one in group
        ]
        by = TEXTS[kind].text(language)
        title = TEXTS["groups"].text(language).format(by)
        tables.append(
            {
                "kind": kind,
                "title": title,
                "names": [measure_title(name, language) for name in names],
                "rows": rows,
            }
        )
    return tables


def difference_view(found: RunDifference, language: str) -> dict[str, Any]:
    """Return the comparison with another run, as templates show it."""
    rows = []
    colon = "：" if language == "zh" else ": "
    for one in found.comparisons:
        value = one.measures["dataset_iou"]
        p = value.p
        if one.group.kind == "scene":
            p = found.adjusted["dataset_iou"][one.group.name]
        kind = TEXTS[one.group.kind].text(language)
        name = group_name(one.group.kind, one.group.name, language)
        low, high = signed(value.low), signed(value.high)
        mark = "*" if one.sources < FEW else ""
        rows.append(
            (
                f"{kind}{colon}{name}" if name else kind,
                f"{one.group.rows.size:,}",
                number(value.first),
                number(value.second),
                signed(value.second - value.first),
                "–" if math.isnan(value.low) else f"{low} – {high}{mark}",
                number(p),
            )
        )
    numbers = (f"{n:,}" for n in (found.common, found.only_here, found.only_there))
    return {
        "title": TEXTS["difference"]
        .text(language)
        .format(printable(found.about.get("predictions", ""))),
        "note": TEXTS["common"].text(language).format(*numbers),
        "rows": rows,
        "moved": [
            (
                printable("/".join(one.key)),
                number(one.before),
                number(one.iou),
                signed(one.iou - (one.before or 0.0)),
            )
            for one in found.moved[:_MOVED]
        ],
        "more": len(found.moved) - _MOVED,
    }


def _problems(
    found: Evaluation, language: str, translate: Callable[[str], str]
) -> list[dict[str, Any]]:
    kinds = []
    for problem, group in groupby(found.refused, key=lambda one: one.problem):
        samples = [printable(f"{'/'.join(one.key)} {translate(one.detail)}") for one in group]
        kinds.append((NAMES[problem].text(language), samples))
    if found.matches.surplus:
        names = [printable(name) for name in found.matches.surplus]
        kinds.append((TEXTS["surplus"].text(language), names))
    return [
        {
            "title": title,
            "number": f"{len(samples):,}",
            "samples": samples[:_PROBLEMS],
            "more": len(samples) - _PROBLEMS,
        }
        for title, samples in kinds
    ]


def _picture(picture: Picture, iou: float, translate: Callable[[str], str]) -> dict[str, Any]:
    return {
        "name": printable("/".join(picture.sample.key)),
        "facts": printable(" · ".join(picture.sample.scenes)),
        "iou": number(iou),
        "problem": printable(translate(picture.problem)),
        "photo": data_uri("jpeg", picture.photo) if picture.photo else "",
        "marks": data_uri("png", picture.marks) if picture.marks else "",
        "width": picture.size[0],
        "height": picture.size[1],
    }
