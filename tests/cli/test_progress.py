"""The progress of commands: what is reported, and how the line on the terminal looks."""

import io
import shlex
import time
from functools import partial

import pytest

from sceneset.cli import output, progress_line
from sceneset.cli.main import main
from sceneset.cli.progress_line import line_text, show_progress
from sceneset.cli.text_width import width_of
from sceneset.progress import one_step
from support.build import NAME, git
from support.terminal import open_terminal


@pytest.fixture
def steps(monkeypatch) -> list[str]:
    """The steps that commands report; each must end with its total."""
    found: list[str] = []

    def progress(items, total, what):
        found.append(what)
        done = 0
        for item in items:
            yield item
            done += 1
        assert done == total, what

    monkeypatch.setattr(output, "progress", progress)
    return found


READ = {"read samples", "check subsets"}
COMMANDS = {
    "check": READ | {"compare files"},
    "diff HEAD": {"compare subsets"},
    "verify --deep": {"read samples", "list the remote", "verify"},
    "pull ski --to ../pulled": {"read subsets", "read samples", "pull"},
    "export yolo-seg ski --to ../exported": {"read subsets", "export"},
    "lookup ski --samples": {"read subsets"},
    f"split {NAME} --val 0.5": {"read samples"},
    f"forget {NAME}/train/a --reason x --dry-run": {"read subsets"},
}
SLOW = {  # they run DVC
    "review HEAD": READ | {"compare files", "ask DVC what is current"},
    f"tag ski --subset {NAME} --add city": READ | {"compare subsets", "write files"},
    "release 1.0.0": READ | {"list the remote", "ask DVC what is current"},
    "doctor": {"ask DVC what is current", "list the remote"},
    "merge": {"run the pipeline"},
}


@pytest.mark.parametrize(
    "line", [*COMMANDS, *(pytest.param(line, marks=pytest.mark.sweep) for line in SLOW)]
)
def test_command_reports_what_takes_long(line, ready, steps, monkeypatch):
    monkeypatch.chdir(ready)
    main(shlex.split(line))
    assert (COMMANDS | SLOW)[line] <= {*steps}


def test_versions_are_read_with_progress(ready, steps, monkeypatch, sceneset):
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    monkeypatch.chdir(ready)
    main(["check"])
    assert "read versions" in steps
    main(["forget", f"{NAME}/train/a", "--reason", "x", "--dry-run"])
    assert "search versions" in steps
    assert git(ready, "status", "--porcelain") == ""


def test_step_that_can_not_be_divided_gives_its_result(steps):
    assert one_step(output.progress, "ask", lambda: 7) == 7
    assert steps == ["ask"]


@pytest.fixture
def terminal(monkeypatch):
    """Opens a terminal on which steps are drawn at once."""
    monkeypatch.setattr(progress_line, "_DELAY", 0.0)
    monkeypatch.setattr(progress_line, "_STEP_DELAY", 0.0)
    monkeypatch.setattr(progress_line, "_INTERVAL", 0.001)
    monkeypatch.setattr(progress_line, "_line", progress_line._Line())
    return partial(open_terminal, monkeypatch, 80)


def wait_for(terminal, text: str) -> None:
    end = time.monotonic() + 30
    while text not in terminal.getvalue() and time.monotonic() < end:
        time.sleep(0.001)
    assert text in terminal.getvalue()


def screen_of(text: str) -> str:
    """Return what a terminal shows after the text."""
    shown = ""
    for part in text.split("\n"):
        line = part.rpartition("\r")[2] if "\r" in part else part
        shown += line.replace("\x1b[K", "").rstrip() + "\n"
    return shown.rstrip("\n")


def test_line_shows_count_and_is_erased(terminal):
    shown = terminal()
    for number in show_progress(range(3), 3, "check"):
        if number == 1:
            wait_for(shown, "check  ━━━━━━━━················  1/3")
            assert screen_of(shown.getvalue()).startswith("check")
    assert screen_of(shown.getvalue()) == ""


def test_line_is_erased_when_the_loop_fails(terminal):
    shown = terminal()

    def fail() -> None:
        for _ in show_progress(range(3), 3, "check"):
            wait_for(shown, "0/3")
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert screen_of(shown.getvalue()) == ""


def test_message_is_not_mixed_with_the_line(terminal):
    shown = terminal()
    for _ in show_progress([1], 1, "check"):
        wait_for(shown, "0/1")
        output.say("waiting for another command")
    assert screen_of(shown.getvalue()) == "waiting for another command"


def test_inner_step_is_shown_until_it_ends(terminal):
    shown = terminal()
    for _ in show_progress([1], 1, "outer"):
        for _ in show_progress([1], 1, "inner"):
            wait_for(shown, "inner")
        before = len(shown.getvalue())
        wait_for(shown, "outer")
        assert "inner" not in shown.getvalue()[before:]


def test_short_work_draws_nothing(monkeypatch):
    monkeypatch.setattr(progress_line, "_DELAY", 1e9)
    monkeypatch.setattr(progress_line, "_line", progress_line._Line())
    terminal = open_terminal(monkeypatch, 80)
    assert list(show_progress("abc", 3, "check")) == ["a", "b", "c"]
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("term", ["dumb", None])
def test_nothing_is_drawn_on_a_dumb_terminal_or_into_a_file(term, terminal, monkeypatch):
    shown = terminal()
    if term:
        monkeypatch.setenv("TERM", term)
    else:
        monkeypatch.setattr("sys.stderr", io.StringIO())
    for _ in show_progress([1], 1, "check"):
        time.sleep(0.02)
    assert shown.getvalue() == ""


def test_terminal_that_is_gone_stops_nothing(terminal, monkeypatch):
    def fail(_text: str) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(terminal(), "write", fail)
    assert [time.sleep(0.01) or one for one in show_progress([1, 2], 2, "check")] == [1, 2]


def test_line_has_rate_and_time_left():
    def line(**given) -> str:
        options = {"rate": 0.0, "seconds": 5.0, "columns": 80} | given
        return line_text("check", options.pop("done"), options.pop("total"), **options)

    assert line(done=0, total=9) == f"check  {'·' * 24}  0/9  0:05 elapsed"
    text = line(done=25_000, total=100_000, rate=1250.0)
    assert text == f"check  {'━' * 6}{'·' * 18}  25,000/100,000  1,250/s  1:00 remaining"
    assert line(done=1, total=4, rate=0.01).endswith("1/4  5:00 remaining")
    assert "5:33:20 remaining" in line(done=0, total=20_000, rate=1.0)
    assert line(done=3, total=3, rate=1.0).endswith("0:05 elapsed")
    assert line(done=7, total=3, rate=1.0), "a wrong total does no harm"
    assert line(done=0, total=0)


@pytest.mark.parametrize("columns", [4, 10, 20, 40, 60, 80])
@pytest.mark.parametrize("what", ["measure CustomSeg_Person_20240115_long", "比较图片" * 8])
def test_line_fits_the_terminal(what, columns):
    text = line_text(what, 123_456, 7_890_123, rate=99.5, seconds=3, columns=columns)
    assert width_of(text) < columns
