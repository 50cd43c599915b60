"""List the released versions, newest last, with what changed in each."""

import argparse

from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset versions
  sceneset versions --repo https://example.com/people.git --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the versions."""
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.versions.diff import counts_text
    from sceneset.versions.records import read_records

    records = read_records(open_catalog(args))
    if args.json:
        print_json([record.model_dump(mode="json") for record in records])
    elif not records:
        say("there is no version yet; create one with: sceneset release 1.0.0", style="yellow")
    else:
        print_table(
            ("version", "subsets", "samples", "step", "changes", "notes"),
            [
                (
                    r.version,
                    len(r.subsets),
                    r.samples,
                    r.changes.step if r.previous else "",
                    counts_text(r.changes.samples),
                    " ".join(r.notes.split()),
                )
                for r in records
            ],
            right=("subsets", "samples"),
        )
    return FINE
