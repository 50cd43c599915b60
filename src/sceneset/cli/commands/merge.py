"""Merge the registry's files after `git merge`, `git rebase` or `git cherry-pick`.

Git merges lines, so two branches that each added a subset are in conflict in generated files. Run
`sceneset merge` when git reports conflicts: it merges sources by sample and field, scans by
content, and the files that people do not edit are made again. No image is needed. Everything is
staged for the commit. If both branches gave one field different values, nothing is changed and
every such place is listed: edit these files and `git add` them, or use --ours or --theirs.

With --install-driver, git merges the sources in the same way itself, in this clone.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINDINGS, FINE

if TYPE_CHECKING:
    from sceneset.edits.merge import Merged

EXAMPLES = """
  git merge main; sceneset merge && git commit --no-edit
  git rebase main; sceneset merge && git rebase --continue
  sceneset merge --dry-run    list what would be merged
  sceneset merge --theirs     where both changed a value, take the other branch
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument(
        "--ours", action="store_true", help="where both sides changed a value, take ours"
    )
    sides.add_argument(
        "--theirs", action="store_true", help="where both sides changed a value, take theirs"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done, change nothing"
    )
    parser.add_argument(
        "--install-driver",
        action="store_true",
        help="let git merge sources by their meaning in this clone (a line in .git/config)",
    )
    parser.add_argument(
        "--driver",
        nargs=4,
        metavar=("BASE", "OURS", "THEIRS", "PATH"),
        help="merge one file; git calls this",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Merge, and print what was merged and what is left."""
    from pathlib import Path

    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import print_json, progress, say
    from sceneset.edits.merge import merge
    from sceneset.edits.merge_driver import install_driver, merge_file
    from sceneset.edits.merge_values import Side

    if args.driver:
        base, ours, theirs, name = args.driver
        is_merged = merge_file(Path(base), Path(ours), Path(theirs), name)
        return FINE if is_merged else FINDINGS
    root = Catalog.find().root
    if args.install_driver:
        install_driver(root)
        say("git merges the sources of registries by their meaning in this clone", style="green")
        return FINE
    prefer = Side.OURS if args.ours else Side.THEIRS if args.theirs else None
    merged = merge(root, prefer=prefer, dry_run=args.dry_run, notify=say, progress=progress)
    if args.json:
        print_json(merged._asdict() | {"changed": not args.dry_run})
    else:
        _show(merged, dry_run=args.dry_run)
    return FINDINGS if merged.left else FINE


def _show(merged: "Merged", *, dry_run: bool) -> None:
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_lines, say
    from sceneset.counts import counted

    for title, names in (
        ("merged by sample and field:", merged.files),
        ("made again:", merged.derived),
        ("merge these by hand, then run `git add`:", merged.left),
    ):
        if names:
            print_lines([(translate(title), "bold"), *((f"  {name}", "") for name in names)])
    if dry_run:
        say("nothing was changed")
        return
    if not merged.files and not merged.derived and not merged.in_progress:
        say("no file is unmerged; generated files are current", style="green")
        return
    say(f"{counted(len(merged.files), 'file was', 'files were')} merged", style="green")
    if merged.outdated:
        title = "`dvc pull` brings these folders to the merged state; their blobs are not here:"
        lines = [(f"  {folder}", "") for folder in merged.outdated]
        print_lines([(translate(title), "yellow"), *lines])
    if merged.in_progress and not merged.left:
        say("Next: git commit --no-edit (or git rebase --continue), then dvc push")
