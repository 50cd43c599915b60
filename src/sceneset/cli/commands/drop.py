"""Remove samples from the registry: new versions do not have them, released versions keep them.

Samples are chosen by scene and by further options; a sample must meet all options. Images and masks
are removed from the working tree; DVC's cache and the remote keep them for the versions that have
them. To withdraw images from all versions, for example at the request of a person, use
`sceneset forget`.

The reason is kept in registry/dropped.csv, and a pull of an old version shows it.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import (
    add_change,
    add_reason,
    add_samples,
    choice_of,
    choice_words,
    show_edited,
)
from sceneset.cli.commands.sources import find_catalog

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft

EXAMPLES = """
  sceneset drop --match 'blurred_*' --reason "out of focus" --dry-run
  sceneset drop total --finding mask-empty --reason "no person"
  sceneset drop --stems-file stems.txt --reason "wrong camera"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_samples(parser)
    add_reason(parser)
    add_change(parser)


def run(args: argparse.Namespace) -> int:
    """Remove the samples."""
    from sceneset.catalog.sample_choice import choose_samples
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.edits.samples import drop_samples
    from sceneset.storage.transaction import Command

    catalog = find_catalog()
    choice_of(args, catalog)  # wrong names are reported before the lock is taken

    def plan(catalog: "Catalog", draft: "Draft") -> int:
        chosen = choose_samples(catalog, *choice_of(args, catalog))
        return drop_samples(catalog, draft, chosen, args.reason)

    command = Command.of("drop", *choice_words(args), "--reason", args.reason)
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    dropped = edited.result if edited else 0
    done = f"{counted(dropped, 'sample was', 'samples were')} dropped"
    return show_edited(edited, args, done=done, details={"dropped": dropped})
