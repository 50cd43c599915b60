"""List the selections of params.yaml, with the number of images of each phase and a digest.

A selection can be used wherever a scene can. Equal digests mean equal lists of equal files. Of a
version, withdrawn samples count here, and are left out of pulls.
"""

import argparse

from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset selections
  sceneset selections --rev 1.2.0 --json
  sceneset pull outdoor --to ~/data/outdoor
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the selections."""
    from sceneset.catalog.selections import selection_findings, summarize_all
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.errors import FindingsError
    from sceneset.schemas.terms import Phase

    catalog = open_catalog(args)
    selections = catalog.params.selections
    if findings := selection_findings(catalog):
        raise FindingsError(findings)
    found = summarize_all(catalog, selections)
    if args.json:
        print_json(
            [
                {"name": summary.name}
                | selections[summary.name].model_dump(mode="json")
                | {
                    "images": sum(summary.samples.values()),
                    "samples": {phase: summary.samples.get(phase, 0) for phase in Phase},
                    "in_subsets": list(summary.subsets),
                    "digest": summary.digest,
                }
                for summary in found
            ]
        )
    elif not found:
        say("params.yaml has no selection; docs/selections.md shows how to write one")
    else:
        print_table(
            ("selection", "images", *Phase, "subsets", "cap", "weight", "digest", "description"),
            [
                (
                    summary.name,
                    sum(summary.samples.values()),
                    *(summary.samples.get(phase, 0) for phase in Phase),
                    len(summary.subsets),
                    selections[summary.name].cap,
                    f"{selections[summary.name].weight:g}",
                    summary.digest,
                    selections[summary.name].description,
                )
                for summary in found
            ],
            right=("images", *Phase, "subsets", "cap", "weight"),
            optional=("description",),
        )
    return FINE
