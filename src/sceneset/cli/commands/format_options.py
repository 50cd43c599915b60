"""Arguments of `sceneset add` for deliveries in annotation formats."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.formats.archives import Opened
    from sceneset.formats.types import Format, Options

_OPTIONS = {
    "value_map": "--map",
    "person": "--person",
    "crowd": "--crowd",
    "annotated_as": "--annotated-as",
    "resize_masks": "--resize-masks",
    "threshold": "--threshold",
    "scenes": "--scenes",
    "scenes_from": "--scenes-from",
}


def add_format_options(parser: argparse.ArgumentParser, *, with_scenes: bool = True) -> None:
    """Add --format and the options that say how an annotation is read.

    Args:
        parser: The parser.
        with_scenes: Whether to add --scenes and --scenes-from.
    """
    group = parser.add_argument_group("annotation formats")
    group.add_argument(
        "--format",
        metavar="F",
        help="the format of the delivery, for example coco or labelme (default: it is recognized, "
        "and shown); `sceneset formats` lists them",
    )
    group.add_argument(
        "--map",
        dest="value_map",
        metavar="VALUES",
        help="what values of mask files mean: 15=person,255=ignore; 1..=person; 1..=instance if "
        "each value is one person; '#c08080=person' for colors",
    )
    group.add_argument(
        "--person",
        action="append",
        default=[],
        metavar="NAME",
        help="a class of the annotation that is a person (default: person, human, 人...); may be "
        "given several times",
    )
    group.add_argument(
        "--crowd",
        choices=("ignore", "person"),
        help="what regions of uncounted people become (default: ignore)",
    )
    group.add_argument(
        "--annotated-as",
        choices=("stored", "shown"),
        help="whether annotations of images with an EXIF orientation fit the pixels as stored or "
        "the picture as shown (default: recognized by the sizes)",
    )
    group.add_argument(
        "--resize-masks",
        choices=("nearest",),
        help="bring masks of another size to the size of their image",
    )
    group.add_argument(
        "--threshold",
        metavar="T",
        help="soft masks: 0.5, or 0.1:0.9 to ignore the levels between",
    )
    parser.set_defaults(scenes=None, scenes_from=[])
    if not with_scenes:
        return
    group.add_argument(
        "--scenes-from",
        action="append",
        default=[],
        choices=("category", "caption", "folder", "csv"),
        help="propose scenes from words of the delivery: print a CSV (phase, stem, scenes, reason) "
        "to look at, and add nothing; may be given several times",
    )
    group.add_argument(
        "--scenes",
        type=Path,
        metavar="FILE",
        help="the CSV of --scenes-from, corrected: the scenes of the samples; persons, boxes and "
        "sources of the annotation are kept",
    )


def format_of(
    args: argparse.Namespace, opened: "Opened", work: Path
) -> "tuple[Format | None, Options, str]":
    """Return the annotation format of a delivery, its options and why it was recognized.

    The format is None for the Custom layout.

    Args:
        args: The arguments of the command.
        opened: The delivery, its archives extracted.
        work: A folder for files that a format makes.

    Raises:
        UsageError: The options do not fit.
        FindingsError: No format fits, or several do.
    """
    from sceneset.formats.mask_values import parse_mapping
    from sceneset.formats.registry import CUSTOM, choose_format, find_format
    from sceneset.formats.types import Options
    from sceneset.schemas.terms import fold_name

    is_custom = args.format == CUSTOM or (
        args.format is None and (not opened.root.is_dir() or opened.is_custom)
    )
    if is_custom:
        given = [option for name, option in _OPTIONS.items() if getattr(args, name)]
        if given and not opened.root.is_dir():
            raise UsageError(f"{args.delivery}: there is no such folder or archive")
        if given:
            raise UsageError(
                f"{given[0]} is for annotation formats, but the delivery has the Custom layout "
                "(img_dir, ann_dir); omit it, or use `sceneset fix`"
            )
        return None, Options(), ""
    mapping, colours = parse_mapping(args.value_map) if args.value_map else (None, ())
    options = Options(
        mapping=mapping if mapping != parse_mapping("")[0] else None,
        colours=colours,
        crowd=args.crowd,
        annotated_as=args.annotated_as,
        resize_masks=args.resize_masks,
        threshold=_threshold(args.threshold),
        names=frozenset(map(fold_name, args.person)),
    )
    if args.format:
        return find_format(args.format), options, ""
    form, why = choose_format(opened.tree(work))
    reason = f"looks like {form.title}: {why}"
    return form, options, reason


def _threshold(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    low, colon, high = text.partition(":")
    try:
        bounds = (float(low), float(high if colon else low))
    except ValueError:
        bounds = (0.0, 0.0)
    if not 0 < bounds[0] <= bounds[1] <= 1:
        raise UsageError(f"--threshold {text}: write a number above 0 and up to 1, or LOW:HIGH")
    return bounds
