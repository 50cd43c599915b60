"""Tables and messages: complete when piped, short enough for a narrow terminal."""

import pytest

from sceneset.cli import output
from sceneset.cli.output import print_table, print_text, say
from sceneset.cli.text_width import shorten, visible, width_of, wrap
from support.terminal import open_terminal


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def test_table_is_neither_wrapped_nor_shortened_when_piped(capsys):
    print_table(("a", "b"), [("x" * 200, "y" * 200)], optional=("b",))
    assert lines_of(capsys.readouterr().out)[1] == f"{'x' * 200}  {'y' * 200}"


def test_table_aligns_columns_when_cells_are_chinese(capsys):
    print_table(("scene", "n"), [("滑雪", 1), ("ski", 22)], right=("n",))
    assert capsys.readouterr().out == "scene   n\n滑雪    1\nski    22\n"


def test_table_leaves_optional_columns_out_when_the_terminal_is_narrow(monkeypatch):
    terminal = open_terminal(monkeypatch)
    rows = [("ski", "x" * 40, "y" * 40, 1)]
    print_table(("scene", "file", "boxes", "n"), rows, right=("n",), optional=("boxes", "file"))
    assert lines_of(terminal.text) == [
        f"scene  {'file':40}  n", f"ski    {'x' * 40}  1",
    ]  # fmt: skip


def test_table_keeps_optional_columns_when_they_fit(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_table(("scene", "file"), [("ski", "ski.txt")], optional=("file",))
    assert lines_of(terminal.text) == ["scene  file", "ski    ski.txt"]


def test_table_is_divided_by_its_first_column_when_the_terminal_is_narrow(monkeypatch):
    terminal = open_terminal(monkeypatch)
    rows = [("s" * 50, "ski", "ski.txt"), ("s" * 50, "sea", "sea.txt"), ("t" * 50, "ski", "x.txt")]
    print_table(("subset", "scene", "file"), rows)
    assert lines_of(terminal.text) == [
        "s" * 50, "scene  file", "ski    ski.txt", "sea    sea.txt",
        "t" * 50, "scene  file", "ski    x.txt",
    ]  # fmt: skip


def test_progress_yields_all_items_when_stderr_is_no_terminal(capsys):
    assert list(output.progress(iter("abc"), 3, "read")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_table_fits_the_terminal_when_names_and_sentences_are_long(monkeypatch):
    terminal = open_terminal(monkeypatch)
    sentence = "a sentence that is wrapped between words, never inside of one of them"
    rows = [(f"CustomSeg_Person_20240115_{'long' * 8}", "ski_muiltiperson.txt", sentence, 12345)]
    print_table(("subset", "split file", "description", "images"), rows, right=("images",))
    lines = lines_of(terminal.text)
    assert max(map(width_of, lines)) <= 60
    assert "12,345" in lines[1]
    assert lines[1].startswith("Custom")
    assert "…" in lines[1]
    shown = " ".join(" ".join(lines).split())
    for word in sentence.split():
        assert word in shown


def test_table_wraps_chinese_cells_by_their_width(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_table(("a", "b"), [("滑雪单人" * 12, "x y" * 20)])
    assert max(map(width_of, lines_of(terminal.text))) <= 60


def test_chinese_lines_neither_start_nor_end_with_the_wrong_punctuation():
    text = "忽略的像素（255）成为背景，格式是分割（torchvision、CVAT）。" * 3
    for columns in range(20, 60):
        for line in wrap(text, columns):
            assert not line.endswith("（")
            assert line[0] not in "，。、）"


def test_control_characters_are_escaped_when_printed(capsys):
    print_table(("a",), [("\x1b[31mred\u202e",)])
    print_text("\x07bell")
    say("\x1b]0;title\x07")
    printed = capsys.readouterr()
    assert printed.out.splitlines() == ["a", r"\x1b[31mred\u202e", r"\x07bell"]
    assert printed.err == "\\x1b]0;title\\x07\n"


def test_message_is_wrapped_between_words_on_a_terminal_and_commands_are_not(monkeypatch):
    terminal = open_terminal(monkeypatch)
    command = f"  git commit -m '{'x' * 70}'"
    say(f"{'word ' * 20}end\n{command}")
    lines = lines_of(terminal.text)
    assert command in lines
    assert all(width_of(line) <= 60 for line in lines if line != command)
    assert " ".join(lines[:-1]).split() == ["word"] * 20 + ["end"]


def test_message_is_one_line_when_piped(capsys):
    say("word " * 40)
    assert capsys.readouterr().err == "word " * 40 + "\n"


NUMBERS = (("subset", "n", "share"), [("a", 1_234_567, 0.5), ("bb", 7, None)])


def test_numbers_on_a_terminal_are_aligned_to_the_right_with_separators(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_table(*NUMBERS)
    assert terminal.lines == [
        "subset          n  share", "a       1,234,567    0.5", "bb              7",
    ]  # fmt: skip


def test_numbers_of_a_query_have_no_separators(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_table(*NUMBERS, groups_digits=False)
    assert terminal.lines[1] == "a       1234567    0.5"


def test_piped_numbers_are_as_programs_read_them(capsys):
    print_table(*NUMBERS, right=("n",))
    assert lines_of(capsys.readouterr().out) == [
        "subset        n  share", "a       1234567  0.5", "bb            7",
    ]  # fmt: skip


def test_table_with_too_many_columns_is_printed_row_by_row(monkeypatch):
    terminal = open_terminal(monkeypatch, 40)
    columns = [f"column_{number:02}" for number in range(12)]
    rows = [[f"{row}-{name}-{'x' * 60}" for name in columns] for row in "ab"]
    print_table(columns, rows)
    assert max(map(width_of, terminal.lines)) <= 40
    assert [line.split()[0] for line in terminal.lines] == columns * 2
    assert terminal.lines[13].startswith("column_01  b-column")


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3), ("滑雪", 4), ("ｱ", 1), ("한국", 4), ("e\u0301", 1), ("👍", 2), ("👍🏽", 4),
        ("नि", 2), ("a\u200db", 2), ("\u1100\u1161", 2), ("", 0),
    ],
)  # fmt: skip
def test_width_is_that_of_terminals(text, width):
    assert width_of(text) == width


@pytest.mark.parametrize(
    "hostile",
    ["\x1b", "\x9b", "\x07", "\x7f", "\r", "\u202e", "\u2066", "\u061c", "\u200f", "\u200b",
     "\ufeff", "\u2028", "\u2029", "\udc80", "\U000e0041"],
)  # fmt: skip
def test_hostile_character_of_a_name_is_shown_as_text(hostile, capsys):
    print_table(("name",), [(f"a{hostile}b",)])
    assert capsys.readouterr().out.splitlines()[1] == f"a{ascii(hostile)[1:-1]}b"
    assert visible("雪 👍🏽 e\u0301 שלום") == "雪 👍🏽 e\u0301 שלום", "languages stay as they are"


def test_name_is_not_shortened_between_a_letter_and_its_mark():
    for columns in range(5, 20):
        short = shorten("e\u0301" * 30, columns)
        assert width_of(short) <= columns
        head, tail = short.split("…")
        assert not tail.startswith("\u0301")
        assert head.count("e") == head.count("\u0301")
