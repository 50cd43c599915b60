"""CSV text is read row by row: every form of line end, and no row without a limit."""

import csv
import io
import tracemalloc

import pytest

from sceneset.storage.csv_rows import MAX_ROW, BrokenRowError, csv_rows


@pytest.mark.parametrize(
    "text",
    [
        *("", "a,b\n1,2", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a\r\nb\rc\nd", "\r\r\n\n\r"),
        *('a,"b\nc"\nd', 'a,"b\r\nc"\r\nd', 'a,"b\rc",\r,d'),
        *("滑雪,\N{SKIER}\n", "a\x0bb\u2028c\x85,d\n"),
    ],
)
def test_rows_and_their_lines_are_those_of_the_csv_module(text: str) -> None:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    expected = [(reader.line_num, row) for row in reader]
    assert list(csv_rows(text)) == expected
    assert list(csv_rows("\N{ZERO WIDTH NO-BREAK SPACE}" + text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("x" * 2_000_000, "," * 2_000_000, '"\n",' * 700_000, '"' * 2_000_000),
        "\r," * 10 + "," * 2_000_000,
    ],
    ids=["one value", "commas", "values on many lines", "quotes", "lone returns"],
)
def test_a_row_without_end_is_an_error_and_takes_no_memory(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BrokenRowError, match="the line is longer than 100,000 characters"):
            list(csv_rows(text))
        assert tracemalloc.get_traced_memory()[1] < 100 * MAX_ROW
    finally:
        tracemalloc.stop()


def test_a_broken_row_is_an_error_with_its_line() -> None:
    rows = csv_rows('a,b\n1,"2"3\n')
    assert next(rows) == (1, ["a", "b"])
    with pytest.raises(BrokenRowError) as error:
        next(rows)
    assert error.value.line == 2
    assert error.value.hint == "write plain CSV; double a quote inside quotes"


def test_an_unfinished_merge_is_reported_with_the_command_that_ends_it() -> None:
    with pytest.raises(BrokenRowError, match="conflict markers of git") as error:
        next(csv_rows("a,b\n1,2\n<<<<<<< HEAD\n3,4\n=======\n>>>>>>> other\n"))
    assert error.value.line == 3
    assert "sceneset merge" in error.value.hint
