"""Draw a delivery: images of people in scenes, with exact masks and split files.

    python demo/draw.py /tmp/delivery --images 60
    python demo/draw.py /tmp/delivery --images 20 --scene ski --scene 冲浪 --seed 7
    python demo/draw.py /tmp/crops --kind crop --images 30 --size 192x256

Run it in a registry, because scene names come from the vocabulary of the registry. The same
arguments draw the same files.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from drawing.backdrop import SCENES
from drawing.delivery import draw_delivery, plan
from sceneset import Registry
from sceneset.catalog.query import resolve_query
from sceneset.cli.exit_codes import FINE, guarded
from sceneset.cli.output import progress, say
from sceneset.errors import UsageError
from sceneset.schemas.terms import Kind
from sceneset.storage.files import atomic_folder


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
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
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
    return parser


def draw(args: argparse.Namespace) -> int:
    """Draw the delivery; an interrupted run leaves no files."""
    registry = Registry.open()
    if args.images < 1:
        raise UsageError("--images must be at least 1")
    if args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir())):
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
    with atomic_folder(args.folder) as folder:
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
    samples = "1 sample" if len(plans) == 1 else f"{len(plans)} samples"
    say(f"{samples} drawn into {args.folder}. Next:")
    say(
        f"  sceneset add {args.folder} --name CustomSeg_Person_<YYYYMMDD>_<note> --kind {args.kind}"
    )
    return FINE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    args = _parser().parse_args(arguments)
    return guarded(lambda: draw(args))


if __name__ == "__main__":
    sys.exit(main())
