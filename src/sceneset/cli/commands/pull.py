"""Get the images and masks of a scene, of a version, into a folder of their own.

DIR/<subset>/{img_dir,ann_dir,split_dir} is what mmsegmentation reads. Blobs are asked for by
content hash, so the cost follows the scene and not the subset; every file is verified. What was
cut off goes on where it stopped when the same command is given again.
"""

import argparse
from pathlib import Path

from sceneset.cli.commands.sources import add_query, add_source
from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = """
  sceneset pull ski --to ~/data/ski
  sceneset pull 滑雪 冲浪 --persons single --phase train --to ~/data/snow-and-sea
  sceneset pull ski --rev 1.2.0 --repo https://example.com/people.git --to ~/data/ski
  sceneset pull night_city --masks-only --to ~/data/masks
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_query(parser)
    add_source(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--masks-only", action="store_true", help="leave the images out")
    only.add_argument("--images-only", action="store_true", help="leave the masks out")
    parser.add_argument(
        "--link",
        choices=("copy", "hard", "sym", "ref"),
        default="copy",
        help="how files come out of DVC's cache (default: copy). Linked files must not be edited",
    )
    parser.add_argument("--remote", metavar="NAME", help="another DVC remote than the default")
    parser.add_argument("--json", action="store_true", help="print the outcome as one object")


def run(args: argparse.Namespace) -> int:
    """Pull, and say what could not be had."""
    from sceneset.api import Registry
    from sceneset.cli.output import print_json, progress, say

    done = Registry.open(args.repo, args.rev).pull(
        *args.scene,
        to=args.to,
        persons=args.persons,
        phases=args.phase,
        subsets=args.subset,
        folders=["img_dir"] * (not args.masks_only) + ["ann_dir"] * (not args.images_only),
        link=args.link,
        remote=args.remote,
        progress=progress,
    )
    if args.json:
        print_json(vars(done))
    else:
        if done.forgotten:
            say(f"{done.forgotten} samples were withdrawn and are left out", style="yellow")
        for path, why in sorted(done.bad.items()):
            say(f"{path}: {why}", style="red")
        good = done.files - len(done.bad)
        say(
            f"{good} of {done.files} files are in {args.to}, {done.fetched} came from the remote",
            style="bold red" if done.bad else "green",
        )
    return FINDINGS if done.bad else FINE
