"""Check a delivery and add it to the registry as a subset, or to a subset with --to.

DELIVERY is a folder with img_dir/<phase>, ann_dir/<phase> and, optionally, split files in
split_dir; or a delivery in an annotation format such as COCO; or a zip, tar or tar.gz of one.
`add` checks everything first and shows all findings; if one of them is an error, it changes
nothing. It never changes the delivery itself.

Split files become tags: an image that is listed in several split files belongs to several scenes.

With --to SUBSET, the samples of the delivery are added to an existing subset. With --replace too,
delivered files replace those of existing samples where they differ. Blobs of other samples are not
needed.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.add_report import outcome, report
from sceneset.cli.commands.format_options import add_format_options, format_of
from sceneset.cli.commands.growing import (
    add_target,
    check_target,
    run_staged,
)
from sceneset.cli.commands.sample_options import add_source_from
from sceneset.cli.commands.scene_proposals import propose
from sceneset.cli.commands.sources import add_view, find_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import add_sheet
from sceneset.errors import UsageError, fail
from sceneset.schemas.terms import Kind

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Request
    from sceneset.formats.archives import Opened

EXAMPLES = r"""
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski --dry-run
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski \
      --dry-run --view ~/look.html      see the masks before you take them
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski \
      --quarantine ~/quarantine         list samples with errors there
  sceneset add ~/delivery.zip --name CustomSeg_Person_20240115_ski \
      --scenes-from folder > scenes.csv   propose scenes; correct the file
  sceneset add ~/delivery.zip --name CustomSeg_Person_20240115_ski \
      --scenes scenes.csv
  sceneset add ~/crops --name CustomSeg_Person_20240116_v1 --kind crop \
      --entry entry.yaml
  sceneset add ~/more --to ski --dry-run   show what more samples would change
  sceneset add ~/corrected --to ski --replace masks
  sceneset add ~/delivery --name CustomSeg_Person_20240117_ski \
      --entry entry.yaml --to-remote
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "delivery",
        type=Path,
        metavar="DELIVERY",
        help="the folder with the delivered files, or a zip, tar or tar.gz of them",
    )
    add_target(parser)
    parser.add_argument(
        "--kind",
        choices=[k.value for k in Kind],
        help="full: whole images (default); crop: one person per image, cut out",
    )
    parser.add_argument(
        "--entry",
        type=Path,
        metavar="FILE",
        help="YAML file with the description, rows of the scene table and expected counts",
    )
    parser.add_argument(
        "--tags",
        type=Path,
        metavar="FILE",
        help="CSV file with the tags; split files of the delivery are only compared with it",
    )
    add_source_from(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show the findings and the change, change nothing"
    )
    parser.add_argument(
        "--quarantine",
        type=Path,
        metavar="DIR",
        help="add the samples without errors, and write the list of the others into DIR",
    )
    add_view(parser)
    add_sheet(
        parser,
        "draw samples of the delivery with their masks into this .html or .png file: 60, or with "
        "--rule those with its findings",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    add_format_options(parser)


def run(args: argparse.Namespace) -> int:
    """Check the delivery and add it; with --json, errors are printed as an object too."""
    from sceneset.cli.output import print_json
    from sceneset.errors import FindingsError

    try:
        return _run(args)
    except FindingsError as found:
        if not args.json:
            raise
        print_json(outcome(args.name, found.findings))
        return FINDINGS


def _run(args: argparse.Namespace) -> int:
    from sceneset.edits.ingest import refuse_taken_name
    from sceneset.schemas.names import SubsetName
    from sceneset.storage.leftovers import sweep_temporary_folders, temporary_folder

    catalog = find_catalog()
    sweep_temporary_folders()  # also if this add was killed when it was complete
    check_target(args, catalog)
    try:
        name = str(SubsetName(args.name))
    except ValueError as error:
        fail("subset-name", str(error), file="--name")
    if not args.to:
        refuse_taken_name(catalog, name)
    folder = args.delivery.resolve()
    _check_folders(catalog, folder, args.quarantine, name)
    _check_sheet(args, catalog, folder)
    with temporary_folder() as work:  # masks that are drawn from annotations
        return _add(args, catalog, folder, name, work)


def _add(args: argparse.Namespace, catalog: "Catalog", folder: Path, name: str, work: Path) -> int:
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import progress, say
    from sceneset.delivery.read import read_delivery
    from sceneset.edits.ingest import ingest
    from sceneset.edits.quarantine_list import list_of_left_out
    from sceneset.formats.archives import open_archives
    from sceneset.quality.ignored import ignored_subset_findings
    from sceneset.schemas.finding import errors_of

    if args.scenes and args.tags:
        raise UsageError("--scenes and --tags both give the scenes; use one of them")
    opened = open_archives(folder, work / "archives", progress=progress)
    if args.replace:
        from sceneset.cli.commands.replacing import run_replace

        return run_replace(args, catalog, name, opened, work)
    request = _request(args, catalog, name, opened, work)
    if args.scenes_from:
        return propose(args, request, catalog)
    delivery = read_delivery(request, catalog, progress)
    if delivery.entry and not args.to:
        splits = [row.file for row in delivery.entry.splits]
        delivery.findings += ignored_subset_findings(catalog, name, splits)
    if args.view:
        from sceneset.cli.commands.delivery_view import draw_delivery

        draw_delivery(args, catalog, delivery)
    errors = [p for p in errors_of(delivery.findings) if p not in delivery.left_out]
    if not args.json:
        for text in delivery.says:
            say(text)
        print_findings(delivery.findings, view=View.of(args))
    if (args.to or args.to_remote) and delivery.entry and not errors:
        return run_staged(args, catalog, delivery, name)
    is_added = not errors and not args.dry_run and delivery.entry is not None
    if is_added:
        with list_of_left_out(catalog, args.quarantine, name, delivery.left_out):
            ingest(catalog, delivery, progress=progress, notify=say)
    report(catalog, args, delivery, is_added=is_added, errors=errors)
    return FINDINGS if errors else FINE


def _request(
    args: argparse.Namespace, catalog: "Catalog", name: str, opened: "Opened", work: Path
) -> "Request":
    """Return how a delivery is read."""
    from sceneset.cli.output import say
    from sceneset.delivery.types import Request
    from sceneset.edits.grow import is_unfinished, samples_of

    form, options, reason = format_of(args, opened, work / "files")
    if reason and not args.json:
        say(reason)
    into = catalog.entry(name) if args.to else None
    if into:
        options = replace(options, img_suffix=into.img_suffix)
    return Request(
        opened.root,
        name,
        Kind(args.kind) if args.kind else None,
        args.entry,
        args.tags,
        quarantine=args.quarantine is not None,
        form=form,
        options=options,
        work=work,
        opened=opened,
        scenes_file=args.scenes,
        source_pattern=args.source_from,
        into=into,
        existing=samples_of(catalog, name)
        if into and not is_unfinished(catalog.paths, name)
        else {},
    )


def _check_sheet(args: argparse.Namespace, catalog: "Catalog", folder: Path) -> None:
    """Refuse a file of --view that must not be written, and options without pictures."""
    from sceneset.cli.picture_sheets import check_file, check_options

    check_options(args)
    if not args.view:
        return
    if args.replace or args.scenes_from:
        option = "--replace" if args.replace else "--scenes-from"
        raise UsageError(f"--view does not go with {option}; leave one of them out")
    check_file(args.view, catalog, outside=(folder,))


def _check_folders(catalog: "Catalog", folder: Path, quarantine: Path | None, name: str) -> None:
    """Refuse a delivery inside the data root, and a quarantine that would overwrite other files."""
    from sceneset.edits.quarantine_list import LIST_HEADER
    from sceneset.paths import DATA_ROOT

    data_root, registry = catalog.root / DATA_ROOT, catalog.paths.registry
    if folder.is_relative_to(data_root):
        raise UsageError(f"{folder} is inside the data root; move the delivery to another folder")
    if quarantine is None:
        return
    if any(quarantine.resolve().is_relative_to(used) for used in (folder, data_root, registry)):
        raise UsageError(
            f"--quarantine {quarantine}: use a folder outside the delivery and the registry"
        )
    if quarantine.exists() and not quarantine.is_dir():
        raise UsageError(f"--quarantine {quarantine}: not a folder")
    path = quarantine / f"{name}.csv"
    if path.exists() and not path.read_text("utf-8", "replace").startswith(LIST_HEADER):
        raise UsageError(f"{path} exists and was not written by `sceneset add`; use another folder")
