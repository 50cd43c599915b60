"""What people see: tables in colour on a terminal, plain when piped, JSON on demand.

Data goes to stdout, talk and progress to stderr.
"""

import sys
import unicodedata
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache

from sceneset.cli.streams import ignore_closed_pipe

TYPE_CHECKING = False
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
            raise BrokenPipeError  # the edge knows how to end; rich would exit with 1

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def say(text: str, *, style: str = "") -> None:
    """Tell people something, on stderr, if anybody listens."""
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
    stderr: bool = False,
    right: Sequence[str] = (),
    title: str = "",
    styles: Sequence[str] | None = None,
) -> None:
    """Print a table; columns named in ``right`` stand flush right. None shows as nothing."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    stream = sys.stderr if stderr else sys.stdout
    if not stream.isatty():
        with ignore_closed_pipe(stream):
            stream.writelines(_plain(columns, cells, {columns.index(name) for name in right}))
        return
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", header_style="bold"
    )
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for number, row in enumerate(cells):
        table.add_row(*row, style=styles[number] if styles else None)
    console(stderr=stderr).print(table)


def _plain(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Container[int]
) -> Iterator[str]:
    """Yield a table's lines, aligned with blanks; loading rich would take longer than a look-up."""
    lines = [list(columns), *rows]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        filled = []
        for place, (cell, width) in enumerate(zip(line, widths, strict=True)):
            blank = " " * (width - _width(cell))
            filled.append(blank + cell if place in right else cell + blank)
        yield "  ".join(filled).rstrip() + "\n"


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese characters take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def print_findings(findings: "Iterable[Finding]", *, stderr: bool = True) -> None:
    """Show findings in one table, errors first, and a line that counts them."""
    from sceneset.schemas.finding import Severity, in_order

    everything = in_order(findings)
    if not everything:
        return
    ordered = [p for p in everything if not p.waived]
    target = console(stderr=stderr)
    if target.is_terminal:
        styles = [_STYLES[p.severity] for p in ordered]
        print_table(
            ("where", "what is wrong", "what to do", "code"),
            map(_cells, ordered),
            stderr=stderr,
            styles=styles,
        )
    else:
        stream = sys.stderr if stderr else sys.stdout
        with ignore_closed_pipe(stream):
            stream.writelines(f"{line_of(p)}\n" for p in ordered)
    counts = [
        f"{n} {severity}{'s' if n > 1 else ''}"
        for severity in Severity
        if (n := sum(p.severity is severity for p in ordered))
    ]
    if waived := len(everything) - len(ordered):
        counts.append(f"{waived} waived")
    say(", ".join(counts), style="bold")


def _cells(p: "Finding") -> tuple[str, str, str, str]:
    place = p.file + (f":{p.row}" if p.row else "")
    if p.subset and p.subset not in p.file:
        place = f"{p.subset} {place}"
    return place, f"{p.field}: {p.message}" if p.field else p.message, p.hint, p.code


def line_of(p: "Finding") -> str:
    """Return a finding as one line, for pipes and logs."""
    place, what, hint, code = _cells(p)
    return f"{p.severity}: {place}: {what} [{code}]" + (f" -> {hint}" if hint else "")


def progress(items: "Iterable[T]", total: int, what: str) -> "Iterator[T]":
    """Pass ``items`` on, with a bar on stderr where a person is watching."""
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
