"""Read and write registry/lineage/<subset>.csv, and follow files of a sample through changes.

Rows are sorted and each is on a line of its own, so git merges the changes of two branches. The
lineage is a record of what happened, not a part of the state: no stage of the pipeline reads it.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.csv_models import models_text, read_models
from sceneset.storage.files import read_text

LINEAGE_FOLDER = "registry/lineage"
_MAX_REASON = 200  # characters
_HINT = "`sceneset fix` writes this file; restore it with git, and keep the rows of both sides"
_Hash = TypeVar("_Hash", str, int)


def lineage_path(paths: Paths, subset: str) -> Path:
    """Return the path of the lineage of a subset; there is no file without a change to record."""
    return paths.root / LINEAGE_FOLDER / f"{subset}.csv"


def read_lineage(paths: Paths, subset: str) -> list[LineageRow]:
    """Return the lineage of a subset, sorted; none if the file does not exist.

    Raises:
        FindingsError: The file can't be read.
    """
    path = lineage_path(paths, subset)
    if not path.exists():
        return []
    shown = paths.relative(path)
    return parse_lineage(read_text(path, shown), shown, subset=subset)


def read_all_lineages(paths: Paths) -> Iterator[LineageRow]:
    """Yield the lineages of all subsets, also of subsets that are no longer listed.

    Raises:
        FindingsError: A file can't be read.
    """
    for subset, path in _lineage_files(paths):
        shown = paths.relative(path)
        yield from iter_lineage(read_text(path, shown), shown, subset=subset)


def _lineage_files(paths: Paths) -> list[tuple[str, Path]]:
    files = sorted((paths.root / LINEAGE_FOLDER).glob("[!.]*.csv"))
    return [(file.stem, file) for file in files]


def lineage_findings(paths: Paths) -> list[Finding]:
    """Return what is wrong with lineage files."""
    try:
        for subset, path in _lineage_files(paths):
            shown = paths.relative(path)
            for _ in iter_lineage(read_text(path, shown), shown, subset=subset):
                pass  # a check keeps no rows
    except FindingsError as error:
        return list(error.findings)
    return []


def parse_lineage(text: str, shown: str, *, subset: str = "") -> list[LineageRow]:
    """Return the rows in the text of a lineage file, sorted and without duplicates.

    Args:
        text: The content of the file.
        shown: The path in messages.
        subset: The subset's name in messages.

    Raises:
        FindingsError: The text is not a lineage; the first errors, each with its line.
    """
    return sorted(set(iter_lineage(text, shown, subset=subset)), key=lineage_sort_key)


def iter_lineage(text: str, shown: str, *, subset: str = "") -> Iterator[LineageRow]:
    """Yield the rows in the text of a lineage file as they are; see `parse_lineage`."""
    return read_models(text, LineageRow, shown, hint=_HINT, subset=subset)


def lineage_text(rows: Iterable[LineageRow]) -> str:
    """Return rows as CSV, sorted and without duplicates, with LF line ends."""
    return models_text(LineageRow, sorted(set(rows), key=lineage_sort_key))


def lineage_sort_key(row: LineageRow) -> tuple[str, ...]:
    """Return what rows are sorted by."""
    return (*row.before, *row.after, row.reason)


def has_other_files(old: ScanRow, new: ScanRow) -> bool:
    """Return whether a change of a sample gave it other files or another name."""
    names = ("phase", "stem", "image_md5", "mask_md5")
    return any(getattr(old, name) != getattr(new, name) for name in names)


def lineage_row(old: ScanRow, new: ScanRow, reason: str) -> LineageRow:
    """Return the record of a change of one sample.

    Args:
        old: The sample before the change.
        new: The sample after it.
        reason: What changed it; longer texts are cut.
    """
    return LineageRow(
        phase=old.phase,
        stem=old.stem,
        image_md5=old.image_md5,
        mask_md5=old.mask_md5,
        new_phase=new.phase,
        new_stem=new.stem,
        new_image_md5=new.image_md5,
        new_mask_md5=new.mask_md5,
        reason=reason[:_MAX_REASON],
    )


def lineage_components(rows: Iterable[LineageRow]) -> dict[str, str]:
    """Return the image files of a lineage, each with a hash that all files of its sample share."""
    parents: dict[str, str] = {}
    for row in rows:
        join_groups(parents, row.image_md5, row.new_image_md5)
    return {md5: root_of(parents, md5) for md5 in parents}


def join_groups(parents: dict[_Hash, _Hash], old: _Hash, new: _Hash) -> None:
    """Record in trees of image files that two files are of one sample."""
    first, second = (root_of(parents, parents.setdefault(md5, md5)) for md5 in (old, new))
    if first < second:
        parents[second] = first
    else:
        parents[first] = second


def root_of(parents: dict[_Hash, _Hash], md5: _Hash) -> _Hash:
    """Return the smallest hash in the tree of an image file."""
    while parents[md5] != md5:
        parents[md5] = parents[parents[md5]]  # shorten the path for the next search
        md5 = parents[md5]
    return md5
