"""Add the row to findings about tags and scene tables, so that an editor can open it.

The checks compare parsed values, which have no lines. The files are read again only if they have
findings.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding
from sceneset.storage.csv_rows import BrokenRowError, csv_rows
from sceneset.storage.files import read_text
from sceneset.storage.yaml_bounds import MAX_YAML
from sceneset.storage.yaml_parser import FieldPath, parse

FindRows = Callable[[Path, list[Finding]], list[int | None]]


def with_rows(catalog: Catalog, findings: Iterable[Finding]) -> list[Finding]:
    """Return findings with the rows of tags and of fields of entries, where one exists."""
    findings = list(findings)
    subsets = {p.subset for p in findings if p.subset and p.row is None}
    for name in subsets:
        for path, find in (
            (catalog.paths.tags(name), _tag_rows),
            (catalog.paths.entry(name), _entry_rows),
        ):
            findings = _placed(findings, path, catalog.paths.relative(path), find)
    return findings


def with_tag_rows(findings: Iterable[Finding], path: Path) -> list[Finding]:
    """Return findings with the rows of a CSV file of tags that findings call by its name."""
    return _placed(list(findings), path, path.name, _tag_rows)


def _placed(findings: list[Finding], path: Path, shown: str, find: FindRows) -> list[Finding]:
    places = [n for n, p in enumerate(findings) if p.file == shown and p.row is None]
    if not places:
        return findings
    try:
        rows = find(path, [findings[n] for n in places])
    except (FindingsError, BrokenRowError):
        return findings  # the file is reported by the check that reads it first
    for place, row in zip(places, rows, strict=True):
        if row:
            findings[place] = findings[place].model_copy(update={"row": row})
    return findings


def _tag_rows(path: Path, findings: list[Finding]) -> list[int | None]:
    wanted = {(p.phase, p.stem) for p in findings}
    lines: dict[tuple[str, str], int] = {}
    rows = csv_rows(read_text(path, path.name))
    header = [name.strip() for name in next(rows, (1, []))[1]]
    if not {"phase", "stem"} <= set(header):
        return [None] * len(findings)
    phase, stem = header.index("phase"), header.index("stem")
    for line, row in rows:
        if len(row) == len(header) and (key := (row[phase], row[stem])) in wanted:
            lines.setdefault(key, line)
    return [lines.get((p.phase, p.stem)) for p in findings]


def _entry_rows(path: Path, findings: list[Finding]) -> list[int | None]:
    document = parse(read_text(path, path.name, limit=MAX_YAML), path.name)
    return [document.line(_field_path(p)) for p in findings]


def _field_path(found: Finding) -> FieldPath:
    """Return the path of a field such as "splits[3].images", where rows are counted from 1."""
    parts: list[str | int] = []
    for number, name in re.findall(r"\[(\d+)\]|([^.\[\]]+)", found.field or "splits"):
        parts.append(int(number) - 1 if number else name)
    return tuple(parts)
