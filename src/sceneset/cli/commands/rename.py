"""Give a subset another name; look-ups still find it by the old one.

The folder, the entry, tags, scan, lineage, waivers and selections follow as one change. No image is
needed. Released versions keep the old name. Change the paths in training configurations yourself.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import add_change, show_edited
from sceneset.cli.commands.sources import find_catalog
from sceneset.errors import UsageError, fail

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft

EXAMPLES = """
  sceneset rename 20240115_web CustomSeg_Person_20240115_web-crawl --dry-run
  sceneset rename 20240115_web CustomSeg_Person_20240115_web-crawl
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "subset", metavar="SUBSET", help="name of the subset, or a unique part of it"
    )
    parser.add_argument(
        "new", metavar="NEW", help="the new name: CustomSeg_Person_<YYYYMMDD>_<note>"
    )
    add_change(parser)


def run(args: argparse.Namespace) -> int:
    """Rename the subset."""
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.output import say
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.edits.subsets import rename_subset
    from sceneset.schemas.names import SubsetName
    from sceneset.storage.transaction import Command, interrupted_subset

    catalog = find_catalog()
    try:
        new = str(SubsetName(args.new))
    except ValueError as error:
        fail("subset-name", str(error), file="NEW")
    old = interrupted_subset(catalog.paths, "rename", args.subset)
    old = old or resolve_query(catalog, subsets=[args.subset]).subsets[0]
    if old == new:
        raise UsageError(f"{old} has this name already")

    def plan(catalog: "Catalog", draft: "Draft") -> int:
        return rename_subset(catalog, draft, old, new)

    command = Command.of("rename", new, subset=old)
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    details = {"old": old, "new": new}
    return show_edited(edited, args, done=f"{old} is called {new} now", details=details)
