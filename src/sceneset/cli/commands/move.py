"""Move samples to another phase: train, val or test.

Samples are chosen by scene and by further options; a sample must meet all options. Files, tags,
split files, waivers and selections follow as one change. The lineage records it, so each picture is
still recognized in versions. No image is needed: files that are not checked out stay where DVC
keeps them.

A move that would put a clip or a similar image on both sides is refused. `sceneset split` proposes
phases for many samples at once.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import (
    add_change,
    add_samples,
    choice_of,
    choice_words,
    show_edited,
)
from sceneset.cli.commands.sources import find_catalog
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft

EXAMPLES = """
  sceneset move --subset web --match 'clip7_*' --phase val
  sceneset move ski --of-phase val --phase test --dry-run
  sceneset move --stems-file stems.txt --phase train --samples
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_samples(parser)
    parser.add_argument(
        "--phase",
        required=True,
        choices=[phase.value for phase in Phase],
        help="the new phase of the samples",
    )
    add_change(parser)


def run(args: argparse.Namespace) -> int:
    """Move the samples."""
    from sceneset.catalog.sample_choice import choose_samples
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.edits.samples import move_samples
    from sceneset.storage.transaction import Command

    catalog, phase = find_catalog(), Phase(args.phase)
    choice_of(args, catalog)  # wrong names are reported before the lock is taken

    def plan(catalog: "Catalog", draft: "Draft") -> int:
        chosen = choose_samples(catalog, *choice_of(args, catalog))
        phases = {name: dict.fromkeys(keys, phase) for name, keys in chosen.items()}
        return move_samples(catalog, draft, phases)

    command = Command.of("move", *choice_words(args), f"phase={phase}")
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    moved = edited.result if edited else 0
    done = f"{counted(moved, 'sample was', 'samples were')} moved to {phase}"
    return show_edited(edited, args, done=done, details={"moved": moved})
