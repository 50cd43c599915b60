"""Summarize and check a change, such as a pull request, without reading an image.

The working tree is compared with BASE: a branch, commit, tag or version. `review` prints a page
with added scenes, the images of each row before and after, new findings, and leakage: as tables on
a terminal, as Markdown when piped. The exit code is 1 if the registry has errors or derived files
are out of date. --html also writes a page with pictures of the changes and of the findings, and
with whose data new subsets are; it reads the images that it shows.
"""

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from sceneset.cli.change_pages import add_page
from sceneset.cli.commands.sources import add_view, find_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.cli.findings import View
    from sceneset.reporting.review import Review

EXAMPLES = """
  sceneset review origin/main
  sceneset review origin/main >> "$GITHUB_STEP_SUMMARY"
  sceneset review 1.0.0 --json
  sceneset review origin/main --html ~/review.html --fetch --open
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "base",
        nargs="?",
        default="origin/main",
        metavar="BASE",
        help="what to compare with (default: origin/main)",
    )
    add_view(parser)
    add_page(
        parser,
        "also write a page with pictures of the changes and findings, as one file; --limit N "
        "shows N changes of each kind (default: 60) and N findings of each rule (default: 20)",
    )
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="with --html: download the images and masks that the page shows, and changed masks, "
        "if they are not on this machine",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare the states and print the page."""
    from sceneset.cli.change_pages import check_page
    from sceneset.cli.findings import View, markdown
    from sceneset.cli.output import print_json
    from sceneset.cli.review_page import write_review
    from sceneset.reporting.review import review, review_json, review_page
    from sceneset.versions.revisions import open_at

    catalog = find_catalog()
    check_page(args, catalog)
    if args.fetch and not args.html:
        raise UsageError("--fetch downloads what the page of --html shows; add --html FILE")
    base = open_at(catalog.root, args.base, progress=catalog.progress)
    found = review(base, catalog)
    view = View.of(args)
    written = {"html": write_review(args, base, catalog, found, view)} if args.html else {}
    if args.json:
        selected = replace(found, new=list(filter(view.selects, found.new)))
        print_json(review_json(selected) | written)
    elif sys.stdout.isatty():
        _show(found, args.base, view)
    else:
        new = markdown(filter(view.selects, found.new), view)
        sys.stdout.write(review_page(found, args.base, new))
    return FINE if found.is_good else FINDINGS


def _show(found: "Review", base: str, view: "View") -> None:
    """Print a review on a terminal, which can't show Markdown."""
    from sceneset.cli.commands.diff import CHANGE_LABELS, STEP_LABELS, names_of_changes
    from sceneset.cli.findings import print_findings
    from sceneset.cli.output import Label, print_table, print_text, say
    from sceneset.reporting.review import base_not_checked_text, known_text, not_compared_text

    diff = found.diff
    if reason := not_compared_text(found, base):
        say(reason, style="yellow")
    if found.base_error:
        print_findings([found.base_error])
    if diff:
        changes = [
            (Label(CHANGE_LABELS[kind]), count) for kind, count in diff.counts.items() if count
        ]
        rows = [*changes, *names_of_changes(diff)]
        if rows:
            print_table((f"changes since {base}", "count or names"), rows)
            print_text(STEP_LABELS[diff.step])
    _show_rows(found)
    if found.new:
        print_findings(found.new, stderr=False, view=view)
    if not found.is_base_checked:
        say(base_not_checked_text(base), style="yellow")
    if known := len(found.findings) - len(found.new):
        say(f"{known_text(known)}: `sceneset check --all` lists all")
    if found.is_good:
        say("ready to merge", style="green")
    else:
        say("not ready to merge", style="bold red")


def _show_rows(found: "Review") -> None:
    """Print the rows of scene tables and the provenances that differ."""
    from sceneset.cli.output import print_table

    if found.changed_rows:
        print_table(
            ("subset", "split file", "phase", "before", "after"),
            [
                (row.subset, row.file, row.phase, before, after)
                for row, before, after in found.changed_rows
            ],
            right=("before", "after"),
        )
    if found.provenance:
        print_table(("subset", "provenance before", "after"), found.provenance)
