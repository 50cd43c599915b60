"""Read and write registry/crops/<subset>.csv: the original of each crop, and how it was cut.

The file is a record of the cutting and not a part of the state; no stage reads it. `sceneset
forget` does, to find the crops of an image.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sceneset.paths import Paths
from sceneset.schemas.crop import CropRow
from sceneset.storage.csv_models import models_text, read_models
from sceneset.storage.files import read_text

CROPS_FOLDER = "registry/crops"
CROPS_FILE = "crops.csv"
"""Name of the file in a delivery of crops."""
_HINT = "`sceneset crop` writes this file; restore it with git"


def crops_path(paths: Paths, subset: str) -> Path:
    """Return the path of the record of a subset; there is none unless `sceneset crop` cut it."""
    return paths.root / CROPS_FOLDER / f"{subset}.csv"


def crops_text(rows: Iterable[CropRow]) -> str:
    """Return the record as CSV, sorted by phase and stem, with LF line ends."""
    return models_text(CropRow, sorted(rows, key=lambda row: row.key))


def read_crops(paths: Paths) -> Iterator[CropRow]:
    """Yield the records of all subsets, also of subsets that are no longer listed.

    Raises:
        FindingsError: A file can't be read.
    """
    for path in sorted((paths.root / CROPS_FOLDER).glob("[!.]*.csv")):
        shown = paths.relative(path)
        yield from iter_crops(read_text(path, shown), shown, subset=path.stem)


def iter_crops(text: str, shown: str, *, subset: str = "") -> Iterator[CropRow]:
    """Yield the rows in the text of a record.

    Args:
        text: The content of the file.
        shown: The path in messages.
        subset: The subset's name in messages.

    Raises:
        FindingsError: The text is no such record; the first errors, each with its line.
    """
    return read_models(text, CropRow, shown, hint=_HINT, subset=subset)
