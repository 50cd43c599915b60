"""Report everything that is wrong with the registry, from text and tables alone.

No pixel is opened and no blob is needed; `dvc repro` runs the same checks as its gate.
"""

import argparse

from sceneset.registry.commands.sources import add_source, source
from sceneset.registry.edge import FINE, PROBLEMS

EXAMPLES = """
  sceneset check
  sceneset check CustomSeg_Person_20240115_demo
  sceneset check --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subset", nargs="*", help="only these subsets, by name or a part of it")
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of findings")


def run(args: argparse.Namespace) -> int:
    """Check, and show every finding."""
    from sceneset.registry import query, redo
    from sceneset.registry.checks import check
    from sceneset.registry.journal import unfinished_problems
    from sceneset.registry.leakage import leakage, once_tested
    from sceneset.registry.render import print_json, print_problems, say
    from sceneset.schemas.problem import errors

    registry = source(args)
    names = None
    if args.subset:
        names = query.ask(registry, subsets=args.subset).subsets
    problems = [
        *unfinished_problems(registry.paths),
        *redo.unfinished_problems(registry.paths),
        *check(registry, names),
    ]
    if not errors(problems):  # what can't be read can't be compared
        related = [*leakage(registry), *(once_tested(registry) if registry.origin is None else ())]
        problems += [p for p in related if names is None or p.subset in names]
    if args.json:
        print_json([p.model_dump(mode="json") for p in problems])
    else:
        print_problems(problems, stderr=False)
        if not problems:
            say("nothing is wrong", style="green")
    return PROBLEMS if errors(problems) else FINE
