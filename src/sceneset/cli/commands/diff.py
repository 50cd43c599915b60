"""Say what changed between two states: samples, scenes, masks, colours.

States are version numbers, tags, branches or commits; without the second one the first is
compared with the registry as it stands. Images are known by content: a renamed sample is one
rename, not one sample lost and one gained. No blob is needed; masks that changed are compared
(IoU) where DVC's cache or the working tree has both, or with --fetch.
"""

import argparse
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sceneset.cli.exit_codes import FINE

if TYPE_CHECKING:
    from sceneset.versions.diff import Diff, Drift
    from sceneset.versions.mask_iou import Overlap

EXAMPLES = """
  sceneset diff 1.0.0 1.1.0
  sceneset diff main                    what a branch would change
  sceneset diff HEAD~1 --samples
  sceneset diff 1.0.0 1.1.0 --json
  sceneset diff 1.0.0 2.0.0 --samples --fetch
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("old", help="a version, tag, branch or commit")
    parser.add_argument("new", nargs="?", help="another one; left out: as it stands")
    parser.add_argument(
        "--repo", default=".", help="another registry: a folder or a git URL (default: this one)"
    )
    parser.add_argument("--samples", action="store_true", help="name every sample that changed")
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="get masks that changed and are not here from the remote, to compare them",
    )
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Compare, and show."""
    from sceneset.cli.output import print_json, progress, say
    from sceneset.versions.diff import compare, drifts
    from sceneset.versions.mask_iou import overlaps
    from sceneset.versions.revisions import open_state

    old = open_state(args.repo, args.old)
    new = open_state(args.repo, args.new)
    diff, moves = compare(old, new), drifts(old, new)
    masks = overlaps(new, diff.changes, fetch=args.fetch, progress=progress)
    if lost := [mask.unfetched for mask in masks if mask.unfetched]:
        why = sorted(set(lost))
        more = "; ..." if len(why) > 3 else ""
        said = f"{len(lost)} of {len(masks)} changed masks could not be fetched"
        say(f"{said}: {'; '.join(why[:3])}{more}", style="yellow")
    if args.json:
        print_json(_object(diff, moves, masks, samples=args.samples))
    else:
        _show(diff, moves, masks, args)
    return FINE


def _object(
    diff: "Diff", moves: "list[Drift]", masks: "list[Overlap]", *, samples: bool
) -> dict[str, Any]:
    iou = {id(mask.change): mask.iou for mask in masks}
    compared = [mask.iou for mask in masks if mask.iou is not None]
    return {
        "step": diff.step,
        "counts": diff.counts,
        "subsets": {"added": diff.subsets_added, "removed": diff.subsets_removed},
        "scenes": {"added": diff.scenes_added, "removed": diff.scenes_removed},
        "iou": {
            "of": len(masks),
            "compared": len(compared),
            "mean": fmean(compared) if compared else None,
            "least": min(compared, default=None),
        }
        if masks
        else None,
        "drift": [move._asdict() for move in moves],
        "samples": [
            change.as_json() | ({"iou": iou[id(change)]} if id(change) in iou else {})
            for change in diff.changes
        ]
        if samples
        else None,
    }


def _show(
    diff: "Diff", moves: "list[Drift]", masks: "list[Overlap]", args: argparse.Namespace
) -> None:
    from sceneset.cli.output import console, print_table

    names = [
        (f"{what} {how}", ", ".join(found))
        for what, how, found in (
            ("subsets", "added", diff.subsets_added),
            ("subsets", "removed", diff.subsets_removed),
            ("scenes", "added", diff.scenes_added),
            ("scenes", "removed", diff.scenes_removed),
        )
        if found
    ]
    counts = [(f"samples {kind}", count) for kind, count in diff.counts.items()]
    print_table(
        ("what", "how many or which"), [*counts, *_overlap(masks, fetched=args.fetch), *names]
    )
    if moves:
        print_table(
            ("scene", "persons", "phase", "images", "colour moved", "person share moved"),
            [
                (
                    m.scene,
                    m.persons,
                    m.phase,
                    f"{m.images[0]} -> {m.images[1]}",
                    None if m.colour is None else f"{m.colour:.4f}",
                    None if m.foreground is None else f"{100 * m.foreground:+.2f} %",
                )
                for m in moves
            ],
            right=("images", "colour moved", "person share moved"),
        )
    if args.samples:
        iou = {id(mask.change): f"{mask.iou:.3f}" for mask in masks if mask.iou is not None}
        print_table(
            ("change", "old", "new", "old scenes", "new scenes", "IoU"),
            [
                (
                    c.kind,
                    c.old and c.old.place,
                    c.new and c.new.place,
                    c.old and ";".join(c.old.scenes),
                    c.new and ";".join(c.new.scenes),
                    iou.get(id(c)),
                )
                for c in diff.changes
            ],
            right=("IoU",),
        )
    console().print(f"a version after this is at least a {diff.step} step")


def _overlap(masks: "list[Overlap]", *, fetched: bool) -> list[tuple[str, str]]:
    """Say how far changed masks agree with what they were."""
    compared = [(mask.iou, str(mask.change.sample.place)) for mask in masks if mask.iou is not None]
    if not masks:
        return []
    said = f"{len(compared)} of {len(masks)} could be compared"
    if len(compared) < len(masks) and not fetched:
        said += " (--fetch asks the remote for masks that are not here)"
    if compared:
        least, place = min(compared)
        said = f"mean {fmean(iou for iou, _ in compared):.3f}, least {least:.3f} ({place}), {said}"
    return [("person IoU of changed masks", said)]
