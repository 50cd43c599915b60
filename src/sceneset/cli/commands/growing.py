"""`sceneset add` to a subset that exists (--to), and straight to the remote."""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.add_report import outcome
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Delivery
    from sceneset.edits.edit_registry import Edited
    from sceneset.edits.place_blobs import Placing
    from sceneset.schemas.finding import Finding

_FOR_NEW = ("entry", "tags", "scenes", "scenes_from")


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add --name and --to, and the options that go with --to or --to-remote."""
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--name", help="name of the new subset: CustomSeg_Person_<YYYYMMDD>_<note>")
    target.add_argument(
        "--to",
        metavar="SUBSET",
        help="add the samples to this subset; a part of the name is enough",
    )
    parser.add_argument(
        "--replace",
        choices=("masks", "images", "both"),
        help="with --to: replace these files of existing samples where the delivered ones differ",
    )
    parser.add_argument(
        "--iou",
        type=_share,
        default=0.8,
        metavar="X",
        help="with --replace: list masks whose overlap with the old one is below X (default: 0.8)",
    )
    parser.add_argument(
        "--to-remote",
        action="store_true",
        help="upload the files to the default remote and keep none of them on this machine",
    )
    parser.add_argument(
        "--samples", action="store_true", help="with --to: list every changed sample"
    )


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number from 0 to 1")
    return value


def check_target(args: argparse.Namespace, catalog: "Catalog") -> None:
    """Set ``args.name`` to the full name of the subset of --to, and refuse options that don't fit.

    Raises:
        UsageError: There is no such subset, or an option does not go with the others.
    """
    from sceneset.catalog.query import resolve_query

    if not args.to:
        if args.replace or args.samples:
            option = "--replace" if args.replace else "--samples"
            raise UsageError(f"{option} needs --to SUBSET")
        return
    [args.name] = resolve_query(catalog, subsets=[args.to]).subsets
    entry = catalog.entry(args.name)
    if args.entry:
        file = catalog.paths.relative(catalog.paths.entry(args.name))
        raise UsageError(f"--entry describes a new subset; {args.name} has its entry in {file}")
    if args.kind and args.kind != entry.kind:
        raise UsageError(f"--kind {args.kind}: {args.name} is of the kind {entry.kind}")
    given = [name for name in _FOR_NEW if getattr(args, name)]
    if args.replace and given:
        unfit = given[0].replace("_", "-")
        raise UsageError(f"--{unfit} does not go with --replace: samples keep their tags")


def run_staged(
    args: argparse.Namespace, catalog: "Catalog", delivery: "Delivery", name: str
) -> int:
    """Add a delivery without errors to a subset, or as a new one straight to the remote."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import progress, say
    from sceneset.counts import counted
    from sceneset.edits.add_to_remote import add_to_remote
    from sceneset.edits.grow import grow, without_refused
    from sceneset.edits.quarantine_list import list_of_left_out

    if args.to and args.quarantine:
        shown = len(delivery.findings)
        delivery = without_refused(catalog, delivery, name)
        if not args.json:
            print_findings(delivery.findings[shown:], view=View.of(args))
    folder = None if args.dry_run else args.quarantine
    with list_of_left_out(catalog, folder, name, delivery.left_out, is_new=not args.to):
        if args.to:
            edited = grow(
                catalog,
                delivery,
                name,
                to_remote=args.to_remote,
                dry_run=args.dry_run,
                progress=progress,
                notify=say,
            )
        else:
            edited = add_to_remote(
                catalog, delivery, dry_run=args.dry_run, progress=progress, notify=say
            )
    samples = counted(len(delivery.rows), "sample was", "samples were")
    placing = edited.result.placing if edited else None
    return show_added(
        args,
        edited,
        delivery.findings,
        done=f"{samples} added to {name}",
        left_out=delivery.left_out,
        samples=len(delivery.rows),
        placing=placing,
    )


def show_added(
    args: argparse.Namespace,
    edited: "Edited[Any] | None",
    findings: "Sequence[Finding]",
    *,
    done: str,
    left_out: "Sequence[Finding]",
    samples: int,
    placing: "Placing | None",
    details: dict[str, Any] | None = None,
) -> int:
    """Print a change that was made or would be made; return the exit code."""
    from sceneset.cli.commands.sample_options import show_edited
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.schemas.finding import errors_of

    known = {(p.code, p.phase, p.stem) for p in findings if p.stem}
    if edited:  # what the delivery's own check has shown is not shown again
        new = [p for p in edited.findings if (p.code, p.phase, p.stem) not in known]
        edited = edited._replace(findings=[*dict.fromkeys([*errors_of(edited.findings), *new])])
    is_added = edited is None or edited.is_applied
    message = done
    if placing and args.to_remote and is_added:
        blobs = counted(placing.uploaded, "blob was", "blobs were")
        message = f"{done}; {blobs} uploaded, the remote had {placing.present:,} already"
    if args.quarantine and left_out and not args.json:
        verb = "was" if is_added else "would be"
        path = args.quarantine / f"{args.name}.csv"
        say(f"the list of the samples left out {verb} written to {path}")
    everything = [*findings, *(edited.findings if edited else [])]
    result = outcome(
        args.name, everything, is_added=is_added, samples=samples, left_out=len(left_out)
    )
    result |= {"uploaded": placing.uploaded if placing else 0}
    result |= {
        "changes": [change.as_json() for change in edited.diff.changes]
        if edited and args.samples
        else None
    }
    return show_edited(edited, args, done=message, details=result | (details or {}))
