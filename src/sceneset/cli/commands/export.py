"""Write the samples of some scenes, of any version, in a format that other tools read.

Only the selected samples are downloaded, and every file is verified. What the format can't hold is
printed, and DIR/left_out.csv lists each sample and detail that is left out, with the reason. If an
export is interrupted, run the same command again to resume it. docs/formats.md describes the
formats.
"""

import argparse
from pathlib import Path

from sceneset.cli.argument_types import whole_number
from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_remote,
    add_source,
    ask_on_terminal,
)
from sceneset.cli.exit_codes import FINDINGS, FINE

EXAMPLES = r"""
  sceneset export coco ski --to ~/data/ski-coco
  sceneset export coco 滑雪 冲浪 --persons single --phase train --to ~/data/sea
  sceneset export coco ski --rev 1.2.0 --repo https://example.com/people.git \
      --to ~/data/ski-coco
  sceneset export coco --polygons --scene-as class --to ~/data/all
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from sceneset.exports.registry import built_in_names

    parser.add_argument("format", metavar="FORMAT", help=", ".join(built_in_names()))
    add_query(parser)
    add_source(parser)
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--scene-as",
        choices=("metadata", "class", "folder"),
        default="metadata",
        help="write scenes as metadata where the format has such (default), as classes instead of "
        "the class person, or as folders",
    )
    parser.add_argument(
        "--polygons",
        action="store_true",
        help="write polygons where the format also has exact masks; holes are filled",
    )
    parser.add_argument(
        "--merged", action="store_true", help="write one folder for all subsets (mmseg)"
    )
    parser.add_argument(
        "--shard-bytes",
        type=whole_number(1),
        metavar="N",
        help="start another file after N bytes, in formats that pack samples",
    )
    parser.add_argument(
        "--parquet", action="store_true", help="pack images and masks into Parquet files (hf)"
    )
    parser.add_argument(
        "--link",
        choices=("copy", "hard", "ref"),
        default="copy",
        help="how files are taken from DVC's cache: copies (default), or hard links or reflinks, "
        "which save space but must not be edited",
    )
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Export the samples and report what is left out."""
    from sceneset.api import Registry
    from sceneset.cli.output import print_json, progress, say
    from sceneset.cli.output_files import warn_if_committed

    done = Registry.open(args.repo, args.rev, progress=progress).export(
        args.format,
        *args.scene,
        to=args.to,
        persons=args.persons,
        phases=args.phase,
        subsets=args.subset,
        scene_as=args.scene_as,
        polygons=args.polygons,
        merged=args.merged,
        shard_bytes=args.shard_bytes,
        parquet=args.parquet,
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
        _print_outcome(done, args.to)
    warn_if_committed(args.to)
    return FINDINGS if done.bad else FINE


TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from sceneset.exports.types import Exported


def _print_outcome(done: "Exported", to: Path) -> None:
    """Print what was written and what was not."""
    from sceneset.cli.language import is_chinese, translate
    from sceneset.cli.output import say
    from sceneset.counts import counted

    if done.withdrawn:
        left_out = counted(done.withdrawn, "withdrawn sample was", "withdrawn samples were")
        say(f"{left_out} left out", style="yellow")
    if done.restricted:
        left_out = counted(done.restricted, "restricted sample was", "restricted samples were")
        say(f"{left_out} left out; {to}/left_out.csv names the restrictions", style="yellow")
    for path, why in done.bad.items():
        say(f"{path}: {translate(why)}", style="red")
    if done.loses:
        colon = "：" if is_chinese() else ": "
        say(f"{done.format}{colon}{translate(done.loses)}")
    for note in done.notes:
        say(note, style="yellow")
    if done.left_out:
        rows = counted(done.left_out, "sample or detail is", "samples or details are")
        say(f"{rows} left out; {to}/left_out.csv says which and why", style="yellow")
    say(
        f"{counted(done.samples, 'sample')} written to {to} as {done.format}, "
        f"{counted(done.fetched, 'file')} downloaded from the remote",
        style="bold red" if done.bad else "green",
    )
