"""Ask the remote for every blob of a version: is it there, in its size, and with --deep whole?

Images and masks are asked for, and the lists of folders that DVC needs. Nothing is downloaded to
keep. --repair puts back what is missing or damaged, from DVC's cache or the working tree: where
`dvc push` says that everything is up to date and `dvc pull` fails all the same, this mends it.
"""

import argparse

from sceneset.cli.commands.sources import add_source, source
from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = """
  sceneset verify
  sceneset verify --rev 1.2.0 --deep
  sceneset verify --repair               where the cache has what the remote lacks
  sceneset verify --remote backup --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument("--remote", metavar="NAME", help="another DVC remote than the default")
    parser.add_argument("--deep", action="store_true", help="read every blob, compare its hash")
    parser.add_argument("--repair", action="store_true", help="put back what is wrong")
    parser.add_argument("--json", action="store_true", help="print a list of findings")


def run(args: argparse.Namespace) -> int:
    """Verify, and show what is wrong."""
    from sceneset.cli.output import print_findings, print_json, progress, say
    from sceneset.schemas.finding import in_order
    from sceneset.storage.blobs import Blobs
    from sceneset.versions.verify import blobs_of, repair, verify

    catalog = source(args)
    held = blobs_of(catalog)
    remote = Blobs(catalog.project, args.remote)
    wrong = verify(
        held,
        remote,
        deep=args.deep,
        progress=progress,
    )
    if args.repair and wrong:
        left = repair(catalog, held, sorted(wrong), remote)
        say(f"{len(wrong) - len(left)} of {len(wrong)} blobs were put back", style="green")
        wrong = {md5: finding for md5, finding in wrong.items() if md5 in left}
    findings = in_order(wrong.values())
    if args.json:
        print_json([p.model_dump(mode="json") for p in findings])
    else:
        print_findings(findings, stderr=False)
        if not findings:
            size = sum(blob.size for blob in held.values())
            how = "whole" if args.deep else "there in their sizes"
            say(f"all {len(held):,} blobs are {how}: {size:,} bytes", style="green")
    return FINDINGS if wrong else FINE
