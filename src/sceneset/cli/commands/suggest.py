"""Suggest which samples to look at again. Hints are no findings: the exit code stays 0.

With --model, a segmentation model runs on each image, in a process of its own, and the samples
whose masks differ most from what it sees come first. Such models are blind to small, distant and
many people; what a model does not see counts only as far as it sees the rest of the mask. The file
is an .onnx or .tflite file of yours; none is part of sceneset. docs/suggest.md says how to get one.

With --vectors, vectors of the images that another program computed (CLIP, DINO, ...) show which
held-out samples are far from all training samples, and which scenes the neighbours of a sample have
and it has not; with --like, which samples are similar to one.
"""

import argparse
from pathlib import Path

from sceneset.cli.argument_types import file_with, whole_number
from sceneset.cli.commands.sources import add_fetch, add_internal, add_query, add_remote, add_source
from sceneset.cli.exit_codes import FINE
from sceneset.cli.picture_sheets import add_sheet
from sceneset.errors import UsageError

EXAMPLES = r"""
  sceneset suggest --model selfie_segmentation.tflite
  sceneset suggest ski --model FILE --sort unmarked --view ~/look.html --open
  sceneset suggest --subset demo-full --model FILE --to ~/relabel.csv
  sceneset suggest --model unet.onnx --prepare imagenet,512x512 --output logit
  sceneset suggest --vectors clip.parquet
  sceneset suggest --vectors clip.parquet --like demo-full/train/ski_0000
"""
_LIMIT = 20
_MOST = 100_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="a segmentation model, .onnx or .tflite: the samples whose masks differ most from "
        "what it sees",
    )
    kind.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help="a Parquet file with a vector for each sample: columns stem (or name) and, if needed, "
        "subset and phase, and one column with lists of fractions",
    )
    parser.add_argument(
        "--like",
        metavar="SUBSET/PHASE/STEM",
        help="with --vectors: list the selected samples that are most similar to this one",
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
        type=whole_number(1, _MOST),
        default=_LIMIT,
        metavar="N",
        help=f"samples to list (default: {_LIMIT})",
    )
    parser.add_argument(
        "--to",
        type=file_with(".csv", ".txt"),
        metavar="FILE",
        help="write the listed samples to relabel: a table for `tag --csv` (.csv), or one sample "
        "per line for --stems-file (.txt)",
    )
    add_sheet(parser, "draw the listed samples with their masks as an .html or .png file")
    add_fetch(parser)
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Look at the samples and print hints."""
    from sceneset.cli.picture_sheets import check_options

    check_options(args)
    if args.vectors is not None:
        from sceneset.cli.vector_hints import print_vector_hints

        print_vector_hints(args)
        return FINE
    if args.like is not None:
        raise UsageError("--like compares vectors; add --vectors FILE")
    from sceneset.cli.second_look import print_second_look

    print_second_look(args)
    return FINE
