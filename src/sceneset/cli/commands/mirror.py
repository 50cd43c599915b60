"""Copy all blobs that the state or versions need to another remote, for example as a backup.

Only blobs that are missing there, or have another size, are copied. Each is read once and verified
by its hash. Run it again after an interruption: it continues. Withdrawn samples are not copied.
"""

import argparse

from sceneset.cli.commands.sources import add_view, find_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset mirror backup
  sceneset mirror backup --rev 1.2.0 --rev latest
  sceneset mirror backup --all-versions
  sceneset verify --remotes store backup    compare them afterwards
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("remote", metavar="REMOTE", help="the DVC remote to copy to")
    parser.add_argument(
        "--from",
        dest="source",
        metavar="NAME",
        help="the DVC remote to copy from (default: the default remote)",
    )
    parser.add_argument(
        "--rev",
        action="append",
        default=[],
        help="copy what this version, tag, branch or commit needs; may be given several times "
        "(default: the working tree)",
    )
    parser.add_argument(
        "--all-versions", action="store_true", help="copy what any released version needs"
    )
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Copy the blobs."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, progress, say
    from sceneset.counts import counted
    from sceneset.schemas.finding import in_order
    from sceneset.storage.blobs import Blobs
    from sceneset.versions.copy_blobs import copy_blobs
    from sceneset.versions.records import read_records
    from sceneset.versions.revisions import open_at

    here = find_catalog()
    source, target = Blobs(here.project, args.source), Blobs(here.project, args.remote)
    if source.address()[0].lower() == target.address()[0].lower():
        raise UsageError(f"{args.remote} is the remote to copy from; name another one, or --from")
    revisions = [*args.rev]
    if args.all_versions:
        revisions += [record.version for record in read_records(here)]
        if not revisions:
            raise UsageError("there is no version yet; `sceneset release` creates one")
    states = [open_at(here.root, rev, progress=progress) for rev in dict.fromkeys(revisions)] or [
        here
    ]
    done = copy_blobs(states, source, target, progress=progress)
    findings = in_order(done.findings)
    if args.json:
        found = [one.model_dump(mode="json") for one in findings]
        print_json({**done._asdict(), "findings": found})
        return FINDINGS if findings else FINE
    print_findings(findings, stderr=False, view=View.of(args))
    say(
        f"{counted(done.copied, 'blob')} copied to {args.remote} ({done.size:,} bytes), "
        f"{done.present:,} already there",
        style="yellow" if findings else "green",
    )
    if done.deleted:
        say(
            f"{counted(done.deleted, 'copy was', 'copies were')} deleted again: the samples were "
            "withdrawn meanwhile",
            style="yellow",
        )
    return FINDINGS if findings else FINE
