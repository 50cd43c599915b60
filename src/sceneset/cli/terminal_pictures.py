"""Draw pictures in the terminal itself: choose what it understands, and write the sequences.

A terminal shows what it can draw by its environment, or by its answer to a request (DA1) that every
terminal knows. tmux passes pictures on only if its user allows it.
"""

import os
import re
import select
import struct
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.imaging.terminal_picture import Cell, Protocol
    from sceneset.reporting.contact_sheet import ContactSheet

AUTOMATIC = "auto"
PROTOCOLS = ("kitty", "iterm", "sixel")
"""The words of --terminal."""
_KITTY_TERMINALS = {"kitty", "ghostty"}
_ITERM_PROGRAMS = {"iTerm.app", "WezTerm", "mintty"}
_QUESTION = b"\x1b[c"
_ANSWER = re.compile(rb"\x1b\[\?([0-9;]*)c")
_SIXEL = "4"
"""The attribute of terminals with sixel graphics, in the answer to DA1."""
_TIMEOUT = 1.0
_CELL = (8, 16)
"""Size of a character in pixels, if the terminal does not say it: pictures may be small."""
_MAX_WIDTH = 1600
_SIDE, _MARGINS = 192, 40


def find_protocol(wanted: str) -> "Protocol":
    """Return how pictures are sent to the terminal of stdout.

    Args:
        wanted: The protocol that the user names, or AUTOMATIC.

    Raises:
        UsageError: stdout is no terminal, or it shows no pictures.
    """
    from sceneset.imaging.terminal_picture import Protocol

    if not sys.stdout.isatty():
        raise UsageError("--terminal draws on a terminal, but stdout is none; use --to FILE")
    if os.environ.get("STY"):
        raise UsageError("screen does not pass pictures on to its terminal; use --to FILE")
    if _is_in_tmux() and _tmux("show", "-gwv", "allow-passthrough") not in {"on", "all"}:
        raise UsageError(
            "tmux does not pass pictures on to its terminal. Allow it with "
            "`tmux set -gw allow-passthrough on`, or use --to FILE"
        )
    found = _from_environment() if wanted == AUTOMATIC else wanted
    if not found and not _is_in_tmux() and _SIXEL in _attributes():
        found = "sixel"
    if not found:
        raise UsageError(
            "this terminal does not say that it shows pictures. If it does, name how: "
            "--terminal=kitty, --terminal=iterm or --terminal=sixel. Otherwise use --to FILE"
        )
    return Protocol(found)


def _is_in_tmux() -> bool:
    return bool(os.environ.get("TMUX"))


def _tmux(*words: str) -> str:
    """Return the answer of tmux, or ""."""
    try:
        done = subprocess.run(
            ["tmux", *words], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _from_environment() -> str:
    """Return the protocol of a terminal that the environment names, or ""."""
    environment = os.environ
    if environment.get("LC_TERMINAL") == "iTerm2":  # ssh and tmux keep it
        return "iterm"
    if _is_in_tmux():  # the other variables may be of the terminal that started its server
        name = _tmux("display", "-p", "#{client_termname}")
        return "kitty" if any(word in name for word in _KITTY_TERMINALS) else ""
    program, name = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if program in _ITERM_PROGRAMS:
        return "iterm"
    if any(word in name or word == program for word in _KITTY_TERMINALS):
        return "kitty"
    return "kitty" if environment.get("KITTY_WINDOW_ID") else ""


def _attributes() -> set[str]:
    """Ask the terminal for its attributes (DA1); none if it does not answer."""
    with suppress(ImportError, OSError):
        import termios
        import tty

        descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            if os.tcgetpgrp(descriptor) != os.getpgrp():
                return set()  # a command in the background would be stopped
            before = termios.tcgetattr(descriptor)
            try:
                tty.setcbreak(descriptor, termios.TCSANOW)
                os.write(descriptor, _QUESTION)
                return _read_answer(descriptor)
            finally:
                termios.tcflush(descriptor, termios.TCIFLUSH)  # an answer is no input of the user
                termios.tcsetattr(descriptor, termios.TCSANOW, before)
        finally:
            os.close(descriptor)
    return set()


def _read_answer(descriptor: int) -> set[str]:
    data, end = b"", time.monotonic() + _TIMEOUT
    while (left := end - time.monotonic()) > 0 and len(data) < 4096:
        if not select.select([descriptor], [], [], left)[0]:
            break
        part = os.read(descriptor, 256)
        data += part
        if found := _ANSWER.search(data):
            return set(found[1].decode("ascii").split(";")[1:])
        if not part:
            break
    return set()


class Room(NamedTuple):
    """The terminal of stdout."""

    width: int
    """In pixels."""
    lines: int
    cell: "Cell"


def room_of_terminal() -> Room:
    """Return the size of the terminal of stdout."""
    from sceneset.imaging.terminal_picture import Cell

    rows = columns = width = height = 0
    with suppress(ImportError, OSError, ValueError):
        import fcntl
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        rows, columns, width, height = struct.unpack("HHHH", answer)
    columns = columns or 80
    cell = Cell(*_CELL)
    if rows and width >= columns and height >= rows:
        cell = Cell(width // columns, height // rows)
    return Room(min(_MAX_WIDTH, columns * cell.width), rows or 24, cell)


def side_in_terminal(size: int | None, *, is_single: bool) -> int:
    """Return the longer side of pictures in pixels, for three or more in a row of 80 columns."""
    if size is not None:
        return size
    return max(_SIDE, room_of_terminal().width - _MARGINS) if is_single else _SIDE


def show_sheet(sheet: "ContactSheet", side: int, protocol: "Protocol") -> None:
    """Draw a sheet in the terminal of stdout, and say what it does not show."""
    from sceneset.cli.picture_sheets import say_left_out
    from sceneset.reporting.contact_sheet import sheet_png

    drawn = sheet_png(sheet, side, room_of_terminal().width)
    draw_in_terminal(drawn.png, protocol)
    say_left_out(sheet, drawn.missing)


def draw_in_terminal(png: bytes, protocol: "Protocol") -> None:
    """Draw a PNG file at the cursor, and go to the line below it."""
    from sceneset.cli.streams import ignore_closed_pipe
    from sceneset.imaging.terminal_picture import encode, picture_from_png, strips

    room = room_of_terminal()
    in_tmux = _is_in_tmux()
    with ignore_closed_pipe():
        for strip in strips(picture_from_png(png, room.width), room.cell, max(1, room.lines - 1)):
            lines = -(-strip.height // room.cell.height)
            # The lines are made first, so that nothing scrolls while the strip is drawn.
            sys.stdout.write("\n" * lines + f"\x1b[{lines}A\x1b7")
            if in_tmux:
                sys.stdout.flush()
                _attributes()  # its answer says that tmux has moved the cursor of its terminal
            for sequence in encode(strip, protocol):
                sys.stdout.write(_through_tmux(sequence) if in_tmux else sequence)
            sys.stdout.write(f"\x1b8\x1b[{lines}B\r")
            sys.stdout.flush()


def _through_tmux(sequence: str) -> str:
    """Return a sequence as tmux passes it on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
