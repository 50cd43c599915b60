"""Read files with one line for each image: metadata.jsonl and metadata.csv."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from sceneset.errors import fail
from sceneset.formats.tree import Tree
from sceneset.formats.types import Report
from sceneset.schemas.finding import MAX_ALIKE, finding

_MAX_LINE = 16 << 20  # bytes
_HINT = "correct the line, or get the file again"


def metadata_rows(tree: Tree, file: str, report: Report) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the values of each line; report lines that can't be read.

    Raises:
        FindingsError: The file can't be read, or is not UTF-8.
    """
    broken = 0
    lines = _lines(tree, file)
    rows = _json_rows(lines) if file.endswith(".jsonl") else _csv_rows(lines, file)
    for number, values in rows:
        if isinstance(values, dict):
            yield number, values
            continue
        broken += 1
        if broken <= MAX_ALIKE:
            report(finding("annotation-broken", values, file=file, row=number, hint=_HINT))
    if broken > MAX_ALIKE:
        message = f"{broken - MAX_ALIKE:,} more lines can't be read"
        report(finding("annotation-broken", message, file=file, hint=_HINT))


def _lines(tree: Tree, file: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with tree.path(file).open("rb") as stream:
            while line := stream.readline(_MAX_LINE + 1):
                number += 1
                if len(line) > _MAX_LINE:
                    fail("annotation-broken", "the line is too long", file=file, row=number)
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                yield number, text
    except UnicodeDecodeError as error:
        fail(
            "annotation-broken",
            f"is not UTF-8: {error.reason}",
            file=file,
            row=number,
            hint="save it as UTF-8",
        )
    except OSError as error:
        fail("file-unreadable", f"can't be read: {error.strerror}", file=file)


def _json_rows(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in lines:
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, f"is not JSON: {error}"[:200]
            continue
        yield number, values if isinstance(values, dict) else "is not a JSON object"


def _csv_rows(
    lines: Iterator[tuple[int, str]], file: str
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.reader(line for _, line in lines)
    try:
        header = next(reader, [])
        for row in reader:
            if len(row) == len(header):
                yield reader.line_num, dict(zip(header, row, strict=True))
            elif row:
                yield reader.line_num, f"has {len(row)} values for {len(header)} columns"
    except csv.Error as error:
        fail("annotation-broken", f"is no CSV: {error}", file=file, row=reader.line_num)
