"""How contestants are timed, side by side, and shown in one table.

They take turns in one run, and ratios are given round by round, because machines are noisy: read
the ratios, not the rates.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

Run = Callable[[], object]

OURS = (sys.executable, "-m", "sceneset.cli.main")
PLAIN = Path(os.environ.get("PLAIN", "build/plain")).resolve() / "bin"
"""Our wheel and nothing else, so that each contestant starts a Python of the same size."""
PEERS = Path(__file__).with_name("peers")
_TOLD = 2000  # characters of a command's last words


def process(*words: object, cwd: Path | None = None, environment: Mapping[str, str] = {}) -> Run:
    """Return a call that runs a whole process, start-up included."""

    def run() -> str:
        done = subprocess.run(
            [str(word) for word in words],
            check=False,
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**os.environ, **environment},
        )
        if done.returncode:
            raise SystemExit(f"{words} failed:\n{done.stdout[-_TOLD:]}{done.stderr[-_TOLD:]}")
        return done.stdout

    return run


def peer(name: str, *words: object) -> Run:
    """Return a call of a peer's script, in the environment that `make bench` makes for them."""
    python = Path(os.environ.get("PEERS", "build/peers")).resolve() / "bin/python"
    return process(python, PEERS / f"{name}.py", *words)


def turns(contestants: Mapping[str, Run], rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Run every contestant once a round, after rounds that do not count; return seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + warm):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if number >= warm:
                seconds[name].append(time.perf_counter() - start)
    return seconds


class Report:
    """One table: what was run, what it took, and that as a ratio to ours (the first of each)."""

    def __init__(self, title: str) -> None:
        self.table = Table(title=f"{title}; {os.cpu_count()} cores", show_lines=False)
        for column in ("what", "figure", "time against ours", "what it does, or does not"):
            self.table.add_column(column, overflow="fold")

    def add(
        self,
        seconds: Mapping[str, Sequence[float]],
        notes: Mapping[str, str],
        work: Mapping[str, float] | None = None,
        unit: str = "",
    ) -> None:
        """Add contestants; ``work`` turns their seconds into rates, and makes them comparable."""
        ours, *_ = seconds
        for name, spent in seconds.items():
            mine, theirs = (work or {}).get(ours, 1), (work or {}).get(name, 1)
            ratio = statistics.median(
                (one / theirs) / (own / mine) for one, own in zip(spent, seconds[ours], strict=True)
            )
            middle = statistics.median(spent)
            figure = f"{theirs / middle:,.0f} {unit}" if work else _span(middle)
            self.table.add_row(name, figure, f"{ratio:.2f}", notes.get(name, ""))

    def line(self, what: str, figure: str, note: str = "", ratio: str = "") -> None:
        """Add a figure that has no contestant."""
        self.table.add_row(what, figure, ratio, note)

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Put what is added under a heading; say on stderr that it has begun."""
        sys.stderr.write(f"{title}...\n")
        self.table.add_row(f"[bold]{title}")
        yield
        self.table.add_section()

    def show(self) -> None:
        """Print it."""
        width = None if sys.stdout.isatty() else 160
        Console(width=width).print(self.table)


def _span(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
