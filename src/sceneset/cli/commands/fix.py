"""Mend what has one right answer, when it is asked for.

WHAT is a delivery (a folder), of which --to writes a mended copy, or subsets of the registry, which
--apply changes in place: image files, masks, tags and .dvc files, as one change to commit. Without
--to or --apply it is shown what would be done, and nothing is written.

Mended are: positions, names and other personal metadata (taken out, the pixels stay as they are),
orientation (image and mask are turned together), gray images (made RGB), masks of 0 and 255 (made 0
and 1), suffixes, and names that break readers. What has no one right answer is left, and said.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.fix_delivery import Asked, Fixed

EXAMPLES = """
  sceneset fix ~/delivery
  sceneset fix ~/delivery --to ~/mended
  sceneset fix ~/delivery --to ~/mended --rule mask-0-255 --rule image-gps
  sceneset fix ~/delivery --masks shown
  sceneset fix demo-full --apply
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("what", nargs="+", metavar="WHAT", help="a delivery, or subsets by name")
    parser.add_argument("--to", type=Path, metavar="DIR", help="write the mended delivery there")
    parser.add_argument("--apply", action="store_true", help="change the subsets in place")
    parser.add_argument(
        "--rule", action="append", metavar="CODE", help="mend this alone (may be repeated)"
    )
    parser.add_argument(
        "--masks",
        choices=("stored", "shown"),
        help="what masks of turned images were drawn on, where their size does not tell",
    )
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Show what would be mended, or mend it."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import progress
    from sceneset.edits.fix_delivery import Asked as Wish
    from sceneset.edits.fix_delivery import fix_delivery
    from sceneset.edits.fix_sample import RULES, Frame
    from sceneset.errors import NoRegistryError
    from sceneset.schemas.params import Limits

    for code in args.rule or ():
        if code not in RULES:
            raise UsageError(f"{code} can't be mended; these can: {', '.join(RULES)}")
    try:
        catalog: Catalog | None = Catalog.find()
    except NoRegistryError:
        catalog = None
    limits = catalog.params.limits if catalog else Limits()
    frame = Frame(args.masks) if args.masks else None
    asked = Wish(tuple(args.rule or RULES), frame, limits)
    folder = Path(args.what[0])
    if len(args.what) > 1 or not (folder / "img_dir").is_dir() or _is_subset(folder, catalog):
        return _fix_subsets(catalog, args, asked)
    if args.apply:
        raise UsageError("a delivery is never changed; --to DIR writes a mended copy of it")
    fixed = fix_delivery(folder, args.to, asked, progress)
    _show(fixed, args, changed=args.to is not None, next_=f"sceneset add {args.to} --name ...")
    return FINE


def _fix_subsets(catalog: "Catalog | None", args: argparse.Namespace, asked: "Asked") -> int:
    from sceneset.catalog.query import ask
    from sceneset.cli.output import progress
    from sceneset.edits.fix_subset import fix_subsets

    if catalog is None:
        raise UsageError(f"{args.what[0]} is no delivery, and there is no registry here")
    if args.to:
        raise UsageError("--to is for deliveries; --apply changes subsets in place")
    for word in args.what:
        if os.sep in word and not _is_subset(Path(word), catalog):
            raise UsageError(f"{word} is no delivery (it holds no img_dir), and no subset's folder")
    names = ask(catalog, subsets=[Path(word).name for word in args.what]).subsets
    fixed = fix_subsets(catalog, names, asked, apply=args.apply, progress=progress)
    next_ = "git add . && git commit, dvc push, sceneset release (a major step)"
    _show(fixed, args, changed=args.apply, next_=next_)
    return FINE


def _is_subset(folder: Path, catalog: "Catalog | None") -> bool:
    return catalog is not None and folder.resolve().parent == catalog.paths.subset("x").parent


def _show(fixed: "list[Fixed]", args: argparse.Namespace, *, changed: bool, next_: str) -> None:
    from dataclasses import asdict

    from sceneset.cli.output import print_json, print_table, say

    if args.json:
        samples = [
            asdict(f) | {"left": [{"rule": code, "why": why} for code, why in f.left]}
            for f in fixed
        ]
        print_json({"changed": changed, "samples": samples})
        return
    columns = ("sample", "new stem", "mended", "left as it is, because")
    rows = [
        (
            "/".join(filter(None, (f.subset, f.phase, f.stem))),
            f.new_stem if f.new_stem != f.stem else None,
            ", ".join(f.done),
            "; ".join(f"{code}: {why}" for code, why in f.left),
        )
        for f in fixed
    ]
    if rows:
        print_table(columns, rows)
    mended = sum(bool(f.done) for f in fixed)
    verb = ("is" if mended == 1 else "are") if changed else "would be"
    say(f"{mended} sample{'' if mended == 1 else 's'} {verb} mended", style="green")
    if left := sum(bool(f.left) for f in fixed):
        say(f"{left} {'have' if left > 1 else 'has'} what a person must decide", style="yellow")
    if changed and mended:
        say(f"Next: {next_}")
    else:
        say("nothing was changed")
