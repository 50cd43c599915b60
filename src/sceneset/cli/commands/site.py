"""Write a catalogue of the registry: pages that show what is in it, with pictures.

The pages open from a file or any web server, need no network, and are in English and Chinese. Run
the command again to bring them up to date: pictures are drawn once, and only files that change are
written. Files are read from the working tree or the cache; --fetch downloads others. A sample whose
files are not available has a gray tile with the reason. Withdrawn samples are never shown.
"""

import argparse
from pathlib import Path

from sceneset.cli.commands.sources import (
    add_fetch,
    add_internal,
    add_remote,
    add_source,
    ask_on_terminal,
    open_catalog,
)
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import add_open

EXAMPLES = r"""
  sceneset site --to ~/catalogue --open
  sceneset site --to ~/catalogue --large    with large pictures
  sceneset site --to ~/catalogue --evaluation ~/new.parquet
  sceneset site --rev 1.2.0 --fetch --to ~/catalogue-1.2.0
"""

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from sceneset.site.options import SiteReport


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="DIR",
        help="a new folder, or one that an earlier run wrote",
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="also write a picture of 1,280 pixels of each sample, some 100 kB each; without it, "
        "a sample is shown large from its thumbnail",
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="show an evaluation: the counts that `sceneset evaluate --to FILE` wrote; can be "
        "repeated, and each run is compared with the one before",
    )
    add_fetch(parser)
    add_open(parser)
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Build the catalogue and report what it shows."""
    from dataclasses import asdict

    from sceneset.cli.catalogue import load_catalogue
    from sceneset.cli.output import print_json, progress, say
    from sceneset.cli.output_files import warn_if_committed
    from sceneset.cli.picture_sheets import open_page
    from sceneset.site.build import build_site
    from sceneset.site.collect import site_options
    from sceneset.site.evaluations import read_evaluations
    from sceneset.versions.foreign import restrictions_of

    catalog = open_catalog(args)
    repo = "" if args.repo == "." else str(args.repo)
    chinese = load_catalogue().translate
    options = site_options(catalog, repo=repo, rev=args.rev or "", translate=chinese)
    options.left_out = restrictions_of(catalog, internal=args.internal)
    options.has_large = args.large
    options.evaluations = read_evaluations(args.evaluation)
    if args.fetch:
        options.fetch = lambda files, wanted: files.fetch(
            wanted, remote=args.remote, ask=ask_on_terminal, notify=say, progress=progress
        )
    report = build_site(catalog, args.to, options, progress=progress)
    page = args.to / "index.html"
    if args.json:
        print_json({"page": str(page)} | asdict(report))
    else:
        _print_report(report, args.to)
    warn_if_committed(args.to)
    if args.open:
        open_page(page)
    return FINDINGS if report.unread else FINE


def _print_report(report: "SiteReport", to: Path) -> None:
    from sceneset.cli.language import translate
    from sceneset.cli.output import say
    from sceneset.counts import counted

    if report.withdrawn:
        left_out = counted(report.withdrawn, "withdrawn sample was", "withdrawn samples were")
        say(f"{left_out} left out", style="yellow")
    if report.restricted:
        left_out = counted(
            report.restricted, "sample for internal use was", "samples for internal use were"
        )
        say(f"{left_out} left out; --internal includes them, if you may", style="yellow")
    if report.unread:
        names = ", ".join(report.unread)
        say(f"left out, because a file can't be read: {names}; run `sceneset check`", style="red")
    if report.missing:
        missing = counted(report.missing, "sample has", "samples have")
        first = translate(report.problems[0])
        more = ", ..." if len(report.problems) > 1 else ""
        say(f"{missing} no picture or no outline: {first}{more}", style="yellow")
    pages = counted(report.pages, "page")
    say(f"{pages} on {counted(report.samples, 'sample')} written to {to}/index.html", style="green")
    say(
        f"{counted(report.written, 'file')} new or changed, {counted(report.deleted, 'file')} "
        "deleted"
    )
