"""Make the committed state a version: a record, a line in the changelog, a commit and a tag.

Refused, with the reason, when something is not committed, the pipeline is not current, a check
fails, a blob is not on the remote, or the number moves less than the changes ask for.
"""

import argparse

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset release 1.0.0
  sceneset release 1.1.0 --notes "the ski season"
  git push --follow-tags                 afterwards
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("version", help="three numbers: 1.2.0")
    parser.add_argument("--notes", default="", help="one line for record and changelog")
    parser.add_argument("--remote", metavar="NAME", help="another DVC remote than the default")


def run(args: argparse.Namespace) -> int:
    """Release it."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import say
    from sceneset.schemas.version import Number
    from sceneset.versions.release import release

    try:
        number = Number.of(args.version.removeprefix("v"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    catalog = Catalog.find()
    record, tag = release(catalog, number, notes=args.notes, remote=args.remote)
    say(
        f"{record.version}: {record.samples} samples in {len(record.subsets)} subsets, tag {tag}",
        style="green",
    )
    say("  git push --follow-tags")
    return FINE
