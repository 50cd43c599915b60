"""Tables and findings: complete when piped, short enough for a narrow terminal."""

import io
import re
import sys

import pytest

from sceneset.cli import output
from sceneset.cli.output import print_findings, print_table
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.rules import RULES


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """What was printed, without colors."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue())


def open_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make stdout and stderr one terminal of 60 columns.

    Called by tests and no fixture, because pytest sets other streams after the fixtures.
    """
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def masks(count: int, message: str = "the mask holds 128") -> list[Finding]:
    return [
        finding("mask-values", message, file=f"{n:04}.png", hint="fix it") for n in range(count)
    ]


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


def test_findings_are_one_line_each_when_piped(capsys):
    print_findings(masks(50), stderr=False)
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0] == "error: 0000.png: the mask holds 128 [mask-values] -> fix it"
    assert len(lines) == 50
    assert printed.err == "50 errors\n"


@pytest.mark.parametrize(("count", "is_grouped"), [(10, False), (11, True)])
def test_findings_of_one_code_are_grouped_on_a_terminal_when_more_than_ten(
    count, is_grouped, monkeypatch
):
    terminal = open_terminal(monkeypatch)
    print_findings([*masks(count), finding("no-scene", "no scene", file="t.csv", row=3)])
    printed = " ".join(terminal.text.split())
    assert "warning: t.csv:3: no scene [no-scene]" in printed
    assert f"{count} errors, 1 warning" in printed
    if is_grouped:
        assert "error: 11 findings: the mask holds 128 [mask-values]" in printed
        assert "first: 0000.png, 0001.png, 0002.png, ... -> fix it" in printed
        assert "0003.png" not in printed
        assert "2>&1 | less" in printed
    else:
        assert len(re.findall("error: ", printed)) == 10
        assert "2>&1" not in printed


def test_group_has_the_meaning_of_the_rule_when_messages_differ(monkeypatch):
    terminal = open_terminal(monkeypatch)
    print_findings([*masks(6), *masks(6, "the mask holds 77")])
    printed = " ".join(terminal.text.split())
    assert f"12 findings: {RULES['mask-values'].meaning} [mask-values]" in printed


def test_waived_findings_are_counted_and_not_shown(capsys):
    [shown, waived] = masks(2)
    print_findings([shown, waived.model_copy(update={"waived": "a reason"})], stderr=False)
    printed = capsys.readouterr()
    assert printed.out.count("error: ") == 1
    assert printed.err == "1 error, 1 waived\n"


def test_nothing_is_printed_when_there_is_no_finding(capsys):
    print_findings([])
    assert capsys.readouterr() == ("", "")


def test_progress_yields_all_items_when_stderr_is_no_terminal(capsys):
    assert list(output.progress(iter("abc"), 3, "read")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
