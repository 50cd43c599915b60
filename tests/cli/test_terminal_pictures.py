"""`sceneset view --terminal`: which terminals get pictures, and what they get."""

import fcntl
import io
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import numpy as np
import pytest
from PIL import Image

from sceneset.cli import terminal_pictures
from sceneset.cli.main import main
from sceneset.errors import UsageError
from sceneset.imaging.terminal_picture import Protocol, picture_from_png
from sceneset.reporting import contact_sheet
from support.terminal import open_terminal
from support.terminal_graphics import joined, pictures_in

PROGRAM = """
import sys
from sceneset.cli.terminal_pictures import draw_in_terminal, find_protocol
protocol = find_protocol("auto")
draw_in_terminal(open(sys.argv[1], "rb").read(), protocol)
print(f"drawn by {protocol}")
"""
VARIABLES = ("KITTY_WINDOW_ID", "LC_TERMINAL", "STY", "TERM_PROGRAM", "TMUX")


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes stdout a terminal with some variables."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def use(**variables: str):
        found = open_terminal(monkeypatch, 80)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return found

    return use


def test_stdout_that_is_no_terminal_is_refused_before_anything_is_read(tmp_path, sceneset):
    outcome = sceneset("view", "ski", "--terminal", cwd=tmp_path)
    assert outcome.code == 2
    assert "use --to FILE" in outcome.err


@pytest.mark.parametrize(
    ("variables", "protocol"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm"),
    ],
    ids=str,
)
def test_environment_says_what_the_terminal_understands(variables, protocol, terminal):
    terminal(**variables)
    assert terminal_pictures.find_protocol("auto") == protocol


@pytest.mark.parametrize(("attributes", "is_shown"), [({"1", "4"}, True), ({"1", "22"}, False)])
def test_terminal_is_asked_if_the_environment_says_nothing(
    attributes, is_shown, terminal, monkeypatch
):
    terminal()
    monkeypatch.setattr(terminal_pictures, "_attributes", lambda: attributes)
    if is_shown:
        assert terminal_pictures.find_protocol("auto") == "sixel"
        return
    with pytest.raises(UsageError, match="--terminal=sixel"):
        terminal_pictures.find_protocol("auto")
    assert terminal_pictures.find_protocol("sixel") == "sixel", "the user knows better"


@pytest.mark.parametrize(("passes", "is_shown"), [("on", True), ("all", True), ("off", False)])
def test_tmux_gets_pictures_only_if_it_passes_them_on(passes, is_shown, terminal, monkeypatch):
    terminal(TMUX="/tmp/tmux-0/default,1,0", KITTY_WINDOW_ID="1")
    answers = {"show": passes, "display": "xterm-kitty"}
    monkeypatch.setattr(terminal_pictures, "_tmux", lambda word, *_: answers[word])
    if is_shown:
        assert terminal_pictures.find_protocol("auto") == "kitty"
        answers["display"] = "xterm-256color"
        with pytest.raises(UsageError, match="--terminal=kitty"):
            terminal_pictures.find_protocol("auto")  # KITTY_WINDOW_ID is of another terminal
        return
    for wanted in ("auto", "kitty"):
        with pytest.raises(UsageError, match="allow-passthrough"):
            terminal_pictures.find_protocol(wanted)


def test_screen_is_refused(terminal):
    terminal(STY="1.pts")
    with pytest.raises(UsageError, match="screen"):
        terminal_pictures.find_protocol("kitty")


def test_tmux_gets_every_sequence_wrapped(terminal, monkeypatch):
    shown = terminal(TMUX="/tmp/tmux-0/default,1,0")
    monkeypatch.setattr(terminal_pictures, "_attributes", set)
    data = io.BytesIO()
    Image.new("RGB", (40, 40), (9, 99, 200)).save(data, "PNG")
    terminal_pictures.draw_in_terminal(data.getvalue(), Protocol.ITERM)
    wrapped = re.findall(r"\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\", shown.getvalue())
    [picture] = pictures_in("".join(wrapped).replace("\x1b\x1b", "\x1b"))
    assert picture.getpixel((20, 20)) == (9, 99, 200)


@pytest.mark.parametrize("protocol", ["kitty", "iterm", "sixel"])
def test_view_draws_the_sheet_and_writes_no_file(protocol, added, terminal, monkeypatch):
    sheets = []

    draw_sheet = contact_sheet.sheet_png
    monkeypatch.chdir(added)
    shown = terminal()
    with monkeypatch.context() as patched:
        patched.setattr(
            contact_sheet,
            "sheet_png",
            lambda *given: sheets.append(draw_sheet(*given)) or sheets[-1],
        )
        assert main(["view", "ski", f"--terminal={protocol}"]) == 0
    found = joined(pictures_in(shown.getvalue()))
    assert found.width == 640, "80 columns of 8 pixels"
    [drawn] = sheets
    expected = picture_from_png(drawn.png, 640)
    assert found.size == expected.size
    difference = np.abs(np.asarray(found, int) - np.asarray(expected, int))
    assert difference.mean() < 4 if protocol == "sixel" else difference.max() == 0
    assert not (added / ".sceneset/view.html").exists()


@pytest.mark.parametrize("option", ["--json", "--open", "--to=x.png"])
def test_options_for_files_do_not_go_with_the_terminal(option, added, sceneset):
    assert sceneset("view", "ski", "--terminal=kitty", option, cwd=added).code == 2


def run_in_terminal(arguments: list[str], answer: bytes, cell: tuple[int, int]) -> str:
    """Run a program on a pseudo-terminal that answers DA1; return what it wrote."""
    ours, theirs = pty.openpty()
    size = struct.pack("HHHH", 24, 80, 80 * cell[0], 24 * cell[1])
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    environment = {k: v for k, v in os.environ.items() if k not in VARIABLES}
    process = subprocess.Popen(
        arguments,
        stdin=theirs, stdout=theirs, stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        env=environment | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    written, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([ours], [], [], 1)[0]:
            continue
        try:
            part = os.read(ours, 65536)
        except OSError:  # the program has ended
            break
        written += part
        if part and b"\x1b[c" in written:
            written = written.replace(b"\x1b[c", b"")
            os.write(ours, answer)
    assert process.wait(30) is not None
    os.close(ours)
    return written.decode()


def test_terminal_that_says_it_has_sixel_gets_the_picture(tmp_path):
    picture = Image.new("RGB", (900, 700), (240, 240, 240))
    picture.paste((20, 90, 200), (100, 100, 500, 600))
    picture.save(tmp_path / "sheet.png")
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "sheet.png")]
    written = run_in_terminal(arguments, b"\x1b[?62;4;22c", (9, 18))
    assert "drawn by sixel" in written
    assert "^[[?62" not in written, "the answer is not echoed"
    found = joined(pictures_in(written))
    expected = picture.resize((720, 560), Image.Resampling.LANCZOS)
    assert found.size == expected.size
    assert np.abs(np.asarray(found, int) - np.asarray(expected, int)).mean() < 3


def test_terminal_without_sixel_gets_no_picture(tmp_path):
    arguments = [sys.executable, "-c", PROGRAM, str(tmp_path / "none.png")]
    written = run_in_terminal(arguments, b"\x1b[?1;2c", (9, 18))
    assert "this terminal does not say that it shows pictures" in written.replace("\r\n", "")
    assert not pictures_in(written)
