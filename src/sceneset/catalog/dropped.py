"""Read and write registry/dropped.csv: what people took out of new versions, and why.

Old versions keep it. The record is no part of a state; it only lets commands say what happened.
Rows are sorted, each on a line of its own, so git merges the lines of two branches.
"""

import csv
import io
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, GitError, fail
from sceneset.schemas.dropped import DroppedRow
from sceneset.schemas.finding import MAX_ALIKE, capped
from sceneset.storage.csv_rows import BrokenRowError, csv_rows
from sceneset.storage.files import decoded, read_text
from sceneset.storage.git import read_object
from sceneset.storage.yaml_files import schema_finding

DROPPED_FILE = "registry/dropped.csv"
_COLUMNS = tuple(DroppedRow.model_fields)


def read_dropped(root: Path) -> list[DroppedRow]:
    """Return the record of a registry, sorted; nothing if the file does not exist.

    Raises:
        FindingsError: The file can't be read.
    """
    path = root / DROPPED_FILE
    return parse_dropped(read_text(path, DROPPED_FILE)) if path.exists() else []


def dropped_since(catalog: Catalog) -> list[DroppedRow]:
    """Return what was dropped or retired after the revision of a registry that is read.

    The working tree says so, or for a repository without one its HEAD. Nothing is known about the
    working tree itself.

    Raises:
        FindingsError: A record can't be read.
    """
    origin = catalog.origin
    if origin is None:
        return []
    known = set(read_dropped(catalog.root))
    rows = read_dropped(catalog.project) if catalog.project != catalog.root else []
    with suppress(GitError):  # HEAD may point nowhere, and may have no such file
        name = f"HEAD:{origin.prefix}{DROPPED_FILE}"
        data = read_object(origin.git, name)
        rows += parse_dropped(decoded(data, DROPPED_FILE))
    return sorted(set(rows) - known, key=lambda row: row.sort_key)


def parse_dropped(text: str) -> list[DroppedRow]:
    """Return the rows in the text of a record, sorted and without duplicates.

    Raises:
        FindingsError: The text is no such record; the first errors, each with its line.
    """
    rows: set[DroppedRow] = set()
    errors = []
    try:
        for line, values in csv_rows(text):
            if not values or tuple(values) == _COLUMNS:  # a merge may repeat the header
                continue
            fields: dict[str, str] = dict(zip(_COLUMNS, values, strict=False))
            if len(values) > len(_COLUMNS):
                fields["more"] = values[len(_COLUMNS)]
            try:
                rows.add(DroppedRow.model_validate(fields))
            except ValidationError as error:
                errors += [(line, detail) for detail in error.errors(include_url=False)]
                if len(errors) > MAX_ALIKE:
                    break
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=DROPPED_FILE, row=error.line, hint=error.hint)
    if errors:
        raise FindingsError(
            capped(errors, lambda at: schema_finding(at[1], DroppedRow, DROPPED_FILE, at[0]))
        )
    return sorted(rows, key=lambda row: row.sort_key)


def dropped_text(rows: Iterable[DroppedRow]) -> str:
    """Return rows as CSV, sorted and without duplicates, with LF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in sorted(set(rows), key=lambda row: row.sort_key):
        writer.writerow([getattr(row, name) for name in _COLUMNS])
    return out.getvalue()
