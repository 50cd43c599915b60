"""`sceneset add --replace`: corrected images and masks for samples that exist."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.add_report import outcome
from sceneset.cli.commands.growing import show_added
from sceneset.cli.exit_codes import FINDINGS

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Request
    from sceneset.edits.examine_files import Examined
    from sceneset.formats.archives import Opened


def run_replace(
    args: argparse.Namespace, catalog: "Catalog", name: str, opened: "Opened", work: Path
) -> int:
    """Take corrected images or masks for samples of a subset."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, progress, say
    from sceneset.counts import counted
    from sceneset.delivery.replacements import Replace, find_replacements
    from sceneset.edits.examine_files import examine
    from sceneset.edits.quarantine_list import list_of_left_out
    from sceneset.edits.replace_files import replace_files
    from sceneset.schemas.finding import errors_of

    what, entry = Replace(args.replace), catalog.entry(name)
    request = _request(args, catalog, opened, work)
    delivered = find_replacements(request, entry, what, catalog.params.limits, progress)
    examined = examine(
        catalog, name, delivered, quarantine=args.quarantine is not None, progress=progress
    )
    errors = [p for p in errors_of(examined.findings) if p not in examined.left_out]
    if not args.json:
        print_findings(examined.findings, view=View.of(args))
        _print_overlaps(examined, args)
    if errors:
        if args.json:
            print_json(outcome(name, examined.findings))
        else:
            say("nothing was changed", style="bold red")
        return FINDINGS
    folder = None if args.dry_run else args.quarantine
    with list_of_left_out(catalog, folder, name, examined.left_out, is_new=False):
        edited = replace_files(
            catalog,
            examined,
            name,
            f"replace {args.replace}",
            to_remote=args.to_remote,
            dry_run=args.dry_run,
            progress=progress,
            notify=say,
        )
    count = counted(len(examined.replaced), "sample has", "samples have")
    texts = {
        Replace.MASKS: f"{count} other masks now",
        Replace.IMAGES: f"{count} other images now",
        Replace.BOTH: f"{count} other files now",
    }
    done = texts[what]
    return show_added(
        args,
        edited,
        examined.findings,
        done=done,
        left_out=examined.left_out,
        samples=len(examined.replaced),
        placing=edited.result.placing if edited else None,
        details={"unchanged": examined.unchanged, "iou": _iou_object(examined, args)},
    )


def _request(
    args: argparse.Namespace, catalog: "Catalog", opened: "Opened", work: Path
) -> "Request":
    """Return how corrected files are read: an annotation format, or files named as samples."""
    from sceneset.cli.commands.format_options import format_of
    from sceneset.cli.output import say
    from sceneset.delivery.replacements import choose_form
    from sceneset.delivery.types import Request
    from sceneset.edits.grow import samples_of

    request = Request(
        opened.root,
        args.name,
        quarantine=args.quarantine is not None,
        work=work,
        opened=opened,
        existing=samples_of(catalog, args.name),
    )
    is_plain = not args.format and (
        opened.is_custom or not any(choose_form(opened.tree(work / "files")))
    )
    if is_plain:
        return request
    form, options, reason = format_of(args, opened, work / "files")
    if reason and not args.json:
        say(reason)
    options = replace(options, img_suffix=catalog.entry(args.name).img_suffix)
    return replace(request, form=form, options=options)


def _big_changes(examined: "Examined", args: argparse.Namespace) -> list[tuple[float, str]]:
    return [(value, sample) for value, sample in examined.overlaps() if value < args.iou]


def _iou_object(examined: "Examined", args: argparse.Namespace) -> dict[str, Any] | None:
    overlaps = examined.overlaps()
    if not overlaps:
        return None
    return {
        "compared": len(overlaps),
        "mean": examined.mean_iou(),
        "least": overlaps[0][0],
        "below": [{"sample": sample, "iou": iou} for iou, sample in _big_changes(examined, args)],
    }


def _print_overlaps(examined: "Examined", args: argparse.Namespace) -> None:
    """Print how well the new masks agree with the old ones."""
    from sceneset.cli.output import print_table, say
    from sceneset.counts import counted

    overlaps = examined.overlaps()
    if examined.unchanged:
        samples = counted(examined.unchanged, "delivered sample has", "delivered samples have")
        say(f"{samples} the same files or pixels already")
    if not overlaps:
        return
    shown = overlaps if args.samples else _big_changes(examined, args)
    if shown:
        print_table(
            ("sample", "IoU"), [(sample, f"{value:.3f}") for value, sample in shown], right=("IoU",)
        )
    masks = counted(len(overlaps), "new mask")
    mean = examined.mean_iou()
    below = f"{len(_big_changes(examined, args)):,} below {args.iou:g}"
    say(
        f"person IoU of {masks} with the old: mean {mean:.3f}, least {overlaps[0][0]:.3f} "
        f"({overlaps[0][1]}), {below}"
    )
