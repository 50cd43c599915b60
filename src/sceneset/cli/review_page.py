"""Write the page of `sceneset review --html`."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.cli.findings import View
    from sceneset.reporting.diff_page import DiffPage
    from sceneset.reporting.review import Review
    from sceneset.reporting.review_pictures import ReviewPictures
    from sceneset.versions.diff import Change

MOST_COMPARED = 5_000
"""Changed masks whose IoU is computed; of more, evenly spread ones."""


def write_review(
    args: argparse.Namespace, base: "Catalog", changed: "Catalog", found: "Review", view: "View"
) -> dict[str, Any]:
    """Write the page of a review and return its fields for --json."""
    from sceneset.cli.change_pages import state_name, write_page
    from sceneset.cli.language import translate
    from sceneset.cli.picture_sheets import language
    from sceneset.reporting.diff_page import DiffPage
    from sceneset.reporting.review_values import ReviewValues, subset_provenances

    findings = _draw_findings(args, changed, found, view)
    page = DiffPage(state_name(base, args.base), state_name(changed, None), language(), translate)
    page.warnings = list(_warnings(found, args.base))
    subsets = subset_provenances(base, changed, found, language())
    page.review = ReviewValues(found, findings, subsets, language(), translate)
    if found.diff:
        _add_changes(args, base, changed, found, page)
    fields = write_page(args, page)
    return fields | {
        "fetched": page.pictures.fetched + findings.fetched,
        "findings": {
            "drawn": findings.drawn,
            "hidden": findings.hidden,
            "rules": {
                group.code: {"total": group.total, "shown": len(group.shown)}
                for group in findings.groups
            },
        },
    }


def _add_changes(
    args: argparse.Namespace,
    base: "Catalog",
    changed: "Catalog",
    found: "Review",
    page: "DiffPage",
) -> None:
    """Add what changed to a page, as far as both states can be read."""
    from sceneset.cli.change_pages import draw_pictures, summary_of
    from sceneset.cli.output import progress
    from sceneset.errors import FindingsError
    from sceneset.versions.drift import compute_drift
    from sceneset.versions.mask_iou import compare_masks

    assert found.diff, "the states can be compared"
    page.diff = found.diff
    masks = _spread_masks(found.diff.changes)
    overlaps = compare_masks(changed, masks, fetch=args.fetch, progress=progress)
    page.pictures = draw_pictures(args, base, changed, found.diff, overlaps, limit=args.shown_limit)
    try:
        page.summary = summary_of(base, changed, compute_drift(base, changed))
    except FindingsError as error:
        page.warnings = [*page.warnings, str(error.findings[0])]


def _spread_masks(changes: "Sequence[Change]") -> "list[Change]":
    from sceneset.versions.diff import ChangeKind

    masks = [change for change in changes if change.kind is ChangeKind.MASK]
    count = min(len(masks), MOST_COMPARED)
    return [masks[number * len(masks) // count] for number in range(count)]


def _draw_findings(
    args: argparse.Namespace, changed: "Catalog", found: "Review", view: "View"
) -> "ReviewPictures":
    from sceneset.cli.commands.sources import ask_on_terminal
    from sceneset.cli.language import translate
    from sceneset.cli.output import progress, say
    from sceneset.cli.picture_sheets import language
    from sceneset.reporting.review_pictures import FINDINGS, draw_findings

    new = {finding.identity for finding in found.new}
    return draw_findings(
        changed,
        filter(view.selects, found.new),
        (finding for finding in found.findings if finding.identity not in new),
        limit=view.limit if view.has_limit else FINDINGS,
        fetch=(
            lambda files, wanted: files.fetch(
                wanted, ask=ask_on_terminal, notify=say, progress=progress
            )
        )
        if args.fetch
        else None,
        language=language(),
        translate=translate,
        progress=progress,
    )


def _warnings(found: "Review", base: str) -> "list[str]":
    """Return why the changes or the findings of the base are not known."""
    from sceneset.cli.language import translate
    from sceneset.reporting.review import base_not_checked_text, not_compared_text

    texts = [not_compared_text(found, base)]
    if found.base_error:
        texts.append(str(found.base_error))
    if not found.is_base_checked:
        texts.append(base_not_checked_text(base))
    return [translate(text) for text in texts if text]
