"""Judge a change to the registry, as a pull request needs it: no blob is asked for.

BASE is what the change is compared with: a branch, commit, tag or version. Prints a Markdown page:
scenes added, images of each row before and after, findings that are new, leakage. Exit 1 if the
registry as it stands has errors, or if what is derived is not current.
"""

import argparse
import sys

from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = """
  sceneset review origin/main
  sceneset review origin/main >> "$GITHUB_STEP_SUMMARY"
  sceneset review 1.0.0 --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("base", nargs="?", default="origin/main", help="default: origin/main")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Compare, judge, and print the page."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json
    from sceneset.reporting.review import review, review_json, review_page
    from sceneset.versions.revisions import open_at

    here = Catalog.find()
    found = review(open_at(here.root, args.base), here)
    if args.json:
        print_json(review_json(found))
    else:
        sys.stdout.write(review_page(found, args.base))
    return FINE if found.is_good else FINDINGS
