"""Print tables, findings, messages and progress: in color on a terminal, plain when piped.

Results go to stdout, messages and progress to stderr.
"""

import sys
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby

from sceneset.cli.streams import ignore_closed_pipe

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from rich.console import Console

    from sceneset.schemas.finding import Finding

    T = TypeVar("T")

_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}
_PLAIN_WIDTH = 100_000  # a piped table is never wrapped


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


def say(text: str, *, style: str = "") -> None:
    """Print a message to stderr; a closed stderr is ignored."""
    with ignore_closed_pipe(sys.stderr):
        if sys.stderr.isatty():
            console(stderr=True).print(text, style=style or None, soft_wrap=True)
        else:
            sys.stderr.write(f"{text}\n")


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

    On a terminal that is too narrow, the columns in ``optional`` are left out, in this order, until
    the table fits. If it still does not fit and values of the first column repeat, each of them
    becomes the heading of a table of its own.

    Args:
        columns: The headers.
        rows: One cell for each column; None is shown as an empty cell.
        right: Names of the columns that are aligned to the right.
        optional: Names of columns that can be left out.
    """
    names = list(columns)
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        with ignore_closed_pipe():
            sys.stdout.writelines(_plain(names, cells, {names.index(name) for name in right}))
        return
    available = console().width
    for name in optional:
        if _table_width(names, cells) > available:
            place = names.index(name)
            del names[place]
            cells = [row[:place] + row[place + 1 :] for row in cells]
    first = [row[0] for row in cells]
    if _table_width(names, cells) <= available or len(set(first)) == len(first):
        _print_wrapped(names, cells, right)
        return
    for heading, group in groupby(cells, key=lambda row: row[0]):
        console().print(heading, style="bold", overflow="fold")
        _print_wrapped(names[1:], [row[1:] for row in group], right)


def _print_wrapped(
    columns: Sequence[str], rows: Iterable[Sequence[str]], right: Container[str]
) -> None:
    """Print a table on a terminal; cells of a table that is too wide are wrapped."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table)
    console().print()


def _plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int]
) -> Iterator[str]:
    """Yield the lines of a table, padded with spaces; rich would load longer than a look-up."""
    widths = _widths(columns, rows)
    for line in [columns, *rows]:
        padded = []
        for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
            blank = " " * (width - _width(cell))
            padded.append(blank + cell if place in right else cell + blank)
        yield "  ".join(padded).rstrip() + "\n"


def _table_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Return the columns of a terminal a table needs if only long sentences are wrapped."""
    sentences = {i for i in range(len(columns)) if any(row[i].count(" ") > 2 for row in rows)}
    widths = _widths(columns, rows)
    needed = [min(width, 30) if i in sentences else width for i, width in enumerate(widths)]
    return sum(needed) + 2 * (len(columns) - 1)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(_width, column)) for column in zip(columns, *rows, strict=True)]


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def print_findings(findings: "Iterable[Finding]", *, stderr: bool = True) -> None:
    """Print findings, errors first, and a line that counts them.

    Piped output has one line for each finding. On a terminal, more than ten findings of one code
    and subset are printed as one group.
    """
    from sceneset.schemas.finding import count_by_severity, in_order

    everything = in_order(findings)
    if not everything:
        return
    shown = [p for p in everything if not p.waived]
    stream = sys.stderr if stderr else sys.stdout
    with ignore_closed_pipe(stream):
        if stream.isatty():
            is_grouped = _print_grouped(shown, console(stderr=stderr))
        else:
            is_grouped = False
            stream.writelines(f"{line_of(p)}\n" for p in shown)
    waived = len(everything) - len(shown)
    counts = [count_by_severity(shown)] * bool(shown) + [f"{waived:,} waived"] * bool(waived)
    say(", ".join(counts), style="bold")
    if is_grouped:
        say("Similar findings are grouped. To list each of them, pipe the output: 2>&1 | less")


_GROUP_FROM = 11
"""Fewer findings of one code are printed one by one."""


def _print_grouped(findings: "Iterable[Finding]", target: "Console") -> bool:
    """Print findings on a terminal and return whether some were grouped."""
    from rich.padding import Padding
    from rich.text import Text

    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for p in findings:
        groups.setdefault((p.severity, p.subset, p.code), []).append(p)
    is_grouped = False
    for (severity, _, code), group in groups.items():
        similar = [group] if len(group) >= _GROUP_FROM else [[p] for p in group]
        is_grouped |= len(similar) < len(group)
        for some in similar:
            place, message = _headline(some)
            parts = (severity, _STYLES[severity]), ": ", (place, "bold"), f": {message} "
            target.print(Text.assemble(*parts, (f"[{code}]", "dim")))
            details = [f"-> {some[0].hint}"] * bool(some[0].hint)
            if len(some) > 1:
                first = list(dict.fromkeys(map(_place, some)))[:3]
                details.insert(0, f"first: {', '.join(first)}, ...")
            for detail in details:
                target.print(Padding(Text(detail), (0, 0, 0, 4)))
    return is_grouped


def _headline(group: "Sequence[Finding]") -> tuple[str, str]:
    """Return the place and the message of one finding, or of a group of similar ones."""
    from sceneset.counts import counted
    from sceneset.schemas.rules import RULES

    if len(group) == 1:
        return _place(group[0]), _message(group[0])
    messages = {_message(p) for p in group}
    meaning = messages.pop() if len(messages) == 1 else RULES[group[0].code].meaning
    return counted(len(group), "finding"), meaning


def line_of(p: "Finding") -> str:
    """Return a finding as one line, for pipes and logs."""
    return f"{p.severity}: {_place(p)}: {_message(p)} [{p.code}]" + f" -> {p.hint}" * bool(p.hint)


def _place(p: "Finding") -> str:
    place = p.file + (f":{p.row}" if p.row else "")
    return f"{p.subset} {place}" if p.subset and p.subset not in p.file else place


def _message(p: "Finding") -> str:
    return f"{p.field}: {p.message}" if p.field else p.message


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
        yield from bar.track(items, total=total, description=what)
