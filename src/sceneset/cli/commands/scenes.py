"""List the vocabulary: every scene with its names, and how many samples the registry holds."""

import argparse

from sceneset.cli.commands.sources import add_source, indexed
from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset scenes
  sceneset scenes --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of objects")


def run(args: argparse.Namespace) -> int:
    """Show the scenes."""
    from sceneset.cli.output import print_json, print_table

    objects = indexed(args).scenes()
    if args.json:
        print_json(objects)
    else:
        columns = ("key", "en", "zh", "file_stem", "images", "single", "multi", "aliases")
        rows = [
            [", ".join(o[c]) if isinstance(o[c], list) else o[c] for c in columns] for o in objects
        ]
        heads = ("scene", "English", "Chinese", "file stem", "images", "single", "multi", "aliases")
        print_table(heads, rows, right=("images", "single", "multi"))
    return FINE
