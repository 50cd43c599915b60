"""Tags as CSV: read with every finding's line, written the same way each time."""

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

    Raises:
        ProblemsFoundError: all that is wrong, each with line, column, and what to write.
    """
    return [tag for tag, _ in tags_with_lines(path, shown, subset=subset, hint=hint)]


def tags_with_lines(
    path: Path, shown: str, *, subset: str = "", hint: str = ""
) -> list[tuple[Tag, int]]:
    """Return the tags of a subset with the line each stands on; see ``read_tags``."""
    return parse_tags(read_text(path, shown, hint=hint), shown, subset=subset)


def parse_tags(text: str, shown: str, *, subset: str = "") -> list[tuple[Tag, int]]:
    """Return the tags in a file's text with the line each stands on; see ``read_tags``."""
    # Spreadsheets put a byte order mark before UTF-8; people edit tags there.
    text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
    with _no_garbage():
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
    first: dict[tuple[str, str], int] = {}
    twice = []
    for tag, line in zip(tags, lines, strict=True):
        if tag.key in first:
            twice.append(
                finding(
                    "tag-duplicate",
                    f"{tag.phase} {tag.stem!r} has a row on line {first[tag.key]} already",
                    subset=subset,
                    file=shown,
                    row=line,
                    hint="put all scenes of a sample into one row, apart by ';'",
                )
            )
        first.setdefault(tag.key, line)
    if twice:
        raise FindingsError(twice)
    return list(zip(tags, lines, strict=True))


@contextmanager
def _no_garbage() -> Iterator[None]:
    """Let nobody look for garbage: rows only pile up, and looking takes longer than reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _rows(text: str, shown: str, subset: str) -> tuple[list[dict[str, str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    findings: list[Finding] = []

    def wrong(message: str, hint: str) -> None:
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
            wrong(
                f"the columns are {', '.join(header) or 'missing'}",
                f"write the first line as {','.join(COLUMNS)}",
            )
            raise FindingsError(findings)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                wrong(
                    f"{len(row)} values for {len(header)} columns", "quote values that hold a comma"
                )
                continue
            rows.append(dict(zip(header, row, strict=True)))
            lines.append(reader.line_num)
    except csv.Error as error:
        wrong(str(error), "write plain CSV, quotes doubled inside quotes")
    if findings:
        raise FindingsError(findings)
    return rows, lines


def tags_text(tags: Iterable[Tag]) -> str:
    """Return the file's text: sorted by phase and stem, LF, always the same columns.

    The last column, origin, stands there only if a tag says it: it is for crops.
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
