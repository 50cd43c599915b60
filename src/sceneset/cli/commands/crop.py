"""Cut one person of each original image out around a detector's box, as a subset of kind crop.

SOURCE is a registered subset (by name, or a unique part of it) or a delivery: a folder or archive
that `add` reads. Each box is grown, clipped to the picture and cut, with its mask. Originals whose
people are not separate from each other give no crop. Crops keep phase, scenes and provenance of
their original. What gives no crop is listed with the reason; if the boxes have errors, nothing is
changed. docs/crop.md explains it.
"""

import argparse
from pathlib import Path

from sceneset.cli.argument_types import file_with, whole_number
from sceneset.cli.commands.format_options import add_format_options
from sceneset.cli.commands.sources import add_fetch, add_remote, add_source, add_view
from sceneset.errors import UsageError, fail

EXAMPLES = r"""
  sceneset crop demo-full --boxes boxes.json --dry-run \
      --name CustomSeg_Person_20240118_crops      show what would be cut
  sceneset crop demo-full --boxes boxes.json \
      --name CustomSeg_Person_20240118_crops
  sceneset crop web --rev 1.2.0 --boxes results.json --images val.json \
      --name CustomSeg_Person_20240118_crops --grow 0.2
  sceneset crop ~/delivery --boxes ~/delivery/labels --to ~/crops \
      --name CustomSeg_Person_20240118_crops
  sceneset crop web --detector nanodet.onnx --model-license Apache-2.0 \
      --name CustomSeg_Person_20240118_crops
  sceneset crop web --boxes cvat.xml --others refuse --min-gap 20 \
      --name CustomSeg_Person_20240118_crops
"""
_MAX_GROW = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a registered subset, or the folder of a delivery"
    )
    add_source(parser)
    parser.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="the boxes: COCO results or annotations (.json), CVAT XML, or YOLO labels (a folder "
        "of .txt)",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE",
        help="the COCO file that lists the images of COCO results",
    )
    parser.add_argument(
        "--name", required=True, help="the new subset: CustomSeg_Person_<YYYYMMDD>_<note>"
    )
    _add_detector(parser)
    cut = parser.add_argument_group("what is cut (defaults: crops in params.yaml)")
    cut.add_argument(
        "--grow",
        type=_grow,
        metavar="RATIO",
        help="move each side of a box outwards by this share of its width or height",
    )
    cut.add_argument(
        "--max-iou",
        type=_share,
        metavar="IOU",
        help="refuse originals with two boxes of a larger intersection over union",
    )
    cut.add_argument(
        "--min-gap",
        type=_pixels,
        metavar="PIXELS",
        help="refuse originals with two boxes that are closer",
    )
    cut.add_argument(
        "--min-side", type=_pixels, metavar="PIXELS", help="leave out boxes with a shorter side"
    )
    cut.add_argument(
        "--min-score", type=_share, metavar="SCORE", help="leave out boxes with a lower score"
    )
    cut.add_argument(
        "--others",
        choices=("ignore", "refuse"),
        default="ignore",
        help="what happens to pixels of other people in a crop: they become 255, to ignore "
        "(default), or the crop is refused",
    )
    cut.add_argument(
        "--boxes-as",
        choices=("stored", "shown"),
        help="whether boxes of images with an EXIF orientation fit the pixels as stored or the "
        "picture as shown (default: recognized by the sizes)",
    )
    cut.add_argument(
        "--jpeg",
        type=whole_number(1, 100),
        metavar="QUALITY",
        help="write JPEG files of this quality, 1 to 100 (default: PNG, which keeps each pixel)",
    )
    parser.add_argument(
        "--skip-bad",
        action="store_true",
        help="go on without the boxes and images that have errors; they are listed",
    )
    parser.add_argument(
        "--refused",
        type=file_with(".csv"),
        metavar="FILE",
        help="write everything that gives no crop (.csv)",
    )
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="write the crops into a new folder, register nothing"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="show the findings and the crops, change nothing"
    )
    add_fetch(parser)
    parser.add_argument(
        "--internal",
        action="store_true",
        help="crop originals for internal use too; their crops keep the restriction",
    )
    add_remote(parser)
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    add_format_options(parser, with_scenes=False)


def _add_detector(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("a detector in place of --boxes")
    group.add_argument(
        "--detector",
        type=Path,
        metavar="FILE",
        help="find the boxes with this model (.onnx); crops record its digest and license",
    )
    group.add_argument(
        "--decoder",
        choices=("yolo", "yolo-objectness", "yolo-end-to-end", "nanodet", "torchvision"),
        metavar="KIND",
        help="what its outputs are: yolo, yolo-objectness, yolo-end-to-end, nanodet or torchvision "
        "(default: recognized by their shapes)",
    )
    group.add_argument(
        "--prepare",
        metavar="WORDS",
        default="",
        help="how pictures are prepared, separated by commas: rgb or bgr; stretch or letterbox; "
        "0-1, -1-1, 0-255 or imagenet; mean=A/B/C; std=A/B/C; 640x640 if the model leaves its size "
        "open (default: as models of its kind are trained)",
    )
    group.add_argument(
        "--model-license",
        metavar="TEXT",
        default="",
        help="the license of the model, if its file does not say it",
    )


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number from {low:g} to {high:g}")
    return value


def _grow(text: str) -> float:
    return _number(text, 0, _MAX_GROW)


def _share(text: str) -> float:
    return _number(text, 0, 1)


def _pixels(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number of pixels")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Cut the crops, check them, and add or write them."""
    from sceneset.catalog.crops import CROPS_FILE
    from sceneset.cli.crop_job import CropJob, RefusedError
    from sceneset.cli.new_folder import new_folder
    from sceneset.edits.ingest import refuse_taken_name
    from sceneset.schemas.names import SubsetName
    from sceneset.storage.leftovers import sweep_temporary_folders, temporary_folder
    from sceneset.versions.destination import check_untracked

    sweep_temporary_folders()  # also if this command was killed when it was complete
    try:
        args.name = str(SubsetName(args.name))
    except ValueError as error:
        fail("subset-name", str(error), file="--name")
    _check(args)
    with temporary_folder() as work:
        job = CropJob(args, work)
        if not args.to:
            refuse_taken_name(job.home, args.name, can_grow=False)
        if args.dry_run or not args.to:
            folder = work / "crops"
            folder.mkdir()
            return job.run(folder)
        check_untracked(args.to.resolve())
        try:
            with new_folder(args.to, last=CROPS_FILE) as content:
                if content is None:  # a killed run had written it
                    return job.say_written()
                job.run_or_raise(content)
        except RefusedError as refused:
            return refused.code
        return job.say_written()


def _check(args: argparse.Namespace) -> None:
    """Refuse options that do not fit together."""
    if bool(args.boxes) == bool(args.detector):
        raise UsageError("give the boxes with --boxes FILE, or a detector with --detector FILE")
    if args.images and args.detector:
        raise UsageError("--images belongs to --boxes; leave it out with --detector")
    if not args.detector and (args.decoder or args.prepare or args.model_license):
        raise UsageError(
            "--decoder, --prepare and --model-license are about a detector; add --detector FILE"
        )
