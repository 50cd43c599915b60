"""Labels that `sceneset export` writes beside an annotation, which has no place for them.

An exported folder that comes in again keeps the number of persons and boxes and the source of each
sample, also where the format has one instance for all persons of an image.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from sceneset.errors import FindingsError
from sceneset.formats.tree import Tree
from sceneset.formats.types import Labels
from sceneset.schemas.terms import Persons
from sceneset.storage.csv_rows import BrokenRowError, csv_rows
from sceneset.storage.files import read_text

_RECORD, _TABLE = "sceneset.json", "samples.csv"
_MAX_BOXES = 1_000_000


def is_export(folder: Path) -> bool:
    """Return whether `sceneset export` wrote a folder, with the labels of its samples."""
    return all((folder / name).is_file() for name in (_RECORD, _TABLE))


def labels_of(fields: object) -> Labels | None:
    """Return the labels in fields that `sceneset export` wrote for one sample, or None.

    Args:
        fields: An object with the subset and, where they are known, persons, boxes and source.
    """
    if not isinstance(fields, Mapping) or not isinstance(fields.get("subset"), str):
        return None
    persons, boxes, source = (fields.get(name) for name in ("persons", "boxes", "source"))
    if isinstance(boxes, str) and boxes.isascii() and boxes.isdigit() and len(boxes) < 9:
        boxes = int(boxes)
    is_count = isinstance(boxes, int) and not isinstance(boxes, bool) and 0 <= boxes <= _MAX_BOXES
    return Labels(
        persons=Persons(persons) if persons in set(Persons) else None,
        boxes=boxes if is_count and isinstance(boxes, int) else None,
        source=source if isinstance(source, str) else "",
    )


def labels_of_files(tree: Tree) -> dict[str, Labels]:
    """Return the labels in samples.csv of an exported folder, by image."""
    if not {_RECORD, _TABLE} <= set(tree.folders.get("", ())):
        return {}
    found = {}
    with suppress(FindingsError, BrokenRowError):
        rows = csv_rows(read_text(tree.path(_TABLE), _TABLE), strict=False)
        _, header = next(rows, (1, []))
        for _, row in rows:
            fields = dict(zip(header, row, strict=False))
            labels = labels_of(fields)
            if labels and fields.get("file"):
                found[fields["file"]] = labels
    return found
