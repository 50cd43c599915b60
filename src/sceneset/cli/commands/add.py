"""Check a delivery and take it in as a subset of the registry.

DELIVERY is a folder in the document's layout: img_dir/<phase>, ann_dir/<phase> and, if there are
any, split files in split_dir. Everything is checked first, and all that is wrong is shown in one
table; if one finding is an error, nothing is changed. The delivery itself is never changed.

Split files become tags: an image listed in several files stands in several scenes.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError, fail
from sceneset.schemas.terms import Kind

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Delivery
    from sceneset.schemas.finding import Finding

EXAMPLES = """
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski --dry-run
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski
  sceneset add ~/delivery --name CustomSeg_Person_20240115_ski --quarantine ~/left-out
      takes the good samples, and writes what was left out and why to
      ~/left-out/CustomSeg_Person_20240115_ski.csv
  sceneset add ~/crops --name CustomSeg_Person_20240116_v1 --kind crop --entry entry.yaml
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("delivery", type=Path, metavar="DELIVERY", help="the delivered folder")
    parser.add_argument("--name", required=True, help="CustomSeg_Person_<YYYYMMDD>_<note>")
    parser.add_argument(
        "--kind",
        choices=[k.value for k in Kind],
        help="full: original images (default); crop: one person, cut out",
    )
    parser.add_argument(
        "--entry",
        type=Path,
        metavar="FILE",
        help="YAML with description, scene table rows, declared counts",
    )
    parser.add_argument(
        "--tags",
        type=Path,
        metavar="FILE",
        help="CSV of tags; delivered split files are then only compared",
    )
    parser.add_argument("--dry-run", action="store_true", help="check and show, change nothing")
    parser.add_argument(
        "--quarantine",
        type=Path,
        metavar="DIR",
        help="take the good samples; write the list of the others into DIR",
    )
    parser.add_argument("--json", action="store_true", help="print the outcome as one object")


def run(args: argparse.Namespace) -> int:
    """Check, and take in; with --json every outcome is an object, early refusals too."""
    from sceneset.cli.output import print_json
    from sceneset.errors import FindingsError

    try:
        return _run(args)
    except FindingsError as found:
        if not args.json:
            raise
        print_json(_outcome(args.name, found.findings))
        return FINDINGS


def _run(args: argparse.Namespace) -> int:
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_findings, progress, say
    from sceneset.delivery.read import read_delivery
    from sceneset.delivery.types import Request
    from sceneset.edits import ingest as add
    from sceneset.schemas.finding import errors_of
    from sceneset.schemas.names import SubsetName

    catalog = Catalog.find()
    try:
        name = str(SubsetName(args.name))
    except ValueError as error:
        fail("subset-name", str(error), file="--name")
    add.refuse_taken_name(catalog, name)
    folder = args.delivery.resolve()
    _check_folders(catalog, folder, args.quarantine, name)
    kind = Kind(args.kind) if args.kind else None
    delivery = read_delivery(
        Request(folder, name, kind, args.entry, args.tags, args.quarantine is not None),
        catalog,
        progress,
    )
    stopping = [p for p in errors_of(delivery.findings) if p not in delivery.left_out]
    if not args.json:
        print_findings(delivery.findings)
    taken = not stopping and not args.dry_run and delivery.entry is not None
    if taken:
        add.take(catalog, delivery, progress=progress, notify=say)
        if args.quarantine:
            _write_list(args.quarantine, name, delivery)
    _report(catalog, args, delivery, taken=taken, stopping=stopping)
    return FINDINGS if stopping else FINE


def _check_folders(catalog: "Catalog", folder: Path, left: Path | None, name: str) -> None:
    """Refuse a delivery that is the registry's own, and a list where it would do harm."""
    from sceneset.paths import DATA_ROOT

    data, texts = catalog.root / DATA_ROOT, catalog.paths.registry
    if folder.is_relative_to(data):
        raise UsageError(f"{folder} stands in the data root; deliver from another folder")
    if left is None:
        return
    if any(left.resolve().is_relative_to(used) for used in (folder, data, texts)):
        raise UsageError(f"--quarantine {left}: name a folder outside of delivery and registry")
    if left.exists() and not left.is_dir():
        raise UsageError(f"--quarantine {left}: is no folder")
    there = left / f"{name}.csv"
    if there.exists() and not there.read_text("utf-8", "replace").startswith(_LIST_HEAD):
        raise UsageError(f"{there} is there and is no list of ours; name another folder")


_LIST_COLUMNS = ("code", "file", "row", "phase", "stem", "message", "hint")
_LIST_HEAD = ",".join(_LIST_COLUMNS)


def _write_list(folder: Path, name: str, delivery: "Delivery") -> None:
    """Write what is left out and why, one finding a line."""
    import csv
    import io

    from sceneset.storage.files import write_text

    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_LIST_COLUMNS)
    for p in delivery.left_out:
        fields = p.model_dump()
        writer.writerow(["" if fields[c] is None else fields[c] for c in _LIST_COLUMNS])
    write_text(folder / f"{name}.csv", out.getvalue())


def _outcome(
    name: str,
    findings: "list[Finding]",
    *,
    taken: bool = False,
    samples: int = 0,
    rows: "list[dict[str, Any]] | None" = None,
    left_out: int = 0,
) -> "dict[str, Any]":
    return {
        "subset": name,
        "taken": taken,
        "samples": samples,
        "rows": rows or [],
        "problems": [p.model_dump(mode="json") for p in findings],
        "left_out": left_out,
    }


def _report(
    catalog: "Catalog",
    args: argparse.Namespace,
    delivery: "Delivery",
    *,
    taken: bool,
    stopping: "list[Finding]",
) -> None:
    from sceneset.catalog.split_selection import boxes_of, rows_of
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.delivery.types import LEAVABLE

    entry = delivery.entry
    rows = rows_of(entry.splits, delivery.tags) if entry and not stopping else []
    if args.json:
        print_json(
            _outcome(
                args.name,
                delivery.findings,
                taken=taken,
                samples=0 if stopping else len(delivery.tags),
                rows=[{"split_file": row.file, "images": len(tags)} for row, tags in rows],
                left_out=len(delivery.left_out),
            )
        )
        return
    if stopping:
        helps = not args.quarantine and all(p.code in LEAVABLE for p in stopping)
        hint = "; --quarantine DIR takes the samples that are good" if helps else ""
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
                boxes_of(tags),
            )
            for row, tags in rows
        ],
        right=("images", "boxes"),
    )
    if args.quarantine and delivery.left_out:
        verb = "is in" if taken else "would be in"
        say(f"what was left out, and why, {verb} {args.quarantine / (args.name + '.csv')}")
    if taken:
        say(f"{args.name}: {len(delivery.tags)} samples taken in. Next:", style="green")
        say("  dvc repro --allow-missing")
        say(f"  git add . && git commit -m 'Add {args.name}'")
        say("  dvc push        (no remote yet? sceneset remote URL)")
    else:
        say(f"{args.name}: {len(delivery.tags)} samples would be taken in; nothing was changed")
