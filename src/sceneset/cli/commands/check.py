"""Report everything that is wrong with the registry, from text and tables alone.

No pixel is opened and no blob is needed; `dvc repro` runs the same checks as its gates. Findings
that registry/waivers.yaml accepts are counted, and stop nothing.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.registry.commands.sources import add_source, source
from sceneset.registry.edge import FINE, PROBLEMS, read_enough

if TYPE_CHECKING:
    from sceneset.schemas.problem import Problem

EXAMPLES = """
  sceneset check
  sceneset check CustomSeg_Person_20240115_demo --notes
  sceneset check --json
  sceneset check --sarif > findings.sarif
  sceneset check --markdown >> "$GITHUB_STEP_SUMMARY"
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subset", nargs="*", help="only these subsets, by name or a part of it")
    add_source(parser)
    parser.add_argument("--notes", action="store_true", help="show notes too")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print a list of findings")
    form.add_argument("--sarif", action="store_true", help="print a SARIF 2.1.0 log")
    form.add_argument("--markdown", action="store_true", help="print a Markdown summary")


def run(args: argparse.Namespace) -> int:
    """Check, and show every finding."""
    from sceneset.registry import query
    from sceneset.registry.judging import everything
    from sceneset.schemas.problem import errors

    registry = source(args)
    names = None
    if args.subset:
        names = query.ask(registry, subsets=args.subset).subsets
    problems = everything(registry, names, notes=args.notes)
    _show(problems, args)
    return PROBLEMS if errors(problems) else FINE


def _show(problems: "list[Problem]", args: argparse.Namespace) -> None:
    import sys
    from importlib.metadata import version

    from sceneset.registry.render import print_json, print_problems, say
    from sceneset.registry.summaries import markdown, sarif

    if args.json:
        print_json([p.model_dump(mode="json") for p in problems])
    elif args.sarif:
        print_json(sarif(problems, version("sceneset")))
    elif args.markdown:
        with read_enough():
            sys.stdout.write(markdown(problems))
    else:
        print_problems(problems, stderr=False)
        if not problems:
            say("nothing is wrong", style="green")
