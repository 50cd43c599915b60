"""Measure how well predicted masks agree with the registered ones.

PREDICTIONS is a folder of masks (.png, .bmp, .tif, .npy, .npz), a COCO results file (.json), or the
counts that --to wrote (.parquet). A folder may hold SUBSET/PHASE/STEM.png, PHASE/STEM.png or
STEM.png. With --against, the masks of another version are compared. A prediction is never resized;
one that is missing, ambiguous or not clear is left out and listed, with exit code 1.
docs/evaluate.md defines each measure.
"""

import argparse
from pathlib import Path

from sceneset.cli.argument_types import file_with, whole_number
from sceneset.cli.commands.sources import (
    add_internal,
    add_query,
    add_remote,
    add_source,
)
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import add_open
from sceneset.errors import UsageError

EXAMPLES = r"""
  sceneset evaluate ~/runs/unet --rev 1.2.0
  sceneset evaluate ~/runs/unet ski --phase val --threshold 0.4
  sceneset evaluate results.json --phase val --images instances_val.json
  sceneset evaluate ~/runs/unet --to ~/unet.parquet
  sceneset evaluate ~/runs/new --compare ~/unet.parquet   what a new run changes
  sceneset evaluate --against 1.0.0 ski                   how well masks agree
"""
_WORST = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "predictions",
        nargs="?",
        metavar="PREDICTIONS",
        help="a folder of masks, a COCO results file or a file of counts; left out with --against",
    )
    add_query(parser)
    add_source(parser)
    parser.add_argument(
        "--against", metavar="REV", help="compare with the masks of this version, tag or commit"
    )
    parser.add_argument(
        "--values",
        choices=("auto", "0/1", "0/255", "probability"),
        default="auto",
        help="what values mean (default: decided for each file, refused where it is not clear)",
    )
    parser.add_argument(
        "--threshold",
        type=_share,
        metavar="P",
        help="a pixel is person from this probability on, a COCO result from this score on "
        "(default: 0.5)",
    )
    parser.add_argument(
        "--ending",
        default="",
        metavar="TEXT",
        help="what follows the stem in names of files, for example _mask",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="the COCO file that lists the images of a COCO results file",
    )
    parser.add_argument(
        "--empty",
        choices=("one", "zero", "skip", "positive"),
        default="one",
        help="what images without a person add to means: 1 if both masks are empty (default), 0, "
        "nothing, or nothing wherever the true mask is empty",
    )
    parser.add_argument(
        "--band",
        type=_share,
        action="append",
        metavar="SHARE",
        help="width of the band of Boundary IoU, as a share of the diagonal (default: 0.02; can be "
        "repeated)",
    )
    parser.add_argument(
        "--radius",
        type=_share,
        action="append",
        metavar="SHARE",
        help="distance up to which outlines match in the boundary F measure, as a share of the "
        "diagonal (default: 0.008; can be repeated)",
    )
    parser.add_argument(
        "--by",
        choices=("scene", "persons", "phase", "subset", "size"),
        action="append",
        help="group by this only (can be repeated; default: scene, persons, phase, subset and size "
        "of person)",
    )
    parser.add_argument(
        "--to",
        type=file_with(".parquet"),
        metavar="FILE",
        help="write the counts of each sample (.parquet)",
    )
    parser.add_argument(
        "--compare",
        type=file_with(".parquet"),
        metavar="FILE",
        help="compare with another run, on the samples that both have: counts that --to wrote",
    )
    parser.add_argument(
        "--html",
        type=file_with(".html"),
        metavar="FILE",
        help="write a page with pictures of the worst samples",
    )
    add_open(parser)
    parser.add_argument(
        "--worst",
        type=whole_number(0, 1000),
        default=_WORST,
        metavar="N",
        help=f"samples with the lowest IoU to list (default: {_WORST})",
    )
    parser.add_argument(
        "--fetch", action="store_true", help="download masks that are not on this machine"
    )
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number above 0 and up to 1")
    return value


def run(args: argparse.Namespace) -> int:
    """Count, measure, compare, and print."""
    from sceneset.cli.evaluation_output import print_evaluation
    from sceneset.cli.evaluation_run import FolderRun, from_counts
    from sceneset.cli.output import print_json, say

    _check(args)
    is_counted = args.predictions is not None and args.predictions.lower().endswith(".parquet")
    found = from_counts(args) if is_counted else FolderRun(args).evaluate()
    if args.to:
        from sceneset.evaluation.counts import write_counts

        write_counts(args.to, found.counts)
        say(f"counts written to {args.to}", style="green")
    if args.json:
        print_json(found.as_json())
    else:
        print_evaluation(found)
    return FINDINGS if found.has_problems else FINE


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not fit together, and put the first scene of --against in place."""
    if args.against is not None:
        if args.predictions is not None:  # with --against, there are only scenes
            args.scene = [args.predictions, *args.scene]
            args.predictions = None
        if args.images or args.ending or args.threshold or args.values != "auto":
            raise UsageError(
                "--images, --ending, --threshold and --values are about predictions in files; "
                "leave them out with --against"
            )
    elif args.predictions is None:
        raise UsageError("name a folder of predictions or a results file, or use --against REV")
    if args.open and not args.html:
        raise UsageError("--open opens the file of --html; add --html FILE")
