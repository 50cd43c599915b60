"""Lay tables out: one look for all commands, in the columns of a terminal or plain for programs."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby

from sceneset.cli.language import translate
from sceneset.cli.text_width import shorten, visible, width_of, wrap

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Self

    Line = tuple[str, str]
    """A line and its style."""

_SENTENCE = 30
"""Columns of text with spaces are first narrowed to this width."""
_NARROWEST = 10
"""Names are not shortened to fewer columns, except where nothing else helps."""


class Label(str):
    """A cell of a table with words of the program, which are translated; other cells are data."""

    __slots__ = ()


def plain_lines(
    columns: Sequence[str], rows: Iterable[Sequence[object]], right: Container[str]
) -> Iterator[str]:
    """Yield the lines of a table for a pipe: complete, and padded with spaces."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    places = {place for place, name in enumerate(columns) if name in right}
    headers = [translate(name) for name in columns]
    widths = _widths(headers, cells)
    for line in [headers, *cells]:
        yield _padded(line, widths, places) + "\n"


class Table:
    """A table for a terminal."""

    def __init__(
        self, names: Sequence[str], rows: Sequence[Sequence[str]], right: Container[str]
    ) -> None:
        self.names, self.rows, self.right = list(names), rows, right
        """The keys of the columns, the cells, and the columns that are aligned to the right."""

    @classmethod
    def of(
        cls,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        right: Sequence[str] = (),
        *,
        groups_digits: bool = True,
    ) -> "Self":
        """Return the table of some values; see ``output.print_table``."""
        values = list(rows)
        numeric = {
            name
            for place, name in enumerate(columns)
            if values and all(_is_number(row[place]) for row in values)
        }
        cells = [[_cell(cell, groups_digits=groups_digits) for cell in row] for row in values]
        return cls(columns, cells, {*right, *numeric})

    def lines(self, available: int, optional: Sequence[str] = ()) -> "list[Line]":
        """Return the lines of the table.

        Args:
            available: The width of the terminal.
            optional: Names of columns that can be left out, in this order.
        """
        table: Table = self
        repeats = len({row[0] for row in self.rows}) < len(self.rows)
        for name in (None, *optional):
            table = table.without(table.names.index(name)) if name is not None else table
            is_narrow = table.width() <= available
            if is_narrow or (repeats and table.without(0).width() <= available):
                break
        if is_narrow or not repeats or len(table.names) == 1:
            return table.fitted(available)
        lines: list[Line] = []
        for heading, group in groupby(table.rows, key=lambda row: row[0]):
            part = Table(table.names, list(group), table.right).without(0)
            lines += [(shorten(heading, available), "bold"), *part.fitted(available)]
        return lines

    def without(self, place: int) -> "Table":
        """Return the table without a column."""
        rows = [[*row[:place], *row[place + 1 :]] for row in self.rows]
        return Table([*self.names[:place], *self.names[place + 1 :]], rows, self.right)

    def width(self) -> int:
        """Return the columns of a terminal that it needs if only long sentences are wrapped."""
        widths = _widths([translate(name) for name in self.names], self.rows)
        needed = [
            min(width, _SENTENCE) if any(row[place].count(" ") > 2 for row in self.rows) else width
            for place, width in enumerate(widths)
        ]
        return _total(needed)

    def fitted(self, available: int) -> "list[Line]":
        """Return the lines; wide cells are wrapped, and long names shortened in the middle."""
        places = {place for place, name in enumerate(self.names) if name in self.right}
        headers = [translate(name) for name in self.names]
        widths = _fitted_widths(headers, self.rows, places, available)
        if _total(widths) > available and len(widths) > 1:
            return self._by_row(headers, available)
        lines: list[Line] = []
        for number, row in enumerate([headers, *self.rows]):
            wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
            for height in range(max(map(len, wrapped))):
                cells = [part[height] if height < len(part) else "" for part in wrapped]
                lines.append((_padded(cells, widths, places), "" if number else "bold"))
        return [*lines, ("", "")]

    def _by_row(self, headers: Sequence[str], available: int) -> "list[Line]":
        """Return the rows one below the other, with a line for each value."""
        names = [shorten(name, available // 2) for name in headers]
        column = max(map(width_of, names))
        lines: list[Line] = []
        for row in self.rows:
            for name, cell in zip(names, row, strict=True):
                for number, text in enumerate(wrap(cell, max(1, available - column - 2))):
                    head = "" if number else name
                    blank = " " * (column - width_of(head) + 2)
                    lines.append(((head + blank + text).rstrip(), ""))
            lines.append(("", ""))
        return lines


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: object, *, groups_digits: bool = False) -> str:
    if isinstance(value, Label):
        value = translate(str(value))
    if groups_digits and type(value) is int:
        return f"{value:,}"
    return "" if value is None else visible(str(value))


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
    excess = _total(widths) - available
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


def _padded(cells: Sequence[str], widths: Sequence[int], right: Container[int]) -> str:
    padded = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        blank = " " * (width - width_of(cell))
        padded.append(blank + cell if place in right else cell + blank)
    return "  ".join(padded).rstrip()


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(width_of, column)) for column in zip(columns, *rows, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)
