"""Fix errors that have only one right answer.

WHAT is either a delivery or the name of one or more subsets. --to writes a fixed copy of a
delivery; --apply changes subsets in place (images, masks, tags and .dvc files), as one change to
commit. With neither of them, `fix` only shows what it would do.

It removes GPS positions, names and other personal metadata without changing a pixel, turns image
and mask upright together, converts gray images to RGB, and renames files whose suffix or name
breaks readers, together with their lines in split files. If no mask uses 1, it converts masks of 0
and 255 to 0 and 1; otherwise 255 may mean ignored, and --map 255=1 says that it means person.

Everything else is reported with the reason and left as it is: every file of the delivery is in the
copy. The exit code is 1 if errors are left.
"""

import argparse
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import add_view, find_catalog
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.fix_types import FixedSample, FixOptions
    from sceneset.schemas.finding import Finding

EXAMPLES = """
  sceneset fix ~/delivery                          show what would be fixed
  sceneset fix ~/delivery --to ~/fixed
  sceneset fix ~/delivery --to ~/fixed --rule mask-0-255 --rule image-gps
  sceneset fix ~/delivery --masks shown
  sceneset fix ~/delivery --to ~/fixed --map 255=1
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
    parser.add_argument(
        "--map",
        choices=("255=1",),
        help="255 means person in masks of 0 and 255 alone, although other masks use 1",
    )
    add_view(parser, with_rule=False)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Fix the errors, or show what would be fixed."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import progress
    from sceneset.edits.fix_delivery import fix_delivery
    from sceneset.edits.fix_sample import FIXABLE_RULES, MaskFrame
    from sceneset.edits.fix_types import FixOptions
    from sceneset.errors import NoRegistryError
    from sceneset.schemas.params import Limits

    for code in args.rule or ():
        if code not in FIXABLE_RULES:
            raise UsageError(
                f"{code} can't be fixed by this command; these can: {', '.join(FIXABLE_RULES)}"
            )
    try:
        catalog: Catalog | None = find_catalog()
    except NoRegistryError:
        catalog = None
    limits = catalog.params.limits if catalog else Limits()
    mask_frame = MaskFrame(args.masks) if args.masks else None
    options = FixOptions(
        tuple(args.rule or FIXABLE_RULES),
        mask_frame,
        limits,
        map_255=args.map is not None,
        vocabulary=catalog.vocabulary if catalog else None,
    )
    folder = Path(args.what[0])
    if len(args.what) > 1 or not (folder / "img_dir").is_dir() or _is_subset(folder, catalog):
        return _fix_subsets(catalog, args, options)
    if args.apply:
        raise UsageError("a delivery is never changed; use --to DIR to write a fixed copy of it")
    fixed, left = fix_delivery(folder, args.to, options, progress)
    next_step = f"Next: sceneset add {shlex.quote(str(args.to))} --name ..."
    return _show(fixed, args, left, changed=args.to is not None, next_step=next_step)


def _fix_subsets(catalog: "Catalog | None", args: argparse.Namespace, options: "FixOptions") -> int:
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, progress, say
    from sceneset.edits.fix_subset import fix_subsets
    from sceneset.quality.ignored import ignored_findings

    if catalog is None:
        raise UsageError(f"{args.what[0]} is not a delivery, and this folder is not in a registry")
    for word in args.what:
        if os.sep in word and not _is_subset(Path(word), catalog):
            raise UsageError(
                f"{word} is neither a delivery with the folder img_dir nor the folder of a subset; "
                "add a delivery of another format first, then use `sceneset fix SUBSET --apply`"
            )
    if args.to:
        raise UsageError("--to is for deliveries; use --apply to change subsets in place")
    names = resolve_query(catalog, subsets=[Path(word).name for word in args.what]).subsets
    fixed = fix_subsets(catalog, names, options, apply=args.apply, progress=progress, notify=say)
    next_step = "Next: git add . && git commit, dvc push, sceneset release"
    if fixed is None:
        if args.json:
            print_json({"changed": True, "finished": True, "samples": [], "files_left": []})
        else:
            say(next_step)
        return FINE
    exit_code = _show(fixed, args, [], changed=args.apply, next_step=next_step)
    if args.apply and not args.json:  # the lineage may be a new file
        print_findings(ignored_findings(catalog), view=View.of(args))
    return exit_code


def _is_subset(folder: Path, catalog: "Catalog | None") -> bool:
    return catalog is not None and folder.resolve().parent == catalog.paths.subset("x").parent


_LISTED = 10
"""More samples are shown by rule, unless --all is given."""


def _translated(reason: str) -> str:
    """Return a reason in the reader's language.

    It is a message, a message and a hint joined by "; ", or the name of a file and a message.
    """
    from sceneset.cli.language import translate

    parts = reason.split("; ")
    for place in range(len(parts) - 1, 0, -1):
        message, hint = "; ".join(parts[:place]), "; ".join(parts[place:])
        if translate(message) != message and translate(hint) != hint:
            return f"{translate(message)}；{translate(hint)}"
    whole = translate(reason)
    for space in re.finditer(" ", reason) if whole == reason else ():
        message = reason[space.end() :]
        if translate(message) != message:
            return f"{reason[: space.end()]}{translate(message)}"
    return whole


def _show_by_rule(fixed: "list[FixedSample]", limit: int) -> None:
    """Print for each rule how many samples were fixed, or not and why, and the first of them."""
    from sceneset.catalog.subset_folder import printable
    from sceneset.cli.output import print_table, say

    done: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}
    reasons: dict[str, list[str]] = {}
    for f in fixed:
        sample = "/".join(filter(None, (f.subset, f.phase, printable(f.stem))))
        for code in f.fixed:
            done.setdefault(code, []).append(sample)
        for code, why in (*f.unfixed, *f.notes):
            left.setdefault(code, []).append(sample)
            reasons.setdefault(code, []).append(why)

    def first(samples: list[str]) -> str:
        return ", ".join(samples[:limit]) + ", ..." * (len(samples) > limit)

    if done:
        print_table(
            ("fixed", "samples", "first samples"),
            [(code, len(samples), first(samples)) for code, samples in done.items()],
            right=("samples",),
        )
    if left:
        print_table(
            ("not fixed", "samples", "because", "first samples"),
            [
                (
                    code,
                    len(samples),
                    _translated(reasons[code][0]) + ", ..." * (len(set(reasons[code])) > 1),
                    first(samples),
                )
                for code, samples in left.items()
            ],
            right=("samples",),
        )
    say("--all lists every sample")


def _show(
    fixed: "list[FixedSample]",
    args: argparse.Namespace,
    left: "list[Finding]",
    *,
    changed: bool,
    next_step: str,
) -> int:
    """Print the result, and return the exit code.

    Args:
        fixed: The samples that were fixed, or could not be.
        args: The arguments of the command.
        left: Errors about other files.
        changed: Whether files were written.
        next_step: What to do after a fix.
    """
    from sceneset.catalog.subset_folder import printable
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.counts import counted

    exit_code = FINDINGS if left or any(f.unfixed for f in fixed) else FINE
    if args.json:
        samples = [
            {
                "phase": f.phase,
                "stem": printable(f.stem),
                "new_stem": printable(f.new_stem),
                "done": f.fixed,
                "left": [{"rule": code, "why": why} for code, why in f.unfixed],
                "notes": [{"rule": code, "why": why} for code, why in f.notes],
                "subset": f.subset,
            }
            for f in fixed
        ]
        files = [{"file": p.file, "rule": p.code, "why": p.message} for p in left]
        print_json({"changed": changed, "samples": samples, "files_left": files})
        return exit_code
    columns = ("sample", "new stem", "fixed", "not fixed, because")
    rows = [
        (
            "/".join(filter(None, (f.subset, f.phase, printable(f.stem)))),
            f.new_stem if f.new_stem != f.stem else None,
            ", ".join(f.fixed),
            "; ".join(f"{code}: {_translated(why)}" for code, why in (*f.unfixed, *f.notes)),
        )
        for f in fixed
    ]
    if args.shown_all or len(rows) <= _LISTED:
        if rows:
            print_table(columns, rows)
    else:
        _show_by_rule(fixed, View.of(args).limit)
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
    print_findings(left, view=View.of(args))
    if changed and fixed_count:
        say(next_step)
    elif args.to:
        say(f"{args.to} is a copy of the delivery without changes")
    else:
        say("nothing was changed")
    return exit_code
