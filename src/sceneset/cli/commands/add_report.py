"""Print the outcome of `sceneset add`."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Delivery
    from sceneset.schemas.finding import Finding


def outcome(
    name: str,
    findings: "list[Finding]",
    *,
    is_added: bool = False,
    samples: int = 0,
    rows: "list[dict[str, Any]] | None" = None,
    left_out: int = 0,
    provenance_missing: "Sequence[str]" = (),
) -> "dict[str, Any]":
    """Return what --json prints."""
    return {
        "subset": name,
        "taken": is_added,
        "samples": samples,
        "rows": rows or [],
        "problems": [p.model_dump(mode="json") for p in findings],
        "left_out": left_out,
        "provenance_missing": list(provenance_missing),
    }


def report(
    catalog: "Catalog",
    args: argparse.Namespace,
    delivery: "Delivery",
    *,
    is_added: bool,
    errors: "list[Finding]",
) -> None:
    """Print what a new subset has, and what to do next."""
    from sceneset.catalog.split_selection import count_boxes, samples_by_row
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.counts import counted
    from sceneset.delivery.types import QUARANTINE_CODES
    from sceneset.schemas.provenance import missing_fields

    entry = delivery.entry
    rows = samples_by_row(entry.splits, delivery.tags) if entry and not errors else []
    missing = missing_fields(entry.provenance) if entry else []
    if args.json:
        print_json(
            outcome(
                args.name,
                delivery.findings,
                is_added=is_added,
                samples=0 if errors else len(delivery.tags),
                rows=[{"split_file": row.file, "images": len(tags)} for row, tags in rows],
                left_out=len(delivery.left_out),
                provenance_missing=missing,
            )
        )
        return
    if errors:
        can_quarantine = not args.quarantine and all(p.code in QUARANTINE_CODES for p in errors)
        hint = ". Use --quarantine DIR to add the samples without errors" * can_quarantine
        say(f"nothing was changed{hint}", style="bold red")
        return
    print_table(
        ("split", "file", "phase", "images", "boxes"),
        [
            (
                catalog.vocabulary.split_name(row.scene, row.persons, row.phase),
                row.file,
                row.phase,
                len(tags),
                count_boxes(tags),
            )
            for row, tags in rows
        ],
        right=("images", "boxes"),
        optional=("boxes", "split"),
    )
    if args.quarantine and delivery.left_out:
        verb = "was" if is_added else "would be"
        path = args.quarantine / f"{args.name}.csv"
        say(f"the list of the samples left out {verb} written to {path}")
    samples = counted(len(delivery.tags), "sample")
    if is_added:
        say(f"{args.name}: {samples} added. Next:", style="green")
        if missing:
            file = catalog.paths.relative(catalog.paths.entry(args.name))
            text = f"write {', '.join(missing)} into {file}: sceneset rules entry-provenance"
            say("  " + translate(text))
        say("  dvc repro --allow-missing")
        say(f"  git add . && git commit -m 'Add {args.name}'")
        say("  dvc push")
        say("If there is no remote yet, set it before: sceneset remote URL")
    else:
        say(f"{args.name}: {samples} would be added; nothing was changed")
