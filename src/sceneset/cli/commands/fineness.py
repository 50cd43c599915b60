"""Measure how much detail the outlines of masks have, without reading an image.

The fineness of a mask is high if its outline turns often, has few long straight edges, and follows
the contrast of the image. The scan has measured all three. The tables show the median of each
subset and scene with its 95 % interval; with --reference, also how often a mask is finer than one
of another subset, or of a folder of images and masks. It is a measure of detail, not of errors: see
docs/fineness.md.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.argument_types import whole_number
from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_source,
    open_catalog,
    query_options,
)
from sceneset.cli.exit_codes import FINE
from sceneset.cli.picture_sheets import add_sheet
from sceneset.errors import NothingFoundError, UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.fineness import Selected, Values
    from sceneset.reporting.fineness_report import Report
    from sceneset.schemas.provenance import Restriction

EXAMPLES = r"""
  sceneset fineness
  sceneset fineness ski --phase train
  sceneset fineness --reference coco           how often masks are finer
  sceneset fineness --reference ~/coco-masks   than those of a folder
  sceneset fineness --subset vendor --worst 60 --view ~/worst.html
"""
_WORST = 10
_GROUPINGS = ("subset", "scene")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    parser.add_argument(
        "--reference",
        metavar="SUBSET|FOLDER/",
        help="compare with a subset, or with a folder (written with a /) that has img_dir/<phase> "
        "and ann_dir/<phase>, which is measured now",
    )
    parser.add_argument(
        "--by",
        choices=_GROUPINGS,
        action="append",
        help="group by this only (default: subset and scene)",
    )
    parser.add_argument(
        "--worst",
        type=whole_number(0, 1000),
        default=_WORST,
        metavar="N",
        help=f"samples with the lowest fineness to list (default: {_WORST})",
    )
    add_sheet(parser, "draw the samples with the lowest fineness in an .html or .png file")
    add_internal(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Read the values, compute the intervals, and print."""
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.fineness_output import print_report, say_left_out
    from sceneset.cli.output import print_json, progress
    from sceneset.cli.picture_sheets import check_file, check_options
    from sceneset.reporting.fineness import select_values
    from sceneset.reporting.fineness_report import report_of
    from sceneset.versions.foreign import restrictions_of

    check_options(args)
    catalog = open_catalog(args)
    if args.view:
        if not args.worst:
            raise UsageError("--view draws the samples that --worst lists; use --worst 1 or more")
        check_file(args.view, catalog)
    query = resolve_query(catalog, **query_options(args))
    left_out = restrictions_of(catalog, internal=args.internal)
    selected = select_values(catalog, query, left_out)
    _refuse_nothing(selected)
    reference = _reference(args.reference, catalog, left_out) if args.reference else None
    subsets = [one for one in selected.subsets if not reference or one.subset != reference.subset]
    if not any(map(len, subsets)):
        raise NothingFoundError(
            f"no sample besides those of the reference {args.reference} is selected; name another "
            "reference"
        )
    report = report_of(
        subsets,
        reference,
        by=args.by or _GROUPINGS,
        scenes=catalog.vocabulary.order,
        worst=args.worst,
        progress=progress,
    )
    say_left_out(selected, reference)
    if args.json:
        print_json(report.as_json(selected))
    else:
        print_report(report)
    if args.view:
        _draw(args, catalog, report)
    return FINE


def _refuse_nothing(selected: "Selected") -> None:
    """Refuse a selection without any measured sample, and say why it has none."""
    from sceneset.counts import counted

    if any(map(len, selected.subsets)):
        return
    if not selected.choice.selected:
        raise NothingFoundError("no sample matches, so there is nothing to measure")
    if not sum(values.older for values in selected.subsets):
        number = counted(selected.choice.selected, "selected sample")
        raise NothingFoundError(
            f"no mask of the {number} has an outline that can be measured: nobody is in them, or "
            "persons are smaller than a few pixels"
        )
    raise NothingFoundError(
        "the scans have no outlines, because an older algorithm wrote them. Set "
        "`algorithms.scan: 7` in params.yaml and run `dvc repro`: each image is decoded once more"
    )


def _reference(text: str, catalog: "Catalog", left_out: "frozenset[Restriction]") -> "Values":
    """Return the values of the reference: a folder if the text has a slash, otherwise a subset."""
    import os

    from sceneset.catalog.query import resolve_query
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import progress
    from sceneset.reporting.fineness import select_values, values_of_scan
    from sceneset.scanning.measure_folder import measure_folder

    if os.sep in text:
        measured = measure_folder(Path(text), catalog.params.limits, progress)
        print_findings(measured.findings, view=View(limit=1))
        found = [values_of_scan(text, measured.table)]
    else:
        query = resolve_query(catalog, subsets=[text])
        found = select_values(catalog, query, left_out).subsets
    if not found or not len(found[0]):
        raise NothingFoundError(f"{text} has no mask with an outline that was measured")
    return found[0]


def _draw(args: argparse.Namespace, catalog: "Catalog", report: "Report") -> None:
    """Draw the samples with the lowest fineness, each with its numbers."""
    from sceneset.cli.fineness_output import sentence
    from sceneset.cli.language import translate
    from sceneset.cli.picture_sheets import draw, language, new_sheet, side_of, write_sheet
    from sceneset.reporting.sheet_samples import entries_of
    from sceneset.versions.local_files import LocalFiles

    texts = {sample.key: [translate(sentence(sample))] for sample in report.worst}
    keys = list(texts)
    chosen = entries_of(catalog, keys, LocalFiles(catalog), language=language(), texts=texts)
    side = side_of(args.view, None)
    cards = draw([one.entry for one in chosen], catalog, side=side)
    total = report.groups[0].samples
    note = translate(f"{len(cards):,} of {total:,} measured samples, the lowest fineness first")
    write_sheet(args.view, new_sheet("sceneset fineness", cards, [note]), side, opens=args.open)
