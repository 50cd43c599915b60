"""Report everything that is wrong with the registry, from text and tables alone.

No pixel is opened and no blob is needed; `dvc repro` runs the same checks as its gates. Findings
that registry/waivers.yaml accepts are counted, and stop nothing.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import add_source, source
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.streams import ignore_closed_pipe

if TYPE_CHECKING:
    from sceneset.schemas.finding import Finding

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
    from sceneset.catalog import query
    from sceneset.quality.evaluate import everything
    from sceneset.schemas.finding import errors_of
    from sceneset.versions.history import tested_images

    catalog = source(args)
    names = None
    if args.subset:
        names = query.ask(catalog, subsets=args.subset).subsets
    findings = everything(
        catalog, tested_images if catalog.origin is None else None, names, notes=args.notes
    )
    _show(findings, args)
    return FINDINGS if errors_of(findings) else FINE


def _show(findings: "list[Finding]", args: argparse.Namespace) -> None:
    import sys
    from importlib.metadata import version

    from sceneset.cli.output import print_findings, print_json, say
    from sceneset.reporting.sarif import markdown, sarif

    if args.json:
        print_json([p.model_dump(mode="json") for p in findings])
    elif args.sarif:
        print_json(sarif(findings, version("sceneset")))
    elif args.markdown:
        with ignore_closed_pipe():
            sys.stdout.write(markdown(findings))
    else:
        print_findings(findings, stderr=False)
        if not findings:
            say("nothing is wrong", style="green")
