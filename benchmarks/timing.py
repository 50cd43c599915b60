"""Time programs against each other and show the results in one table.

The programs run in turns, and ratios are computed round by round, because other load on the
machine changes over time. The ratios are therefore more reliable than the absolute figures.
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

ROOT = Path(__file__).resolve().parents[1]
OURS = (sys.executable, "-m", "sceneset")
PLAIN = Path(os.environ.get("PLAIN", "build/plain")).resolve() / "bin"
"""An environment with our wheel and nothing else, so that all programs start the same Python."""
PEERS = Path(__file__).with_name("peers")
_SHOWN = 2000  # characters of a failed command's output


def process(*words: object, cwd: Path | None = None, environment: Mapping[str, str] = {}) -> Run:
    """Return a function that runs a command and returns what it printed.

    The time of the call includes the start of the process.
    """

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
            raise SystemExit(f"{words} failed:\n{done.stdout[-_SHOWN:]}{done.stderr[-_SHOWN:]}")
        return done.stdout

    return run


def peer(name: str, *words: object) -> Run:
    """Return a function that runs a script in peers/ with the Python that `make peers` installs."""
    python = Path(os.environ.get("PEERS", "build/peers")).resolve() / "bin/python"
    return process(python, PEERS / f"{name}.py", *words)


def time_in_turns(
    programs: Mapping[str, Run],
    rounds: int,
    warm_up_rounds: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Run every program once per round; return the seconds of each run after the warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + warm_up_rounds):
        for name, run in programs.items():
            start = clock()
            run()
            if number >= warm_up_rounds:
                seconds[name].append(clock() - start)
    return seconds


def cpu_time() -> float:
    """Return the seconds that this process and its ended children have used of all cores."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


class Report:
    """A table of results. The first program of each group is ours; ratios are relative to it."""

    def __init__(self, title: str) -> None:
        self.table = Table(title=f"{title}; {os.cpu_count()} cores", show_lines=False)
        for column in ("what", "figure", "time against ours", "what it does, or does not do"):
            self.table.add_column(column, overflow="fold")

    def add(
        self,
        seconds: Mapping[str, Sequence[float]],
        notes: Mapping[str, str],
        work: Mapping[str, float] | None = None,
        unit: str = "",
    ) -> None:
        """Add a group of programs.

        Args:
            seconds: The times of each program, from ``time_in_turns``.
            notes: Text for the last column.
            work: The amount of work of each program. If given, the table shows rates, and the
                ratios are those of the time per unit of work.
            unit: The unit of the rates, such as "pairs/s".
        """
        ours, *_ = seconds
        for name, spent in seconds.items():
            our_work, its_work = (work or {}).get(ours, 1), (work or {}).get(name, 1)
            ratio = statistics.median(
                (its / its_work) / (our / our_work)
                for its, our in zip(spent, seconds[ours], strict=True)
            )
            median = statistics.median(spent)
            figure = f"{its_work / median:,.0f} {unit}" if work else _duration(median)
            self.table.add_row(name, figure, f"{ratio:.2f}", notes.get(name, ""))

    def line(self, what: str, figure: str, note: str = "", ratio: str = "") -> None:
        """Add a single figure."""
        self.table.add_row(what, figure, ratio, note)

    @contextmanager
    def section(self, title: str) -> Iterator[None]:
        """Put the rows that the block adds under a heading, and announce it on stderr."""
        sys.stderr.write(f"{title}...\n")
        self.table.add_row(f"[bold]{title}")
        yield
        self.table.add_section()

    def show(self) -> None:
        """Print the table."""
        width = None if sys.stdout.isatty() else 160
        Console(width=width).print(self.table)


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms" if seconds < 1 else f"{seconds:,.1f} s"
