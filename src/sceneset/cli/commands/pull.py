"""Download the images and masks of some scenes, of any version, into a new folder.

The files are written to DIR/<subset>/{img_dir,ann_dir,split_dir}, the layout that mmsegmentation
reads. Only the selected samples are downloaded, and every file is verified. If a pull is
interrupted, run the same command again to resume it.
"""

import argparse
from pathlib import Path

from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_remote,
    add_source,
    ask_on_terminal,
)
from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = r"""
  sceneset pull ski --to ~/data/ski
  sceneset pull 滑雪 冲浪 --persons single --phase train --to ~/data/snow-sea
  sceneset pull ski --rev 1.2.0 --repo https://example.com/people.git \
      --to ~/data/ski
  sceneset pull night_city --masks-only --to ~/data/masks
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--masks-only", action="store_true", help="do not download images")
    only.add_argument("--images-only", action="store_true", help="do not download masks")
    parser.add_argument(
        "--link",
        choices=("copy", "hard", "sym", "ref"),
        default="copy",
        help="how files are taken from DVC's cache: copies (default), or hard, symbolic or "
        "reflinks, which save space but must not be edited",
    )
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Pull the samples and report files that could not be fetched."""
    from sceneset.api import Registry
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_json, progress, say
    from sceneset.cli.output_files import warn_if_committed
    from sceneset.counts import counted

    done = Registry.open(args.repo, args.rev, progress=progress).pull(
        *args.scene,
        to=args.to,
        persons=args.persons,
        phases=args.phase,
        subsets=args.subset,
        folders=["img_dir"] * (not args.masks_only) + ["ann_dir"] * (not args.images_only),
        internal=args.internal,
        link=args.link,
        remote=args.remote,
        progress=progress,
        ask=ask_on_terminal,
        notify=say,
    )
    if args.json:
        print_json(vars(done))
    else:
        if done.forgotten:
            left_out = counted(done.forgotten, "withdrawn sample was", "withdrawn samples were")
            say(f"{left_out} left out", style="yellow")
        if done.restricted:
            left_out = counted(
                done.restricted, "sample for internal use was", "samples for internal use were"
            )
            say(f"{left_out} left out; --internal includes them, if you may", style="yellow")
        for reason, count in done.dropped.items():
            were = "of these samples was" if count == 1 else "of these samples were"
            say(f"{count:,} {were} dropped since ({reason})", style="yellow")
        for subset, reason in done.retired.items():
            say(f"{subset} was retired since: {reason}", style="yellow")
        for path, why in sorted(done.bad.items()):
            say(f"{path}: {translate(why)}", style="red")
        good = done.files - len(done.bad)
        say(
            f"{good:,} of {counted(done.files, 'file')} written to {args.to}, "
            f"{done.fetched:,} downloaded from the remote",
            style="bold red" if done.bad else "green",
        )
    warn_if_committed(args.to)
    return FINDINGS if done.bad else FINE
