"""Say what changed between two states: samples, scenes, masks, colours.

States are version numbers, tags, branches or commits; without the second one the first is
compared with the registry as it stands. Images are known by content: a renamed sample is one
rename, not one sample lost and one gained. No blob is needed.
"""

import argparse

from sceneset.registry.edge import FINE

EXAMPLES = """
  sceneset diff 1.0.0 1.1.0
  sceneset diff main                    what a branch would change
  sceneset diff HEAD~1 --samples
  sceneset diff 1.0.0 1.1.0 --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("old", help="a version, tag, branch or commit")
    parser.add_argument("new", nargs="?", help="another one; left out: as it stands")
    parser.add_argument(
        "--repo", default=".", help="another registry: a folder or a git URL (default: this one)"
    )
    parser.add_argument("--samples", action="store_true", help="name every sample that changed")
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Compare, and show."""
    from sceneset.registry.catalog import Registry
    from sceneset.registry.diff import compare, drifts
    from sceneset.registry.render import console, print_json, print_table

    old = Registry.open(args.repo, args.old)
    new = Registry.open(args.repo, args.new)
    diff, moves = compare(old, new), drifts(old, new)
    if args.json:
        print_json(
            {
                "step": diff.step,
                "counts": diff.counts,
                "subsets": {"added": diff.subsets_added, "removed": diff.subsets_removed},
                "scenes": {"added": diff.scenes_added, "removed": diff.scenes_removed},
                "drift": [move._asdict() for move in moves],
                "samples": [change.as_json() for change in diff.changes] if args.samples else None,
            }
        )
        return FINE
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
    print_table(
        ("what", "how many or which"),
        [*((f"samples {kind}", count) for kind, count in diff.counts.items()), *names],
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
        print_table(
            ("change", "old", "new", "old scenes", "new scenes"),
            [
                (
                    c.kind,
                    c.old and c.old.place,
                    c.new and c.new.place,
                    c.old and ";".join(c.old.scenes),
                    c.new and ";".join(c.new.scenes),
                )
                for c in diff.changes
            ],
        )
    console().print(f"a version after this is at least a {diff.step} step")
    return FINE
