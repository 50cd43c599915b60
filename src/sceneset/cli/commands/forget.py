"""Withdraw images, for example because a person asked for their portrait to be removed.

WHAT is an image file, its MD5 hash, or a sample as SUBSET/PHASE/STEM. `forget` finds every file of
the picture in all subsets, scenes, versions and branches, also those from before a `fix`, removes
it from the current state, and records the hashes in registry/forgotten.yaml: `add` refuses the
picture from then on, and `pull` leaves it out of old versions. It lists samples that look similar,
for you to confirm. Try it with --dry-run first.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import add_remote, find_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.cli.streams import ignore_closed_pipe
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.withdraw_report import Evidence, Report
    from sceneset.edits.withdraw_search import Withdrawal
    from sceneset.versions.history import Occurrence

EXAMPLES = r"""
  sceneset forget demo-full/train/ski_0000 --reason "email, case 17" --dry-run
  sceneset forget ~/mail/portrait.jpg --reason "email, case 17" --with-near
  sceneset forget 9e107d9d372bb6826bd81d3542a419d6 --reason "case 17" --purge
  sceneset forget demo-full/train/ski_0000 --reason "case 17" --purge \
      --report case-17.md               what was done, for the person's file
"""


_PRINTED = Path("-")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="WHAT",
        help="an image file, an MD5 hash, or a sample as SUBSET/PHASE/STEM",
    )
    parser.add_argument(
        "--reason", required=True, help="one line that stays in git: do not name the person"
    )
    parser.add_argument("--with-near", action="store_true", help="withdraw the similar samples too")
    parser.add_argument(
        "--purge", action="store_true", help="delete the blobs from the remote and the local caches"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done, change nothing"
    )
    parser.add_argument(
        "--report",
        nargs="?",
        const=_PRINTED,
        type=Path,
        metavar="FILE",
        help="write a report of what was searched, found, deleted and could not be deleted: "
        "Markdown, or JSON with --json; without FILE, print it",
    )
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Withdraw the images and show where they were found."""
    from pydantic import TypeAdapter, ValidationError

    from sceneset.catalog.tombstones import read_tombstones
    from sceneset.cli.output import print_json, say
    from sceneset.edits.withdraw import withdraw
    from sceneset.edits.withdraw_search import find_withdrawal
    from sceneset.schemas.base import Word

    try:
        TypeAdapter(Word).validate_python(args.reason.strip())
        args.reason.encode()
    except (ValidationError, UnicodeEncodeError):
        raise UsageError(
            "--reason must be one line of 1 to 200 characters, without control characters"
        ) from None
    catalog = find_catalog()
    evidence = _evidence(catalog, args)
    recorded = read_tombstones(catalog.root).keys()
    if args.dry_run:
        withdrawal = find_withdrawal(
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
            notify=say,
            observe=evidence.observe if evidence else None,
        )
        if done is None:
            say("this `forget` was interrupted before; it is complete now", style="green")
            if evidence:
                say("there is no report yet; run it again to get one", style="yellow")
            if args.json:
                print_json({"changed": True, "finished": True})
            return FINE
        withdrawal = done
    if evidence and args.dry_run:
        evidence.observe(withdrawal)
    report = evidence.report(withdrawal) if evidence else None
    if report and args.report != _PRINTED:
        _write_report(report, args.report, as_json=args.json)
        report = None
    if args.json:
        outcome = _outcome(withdrawal, changed=not args.dry_run, purge=args.purge)
        print_json(outcome | ({"report": report.as_json()} if report else {}))
    elif report:
        from sceneset.edits.withdraw_report import markdown

        with ignore_closed_pipe():
            sys.stdout.write(markdown(report))
    else:
        is_recorded = withdrawal.tombstones.keys() <= recorded
        _show(withdrawal, dry_run=args.dry_run, purge=args.purge, is_recorded=is_recorded)
    return FINE


def _evidence(catalog: "Catalog", args: argparse.Namespace) -> "Evidence | None":
    """Return what collects the report, or None; refuse a file that could not be written."""
    if args.report is None:
        return None
    if args.report != _PRINTED and (args.report.exists() or not args.report.parent.is_dir()):
        why = "exists" if args.report.exists() else "is in a folder that does not exist"
        raise UsageError(f"--report {args.report} {why}; name a new file")
    from sceneset.edits.withdraw_report import Evidence

    return Evidence(catalog, dry_run=args.dry_run, purge=args.purge)


def _write_report(report: "Report", path: Path, *, as_json: bool) -> None:
    import json

    from sceneset.cli.output import say
    from sceneset.edits.withdraw_report import markdown
    from sceneset.storage.files import write_text

    as_text = json.dumps(report.as_json(), indent=1, ensure_ascii=False) + "\n"
    write_text(path, as_text if as_json else markdown(report))
    say(f"the report is in {path}", style="green")


def _outcome(withdrawal: "Withdrawal", *, changed: bool, purge: bool) -> dict[str, Any]:
    def shown(sample: "Occurrence") -> dict[str, Any]:
        kept = sample._asdict()
        del kept["hashes"]
        how = withdrawal.how_found.get(sample.image_md5)
        return kept | {"version": sample.version or None, "how": how}

    return {
        "changed": changed,
        "forgotten": [found.model_dump() for found in withdrawal.tombstones.values()],
        "found": [shown(sample) for sample in withdrawal.found],
        "near": [shown(sample) for sample in withdrawal.near],
        "namesakes": [shown(sample) for sample in withdrawal.namesakes],
        "purged": withdrawal.purge if purge else [],
        "unread": withdrawal.unread,
        "masks_kept": withdrawal.masks_kept if purge else "",
    }


def _show_samples(withdrawal: "Withdrawal") -> None:
    """Print every sample that shows the picture, and those that only may."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import Label, print_table, say
    from sceneset.counts import counted

    def row(sample: "Occurrence") -> tuple[object, ...]:
        scenes = ", ".join(sample.scenes)
        return (sample.place, sample.version or Label("current"), scenes, sample.image_md5)

    columns = ("sample", "version", "scenes", "image")
    if withdrawal.found:
        how = withdrawal.how_found
        rows = [(*row(sample), Label(how.get(sample.image_md5, ""))) for sample in withdrawal.found]
        print_table((*columns, "found by"), rows)
        current = translate("the current state")
        versions = {sample.version or current for sample in withdrawal.found}
        images = counted(len({sample.image_md5 for sample in withdrawal.found}), "image file")
        say(f"found {images} in {', '.join(sorted(versions))}")
    if withdrawal.namesakes:
        say(
            "these images have the name of a withdrawn sample in another state, but look "
            "different; they stay. If one shows the person too, run `forget` with its hash",
            style="yellow",
        )
        print_table(columns, [row(sample) for sample in withdrawal.namesakes])
    if withdrawal.near:
        say("these images look similar; use --with-near to withdraw them too", style="yellow")
        near = [(*row(sample), sample.distance) for sample in withdrawal.near]
        print_table((*columns, "bits apart"), near, right=("bits apart",))


def _show(withdrawal: "Withdrawal", *, dry_run: bool, purge: bool, is_recorded: bool) -> None:
    from sceneset.cli.output import say
    from sceneset.counts import counted

    _show_samples(withdrawal)
    here = sum(len(keys) for keys in withdrawal.current_samples.values())
    if dry_run:
        say(f"{counted(here, 'sample')} of the registry would be removed", style="green")
    else:
        done = counted(here, "sample was", "samples were")
        say(f"{done} removed from the registry", style="green")
    if purge:
        blobs = len(withdrawal.purge)
        if dry_run:
            say(f"{counted(blobs, 'blob')} would be deleted from the remote and the local caches")
        else:
            done = counted(blobs, "blob was", "blobs were")
            say(f"{done} deleted from the remote and the local caches")
        if withdrawal.masks_kept:
            say(f"masks were kept: {withdrawal.masks_kept}", style="yellow")
    for why in withdrawal.unread:
        say(f"not searched: {why}", style="yellow")
    if dry_run:
        say("nothing was changed")
    else:
        _show_next_step(withdrawal, purge=purge, is_recorded=is_recorded)


def _show_next_step(withdrawal: "Withdrawal", *, purge: bool, is_recorded: bool) -> None:
    """Print what to commit, and what still holds the images."""
    from sceneset.cli.output import say

    if withdrawal.current_samples:
        say("Next: git add . && git commit, dvc push, sceneset release (a major step)")
    elif is_recorded:
        say("registry/forgotten.yaml lists these images already: there is nothing to commit")
    else:
        say("Next: git add . && git commit, git push: it takes effect where this commit is pulled")
    hashes = " ".join(sorted(withdrawal.tombstones))
    if purge:
        say(
            "Not deleted: the delivery, folders that pull, export, fix, crop, site and "
            "add --quarantine wrote, pages and sheets with pictures, and other clones. "
            "Delete these files, or run their commands again; in each other clone, pull the commit "
            "and run: "
            f"sceneset forget {hashes} --reason ... --purge"
        )
    else:
        say(
            "The blobs are still on the remote. To delete them: "
            f"sceneset forget {hashes} --reason ... --purge"
        )
