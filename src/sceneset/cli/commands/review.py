"""Summarize and check a change, such as a pull request, without reading an image.

The working tree is compared with BASE: a branch, commit, tag or version. `review` prints a Markdown
page with added scenes, the images of each row before and after, new findings, and leakage. The
exit code is 1 if the registry has errors or derived files are out of date.
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
    """Add the arguments."""
    parser.add_argument(
        "base",
        nargs="?",
        default="origin/main",
        metavar="BASE",
        help="what to compare with (default: origin/main)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare the states and print the page."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json
    from sceneset.reporting.review import review, review_json, review_page
    from sceneset.versions.revisions import open_at

    catalog = Catalog.find()
    found = review(open_at(catalog.root, args.base), catalog)
    if args.json:
        print_json(review_json(found))
    else:
        sys.stdout.write(review_page(found, args.base))
    return FINE if found.is_good else FINDINGS
