"""Read and write registry/crops/<subset>.csv: the original of each crop, and how it was cut.

The file is a record of the cutting and not a part of the state; no stage reads it. `sceneset
forget` does, to find the crops of an image.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError

from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.crop import CropRow
from sceneset.schemas.finding import capped, finding
from sceneset.storage.csv_rows import BrokenRowError, csv_rows
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import schema_finding

CROPS_FOLDER = "registry/crops"
CROPS_FILE = "crops.csv"
"""Name of the file in a delivery of crops."""
COLUMNS = tuple(CropRow.model_fields)
_ROWS = TypeAdapter(list[CropRow])
_BATCH = 10_000  # rows that are validated together
_HINT = "`sceneset crop` writes this file; restore it with git"


def crops_path(paths: Paths, subset: str) -> Path:
    """Return the path of the record of a subset; there is none unless `sceneset crop` cut it."""
    return paths.root / CROPS_FOLDER / f"{subset}.csv"


def crops_text(rows: Iterable[CropRow]) -> str:
    """Return the record as CSV, sorted by phase and stem, with LF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(rows, key=lambda row: row.key):
        fields = row.model_dump(mode="json")
        writer.writerow([fields[name] for name in COLUMNS])
    return out.getvalue()


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
    rows = _values(text, shown, subset)
    while batch := list(islice(rows, _BATCH)):
        try:
            yield from _ROWS.validate_python([values for _, values in batch])
        except ValidationError as error:
            details = error.errors(include_url=False)
            raise FindingsError(
                capped(
                    details,
                    lambda detail: schema_finding(
                        detail | {"loc": detail["loc"][1:]},
                        CropRow,
                        shown,
                        batch[int(detail["loc"][0])][0],
                        subset,
                    ),
                )
            ) from None


def _values(text: str, shown: str, subset: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line with its values."""
    try:
        rows = csv_rows(text)
        if tuple(next(rows, (1, []))[1]) != COLUMNS:
            _refuse(shown, subset, 1, f"the first line is not {','.join(COLUMNS)}")
        for line, row in rows:
            if len(row) == len(COLUMNS):
                yield line, dict(zip(COLUMNS, row, strict=True))
            elif row:
                _refuse(shown, subset, line, f"{len(row)} values for {len(COLUMNS)} columns")
    except BrokenRowError as error:
        _refuse(shown, subset, error.line, str(error))


def _refuse(shown: str, subset: str, line: int, message: str) -> NoReturn:
    raise FindingsError(
        [finding("csv-broken", message, subset=subset, file=shown, row=line or 1, hint=_HINT)]
    )
