"""Suggest which samples to look at again. Hints are no findings: the exit code stays 0.

With --model, a segmentation model looks at each image, in a process of its own, and the samples
whose masks differ most from what it sees come first. Such models are blind to small, distant and
many people; what a model does not see counts only as far as it sees the rest of the mask. The file
is an .onnx or .tflite file of yours; none is part of sceneset. docs/suggest.md says how to get one.
"""

import argparse
from pathlib import Path

from sceneset.cli.commands.sources import add_internal, add_query, add_remote, add_source
from sceneset.cli.exit_codes import FINE
from sceneset.cli.picture_sheets import add_sheet
from sceneset.errors import UsageError

EXAMPLES = r"""
  sceneset suggest --model selfie_segmentation.tflite
  sceneset suggest ski --model FILE --sort unmarked --view ~/look.html --open
  sceneset suggest --subset demo-full --model FILE --to ~/relabel.csv
  sceneset suggest --model unet.onnx --prepare imagenet,512x512 --output logit
"""
_LIMIT = 20
_MOST = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a segmentation model, .onnx or .tflite: the samples whose masks differ most from "
        "what it sees",
    )
    parser.add_argument(
        "--prepare",
        metavar="WORDS",
        default="",
        help="what the model was trained with, separated by commas: rgb or bgr; stretch or "
        "letterbox; 0-1, -1-1, 0-255 or imagenet; mean=A/B/C; std=A/B/C; 256x256 if the model "
        "leaves its size open (default: rgb,stretch,0-1)",
    )
    parser.add_argument(
        "--output",
        metavar="KIND",
        default="probability",
        help="what the model's output means: probability of a person (default), logit, or class=N "
        "if each class has a channel and N is person",
    )
    parser.add_argument(
        "--model-license",
        metavar="TEXT",
        default="",
        help="the licence of the model, which is noted with the results (default: what the file "
        "says)",
    )
    parser.add_argument(
        "--sort",
        choices=("disagreement", "unmarked"),
        default="disagreement",
        help="put first what differs most (default), or the largest persons without a mask",
    )
    parser.add_argument(
        "--limit",
        type=_number,
        default=_LIMIT,
        metavar="N",
        help=f"samples to list (default: {_LIMIT})",
    )
    parser.add_argument(
        "--to",
        type=_list_file,
        metavar="FILE",
        help="write the listed samples to relabel: a table for `tag --csv` (.csv), or one sample "
        "per line for --stems-file (.txt)",
    )
    add_sheet(parser, "draw the listed samples with their masks as an .html or .png file")
    parser.add_argument(
        "--fetch", action="store_true", help="download files that are not on this machine"
    )
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number from 1 to {_MOST:,}")
    return int(text)


def _list_file(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in {".csv", ".txt"}:
        raise argparse.ArgumentTypeError(f"{text!r}: end the name with .csv or .txt")
    return path


def run(args: argparse.Namespace) -> int:
    """Look at the samples and print hints."""
    from sceneset.cli.picture_sheets import check_options
    from sceneset.cli.second_look import print_second_look

    check_options(args)
    if args.model is None:
        raise UsageError("name a segmentation model with --model FILE")
    print_second_look(args)
    return FINE
