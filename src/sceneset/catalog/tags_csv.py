"""Read tags from CSV files, reporting every error with its line, and write them as CSV."""

import csv
import gc
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.tag import Tag
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import schema_finding

COLUMNS = tuple(Tag.model_fields)
_TAGS = TypeAdapter(list[Tag])


def read_tags(path: Path, shown: str, *, subset: str = "", hint: str = "") -> list[Tag]:
    """Return the tags of a subset, in the order of the file.

    Args:
        path: The CSV file.
        shown: The path in messages.
        subset: The subset's name in messages.
        hint: The hint if the file is missing or can't be read.

    Raises:
        FindingsError: All errors of the file, each with line, column and hint.
    """
    return [tag for tag, _ in tags_with_lines(path, shown, subset=subset, hint=hint)]


def tags_with_lines(
    path: Path, shown: str, *, subset: str = "", hint: str = ""
) -> list[tuple[Tag, int]]:
    """Return the tags of a subset, each with its line number; see `read_tags`."""
    return parse_tags(read_text(path, shown, hint=hint), shown, subset=subset)


def parse_tags(text: str, shown: str, *, subset: str = "") -> list[tuple[Tag, int]]:
    """Return the tags in the text of a file, each with its line number; see `read_tags`."""
    # Spreadsheet programs write a byte order mark at the start of a UTF-8 file.
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    with _paused_garbage_collection():
        rows, lines = _rows(text, shown, subset)
        try:
            tags = _TAGS.validate_python(rows)
        except ValidationError as error:
            raise FindingsError(
                schema_finding(
                    d | {"loc": d["loc"][1:]}, Tag, shown, lines[int(d["loc"][0])], subset
                )
                for d in error.errors(include_url=False)
            ) from None
    first_line: dict[tuple[str, str], int] = {}
    duplicates = []
    for tag, line in zip(tags, lines, strict=True):
        if tag.key in first_line:
            duplicates.append(
                finding(
                    "tag-duplicate",
                    f"{tag.phase} {tag.stem!r} already has a row on line {first_line[tag.key]}",
                    subset=subset,
                    file=shown,
                    row=line,
                    hint="write all scenes of a sample in one row, separated by ';'",
                )
            )
        first_line.setdefault(tag.key, line)
    if duplicates:
        raise FindingsError(duplicates)
    return list(zip(tags, lines, strict=True))


@contextmanager
def _paused_garbage_collection() -> Iterator[None]:
    """Pause garbage collection, which would visit all rows again and again and free none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _rows(text: str, shown: str, subset: str) -> tuple[list[dict[str, str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    findings: list[Finding] = []

    def report(message: str, hint: str) -> None:
        findings.append(
            finding(
                "csv-broken",
                message,
                subset=subset,
                file=shown,
                row=reader.line_num or 1,
                hint=hint,
            )
        )

    try:
        header = [name.strip() for name in next(reader, [])]
        unknown = [name for name in header if name not in COLUMNS]
        if unknown or not {"phase", "stem"} <= set(header) or len(set(header)) < len(header):
            report(
                f"the columns are {', '.join(header) or 'missing'}",
                f"write this first line: {','.join(COLUMNS)}",
            )
            raise FindingsError(findings)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                report(
                    f"{len(row)} values for {len(header)} columns",
                    "put quotes around values that contain a comma",
                )
                continue
            rows.append(dict(zip(header, row, strict=True)))
            lines.append(reader.line_num)
    except csv.Error as error:
        report(str(error), "write plain CSV; double a quote inside quotes")
    if findings:
        raise FindingsError(findings)
    return rows, lines


def tags_text(tags: Iterable[Tag]) -> str:
    """Return tags as CSV, sorted by phase and stem, with LF line ends and fixed columns.

    The last column, origin, is written only if a tag has a value for it, which only crops do.
    """
    ordered = sorted(tags, key=lambda tag: tag.key)
    columns = COLUMNS if any(tag.origin for tag in ordered) else COLUMNS[:-1]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for tag in ordered:
        fields = tag.model_dump()
        writer.writerow(["" if fields[name] is None else fields[name] for name in columns])
    return out.getvalue()
