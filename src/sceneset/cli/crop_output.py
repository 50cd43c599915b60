"""Print what `sceneset crop` cut, and what gives no crop."""

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.language import translate, with_colon
from sceneset.cli.output import print_json, print_lines, say
from sceneset.cli.output_files import check_output_file
from sceneset.cli.text_width import one_line
from sceneset.counts import counted
from sceneset.cropping.types import ERRORS, Reason, Refusal
from sceneset.reporting.spreadsheet import cell_text
from sceneset.storage.csv_rows import csv_text
from sceneset.storage.files import write_text

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.cropping.run import CropSet
    from sceneset.delivery.types import Delivery

_SHOWN = 3  # examples of each reason
_CLASSES = 6  # other classes that are named
_MEANINGS = {
    Reason.BROKEN: "boxes that can't be read: numbers, score, image or class are not valid",
    Reason.OUTSIDE: "boxes outside of their image",
    Reason.OTHER_SIZE: "boxes in a picture of another size than the image",
    Reason.UNCLEAR: "boxes of turned images that may fit the pixels as stored or as shown",
    Reason.AMBIGUOUS: "names of images that fit several images, or one that another name fits",
    Reason.UNREADABLE: "images or masks that can't be read",
    Reason.DELIVERY: "samples of the delivery with errors",
    Reason.OVERLAP: "originals whose people overlap",
    Reason.CLOSE: "originals whose people are too close",
    Reason.CONNECTED: "originals whose people are connected in the mask",
    Reason.FRAMES: "originals whose grown frames overlap",
    Reason.MANY: "originals with too many boxes",
    Reason.SMALL: "boxes that are too small",
    Reason.LOW: "boxes with a low score",
    Reason.TWICE: "boxes that are in the file twice",
    Reason.CROWD: "boxes of crowds",
    Reason.EMPTY: "boxes without a person in the mask",
    Reason.PART: "boxes with less than half of the person",
    Reason.OTHERS: "crops that show other people",
    Reason.NOT_A_BOX: "shapes of persons that are no boxes",
    Reason.UNKNOWN: "image names that the source does not have",
    Reason.NO_BOX: "originals without a box",
    Reason.WITHDRAWN: "originals that were withdrawn",
    Reason.RESTRICTED: "originals with a restriction",
}


def print_crops(found: "CropSet") -> None:
    """Print the counts, and a table of what gives no crop with its first examples; to stderr."""
    for text in found.says:
        say(text)
    examples: dict[Reason, list[Refusal]] = {}
    for refusal in found.refused:
        shown = examples.setdefault(refusal.reason, [])
        if len(shown) < _SHOWN:
            shown.append(refusal)
    for reason, count in found.counts.items():
        is_error = reason in ERRORS
        word = translate("error") if is_error else translate("no crop")
        meaning, style = translate(_MEANINGS[reason]), "red" if is_error else "yellow"
        lines = [(f"{with_colon(word)}{with_colon(meaning)}{count:,} [{reason}]", style)]
        lines += [(f"  {one_line(refusal_line(refusal))}", "") for refusal in examples[reason]]
        if count > _SHOWN:
            more = translate(f"and {count - _SHOWN:,} more; --refused FILE lists all")
            lines.append((f"  {more}", ""))
        print_lines(lines, stderr=True)
    if found.seams:
        boxes = counted(
            found.seams,
            "box goes over the seam of a panorama and was cut as two",
            "boxes go over the seam of a panorama and were cut as two each",
        )
        say(boxes, style="yellow")
    if found.others:
        say(other_classes(found.others))
    ignored = sum(row.ignored > 0 for row in found.rows)
    if ignored:
        text = counted(
            ignored,
            "crop shows other people, whose pixels became 255 (ignore)",
            "crops show other people, whose pixels became 255 (ignore)",
        )
        say(text)
    say(
        f"{counted(len(found.tags), 'crop')} of {counted(found.cropped, 'original')}; the source "
        f"has {counted(found.originals, 'original')} with {counted(found.boxes, 'box', 'boxes')}",
        style="bold",
    )


def other_classes(others: Mapping[str, int]) -> str:
    """Return how many boxes or results are of other classes, the most frequent ones first."""
    names = sorted(others, key=lambda name: (-others[name], name))
    shown = ", ".join(f"{others[name]:,} {name}" for name in names[:_CLASSES])
    more = ", ..." if len(names) > _CLASSES else ""
    return f"{counted(sum(others.values()), 'box', 'boxes')} of other classes: {shown}{more}"


def check_refused_file(path: Path, catalog: "Catalog") -> None:
    """Refuse a file of --refused that would replace another one, or is inside the registry.

    Raises:
        UsageError: It is such a file.
    """
    check_output_file(path, catalog, "crop", starts=(",".join(Refusal._fields),))


def write_refused(args: argparse.Namespace, found: "CropSet") -> None:
    """Write the file of --refused, if it is given."""
    if args.refused:
        write_text(args.refused, refused_text(found.refused))
        if not args.json:
            say(f"the list of what gives no crop was written to {args.refused}")


def say_refused(args: argparse.Namespace, found: "CropSet") -> None:
    """Say why nothing is changed."""
    if args.json:
        print_json(crops_json(args.name, found, None, is_done=False))
    elif found.errors and not args.skip_bad:
        say(
            "the boxes or images have errors, so nothing was changed. Correct them, or go on "
            "without them: --skip-bad",
            style="bold red",
        )
    else:
        say("there is no crop, so nothing was changed", style="bold red")


def refusal_line(refusal: Refusal) -> str:
    """Return what gives no crop as one line."""
    place = ", ".join(filter(None, (refusal.image, refusal.place)))
    detail = translate(refusal.detail)
    return f"{with_colon(place)}{detail}" if place else detail


def refused_text(refused: Iterable[Refusal]) -> str:
    """Return everything that gives no crop as CSV, which a spreadsheet can open."""
    return csv_text(Refusal._fields, (map(cell_text, refusal) for refusal in refused))


def crops_json(
    name: str, found: "CropSet", delivery: "Delivery | None", *, is_done: bool
) -> dict[str, Any]:
    """Return what --json prints."""
    problems = delivery.findings if delivery else []
    return {
        "subset": name,
        "taken": is_done,
        "samples": len(found.tags),
        "originals": found.originals,
        "cropped": found.cropped,
        "boxes": found.boxes,
        "seams": found.seams,
        "others": dict(found.others),
        "counts": {str(reason): count for reason, count in found.counts.items()},
        "refused": [refusal._asdict() for refusal in found.refused],
        "problems": [p.model_dump(mode="json") for p in problems],
    }
