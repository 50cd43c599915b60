"""Check that the remote has every blob of a version: images, masks and DVC's folder lists.

Existence and size are checked, and with --deep also the content; nothing is kept. --repair uploads
missing or damaged blobs again from DVC's cache or the working tree. It helps where `dvc push`
reports that everything is up to date, but `dvc pull` fails.
"""

import argparse

from sceneset.cli.commands.sources import (
    add_remote,
    add_source,
    add_view,
    ask_on_terminal,
    open_catalog,
)
from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = """
  sceneset verify
  sceneset verify --rev 1.2.0 --deep
  sceneset verify --repair
  sceneset verify --remote backup --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    add_remote(parser)
    parser.add_argument(
        "--deep", action="store_true", help="download every blob and compare its hash"
    )
    parser.add_argument(
        "--repair", action="store_true", help="upload missing and damaged blobs again"
    )
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON list")


def run(args: argparse.Namespace) -> int:
    """Check the blobs and print the findings."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, progress, say
    from sceneset.counts import counted
    from sceneset.schemas.finding import in_order
    from sceneset.versions.foreign import blobs_of
    from sceneset.versions.verify import expected_blobs, repair, verify

    catalog = open_catalog(args)
    expected = expected_blobs(catalog)
    remote = blobs_of(catalog, args.remote, ask=ask_on_terminal, notify=say)
    wrong = verify(
        expected,
        remote,
        deep=args.deep,
        progress=progress,
    )
    if args.repair and wrong:
        repaired = repair(catalog, wrong, remote)
        say(f"{repaired.uploaded:,} of {counted(len(wrong), 'blob')} repaired", style="green")
        wrong = {md5: found for md5, found in wrong.items() if md5 in repaired.not_found}
    findings = in_order(wrong.values())
    if args.json:
        print_json([p.model_dump(mode="json") for p in findings])
    else:
        print_findings(findings, stderr=False, view=View.of(args))
        if not findings:
            size = sum(blob.size for blob in expected.values())
            what = "contents" if args.deep else "sizes"
            blobs = counted(len(expected), "blob is", "blobs are")
            say(f"{blobs} on the remote, {what} compared ({size:,} bytes)", style="green")
    return FINDINGS if wrong else FINE
