"""Read and write registry/dropped.csv: what people took out of new versions, and why.

Old versions keep it. The record is no part of a state; it only lets commands say what happened.
Rows are sorted, each on a line of its own, so git merges the lines of two branches.
"""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import GitError
from sceneset.schemas.dropped import DroppedRow
from sceneset.storage.csv_models import models_text, read_merged_models
from sceneset.storage.files import decoded, read_text
from sceneset.storage.git import read_object

DROPPED_FILE = "registry/dropped.csv"


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
    rows = read_merged_models(text, DroppedRow, DROPPED_FILE)
    return sorted(rows, key=lambda row: row.sort_key)


def dropped_text(rows: Iterable[DroppedRow]) -> str:
    """Return rows as CSV, sorted and without duplicates, with LF line ends."""
    return models_text(DroppedRow, sorted(set(rows), key=lambda row: row.sort_key))
