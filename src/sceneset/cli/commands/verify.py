"""Check that the remote has every blob of a version: images, masks and DVC's folder lists.

Existence and size are checked, and with --deep also the content; nothing is kept. --repair uploads
missing or damaged blobs again from DVC's cache or the working tree. It helps where `dvc push`
reports that everything is up to date, but `dvc pull` fails.

--remotes compares two remotes instead, and --signed verifies who signed a version, without reading
any blob.
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
from sceneset.errors import UsageError

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.schemas.finding import Finding

EXAMPLES = """
  sceneset verify
  sceneset verify --rev 1.2.0 --deep
  sceneset verify --repair
  sceneset verify --remote backup --json
  sceneset verify --remotes store backup
  sceneset verify --signed --rev latest
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
    others = parser.add_mutually_exclusive_group()
    others.add_argument(
        "--remotes",
        nargs=2,
        metavar="NAME",
        help="list the blobs that only one of two remotes has",
    )
    others.add_argument(
        "--signed",
        action="store_true",
        help="verify the signature of the version's tag with the keys that your own git "
        "configuration trusts (default: of the latest version)",
    )
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON list")


def run(args: argparse.Namespace) -> int:
    """Check the blobs and print the findings."""
    _refuse_mixed(args)
    if args.signed:
        return _verify_signature(args)
    return _compare(args) if args.remotes else _verify_blobs(args)


def _refuse_mixed(args: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together."""
    mode = "--signed" if args.signed else "--remotes"
    chosen = (("--deep", args.deep), ("--repair", args.repair), ("--remote", args.remote))
    for name, is_given in chosen:
        if is_given and (args.signed or args.remotes):
            raise UsageError(f"{name} can't be used with {mode}")


def _verify_signature(args: argparse.Namespace) -> int:
    """Verify who signed a version."""
    from sceneset.cli.output import say
    from sceneset.versions.resolve import LATEST, version_at, version_of
    from sceneset.versions.revisions import open_at
    from sceneset.versions.signatures import verify_signature

    rev = LATEST if args.rev is None else args.rev
    origin = open_at(args.repo, rev).origin
    assert origin, "a revision has an origin"
    number = version_of(origin.git, rev, origin.prefix) or version_at(origin.git, origin.commit)
    if number is None:
        raise UsageError(f"{rev} is no version; only the tags of versions are signed")
    verified = verify_signature(origin.git, number, origin.commit)
    if not _print(args, verified.findings):
        say(f"version {number} has a valid signature of {verified.signer}", style="green")
    return FINDINGS if verified.findings else FINE


def _compare(args: argparse.Namespace) -> int:
    """Compare two remotes."""
    from sceneset.cli.output import progress, say
    from sceneset.counts import counted
    from sceneset.schemas.finding import in_order
    from sceneset.versions.copy_blobs import compare_remotes
    from sceneset.versions.foreign import blobs_of
    from sceneset.versions.verify import expected_blobs

    catalog = open_catalog(args)
    expected = expected_blobs(catalog)
    remotes = {
        name: blobs_of(catalog, name, ask=ask_on_terminal, notify=say) for name in args.remotes
    }
    if len(remotes) < 2:
        raise UsageError("name two different remotes")
    findings = in_order(compare_remotes(expected, remotes, progress=progress))
    if not _print(args, findings):
        blobs = counted(len(expected), "blob is", "blobs are")
        say(f"{blobs} on both remotes, sizes compared", style="green")
    return FINDINGS if findings else FINE


def _print(args: argparse.Namespace, findings: "Sequence[Finding]") -> bool:
    """Print findings; return whether no sentence should follow."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json

    if args.json:
        print_json([one.model_dump(mode="json") for one in findings])
        return True
    print_findings(findings, stderr=False, view=View.of(args))
    return bool(findings)


def _verify_blobs(args: argparse.Namespace) -> int:
    """Check the blobs of one remote."""
    from sceneset.cli.output import progress, say
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
        repaired = repair(catalog, wrong, remote, progress=progress)
        say(f"{repaired.uploaded:,} of {counted(len(wrong), 'blob')} repaired", style="green")
        wrong = {md5: found for md5, found in wrong.items() if md5 in repaired.not_found}
    findings = in_order(wrong.values())
    if not _print(args, findings):
        size = sum(blob.size for blob in expected.values())
        what = "contents" if args.deep else "sizes"
        blobs = counted(len(expected), "blob is", "blobs are")
        say(f"{blobs} on the remote, {what} compared ({size:,} bytes)", style="green")
    return FINDINGS if wrong else FINE
