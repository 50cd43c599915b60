"""Draw a delivery: images of people in scenes, with exact masks and split files.

    python demo/draw.py /tmp/delivery --images 60
    python demo/draw.py /tmp/delivery --images 20 --scene ski --scene 冲浪 --seed 7
    python demo/draw.py /tmp/crops --kind crop --images 30 --size 192x256
    python demo/draw.py /tmp/drop.zip --coco --images 10 --scene ski

Run it in a registry, because scene names come from the vocabulary of the registry. The same
arguments draw the same files.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from drawing.backdrop import SCENES
from drawing.delivery import draw_delivery, plan
from drawing.vendor import pack_coco
from sceneset import Registry
from sceneset.catalog.query import resolve_query
from sceneset.cli.exit_codes import FINE, guarded
from sceneset.cli.output import progress, say
from sceneset.counts import counted
from sceneset.errors import UsageError
from sceneset.schemas.terms import Kind, Persons
from sceneset.storage.files import atomic_folder, atomic_write
from sceneset.storage.leftovers import temporary_folder


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    size = int(width), int(height)
    if not all(24 <= side <= 4096 for side in size):
        raise argparse.ArgumentTypeError("each side must have 24 to 4096 pixels")
    return size


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, metavar="DIR", help="a new or empty folder; with --coco, a zip"
    )
    parser.add_argument("--images", type=int, default=50, help="number of samples (default: 50)")
    parser.add_argument(
        "--scene",
        action="append",
        default=[],
        help="a scene, by any of its names; can be repeated (default: all)",
    )
    parser.add_argument("--kind", choices=[k.value for k in Kind], default="full")
    parser.add_argument(
        "--size",
        type=_size,
        default=(320, 240),
        help="width and height in pixels (default: 320x240)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="a different seed draws different images"
    )
    parser.add_argument(
        "--coco",
        action="store_true",
        help="write a zip with COCO annotations instead, one person in each image",
    )
    return parser


def _folder(args: argparse.Namespace) -> AbstractContextManager[Path]:
    """Return the folder to draw into: the destination, or a temporary one."""
    return temporary_folder() if args.coco else atomic_folder(args.folder)


def draw(args: argparse.Namespace) -> int:
    """Draw the delivery; an interrupted run leaves no files."""
    registry = Registry.open()
    if args.images < 1:
        raise UsageError("--images must be at least 1")
    if args.coco and args.folder.is_dir():
        raise UsageError(f"{args.folder} is a folder; name a zip")
    is_used = args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir()))
    if is_used and not args.coco:
        raise UsageError(f"{args.folder} is not an empty folder; choose a new one")
    selected = resolve_query(registry, args.scene).scenes
    scenes = selected or tuple(key for key in registry.vocabulary.by_key if key in SCENES)
    unknown = [scene for scene in scenes if scene not in SCENES]
    if unknown or not scenes:
        raise UsageError(
            f"can't draw {', '.join(unknown) or 'a registry without scenes'}; "
            f"these scenes can be drawn: {', '.join(SCENES)}"
        )
    plans = list(plan(scenes, args.images, Kind(args.kind)))
    if args.coco:
        plans = [sample._replace(persons=Persons.SINGLE) for sample in plans]
    with _folder(args) as folder:
        drawing = draw_delivery(
            folder,
            registry.vocabulary,
            plans,
            kind=Kind(args.kind),
            size=args.size,
            seed=args.seed,
        )
        for _ in progress(drawing, len(plans), "draw"):
            pass
        if args.coco:
            with atomic_write(args.folder) as path:
                pack_coco(folder, plans, path)
    say(f"{counted(len(plans), 'sample')} drawn into {args.folder}. Next:")
    say(
        f"  sceneset add {shlex.quote(str(args.folder))} "
        f"--name CustomSeg_Person_<YYYYMMDD>_<note> --kind {args.kind}"
    )
    return FINE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    args = _parser().parse_args(arguments)
    return guarded(lambda: draw(args))


if __name__ == "__main__":
    sys.exit(main())
