"""What people see: tables in colour on a terminal, plain when piped, JSON on demand.

Data goes to stdout, talk and progress to stderr.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sceneset.schemas.problem import Problem, Severity, in_order

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
_PLAIN_WIDTH = 100_000  # a piped table is never wrapped


@cache
def console(*, stderr: bool = False) -> "Console":
    """Return the console of stdout or stderr."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def say(text: str, *, style: str = "") -> None:
    """Tell people something, on stderr."""
    console(stderr=True).print(text, style=style or None, soft_wrap=True)


def print_json(value: Any) -> None:
    """Print one JSON value."""
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
    from rich import box
    from rich.table import Table

    target = console(stderr=stderr)
    fancy = target.is_terminal
    table = Table(
        box=box.SIMPLE_HEAD if fancy else None,
        title=title if fancy and title else None,
        title_justify="left",
        header_style="bold" if fancy else "",
        pad_edge=fancy,
    )
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for number, row in enumerate(rows):
        cells = ["" if cell is None else str(cell) for cell in row]
        table.add_row(*cells, style=styles[number] if styles else None)
    if fancy:
        target.print(table)
        return
    with target.capture() as captured:
        target.print(table)
    stream = sys.stderr if stderr else sys.stdout
    stream.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def print_problems(problems: Iterable[Problem], *, stderr: bool = True) -> None:
    """Show findings in one table, errors first, and a line that counts them."""
    everything = in_order(problems)
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
        stream.writelines(f"{line_of(p)}\n" for p in ordered)
    counts = [
        f"{n} {severity}{'s' if n > 1 else ''}"
        for severity in Severity
        if (n := sum(p.severity is severity for p in ordered))
    ]
    if waived := len(everything) - len(ordered):
        counts.append(f"{waived} waived")
    say(", ".join(counts), style="bold")


def _cells(p: Problem) -> tuple[str, str, str, str]:
    place = p.file + (f":{p.row}" if p.row else "")
    if p.subset and p.subset not in p.file:
        place = f"{p.subset} {place}"
    return place, f"{p.field}: {p.message}" if p.field else p.message, p.hint, p.code


def line_of(p: Problem) -> str:
    """Return a finding as one line, for pipes and logs."""
    place, what, hint, code = _cells(p)
    return f"{p.severity}: {place}: {what} [{code}]" + (f" -> {hint}" if hint else "")


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass ``items`` on, with a bar on stderr where a person is watching."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    with bar:
        yield from bar.track(items, total=total, description=what)
