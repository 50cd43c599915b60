"""Lay out a new, empty registry: pipeline, settings, vocabulary, a git and a DVC project."""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset init people                  a registry in the new folder people/
  cd people && sceneset remote s3://bucket/people
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")


def run(args: argparse.Namespace) -> int:
    """Lay it out."""
    from sceneset.cli.output import say
    from sceneset.cli.scaffold import lay_out
    from sceneset.errors import NotEmptyError

    try:
        lay_out(args.folder)
    except NotEmptyError as error:
        raise UsageError(str(error)) from None
    say(f"{args.folder} is a registry now. Next, in it:")
    say("  sceneset remote s3://bucket/people")
    say("  sceneset add DELIVERY --name CustomSeg_Person_<YYYYMMDD>_<note>")
    return FINE
