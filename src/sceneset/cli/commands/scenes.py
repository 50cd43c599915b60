"""List all scenes of the vocabulary, with their names and the number of images of each."""

import argparse

from sceneset.cli.commands.sources import add_source, open_current_index
from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset scenes
  sceneset scenes --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the scenes."""
    from sceneset.cli.output import print_json, print_table

    objects = open_current_index(args).scenes()
    if args.json:
        print_json(objects)
    else:
        fields = ("key", "en", "zh", "file_stem", "images", "single", "multi", "aliases")
        rows = [
            [", ".join(o[c]) if isinstance(o[c], list) else o[c] for c in fields] for o in objects
        ]
        headers = (
            "scene",
            "English",
            "Chinese",
            "file stem",
            "images",
            "single",
            "multi",
            "aliases",
        )
        print_table(
            headers, rows, right=("images", "single", "multi"), optional=("English", "file stem")
        )
    return FINE
