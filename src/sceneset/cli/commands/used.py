"""Note in registry/used.csv that a run used a version, so that its users can be found later.

The file is a text file in git: commit it. `sceneset versions VERSION` shows the runs of a version.
Nothing is sent anywhere, and a user name or password in the URL is left out.
"""

import argparse

from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset used https://example.com/runs/17 --rev 1.2.0
  sceneset used https://example.com/runs/18 --rev 1.2.0 --selection outdoor
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", metavar="RUN_URL", help="URL of the run, for example in MLflow")
    parser.add_argument(
        "--rev",
        required=True,
        metavar="VERSION",
        help="the released version that the run used, or latest",
    )
    parser.add_argument(
        "--selection",
        default="",
        metavar="NAME",
        help="the selection of params.yaml, or the scene, that the run used (default: all samples)",
    )
    parser.add_argument(
        "--repo",
        default=".",
        metavar="DIR",
        help="the folder of the registry to write to (default: the current folder)",
    )
    parser.add_argument("--json", action="store_true", help="print the row as a JSON object")


def run(args: argparse.Namespace) -> int:
    """Append a row."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json, say
    from sceneset.versions.used import FILE, add_used

    row, is_new = add_used(Catalog.find(args.repo), args.run, args.rev, args.selection)
    if args.json:
        print_json(row.model_dump(mode="json") | {"new": is_new})
    elif is_new:
        say(f"noted in {FILE}; commit this file", style="green")
    else:
        say(f"{FILE} has this run already")
    return FINE
