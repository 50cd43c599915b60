"""Write registry/deliveries/<subset>.csv: where converted samples come from.

The file is a record of the delivery and not a part of the state; no stage reads it.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from sceneset.errors import fail
from sceneset.paths import Paths
from sceneset.schemas.delivered import Delivered
from sceneset.storage.csv_rows import BrokenRowError, csv_rows

DELIVERIES_FOLDER = "registry/deliveries"
_COLUMNS = tuple(Delivered.model_fields)


def deliveries_path(paths: Paths, subset: str) -> Path:
    """Return the path of the record of a subset; there is none for the Custom layout."""
    return paths.root / DELIVERIES_FOLDER / f"{subset}.csv"


def deliveries_text(samples: Iterable[Delivered]) -> str:
    """Return the record as CSV, sorted by phase and stem, with LF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for sample in sorted(samples, key=lambda sample: (sample.phase, sample.stem)):
        writer.writerow([getattr(sample, name) for name in _COLUMNS])
    return out.getvalue()


def without_samples(text: str, keys: Iterable[tuple[str, str]], shown: str) -> str:
    """Return the text of a record without the rows of some samples.

    Args:
        text: The text of the record.
        keys: The phase and stem of each sample.
        shown: How findings name the file.

    Raises:
        FindingsError: The text is no CSV.
    """
    removed = set(keys)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    try:
        for _, row in csv_rows(text, strict=False):
            if tuple(row[:2]) not in removed:
                writer.writerow(row)
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=shown, row=error.line, hint=error.hint)
    return out.getvalue()
