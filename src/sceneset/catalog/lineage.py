"""Read and write registry/lineage/<subset>.csv, and follow files of a sample through changes.

Rows are sorted and each is on a line of its own, so git merges the changes of two branches. The
lineage is a record of what happened, not a part of the state: no stage of the pipeline reads it.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter, ValidationError

from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import schema_finding

LINEAGE_FOLDER = "registry/lineage"
COLUMNS = tuple(LineageRow.model_fields)
_ROWS = TypeAdapter(list[LineageRow])
_MAX_REASON = 200  # characters


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


def read_all_lineages(paths: Paths) -> list[LineageRow]:
    """Return the lineages of all subsets, also of subsets that are no longer listed.

    Raises:
        FindingsError: A file can't be read.
    """
    files = sorted((paths.root / LINEAGE_FOLDER).glob("[!.]*.csv"))
    return [row for file in files for row in read_lineage(paths, file.stem)]


def lineage_findings(paths: Paths) -> list[Finding]:
    """Return what is wrong with lineage files."""
    try:
        read_all_lineages(paths)
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
        FindingsError: The text is not a lineage; all errors, each with its line.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    values: list[dict[str, str]] = []
    lines: list[int] = []
    try:
        header = tuple(next(reader, ()))
        if header != COLUMNS:
            _refuse(shown, subset, 1, f"the first line is not {','.join(COLUMNS)}")
        for row in filter(None, reader):
            if len(row) != len(COLUMNS):
                count = f"{len(row)} values for {len(COLUMNS)} columns"
                _refuse(shown, subset, reader.line_num, count)
            values.append(dict(zip(COLUMNS, row, strict=True)))
            lines.append(reader.line_num)
        return sorted(set(_ROWS.validate_python(values)), key=_sort_key)
    except csv.Error as error:
        _refuse(shown, subset, reader.line_num, str(error))
    except ValidationError as error:
        raise FindingsError(
            schema_finding(
                d | {"loc": d["loc"][1:]}, LineageRow, shown, lines[int(d["loc"][0])], subset
            )
            for d in error.errors(include_url=False)
        ) from None


def _refuse(shown: str, subset: str, line: int, message: str) -> NoReturn:
    hint = "`sceneset fix` writes this file; restore it with git, and keep the rows of both sides"
    raise FindingsError(
        [finding("csv-broken", message, subset=subset, file=shown, row=line or 1, hint=hint)]
    )


def lineage_text(rows: Iterable[LineageRow]) -> str:
    """Return rows as CSV, sorted and without duplicates, with LF line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in sorted(set(rows), key=_sort_key):
        fields = row.model_dump(mode="json")
        writer.writerow([fields[name] for name in COLUMNS])
    return out.getvalue()


def _sort_key(row: LineageRow) -> tuple[str, ...]:
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


def with_related_images(images: Iterable[str], rows: Iterable[LineageRow]) -> set[str]:
    """Return image files and all files that became them or that they became, by content hash."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        neighbours[row.image_md5].add(row.new_image_md5)
        neighbours[row.new_image_md5].add(row.image_md5)
    found, waiting = set(images), list(images)
    while waiting:
        new = neighbours.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def lineage_components(rows: Iterable[LineageRow]) -> dict[str, str]:
    """Return the image files of a lineage, each with a hash that all files of its sample share."""
    parents: dict[str, str] = {}

    def root(md5: str) -> str:
        parents.setdefault(md5, md5)
        while parents[md5] != md5:
            parents[md5] = parents[parents[md5]]  # shorten the path for the next search
            md5 = parents[md5]
        return md5

    for row in rows:
        first, second = root(row.image_md5), root(row.new_image_md5)
        parents[max(first, second)] = min(first, second)
    return {md5: root(md5) for md5 in parents}
