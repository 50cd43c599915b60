"""Write registry/deliveries/<subset>.csv: where converted samples come from.

The file is a record of the delivery and not a part of the state; no stage reads it.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sceneset.errors import fail
from sceneset.paths import Paths
from sceneset.schemas.delivered import Delivered
from sceneset.storage.csv_models import models_text
from sceneset.storage.csv_rows import BrokenRowError, csv_rows, csv_text

DELIVERIES_FOLDER = "registry/deliveries"


def deliveries_path(paths: Paths, subset: str) -> Path:
    """Return the path of the record of a subset; there is none for the Custom layout."""
    return paths.root / DELIVERIES_FOLDER / f"{subset}.csv"


def deliveries_text(samples: Iterable[Delivered]) -> str:
    """Return the record as CSV, sorted by phase and stem, with LF line ends."""
    return models_text(Delivered, sorted(samples, key=lambda sample: (sample.phase, sample.stem)))


def with_more_samples(text: str, samples: Iterable[Delivered], shown: str) -> str:
    """Return the text of a record with more samples.

    Args:
        text: The text of the record; "" if there is none.
        samples: The further samples.
        shown: How findings name the file.

    Raises:
        FindingsError: The text is no CSV.
    """
    header, *added = csv.reader(io.StringIO(deliveries_text(samples)))
    try:
        rows = [row for _, row in csv_rows(text, strict=False)]
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=shown, row=error.line, hint=error.hint)
    return csv_text(rows[0] if rows else header, sorted([*rows[1:], *added]))


def with_other_keys(text: str, keys: Mapping[Any, tuple[str, str] | None], shown: str) -> str:
    """Return the text of a record whose samples have other names, or are left out.

    Args:
        text: The text of the record.
        keys: The new phase and stem of each changed sample; None for a removed one.
        shown: How findings name the file.

    Raises:
        FindingsError: The text is no CSV.
    """
    rows = []
    try:
        header, *lines = (row for _, row in csv_rows(text, strict=False))
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=shown, row=error.line, hint=error.hint)
    except ValueError:  # an empty file
        return text
    for row in lines:
        old = (row[0], row[1]) if len(row) > 1 else ("", "")
        new = keys.get(old, old)
        if new is not None:
            rows.append([*new, *row[2:]] if len(row) > 1 else row)
    return csv_text(header, rows if set(keys.values()) == {None} else sorted(rows))
