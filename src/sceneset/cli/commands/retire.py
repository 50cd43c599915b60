"""Leave a subset out of new versions; released versions keep it.

The entry, tags and scan of the subset are removed from the registry, and its images and masks from
the working tree. DVC's cache and the remote keep the blobs for the versions that have them.

The reason is kept in registry/dropped.csv, and a pull of an old version shows it.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import add_change, add_reason, show_edited
from sceneset.cli.commands.sources import find_catalog

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft

EXAMPLES = """
  sceneset retire 20240115_web --reason "replaced by 20240301" --dry-run
  sceneset retire 20240115_web --reason "replaced by 20240301"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "subset", metavar="SUBSET", help="name of the subset, or a unique part of it"
    )
    add_reason(parser)
    add_change(parser)


def run(args: argparse.Namespace) -> int:
    """Retire the subset."""
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.edits.subsets import retire_subset
    from sceneset.storage.transaction import Command, interrupted_subset

    catalog = find_catalog()
    name = interrupted_subset(catalog.paths, "retire", args.subset)
    name = name or resolve_query(catalog, subsets=[args.subset]).subsets[0]

    def plan(catalog: "Catalog", draft: "Draft") -> int:
        return retire_subset(catalog, draft, name, args.reason)

    command = Command.of("retire", "--reason", args.reason, subset=name)
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    samples = edited.result if edited else 0
    done = f"{name} with {counted(samples, 'sample')} was retired"
    return show_edited(edited, args, done=done, details={"subset": name, "samples": samples})
