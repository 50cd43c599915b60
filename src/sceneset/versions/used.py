"""Read and extend registry/used.csv, the log of the runs that used a version.

Rows are sorted, each on a line of its own, and repeated rows count once. So git merges the lines of
two branches, also with `merge=union`. The log is no part of a state: a version can be used at any
time after its release.
"""

from pathlib import Path

from pydantic import ValidationError

from sceneset.catalog.reader import Catalog
from sceneset.errors import UnknownNameError, UsageError
from sceneset.paths import Paths, without_userinfo
from sceneset.schemas.used import UsedRow
from sceneset.schemas.version import Version, VersionNumber
from sceneset.storage.csv_models import models_text, read_merged_models
from sceneset.storage.files import atomic_write, read_text
from sceneset.storage.leftovers import USED_PART
from sceneset.storage.locking import exclusive_lock
from sceneset.versions.records import read_records
from sceneset.versions.resolve import LATEST

FILE = "registry/used.csv"


def used_path(paths: Paths) -> Path:
    """Return the path of the log; there is no file without a run."""
    return paths.root / FILE


def read_used(paths: Paths) -> list[UsedRow]:
    """Return the rows of the log, sorted by version, selection and run.

    Raises:
        FindingsError: The file is not such a log; all errors, each with its line.
    """
    path = used_path(paths)
    if not path.exists():
        return []
    return parse_used(read_text(path, FILE))


def parse_used(text: str) -> list[UsedRow]:
    """Return the rows in the text of a log, sorted and without duplicates; see ``read_used``."""
    return sorted(read_merged_models(text, UsedRow, FILE), key=_sort_key)


def used_text(rows: list[UsedRow]) -> str:
    """Return rows as CSV; equal rows give equal bytes."""
    return models_text(UsedRow, sorted(set(rows), key=_sort_key))


def add_used(catalog: Catalog, run: str, version: str, selection: str = "") -> tuple[UsedRow, bool]:
    """Note that a run used a version; return the row, and whether it is new.

    Args:
        catalog: The working tree of the registry.
        run: The URL of the run; a user name and password in it are left out.
        version: The number of a released version, or "latest".
        selection: A selection of this version, or a scene; "" for all samples.

    Raises:
        UsageError: ``run`` is no URL, or there is no such version.
        UnknownNameError: The version has no such selection, and there is no such scene.
        FindingsError: The log or a record can't be read.
    """
    records = {record.version: record for record in read_records(catalog)}
    if version == LATEST and records:
        version = list(records)[-1]
    if version not in records:
        known = ", ".join(list(records)[-5:]) or "none yet"
        raise UsageError(
            f"{version!r} is no released version; write a number of `sceneset versions` ({known})"
        )
    name, digest = _selection(catalog, records[version], selection)
    try:
        row = UsedRow(version=version, selection=name, run=without_userinfo(run), digest=digest)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"the run: {message}") from None
    with exclusive_lock(catalog.paths.work / "used.lock"):  # many runs may end at once
        rows = read_used(catalog.paths)
        if row in rows:
            return row, False
        path = used_path(catalog.paths)
        with atomic_write(path, temporary=path.with_name(USED_PART)) as temporary:
            temporary.write_bytes(used_text([*rows, row]).encode())
    return row, True


def _selection(catalog: Catalog, record: Version, name: str) -> tuple[str, str]:
    """Return the name as it is noted, and the digest of a selection."""
    if name in record.selections:
        return name, record.selections[name].digest
    key = catalog.vocabulary.find(name) if name else ""
    if key is None:
        known = ", ".join(record.selections) or "none"
        raise UnknownNameError(
            f"version {record.version} has no selection {name!r}, and no scene is called so. "
            f"Selections of this version: {known}"
        )
    return key, ""


def _sort_key(row: UsedRow) -> tuple[VersionNumber, str, str, str]:
    return (VersionNumber.parse(row.version), row.selection, row.run, row.digest)
