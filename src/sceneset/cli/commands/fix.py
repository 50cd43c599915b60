"""Fix errors that have only one right answer.

WHAT is either a delivery or the name of one or more subsets. --to writes a fixed copy of a
delivery; --apply changes subsets in place (images, masks, tags and .dvc files), as one change to
commit. With neither of them, `fix` only shows what it would do.

It removes GPS positions, names and other personal metadata without changing a pixel, turns image
and mask upright together, converts gray images to RGB and masks of 0 and 255 to 0 and 1, and
renames files whose suffix or name breaks readers. It reports everything else that a person has to
decide, and leaves it as it is.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.fix_delivery import FixedSample, FixOptions

EXAMPLES = """
  sceneset fix ~/delivery                          show what would be fixed
  sceneset fix ~/delivery --to ~/fixed
  sceneset fix ~/delivery --to ~/fixed --rule mask-0-255 --rule image-gps
  sceneset fix ~/delivery --masks shown
  sceneset fix demo-full --apply
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "what", nargs="+", metavar="WHAT", help="the folder of a delivery, or names of subsets"
    )
    parser.add_argument("--to", type=Path, metavar="DIR", help="write the fixed delivery to DIR")
    parser.add_argument("--apply", action="store_true", help="change the subsets in place")
    parser.add_argument(
        "--rule",
        action="append",
        metavar="CODE",
        help="fix only findings of this rule (can be repeated)",
    )
    parser.add_argument(
        "--masks",
        choices=("stored", "shown"),
        help="for photos with an EXIF rotation: whether their masks were drawn before it (stored) "
        "or after it (shown); used only if the size of the mask does not tell",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Fix the errors, or show what would be fixed."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import progress
    from sceneset.edits.fix_delivery import FixOptions, fix_delivery
    from sceneset.edits.fix_sample import FIXABLE_RULES, MaskFrame
    from sceneset.errors import NoRegistryError
    from sceneset.schemas.params import Limits

    for code in args.rule or ():
        if code not in FIXABLE_RULES:
            raise UsageError(
                f"{code} can't be fixed by this command; these can: {', '.join(FIXABLE_RULES)}"
            )
    try:
        catalog: Catalog | None = Catalog.find()
    except NoRegistryError:
        catalog = None
    limits = catalog.params.limits if catalog else Limits()
    mask_frame = MaskFrame(args.masks) if args.masks else None
    options = FixOptions(tuple(args.rule or FIXABLE_RULES), mask_frame, limits)
    folder = Path(args.what[0])
    if len(args.what) > 1 or not (folder / "img_dir").is_dir() or _is_subset(folder, catalog):
        return _fix_subsets(catalog, args, options)
    if args.apply:
        raise UsageError("a delivery is never changed; use --to DIR to write a fixed copy of it")
    fixed = fix_delivery(folder, args.to, options, progress)
    _show(fixed, args, changed=args.to is not None, next_step=f"sceneset add {args.to} --name ...")
    return FINE


def _fix_subsets(catalog: "Catalog | None", args: argparse.Namespace, options: "FixOptions") -> int:
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.output import progress, say
    from sceneset.edits.fix_subset import fix_subsets

    if catalog is None:
        raise UsageError(f"{args.what[0]} is not a delivery, and this folder is not in a registry")
    if args.to:
        raise UsageError("--to is for deliveries; use --apply to change subsets in place")
    for word in args.what:
        if os.sep in word and not _is_subset(Path(word), catalog):
            raise UsageError(
                f"{word} is neither a delivery (it has no img_dir) nor the folder of a subset"
            )
    names = resolve_query(catalog, subsets=[Path(word).name for word in args.what]).subsets
    fixed = fix_subsets(catalog, names, options, apply=args.apply, progress=progress, notify=say)
    next_step = "git add . && git commit, dvc push, sceneset release (a major step)"
    _show(fixed, args, changed=args.apply, next_step=next_step)
    return FINE


def _is_subset(folder: Path, catalog: "Catalog | None") -> bool:
    return catalog is not None and folder.resolve().parent == catalog.paths.subset("x").parent


def _show(
    fixed: "list[FixedSample]", args: argparse.Namespace, *, changed: bool, next_step: str
) -> None:
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.counts import counted

    if args.json:
        samples = [
            {
                "phase": f.phase,
                "stem": f.stem,
                "new_stem": f.new_stem,
                "done": f.fixed,
                "left": [{"rule": code, "why": why} for code, why in f.unfixed],
                "subset": f.subset,
            }
            for f in fixed
        ]
        print_json({"changed": changed, "samples": samples})
        return
    columns = ("sample", "new stem", "fixed", "not fixed, because")
    rows = [
        (
            "/".join(filter(None, (f.subset, f.phase, f.stem))),
            f.new_stem if f.new_stem != f.stem else None,
            ", ".join(f.fixed),
            "; ".join(f"{code}: {why}" for code, why in f.unfixed),
        )
        for f in fixed
    ]
    if rows:
        print_table(columns, rows)
    fixed_count = sum(bool(f.fixed) for f in fixed)
    if changed:
        say(f"{counted(fixed_count, 'sample was', 'samples were')} fixed", style="green")
    else:
        say(f"{counted(fixed_count, 'sample')} would be fixed", style="green")
    if unfixed_count := sum(bool(f.unfixed) for f in fixed):
        say(
            f"{counted(unfixed_count, 'sample has', 'samples have')} errors to fix by hand",
            style="yellow",
        )
    if changed and fixed_count:
        say(f"Next: {next_step}")
    else:
        say("nothing was changed")
