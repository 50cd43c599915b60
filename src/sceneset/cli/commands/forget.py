"""Withdraw images: people may ask that a portrait of theirs be used no more.

Each WHAT is an image file, its content hash, or a sample SUBSET/PHASE/STEM. The image is found in
every subset, scene and version; it is taken out of the registry as it stands, and its hash is left
in registry/forgotten.yaml, so that `add` refuses it ever after and `pull` leaves it out of older
versions. Samples that look like it are listed for you to confirm. Try it with --dry-run first.
"""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.edits.withdraw_search import Withdrawal
    from sceneset.versions.history import Sighting

EXAMPLES = """
  sceneset forget demo-full/train/ski_0000 --reason "asked by mail, case 17" --dry-run
  sceneset forget ~/mail/portrait.jpg --reason "asked by mail, case 17" --with-near
  sceneset forget 9e107d9d372bb6826bd81d3542a419d6 --reason "case 17" --purge
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="+", help="a file, a content hash, or SUBSET/PHASE/STEM")
    parser.add_argument("--reason", required=True, help="one line that git keeps: name no person")
    parser.add_argument("--with-near", action="store_true", help="forget the look-alikes too")
    parser.add_argument(
        "--purge", action="store_true", help="delete the blobs from the remote and the caches here"
    )
    parser.add_argument("--dry-run", action="store_true", help="show all it would do, do nothing")
    parser.add_argument("--remote", metavar="NAME", help="another DVC remote than the default")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Find and withdraw, and show where it stood."""
    from pydantic import TypeAdapter, ValidationError

    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json, say
    from sceneset.edits.withdraw import withdraw
    from sceneset.edits.withdraw_search import find
    from sceneset.schemas.base import Word

    try:
        TypeAdapter(Word).validate_python(args.reason.strip())
        args.reason.encode()
    except (ValidationError, UnicodeEncodeError):
        raise UsageError(
            "--reason is one line of 1 to 200 characters, without control characters"
        ) from None
    catalog = Catalog.find()
    if args.dry_run:
        withdrawal = find(
            catalog, args.what, args.reason, with_near=args.with_near, purge=args.purge
        )
    else:
        done = withdraw(
            catalog,
            args.what,
            args.reason,
            with_near=args.with_near,
            purge=args.purge,
            remote=args.remote,
        )
        if done is None:
            say("this very forget had been cut off; it is finished now", style="green")
            if args.json:
                print_json({"changed": True, "finished": True})
            return FINE
        withdrawal = done
    if args.json:
        print_json(_outcome(withdrawal, changed=not args.dry_run, purge=args.purge))
    else:
        _show(withdrawal, dry_run=args.dry_run, purge=args.purge)
    return FINE


def _outcome(withdrawal: "Withdrawal", *, changed: bool, purge: bool) -> dict[str, Any]:
    def shown(sample: "Sighting") -> dict[str, Any]:
        kept = sample._asdict()
        del kept["phash"], kept["phash_mirror"]
        return kept | {"version": sample.version or None}

    return {
        "changed": changed,
        "forgotten": [stone.model_dump() for stone in withdrawal.stones.values()],
        "found": [shown(sample) for sample in withdrawal.found],
        "near": [shown(sample) for sample in withdrawal.near],
        "purged": withdrawal.purge if purge else [],
        "unread": withdrawal.unread,
        "masks_kept": withdrawal.masks_kept if purge else "",
    }


def _show(withdrawal: "Withdrawal", *, dry_run: bool, purge: bool) -> None:
    from sceneset.cli.output import print_table, say

    def row(sample: "Sighting") -> tuple[object, ...]:
        scenes = ", ".join(sample.scenes)
        return (sample.place, sample.version or "as it stands", scenes, sample.image_md5)

    columns = ("sample", "version", "scenes", "image")
    if withdrawal.found:
        print_table(columns, [row(sample) for sample in withdrawal.found])
    if withdrawal.near:
        say("these look like it, and are other files; confirm with --with-near", style="yellow")
        near = [(*row(sample), sample.distance) for sample in withdrawal.near]
        print_table((*columns, "bits apart"), near, right=("bits apart",))
    here = sum(len(keys) for keys in withdrawal.here.values())
    would = "would be" if dry_run else "is" if here == 1 else "are"
    say(f"{here} of the registry's samples {would} taken out", style="green")
    if purge:
        count = len(withdrawal.purge)
        say(f"{count} blobs {'would be' if dry_run else 'are'} deleted on the remote and here")
        if withdrawal.masks_kept:
            say(f"masks are kept: {withdrawal.masks_kept}", style="yellow")
    for why in withdrawal.unread:
        say(f"not searched: {why}", style="yellow")
    if dry_run:
        say("nothing was changed")
        return
    if here:
        say("Next: git add . && git commit, dvc push, sceneset release (a major step)")
    else:
        say("Next: git add . && git commit: others heed registry/forgotten.yaml once they have it")
    if not purge:
        hashes = " ".join(sorted(withdrawal.stones))
        say(f"The blobs are still on the remote: sceneset forget {hashes} --reason ... --purge")
