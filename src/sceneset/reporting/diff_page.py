"""Two states side by side, as one HTML file that needs nothing else.

The file holds totals, how scenes drifted, and pictures of the changes. A review has the findings
and whose data new subsets are, too. See `sceneset.reporting.page` for what such a page may load.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.subset_folder import printable
from sceneset.reporting.change_values import TEXTS, TITLES, ChangeValues
from sceneset.reporting.contact_sheet import Translate
from sceneset.reporting.diff_summary import StateName, Summary
from sceneset.reporting.page import (
    LANGUAGE_TAGS,
    data_uri,
    html_environment,
    policy,
    resource,
    style_of,
)
from sceneset.reporting.page_words import shared_words
from sceneset.reporting.picture_diff import PictureDiff
from sceneset.schemas.base import Localized
from sceneset.versions.diff import Diff

if TYPE_CHECKING:
    from sceneset.reporting.review_values import ReviewValues

GENERATOR = '<meta name="generator" content="sceneset diff">'
"""The line of a page by which its next writer knows that it may be replaced."""
_TEXTS = {
    **TEXTS,
    **shared_words("changes", "working_tree"),
    **shared_words("subsets_added", "subsets_removed", "scenes_added", "scenes_removed"),
    "totals": Localized(en="Totals", zh="总数"),
    "difference": Localized(en="difference", zh="差值"),
    "drift": Localized(en="Drift of scenes", zh="场景的变化"),
    "more_rows": Localized(
        en="{} more scenes changed less and are not shown.", zh="另有 {} 个变化较小的场景未显示。"
    ),
    "no_changes": Localized(en="No sample differs.", zh="没有样本不同。"),
    "commit": Localized(en="{}: commit {}", zh="{}：提交 {}"),
    "review": Localized(en="Review", zh="审查"),
    "rows": Localized(en="Rows of scene tables", zh="场景表的行"),
    "provenance": Localized(en="Whose data it is", zh="数据归属"),
    "new_subset": Localized(en="new subset", zh="新子数据集"),
    "no_provenance": Localized(en="The entry has no provenance.", zh="条目没有填写数据归属。"),
    "new_findings": Localized(en="New findings", zh="新问题"),
    "no_new_findings": Localized(en="No new findings.", zh="没有新问题。"),
    "more_findings": Localized(
        en="{} more of this rule are not shown.", zh="此规则还有 {} 条未显示。"
    ),
    "known_findings": Localized(en="Findings that are in the base too", zh="基准中已有的问题"),
    "major": Localized(
        en="The next version is at least a major step.", zh="下一个版本至少要升主版本号。"
    ),
    "minor": Localized(
        en="The next version is at least a minor step.", zh="下一个版本至少要升次版本号。"
    ),
    "patch": Localized(
        en="The next version is at least a patch step.", zh="下一个版本至少要升修订号。"
    ),
}


class _Count(NamedTuple):
    name: str
    value: str
    link: str
    is_number: bool


@dataclass
class DiffPage:
    """What a page shows of two states."""

    old: StateName
    new: StateName
    language: str
    translate: Translate
    diff: Diff | None = None
    """None if the states can't be compared."""
    pictures: PictureDiff = field(default_factory=PictureDiff)
    summary: Summary = field(default_factory=Summary)
    warnings: Sequence[str] = ()
    """Why something is not shown, in the reader's language."""
    review: "ReviewValues | None" = None


def diff_page(page: DiffPage) -> str:
    """Return the text of an HTML page."""
    values = ChangeValues(data_uri, page.language)
    script = resource("diff.js")
    review, diff = page.review, page.diff
    findings = review.findings(values) if review else None
    return (
        html_environment()
        .get_template("diff.html.jinja")
        .render(
            lang=LANGUAGE_TAGS[page.language],
            title=_title(page),
            notes=_notes(page),
            warnings=page.warnings,
            generator=GENERATOR,
            style=style_of("diff.css"),
            script=script,
            policy=policy([script]),
            label=lambda name: _TEXTS[name].text(page.language),
            counts=_counts(page, diff) if diff else [],
            step=_TEXTS[diff.step].text(page.language) if diff else "",
            totals=page.summary.totals,
            charts=page.summary.charts,
            groups=values.groups(page.pictures),
            is_equal=diff is not None and not diff.changes,
            findings=findings,
            has_pictures=bool(
                page.pictures.shown
                or (findings and any(group["cards"] for group in findings["groups"]))
            ),
            verdict=review.verdict if review else None,
            rows=review.rows if review else [],
            row_names=review.row_names if review else [],
            subsets=review.subsets if review else [],
        )
    )


def _title(page: DiffPage) -> str:
    old, new = (_name(page, state) for state in (page.old, page.new))
    start = f"{_TEXTS['review'].text(page.language)}: " if page.review else ""
    return f"{start}{old} → {new}"


def _name(page: DiffPage, state: StateName) -> str:
    return printable(state.name) or _TEXTS["working_tree"].text(page.language)


def _notes(page: DiffPage) -> list[str]:
    text = _TEXTS["commit"].text(page.language)
    named = (state for state in (page.old, page.new) if state.commit)
    return [text.format(_name(page, state), state.commit[:12]) for state in named]


def _counts(page: DiffPage, diff: Diff) -> list[_Count]:
    """Return the numbers of changes, with links to their pictures, and names."""
    shown = {group.kind for group in page.pictures.groups}
    rows = [
        _Count(
            title.text(page.language),
            f"{diff.counts[kind]:,}",
            f"#changes-{kind}" if kind in shown else "",
            is_number=True,
        )
        for kind, title in TITLES.items()
        if diff.counts[kind]
    ]
    for name in ("subsets_added", "subsets_removed", "scenes_added", "scenes_removed"):
        if names := getattr(diff, name):
            text = printable(", ".join(names))
            rows.append(_Count(_TEXTS[name].text(page.language), text, "", is_number=False))
    return rows
