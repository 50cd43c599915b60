"""Create a new, empty registry.

DIR gets the pipeline, the settings, a vocabulary of common scenes, and a git and a DVC repository.
"""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset init people             create a registry in the new folder people/
  cd people && sceneset remote s3://bucket/people
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")


def run(args: argparse.Namespace) -> int:
    """Create the registry."""
    from sceneset.cli.output import say
    from sceneset.cli.scaffold import lay_out
    from sceneset.errors import NotEmptyError

    try:
        lay_out(args.folder)
    except NotEmptyError as error:
        raise UsageError(str(error)) from None
    say(f"Created a registry in {args.folder}. Next, in that folder:", style="green")
    say("  sceneset remote s3://bucket/people")
    say("  sceneset add DELIVERY --name CustomSeg_Person_<YYYYMMDD>_<note>")
    return FINE
