"""Show what changed between two states: samples, scenes, masks and colors.

A state is a version number, tag, branch or commit. Images are compared by content, so a renamed
sample is reported as renamed and not as removed and added. No blob is needed. Changed masks are
compared (IoU) if both are in DVC's cache or in the working tree, or with --fetch. With --html, a
page shows pictures of the changes: masks before and after with the changed pixels, and what was
added, removed or moved.
"""

import argparse
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sceneset.cli.argument_types import whole_number
from sceneset.cli.change_pages import add_page
from sceneset.cli.commands.sources import add_internal, add_repo, open_state
from sceneset.cli.exit_codes import FINE

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.versions.diff import Diff
    from sceneset.versions.drift import Drift
    from sceneset.versions.mask_iou import Overlap

EXAMPLES = """
  sceneset diff 1.0.0 1.1.0
  sceneset diff latest                  what the next version would change
  sceneset diff main                    what a branch would change
  sceneset diff HEAD~1 --samples
  sceneset diff 1.0.0 1.1.0 --json
  sceneset diff 1.0.0 2.0.0 --samples --fetch
  sceneset diff latest --html ~/changes.html --open
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "old", metavar="OLD", help="a version (1.2.0, or latest), tag, branch or commit"
    )
    parser.add_argument(
        "new", nargs="?", metavar="NEW", help="the same (default: the working tree)"
    )
    add_repo(parser)
    parser.add_argument("--samples", action="store_true", help="list every changed sample")
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="download changed masks from the remote if they are not here, to compare them, and "
        "with --html the images and masks that the page shows",
    )
    add_page(
        parser,
        "write a page with pictures of the changes, as one file: masks before and after, the "
        "changed pixels, and what was added, removed or moved",
    )
    parser.add_argument(
        "--limit",
        type=whole_number(1, 100_000),
        metavar="N",
        help="changes of each kind that the page shows (default: 60); of changed masks, those "
        "with the lowest IoU",
    )
    add_internal(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


CHANGE_LABELS = {
    "added": "samples added",
    "removed": "samples removed",
    "moved": "samples moved",
    "renamed": "samples renamed",
    "mask": "samples with another mask",
    "scenes": "samples with other scenes",
    "metadata": "samples with other metadata",
    "image": "samples with another image",
}
"""A kind of change of samples, as a table shows it."""
STEP_LABELS = {
    "major": "the next version is at least a major step",
    "minor": "the next version is at least a minor step",
    "patch": "the next version is at least a patch step",
}


def run(args: argparse.Namespace) -> int:
    """Compare the states and print the changes."""
    from sceneset.cli.change_pages import check_page
    from sceneset.cli.output import print_json, progress, say
    from sceneset.counts import counted
    from sceneset.versions.diff import compare
    from sceneset.versions.drift import compute_drift
    from sceneset.versions.mask_iou import compare_masks

    old = open_state(args.repo, args.old)
    new = open_state(args.repo, args.new)
    check_page(args, new)
    diff, drifts = compare(old, new), compute_drift(old, new)
    masks = compare_masks(new, diff.changes, fetch=args.fetch, progress=progress)
    if errors := [mask.fetch_error for mask in masks if mask.fetch_error]:
        reasons = sorted(set(errors))
        more = "; ..." if len(reasons) > 3 else ""
        say(
            f"{len(errors)} of {counted(len(masks), 'changed mask')} could not be fetched: "
            f"{'; '.join(reasons[:3])}{more}",
            style="yellow",
        )
    written = {}
    if args.html:
        written = {"html": _write(args, (old, new), diff, drifts, masks)}
    if args.json:
        print_json(_object(diff, drifts, masks, samples=args.samples) | written)
    else:
        _show(diff, drifts, masks, args)
    return FINE


def _write(
    args: argparse.Namespace,
    states: "tuple[Catalog, Catalog]",
    diff: "Diff",
    drifts: "list[Drift]",
    masks: "list[Overlap]",
) -> dict[str, Any]:
    """Write the page of --html and return its fields for --json."""
    from sceneset.cli.change_pages import draw_pictures, state_name, summary_of, write_page
    from sceneset.cli.language import translate
    from sceneset.cli.picture_sheets import language
    from sceneset.reporting.diff_page import DiffPage

    old, new = states
    pictures = draw_pictures(args, old, new, diff, masks, limit=args.limit, internal=args.internal)
    page = DiffPage(
        state_name(old, args.old),
        state_name(new, args.new),
        language(),
        translate,
        diff,
        pictures,
        summary_of(old, new, drifts),
    )
    return write_page(args, page)


def _object(
    diff: "Diff", drifts: "list[Drift]", masks: "list[Overlap]", *, samples: bool
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
        "drift": [drift._asdict() for drift in drifts],
        "samples": [
            change.as_json() | ({"iou": iou[id(change)]} if id(change) in iou else {})
            for change in diff.changes
        ]
        if samples
        else None,
    }


def _show(
    diff: "Diff", drifts: "list[Drift]", masks: "list[Overlap]", args: argparse.Namespace
) -> None:
    from sceneset.cli.output import Label, print_table, print_text

    if not (diff.changes or drifts or names_of_changes(diff)):
        print_text("no difference in samples, scenes and subsets")
        print_text(STEP_LABELS[diff.step])  # texts may differ
        return
    counts = [(Label(CHANGE_LABELS[kind]), count) for kind, count in diff.counts.items()]
    overlap = _overlap(masks, fetched=args.fetch)
    print_table(("change", "count or names"), [*counts, *overlap, *names_of_changes(diff)])
    if drifts:
        print_table(
            ("scene", "persons", "phase", "images", "color change", "person share change"),
            [
                (
                    m.scene,
                    m.persons,
                    m.phase,
                    f"{m.images[0]} -> {m.images[1]}",
                    None if m.colour is None else f"{m.colour:.4f}",
                    None if m.foreground is None else f"{100 * m.foreground:+.2f} %",
                )
                for m in drifts
            ],
            right=("images", "color change", "person share change"),
        )
    if args.samples and diff.changes:
        iou = {id(mask.change): f"{mask.iou:.3f}" for mask in masks if mask.iou is not None}
        _print_samples(diff, iou)
    print_text(STEP_LABELS[diff.step])


def print_changes(diff: "Diff", *, samples: bool) -> None:
    """Print the changes of a diff that there are; with ``samples``, each of them."""
    from sceneset.cli.output import Label, print_table, print_text

    counts = [(Label(CHANGE_LABELS[kind]), count) for kind, count in diff.counts.items() if count]
    if rows := [*counts, *names_of_changes(diff)]:
        print_table(("change", "count or names"), rows)
    if samples and diff.changes:
        _print_samples(diff, {})
    print_text(STEP_LABELS[diff.step])


def _print_samples(diff: "Diff", iou: "dict[int, str]") -> None:
    from sceneset.cli.output import Label, print_table
    from sceneset.versions.diff import change_text

    print_table(
        ("change", "old", "new", "old scenes", "new scenes", "IoU"),
        [
            (
                Label(change_text(c.kind)),
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


def names_of_changes(diff: "Diff") -> list[tuple[str, str]]:
    """Return rows with the names of subsets and scenes that were added or removed."""
    from sceneset.cli.output import Label

    rows = (
        (Label("subsets added"), diff.subsets_added),
        (Label("subsets removed"), diff.subsets_removed),
        (Label("scenes added"), diff.scenes_added),
        (Label("scenes removed"), diff.scenes_removed),
    )
    return [(what, ", ".join(names)) for what, names in rows if names]


def _overlap(masks: "list[Overlap]", *, fetched: bool) -> list[tuple[str, str]]:
    """Return a row on how well changed masks agree with their old state."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import Label

    compared = [(mask.iou, str(mask.change.sample.place)) for mask in masks if mask.iou is not None]
    if not masks:
        return []
    text = translate(f"{len(compared)} of {len(masks)} could be compared")
    if any(mask.is_missing for mask in masks) and not fetched:
        text += translate(" (use --fetch to download the others from the remote)")
    elif any(mask.iou is None and not mask.is_missing for mask in masks):
        text += translate(" (masks of another size, for example turned ones, can't be compared)")
    if compared:
        least, place = min(compared)
        mean = fmean(iou for iou, _ in compared)
        numbers = translate(f"mean {mean:.3f}, least {least:.3f}")
        text = f"{numbers} ({place}), {text}"
    return [(Label("person IoU of changed masks"), text)]
