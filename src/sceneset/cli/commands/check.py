"""Report all errors and warnings of the registry.

`check` reads only text files and tables, no images, so it works in a clone without any blob.
`dvc repro` runs the same checks. Split files, statistics, cards, reports and the manifest are
compared with what their sources give. Findings that registry/waivers.yaml accepts are counted, but
are not shown and stop nothing.
"""

import argparse
import datetime as dt
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import add_source, add_view, open_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import add_sheet
from sceneset.cli.streams import ignore_closed_pipe

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.schemas.finding import Finding

EXAMPLES = """
  sceneset check
  sceneset check demo-full --notes
  sceneset check --rule mask-coarse --limit 20
  sceneset check --rule mask-holes --view ~/holes.html --open
  sceneset check --all                  every finding on a line of its own
  sceneset check --on 2026-06-30        report consent that ends by then
  sceneset check --json
  sceneset check --sarif > findings.sarif
  sceneset check --markdown >> "$GITHUB_STEP_SUMMARY"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "subset",
        nargs="*",
        metavar="SUBSET",
        help="name of a subset, or a part of it (default: all subsets)",
    )
    add_source(parser)
    parser.add_argument("--notes", action="store_true", help="show notes too")
    parser.add_argument(
        "--on",
        type=day_of,
        metavar="DATE",
        help="also report consent that ended before DATE (YYYY-MM-DD), or ends within 90 days "
        "after it; `today` is the current day",
    )
    add_view(parser)
    add_sheet(
        parser,
        "draw the samples of the shown findings with their masks into this .html or .png file",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the findings as a JSON list")
    form.add_argument("--sarif", action="store_true", help="print a SARIF 2.1.0 log")
    form.add_argument("--markdown", action="store_true", help="print a Markdown summary")


def day_of(text: str) -> dt.date:
    """Return a day as options name it: YYYY-MM-DD, or `today`; for argparse."""
    import re

    if text == "today":
        return dt.datetime.now().astimezone().date()
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD")


def run(args: argparse.Namespace) -> int:
    """Check the registry and print the findings."""
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.picture_sheets import check_file, check_options
    from sceneset.quality.evaluate import all_findings
    from sceneset.reporting.derived import falsely_current_files
    from sceneset.schemas.finding import errors_of
    from sceneset.versions.history import released_test_images

    check_options(args)
    catalog = open_catalog(args)
    if args.view:
        check_file(args.view, catalog)
    names = None
    if args.subset:
        names = resolve_query(catalog, subsets=args.subset).subsets
    is_here = catalog.origin is None
    findings = all_findings(
        catalog,
        released_test_images if is_here else None,
        names,
        notes=args.notes,
        derived=falsely_current_files if is_here else None,
        on=args.on,
    )
    _show(findings, args)
    if args.view:
        _draw(findings, args, catalog)
    return FINDINGS if errors_of(findings) else FINE


def _show(findings: "list[Finding]", args: argparse.Namespace) -> None:
    import sys
    from importlib.metadata import version

    from sceneset.cli.findings import View, markdown, print_findings
    from sceneset.cli.output import print_json, say
    from sceneset.reporting.sarif import sarif_log

    view = View.of(args)
    if args.json:
        print_json([p.model_dump(mode="json") for p in findings if view.selects(p)])
    elif args.sarif:
        print_json(sarif_log(list(filter(view.selects, findings)), version("sceneset")))
    elif args.markdown:
        with ignore_closed_pipe():
            sys.stdout.write(markdown(filter(view.selects, findings), view))
    else:
        print_findings(findings, stderr=False, view=view)
        if not findings:
            say("no errors or warnings", style="green")


def _draw(findings: "list[Finding]", args: argparse.Namespace, catalog: "Catalog") -> None:
    """Draw the samples of the shown findings, each with what is wrong."""
    from itertools import groupby

    from sceneset.catalog.index import SampleGroup
    from sceneset.cli.language import translate
    from sceneset.cli.output import say
    from sceneset.cli.picture_sheets import (
        draw,
        finding_texts,
        language,
        limit_of,
        new_sheet,
        shown_findings,
        side_of,
        write_sheet,
    )
    from sceneset.reporting.sheet_samples import choose, entries_of
    from sceneset.versions.foreign import restrictions_of
    from sceneset.versions.local_files import LocalFiles

    texts = finding_texts(shown_findings(findings, args))
    groups = [
        SampleGroup(name, phase, catalog.entry(name).img_suffix, [key[2] for key in keys])
        for (name, phase), keys in groupby(sorted(texts), lambda key: key[:2])
    ]
    left_out = restrictions_of(catalog, internal=False)
    allowed = {*choose(catalog, groups, limit=len(texts), left_out=left_out).keys}
    keys = [key for key in texts if key in allowed]
    if not keys:
        say(f"no finding is about a sample that can be shown; {args.view} was not written")
        return
    shown = keys[: limit_of(args, len(keys))]
    chosen = entries_of(catalog, shown, LocalFiles(catalog), language=language(), texts=texts)
    side = side_of(args.view, None)
    cards = draw([one.entry for one in chosen], catalog, side=side)
    notes = [translate(f"{len(cards):,} of {len(keys):,} samples with findings")]
    sheet = new_sheet(", ".join(args.shown_rule or ["sceneset check"]), cards, notes)
    write_sheet(args.view, sheet, side, opens=args.open)
