"""Print tables, lines, messages and progress: in color on a terminal, plain when piped.

Results go to stdout, messages and progress to stderr. Messages and headers are printed in the
reader's language.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import cache

from sceneset.cli.language import translate
from sceneset.cli.streams import ignore_closed_pipe
from sceneset.cli.tables import Label as Label  # noqa: PLC0414 - commands import it from here
from sceneset.cli.tables import Table, plain_lines
from sceneset.cli.text_width import terminal_width, visible, wrap

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, TypeVar

    from rich.console import Console

    T = TypeVar("T")

_PLAIN_WIDTH = 100_000  # piped text is never wrapped


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
        with _no_progress():
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
    groups_digits: bool = True,
) -> None:
    """Print a table to stdout. Piped tables are never wrapped or shortened.

    On a terminal that is too narrow, values of the first column that repeat become headings of
    tables of their own. Where this is not enough, the columns in ``optional`` are left out, in this
    order, and then texts are wrapped and names shortened in the middle. A table that has too many
    columns even so is printed row by row, one line for each value.

    Args:
        columns: The headers.
        rows: One cell for each column; None is shown as an empty cell. On a terminal, whole numbers
            have separators of thousands, and columns that only have numbers are aligned to the
            right.
        right: Names of the columns that are aligned to the right.
        optional: Names of columns that can be left out.
        groups_digits: Whether whole numbers have separators.
    """
    if not sys.stdout.isatty():
        with ignore_closed_pipe():
            sys.stdout.writelines(plain_lines(columns, rows, right))
        return
    table = Table.of(columns, rows, right, groups_digits=groups_digits)
    print_lines(table.lines(terminal_width(), optional))


def progress(items: "Iterable[T]", total: int, what: str) -> "Iterator[T]":
    """Yield ``items``, and show progress if stderr is a terminal (see ``sceneset.progress``)."""
    from sceneset.cli.progress_line import show_progress

    return show_progress(items, total, what)


def _no_progress() -> "AbstractContextManager[None]":
    """Return a block in which no step is shown: its line is erased, and drawn again afterwards."""
    module = sys.modules.get("sceneset.cli.progress_line")  # not loaded by look-ups
    return module.no_progress_line() if module else nullcontext()
