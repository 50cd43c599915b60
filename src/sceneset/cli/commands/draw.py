"""Draw a delivery: people-like figures on varied scenes, with exact masks and split files.

For trying things without a photo. The same arguments draw the same files.
"""

import argparse
from pathlib import Path

from sceneset.registry.edge import FINE, UsageError
from sceneset.schemas.words import Kind

EXAMPLES = """
  sceneset draw /tmp/delivery --images 60
  sceneset draw /tmp/delivery --images 20 --scene ski --scene 冲浪 --seed 7
  sceneset draw /tmp/crops --kind crop --images 30 --size 192x256
"""


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    size = int(width), int(height)
    if not all(24 <= side <= 4096 for side in size):
        raise argparse.ArgumentTypeError("sides are 24 to 4096 pixels")
    return size


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument("--images", type=int, default=50, help="how many samples (default 50)")
    parser.add_argument(
        "--scene", action="append", default=[], help="only these scenes, in any of their names"
    )
    parser.add_argument("--kind", choices=[k.value for k in Kind], default="full")
    parser.add_argument("--size", type=_size, default=(320, 240), help="WIDTHxHEIGHT, 320x240")
    parser.add_argument("--seed", type=int, default=1, help="another number, other pictures")


def run(args: argparse.Namespace) -> int:
    """Draw it."""
    from sceneset.registry import query
    from sceneset.registry.catalog import Registry
    from sceneset.registry.drawing.backdrop import SCENES
    from sceneset.registry.drawing.delivery import draw_delivery, plan
    from sceneset.registry.files import new_folder
    from sceneset.registry.render import progress, say

    registry = Registry.open()
    if args.images < 1:
        raise UsageError("--images is at least 1")
    if args.folder.exists() and (not args.folder.is_dir() or any(args.folder.iterdir())):
        raise UsageError(f"{args.folder} is not an empty folder; name a new one")
    asked = query.ask(registry, args.scene)
    scenes = asked.scenes or tuple(key for key in registry.vocabulary.by_key if key in SCENES)
    strange = [scene for scene in scenes if scene not in SCENES]
    if strange or not scenes:
        raise UsageError(
            f"{', '.join(strange) or 'nothing'} can't be drawn; {', '.join(SCENES)} can"
        )
    plans = list(plan(scenes, args.images, Kind(args.kind)))
    with new_folder(args.folder) as aside:
        drawing = draw_delivery(
            aside,
            registry.vocabulary,
            plans,
            kind=Kind(args.kind),
            size=args.size,
            seed=args.seed,
        )
        for _ in progress(drawing, len(plans), "draw"):
            pass
    say(f"{len(plans)} samples are in {args.folder}. Next:")
    say(
        f"  sceneset add {args.folder} --name CustomSeg_Person_<YYYYMMDD>_<note> --kind {args.kind}"
    )
    return FINE
