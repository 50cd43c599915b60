"""Write pages with pictures of changes, for `diff --html` and `review --html`."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.argument_types import file_with
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.diff_page import DiffPage
    from sceneset.reporting.diff_summary import StateName, Summary
    from sceneset.reporting.picture_diff import PictureDiff
    from sceneset.versions.diff import Diff
    from sceneset.versions.drift import Drift
    from sceneset.versions.mask_iou import Overlap


def add_page(parser: argparse.ArgumentParser, subject: str) -> None:
    """Add --html and --open.

    Args:
        parser: The parser.
        subject: Help: what the page shows.
    """
    parser.add_argument("--html", type=file_with(".html", ".htm"), metavar="FILE", help=subject)
    parser.add_argument("--open", action="store_true", help="open the written page in your browser")


def check_page(args: argparse.Namespace, catalog: "Catalog") -> None:
    """Refuse options of a page without --html, and a file that must not be replaced.

    Raises:
        UsageError: The options do not fit, or the file has other content.
    """
    from sceneset.cli.picture_sheets import check_file

    if args.html:
        check_file(args.html, catalog)
    elif args.open:
        raise UsageError("--open opens the page of --html; add --html FILE")
    elif getattr(args, "limit", None) is not None:
        raise UsageError("--limit is about the page of --html; add --html FILE")


def draw_pictures(
    args: argparse.Namespace,
    old: "Catalog",
    new: "Catalog",
    diff: "Diff",
    overlaps: "Sequence[Overlap]",
    *,
    limit: int | None,
    internal: bool = False,
) -> "PictureDiff":
    """Return pictures of changes, and show the progress."""
    from sceneset.cli.commands.sources import ask_on_terminal
    from sceneset.cli.language import translate
    from sceneset.cli.output import progress, say
    from sceneset.cli.picture_sheets import language
    from sceneset.reporting.chosen_changes import LIMIT
    from sceneset.reporting.draw_diff import draw_diff
    from sceneset.versions.foreign import restrictions_of

    return draw_diff(
        old,
        new,
        diff.changes,
        overlaps,
        limit=LIMIT if limit is None else limit,
        left_out=restrictions_of(new, internal=internal),
        fetch=args.fetch,
        language=language(),
        translate=translate,
        ask=ask_on_terminal,
        notify=say,
        progress=progress,
    )


def summary_of(old: "Catalog", new: "Catalog", drifts: "Sequence[Drift]") -> "Summary":
    """Return the numbers of a page."""
    from sceneset.cli.picture_sheets import language
    from sceneset.reporting.diff_summary import summarize

    return summarize(old, new, drifts, language())


def state_name(catalog: "Catalog", name: str | None) -> "StateName":
    """Return a state as the user named it, with its commit."""
    from sceneset.reporting.diff_summary import StateName

    return StateName(name or "", catalog.origin.commit if catalog.origin else "")


def write_page(args: argparse.Namespace, page: "DiffPage") -> dict[str, Any]:
    """Write a page, say what it does not show, and open it; return its fields for --json."""
    from sceneset.cli.output import say
    from sceneset.cli.output_files import warn_if_committed
    from sceneset.cli.picture_sheets import open_page
    from sceneset.counts import counted
    from sceneset.reporting.diff_page import diff_page
    from sceneset.storage.files import atomic_write

    path: Path = args.html
    with atomic_write(path, fsync=False) as temporary:
        temporary.write_bytes(diff_page(page).encode())
    problems = page.pictures.problems
    if problems:
        shown = counted(len(problems), "change is", "changes are")
        more = ", ..." if len(set(problems)) > 1 else ""
        say(f"{shown} shown incompletely: {problems[0]}{more}", style="yellow")
    say(f"{counted(page.pictures.shown, 'change')} drawn in {path}", style="green")
    warn_if_committed(path)
    if args.open:
        open_page(path)
    return {"file": str(path), **page.pictures.as_json()}
