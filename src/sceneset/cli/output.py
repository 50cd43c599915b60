"""Print tables, lines, messages and progress: in color on a terminal, plain when piped.

Results go to stdout, messages and progress to stderr. Messages and headers are printed in the
reader's language.
"""

import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from sceneset.cli.language import translate
from sceneset.cli.streams import ignore_closed_pipe
from sceneset.cli.text_width import shorten, terminal_width, visible, width_of, wrap

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from rich.console import Console

    T = TypeVar("T")

_PLAIN_WIDTH = 100_000  # piped text is never wrapped
_SENTENCE = 30
"""Columns of text with spaces are first narrowed to this width."""
_NARROWEST = 10
"""Names are not shortened to fewer columns, except where nothing else helps."""


@cache
def console(*, stderr: bool = False) -> "Console":
    """Return the console of stdout or stderr."""
    from rich import console as rich

    class Console(rich.Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # handled by ignore_closed_pipe; rich would exit with 1

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


class Label(str):
    """A cell of a table with words of the program, which are translated; other cells are data."""

    __slots__ = ()


def say(text: str, *, style: str = "") -> None:
    """Print a message to stderr; a closed stderr is ignored.

    On a terminal, long messages are wrapped between words. Lines that start with two spaces are
    commands to copy, and are never wrapped.
    """
    lines = visible(translate(text)).split("\n")
    if sys.stderr.isatty():
        columns = terminal_width()
        lines = [
            part
            for line in lines
            for part in ([line] if line.startswith("  ") else wrap(line, columns, whole_words=True))
        ]
    print_lines([(line, style) for line in lines], stderr=True)


def print_text(text: str, *, style: str = "", is_data: bool = False) -> None:
    """Print a text to stdout; on a terminal it is wrapped between words.

    Args:
        text: The text.
        style: Its style on a terminal.
        is_data: Whether people wrote the text, so that it is not translated.
    """
    lines = [visible(line) for line in (text if is_data else translate(text)).split("\n")]
    if sys.stdout.isatty():
        columns = terminal_width()
        lines = [part for line in lines for part in wrap(line, columns, whole_words=True)]
    print_lines([(line, style) for line in lines])


def print_lines(lines: "Iterable[tuple[str, str]]", *, stderr: bool = False) -> None:
    """Print lines, each with a style that is used on a terminal only; they are not wrapped."""
    stream = sys.stderr if stderr else sys.stdout
    with ignore_closed_pipe(stream):
        if not stream.isatty():
            stream.writelines(f"{line}\n" for line, _ in lines)
            return
        out = console(stderr=stderr)
        for line, style in lines:
            out.print(line, style=style or None, soft_wrap=True)


def print_json(value: "Any") -> None:
    """Print one JSON value."""
    import json

    with ignore_closed_pipe():
        json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    right: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> None:
    """Print a table to stdout. Piped tables are never wrapped or shortened.

    On a terminal that is too narrow, values of the first column that repeat become headings of
    tables of their own. Where this is not enough, the columns in ``optional`` are left out, in this
    order, and then texts are wrapped and names shortened in the middle.

    Args:
        columns: The headers.
        rows: One cell for each column; None is shown as an empty cell.
        right: Names of the columns that are aligned to the right.
        optional: Names of columns that can be left out.
    """
    names = list(columns)
    cells = [[_cell(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        places = {names.index(name) for name in right}
        with ignore_closed_pipe():
            sys.stdout.writelines(_plain([translate(name) for name in names], cells, places))
        return
    available = terminal_width()
    repeats = len({row[0] for row in cells}) < len(cells)
    for name in (None, *optional):
        if name is not None:
            place = names.index(name)
            del names[place]
            cells = [row[:place] + row[place + 1 :] for row in cells]
        is_narrow = _table_width(names, cells) <= available
        if is_narrow or (repeats and _table_width(names[1:], _rest(cells)) <= available):
            break
    if is_narrow or not repeats:
        _print_fitted(names, cells, right, available)
        return
    for heading, group in groupby(cells, key=lambda row: row[0]):
        print_lines([(shorten(heading, available), "bold")])
        _print_fitted(names[1:], _rest(group), right, available)


def _rest(rows: Iterable[Sequence[str]]) -> list[Sequence[str]]:
    return [row[1:] for row in rows]


def _cell(value: object) -> str:
    if isinstance(value, Label):
        value = translate(str(value))
    return "" if value is None else visible(str(value))


def _print_fitted(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Container[str], available: int
) -> None:
    """Print a table on a terminal; wide cells are wrapped, long names shortened in the middle."""
    places = {place for place, name in enumerate(columns) if name in right}
    headers = [translate(name) for name in columns]
    widths = _fitted_widths(headers, rows, places, available)
    lines: list[tuple[str, str]] = []
    for number, row in enumerate([headers, *rows]):
        wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for height in range(max(map(len, wrapped))):
            cells = [part[height] if height < len(part) else "" for part in wrapped]
            lines.append((_padded(cells, widths, places), "" if number else "bold"))
    print_lines([*lines, ("", "")])


def _fitted_widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int], available: int
) -> list[int]:
    """Return the widths of columns that fit a terminal: the widest ones are made narrower."""
    widths = _widths(columns, rows)
    least = [
        width if place in right else min(width, max(_NARROWEST, _longest_word(columns[place])))
        for place, width in enumerate(widths)
    ]
    can_wrap = [any(" " in row[place] for row in rows) for place in range(len(columns))]
    excess = sum(widths) + 2 * (len(widths) - 1) - available
    for only_sentences in (True, False):  # wrapping sentences is better than shortening names
        while excess > 0:
            places = [
                place
                for place, width in enumerate(widths)
                if width > (_SENTENCE if only_sentences else least[place])
                and (can_wrap[place] or not only_sentences)
                and place not in right
            ]
            if not places:
                break
            widest = max(places, key=lambda place: widths[place])
            widths[widest] -= 1
            excess -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(map(width_of, text.split()), default=0)


def _plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int]
) -> Iterator[str]:
    """Yield the lines of a table, padded with spaces; rich would load longer than a look-up."""
    widths = _widths(columns, rows)
    for line in [columns, *rows]:
        yield _padded(line, widths, right) + "\n"


def _padded(cells: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    padded = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        blank = " " * (width - width_of(cell))
        padded.append(blank + cell if place in right else cell + blank)
    return "  ".join(padded).rstrip()


def _table_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the columns of a terminal a table needs if only long sentences are wrapped."""
    sentences = {i for i in range(len(columns)) if any(row[i].count(" ") > 2 for row in rows)}
    widths = _widths(columns, rows)
    needed = [min(width, 30) if i in sentences else width for i, width in enumerate(widths)]
    return sum(needed) + 2 * (len(columns) - 1)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width_of, column)) for column in zip(columns, *rows, strict=True)]


def progress(items: "Iterable[T]", total: int, what: str) -> "Iterator[T]":
    """Yield ``items``, with a progress bar if stderr is a terminal (see ``sceneset.progress``)."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f}/s" if task.speed else "")

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with bar:
        yield from bar.track(items, total=total, description=translate(what))
