"""Show the progress of a command on one line of the terminal, once it has taken a second.

The line has the step, a bar, the count, the rate and the time that is left. It is drawn by a thread
ten times a second, so an item that takes long does not stop it, and counting costs next to nothing.
Short commands start the thread only: they draw nothing. The line is erased before anything else is
printed, and when the step ends.
"""

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sceneset.cli.language import translate
from sceneset.cli.text_width import shorten, terminal_width, visible, width_of

T = TypeVar("T")

_DELAY = 1.0
"""Seconds before the first step of a command is shown."""
_STEP_DELAY = 0.3
"""Seconds before a further step is shown, so that short ones do not flicker."""
_INTERVAL = 0.1
_WINDOW = 300
"""Drawings over which the rate is computed: the last 30 seconds."""
_BAR = 24
_NARROWEST = 5
_SLOWEST = 0.1
"""Items per second; lower rates are not shown."""
_LONGEST = 359_999
"""Seconds: 99:59:59."""
_ERASE = "\r\x1b[K"


class _Step:
    """A step that is under way."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.began = time.monotonic()
        self._seen = deque([(self.began, 0)], maxlen=_WINDOW)

    def rate(self, now: float) -> float:
        """Return the items per second of late; cached items may have been faster."""
        (then, before), done = self._seen[0], self.done
        self._seen.append((now, done))
        return (done - before) / max(now - then, 1e-9)


class _Line:
    """The line on the terminal, for the step that began last."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.steps: list[_Step] = []
        self.is_drawn = False
        self.first: float | None = None
        self._ended = threading.Event()

    def begin(self, step: _Step) -> None:
        with self.lock:
            self.first = step.began if self.first is None else self.first
            self.steps.append(step)
            if len(self.steps) == 1:
                self._ended = threading.Event()
                threading.Thread(target=self._draw_often, args=(self._ended,), daemon=True).start()

    def end(self, step: _Step) -> None:
        with self.lock:
            self.steps.remove(step)
            self.erase()
            if not self.steps:
                self._ended.set()

    def erase(self) -> None:
        """Erase the line; it is drawn again if the step goes on."""
        with self.lock:
            if self.is_drawn:
                _write(_ERASE)
                self.is_drawn = False

    def _draw_often(self, ended: threading.Event) -> None:
        while not ended.wait(_INTERVAL):
            with self.lock:
                if not ended.is_set():
                    self._draw()

    def _draw(self) -> None:
        now, step = time.monotonic(), self.steps[-1]
        assert self.first is not None, "a step has begun"
        if now - self.first >= _DELAY and now - step.began >= _STEP_DELAY:
            text = line_text(
                step.what,
                step.done,
                step.total,
                rate=step.rate(now),
                seconds=now - step.began,
                columns=terminal_width(),
            )
            self.is_drawn = _write(f"\r{text}\x1b[K")


_line = _Line()


def show_progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Yield ``items`` and show how many were used, if stderr is a terminal (see ``Progress``)."""
    if not _can_draw():
        yield from items
        return
    step = _Step(visible(translate(what)), total)
    _line.begin(step)
    try:
        for item in items:
            yield item
            step.done += 1
    finally:
        _line.end(step)


@contextmanager
def no_progress_line() -> Iterator[None]:
    """Erase the line for the block, in which something else is printed."""
    with _line.lock:
        _line.erase()
        yield


def line_text(
    what: str, done: int, total: int, *, rate: float, seconds: float, columns: int
) -> str:
    """Return the line of a step, in at most ``columns``: what does not fit is left out.

    Args:
        what: The step.
        done: How many items are done.
        total: How many there are.
        rate: Items per second.
        seconds: How long the step has taken.
        columns: The width of the terminal.
    """
    full, empty = _signs()
    filled = min(_BAR, _BAR * done // total) if total > 0 else 0
    parts = [f"{done:,}/{total:,}"]
    if rate >= _SLOWEST:
        parts.append(f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s")
    if rate > 0 and total > done:
        parts.append(translate(f"{_clock((total - done) / rate)} remaining"))
    else:
        parts.append(translate(f"{_clock(seconds)} elapsed"))
    room = columns - 1  # a full line would wrap on some terminals
    for tail in ([full * filled + empty * (_BAR - filled), *parts], parts, parts[:1]):
        text = "  ".join((what, *tail))
        if width_of(text) <= room:
            return text
    return shorten(what, room) if room >= _NARROWEST else ""


def _signs() -> tuple[str, str]:
    """Return what a bar is drawn with."""
    try:
        "━·".encode(sys.stderr.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return "#", "-"
    return "━", "·"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(min(round(seconds), _LONGEST), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _can_draw() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _write(text: str) -> bool:
    """Write to the terminal; return whether that worked. A terminal that is gone stops nothing."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return False
    return True
