"""Read crops.csv of a delivery that `sceneset crop --to` wrote."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from sceneset.catalog.crops import CROPS_FILE, iter_crops
from sceneset.errors import FindingsError
from sceneset.schemas.crop import CropRow
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import read_text


def read_crops_file(folder: Path) -> tuple[list[CropRow], list[Finding]]:
    """Return how the samples of a delivery were cut, and findings on the file.

    Args:
        folder: The delivery. Most have no such file.
    """
    path = folder / CROPS_FILE
    if not path.is_file():
        return [], []
    try:
        return list(iter_crops(read_text(path, CROPS_FILE), CROPS_FILE)), []
    except FindingsError as error:
        return [], error.findings


def changed_crops(crops: Sequence[CropRow], rows: Iterable[ScanRow]) -> list[Finding]:
    """Return errors on crops whose image is another one now.

    `sceneset forget` could not find the crops of an image by such a row.

    Args:
        crops: The rows of crops.csv.
        rows: The delivered samples as they were measured.
    """
    images = {row.key: row.image_md5 for row in rows} if crops else {}
    changed = (row for row in crops if images.get(row.key, row.image_md5) != row.image_md5)
    return capped(
        changed,
        lambda row: finding(
            "csv-broken",
            f"{row.phase}/{row.stem} is another image than the one that was cut",
            file=CROPS_FILE,
            hint="run `sceneset crop` again, or delete the row",
        ),
    )
