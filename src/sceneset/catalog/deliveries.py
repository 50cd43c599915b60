"""Write registry/deliveries/<subset>.csv: where converted samples come from.

The file is a record of the delivery and not a part of the state; no stage reads it.
"""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from sceneset.paths import Paths
from sceneset.schemas.delivered import Delivered

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


def without_samples(text: str, keys: Iterable[tuple[str, str]]) -> str:
    """Return the text of a record without the rows of some samples, given as phase and stem."""
    removed = set(keys)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    for row in csv.reader(io.StringIO(text, newline="")):
        if tuple(row[:2]) not in removed:
            writer.writerow(row)
    return out.getvalue()
