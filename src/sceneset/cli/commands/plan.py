"""Say what to collect next: scenes short of images, and where more would help most.

Counted are the different images of each scene, number of persons and phase, and compared with the
targets of params.yaml. Further reasons are repeated images, few sources, consent that ends, shares
of the phases, and with --evaluation where a model is worst or its IoU not sure. The most urgent
scene comes first; docs/plan.md explains the order.

A sample in several scenes counts in each. Withdrawn samples, and those that no version or export
may have (no-release, no-export), do not count. No image is read.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.argument_types import file_with
from sceneset.cli.commands.check import day_of
from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_source,
    open_catalog,
    query_options,
)
from sceneset.cli.exit_codes import FINE
from sceneset.cli.picture_sheets import add_open
from sceneset.errors import UsageError
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.plan_values import Plan

EXAMPLES = r"""
  sceneset plan
  sceneset plan --target 1000                    1,000 images in training
  sceneset plan ski --target 1000 --target val=100
  sceneset plan --evaluation ~/unet.parquet --html ~/plan.html
  sceneset plan --target 1000 --to ~/request.csv   the list for a vendor
"""
_MOST_WANTED = 10_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    parser.add_argument(
        "--target",
        type=_target,
        action="append",
        default=[],
        metavar="[PHASE=]N",
        help="try N different images of each scene and number of persons instead of the targets of "
        "params.yaml; without PHASE in each --phase, or else in train (can be repeated)",
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        metavar="FILE",
        help="counts that `sceneset evaluate --to FILE` wrote: where a model is worst",
    )
    parser.add_argument(
        "--duplicates",
        choices=("auto", "near", "exact"),
        default="auto",
        help="which images count as one: those that look alike (near), or those with the same "
        "pixels (exact); auto is near for up to a million images",
    )
    parser.add_argument(
        "--on",
        type=day_of,
        metavar="DATE",
        help="the day with which the end of consent is compared (YYYY-MM-DD; default: today)",
    )
    parser.add_argument("--all", action="store_true", help="also show scenes that need nothing")
    parser.add_argument(
        "--to",
        type=file_with(".csv"),
        metavar="FILE",
        help="write the images to ask for as a table for a vendor (.csv, opens in spreadsheets)",
    )
    parser.add_argument("--html", type=file_with(".html"), metavar="FILE", help="write a page")
    add_open(parser)
    add_internal(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON object")


def _target(text: str) -> tuple[Phase | None, int]:
    phase, equals, number = text.rpartition("=")
    is_number = number.isascii() and number.isdigit() and len(number) < 9
    if not is_number or int(number) > _MOST_WANTED or (equals and phase not in set(Phase)):
        raise argparse.ArgumentTypeError(
            f"{text!r}: use a whole number up to 10,000,000, or for example val=100"
        )
    return (Phase(phase) if equals else None), int(number)


def run(args: argparse.Namespace) -> int:
    """Compute the plan, print it, and write the files."""
    from sceneset.cli.output import print_json
    from sceneset.cli.plan_output import print_plan

    if args.open and not args.html:
        raise UsageError("--open opens the file of --html; add --html FILE")
    catalog = open_catalog(args)
    _check_files(args, catalog)
    plan = _plan(args, catalog)
    if args.to and not plan.targets.is_set:
        raise UsageError(
            "without a target there is nothing to ask for; write `targets` in params.yaml, or use "
            "--target N"
        )
    if args.json:
        print_json(plan.as_json())
    else:
        print_plan(plan, shows_all=args.all)
    _write_files(args, catalog, plan)
    return FINE


def _plan(args: argparse.Namespace, catalog: "Catalog") -> "Plan":
    from sceneset.api import Registry

    registry = Registry(
        catalog.root, project=catalog.project, origin=catalog.origin, progress=catalog.progress
    )
    options = query_options(args)
    return registry.plan(
        *options.pop("scenes"),
        **options,
        targets=_targets(args, catalog),
        evaluation=args.evaluation,
        duplicates=args.duplicates,
        day=args.on,
        internal=args.internal,
    )


def _targets(args: argparse.Namespace, catalog: "Catalog") -> "dict[str, Any] | None":
    """Return the targets of --target, with the other settings of params.yaml; None without."""
    if not args.target:
        return None
    own = catalog.params.targets
    default = [Phase(phase) for phase in args.phase] or [Phase.TRAIN]
    wanted = {
        str(one): number for phase, number in args.target for one in ([phase] if phase else default)
    }
    return {"shares": own.shares, "max_source": own.max_source, **wanted}


def _check_files(args: argparse.Namespace, catalog: "Catalog") -> None:
    """Refuse files that must not be written."""
    from sceneset.cli.output_files import check_output_file
    from sceneset.reporting.plan_page import GENERATOR
    from sceneset.reporting.plan_request import COLUMNS

    for path, mark in ((args.to, ",".join(COLUMNS)), (args.html, GENERATOR)):
        if path is not None:
            check_output_file(path, catalog, "plan", marks=(mark,))


def _write_files(args: argparse.Namespace, catalog: "Catalog", plan: "Plan") -> None:
    from sceneset.cli.output import say
    from sceneset.cli.picture_sheets import language, open_page
    from sceneset.counts import counted
    from sceneset.reporting.plan_page import plan_page
    from sceneset.reporting.plan_request import request_text
    from sceneset.storage.files import write_text

    if args.to:
        write_text(args.to, request_text(plan, catalog.vocabulary))
        rows = counted(len(plan.requests()), "row")
        say(f"{rows} written to {args.to}", style="green")
    if args.html:
        write_text(args.html, plan_page(plan, catalog.vocabulary, language()), fsync=False)
        say(f"page written to {args.html}", style="green")
        if args.open:
            open_page(args.html)
