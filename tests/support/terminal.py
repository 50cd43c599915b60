"""A terminal of a given width, for tests of what people see."""

import io
import re
import sys

import pytest


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        """What was printed, without colors."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue())

    @property
    def lines(self) -> list[str]:
        """The lines that are not blank, without white space at their ends."""
        return [line.rstrip() for line in self.text.splitlines() if line.strip()]


def open_terminal(monkeypatch: pytest.MonkeyPatch, columns: int = 60) -> Terminal:
    """Make stdout and stderr one terminal.

    Called by tests and no fixture, because pytest sets other streams after the fixtures.
    """
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    return terminal
