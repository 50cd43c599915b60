"""List the released versions, newest last, with what changed in each."""

import argparse

from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Mapping

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
    from sceneset.versions.records import read_records, reverted_versions

    catalog = open_catalog(args)
    records = read_records(catalog)
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
                    _changes(r.changes.samples),
                    " ".join(r.notes.split()),
                )
                for r in records
            ],
            right=("subsets", "samples"),
        )
    for number in reverted_versions(catalog, records):
        say(
            f"version {number} has a tag but no record: its release was reverted. It can still be "
            "read with --rev",
            style="yellow",
        )
    return FINE


def _changes(counts: "Mapping[str, int]") -> str:
    """Return the changes of samples by kind, in the reader's language."""
    from sceneset.cli.language import translate
    from sceneset.versions.diff import change_text

    changes = (f"{count} {translate(change_text(kind))}" for kind, count in counts.items() if count)
    return ", ".join(changes)
