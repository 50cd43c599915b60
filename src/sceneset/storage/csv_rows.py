"""Read the rows of CSV text one by one, with a limit on the length of each, and write rows.

The csv module limits fields, but not rows: a row may go on over many lines, and a file of commas is
one row of millions of values. Its usual source, io.StringIO, copies the text with 4 bytes for each
character.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from sceneset.storage.conflict_markers import CONFLICT, CONFLICT_HINT, conflict_line

MAX_ROW = 100_000
"""Most characters of a row, with the line ends in its quoted values."""

_LONE_RETURN = re.compile(r"\r(?!\n)")
_LINE = re.compile(r"[^\r\n]++(?:\r\n|\r|\n)?|\r\n|\r|\n")


class BrokenRowError(Exception):
    """The text is no CSV; the message says why.

    Attributes:
        line: The number of the line.
        hint: How to fix it.
    """

    def __init__(self, message: str, line: int, hint: str) -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint


def csv_rows(text: str, *, strict: bool = True) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of CSV text, each with the number of its last line.

    Args:
        text: The text; a byte order mark at its start is skipped.
        strict: Whether quotes in unexpected places are errors.

    Raises:
        BrokenRowError: The text is no CSV, a row is too long, or git's merge is not finished.
    """
    if strict and (line := conflict_line(text)):
        raise BrokenRowError(CONFLICT, line, CONFLICT_HINT)
    taken = 0

    def lines() -> Iterator[str]:
        nonlocal taken
        for start, end in _spans(text):
            taken += end - start
            if taken > MAX_ROW:
                raise BrokenRowError(
                    f"the line is longer than {MAX_ROW:,} characters",
                    reader.line_num + 1,
                    "write one row on each line",
                )
            yield text[start:end]

    reader = csv.reader(lines(), strict=strict)
    try:
        for row in reader:
            taken = 0
            yield reader.line_num, row
    except csv.Error as error:
        hint = "write plain CSV; double a quote inside quotes"
        raise BrokenRowError(str(error), max(reader.line_num, 1), hint) from None


def csv_text(
    header: Iterable[object], rows: Iterable[Iterable[object]], *, line_end: str = "\n"
) -> str:
    """Return a first line and rows as CSV text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each line starts and ends, without copying the text."""
    start = 1 if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0
    if "\r" in text and _LONE_RETURN.search(text):  # line ends of old Macintosh programs
        for line in _LINE.finditer(text, start):
            yield line.span()
        return
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield start, end
        start = end
