"""Measure what the registry costs beside its limits and its peers: `make bench`.

Everything is drawn into a temporary folder. Contestants take turns in one run, and ratios are
given pair by pair, because machines are noisy: read the ratios, not the rates.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from sceneset.registry.cli import main as sceneset
from sceneset.registry.layout import read_samples
from sceneset.registry.measure import Pair, measure_all
from sceneset.registry.scaffold import lay_out
from sceneset.schemas.params import Limits

IMAGES, SIZE, ROUNDS = 200, "1280x720", 5
NAME = "CustomSeg_Person_20240115_bench"


def decode_only(pairs: Sequence[Pair]) -> None:
    """The limit: Pillow loads every file, and nothing is done with it."""

    def load(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(load, [path for pair in pairs for path in (pair.image, pair.mask)]):
            pass


def script(pairs: Sequence[Pair]) -> None:
    """The script people write: float images, mean and deviation, unique mask values."""
    for pair in pairs:
        pixels = np.asarray(Image.open(pair.image).convert("RGB")) / 255.0
        pixels.mean((0, 1)), pixels.std((0, 1))
        np.unique(np.asarray(Image.open(pair.mask)))


def scan(pairs: Sequence[Pair]) -> None:
    """Ours: strict validation, hashes, exact sums, mask facts, perceptual hashes."""
    for found in measure_all(pairs, Limits()):
        assert found.row, found.problems


def turns(contestants: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Run every contestant once a round, after a round that does not count; return seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def lines(
    seconds: Mapping[str, Sequence[float]], ours: str, work: float, unit: str
) -> Iterator[tuple[str, ...]]:
    """Give each contestant's median and the median of its pairwise ratios to ours."""
    for name, spent in seconds.items():
        ratio = statistics.median(
            theirs / mine for theirs, mine in zip(spent, seconds[ours], strict=True)
        )
        middle = statistics.median(spent)
        rate = f"{work / middle:,.0f} {unit}" if work else f"{middle * 1000:,.0f} ms"
        yield name, rate, f"{ratio:.2f}"


def process(*words: str, cwd: Path | None = None) -> Callable[[], object]:
    """Return a call that runs a whole process, start-up included."""
    return lambda: subprocess.run(words, check=True, capture_output=True, cwd=cwd)


def main() -> None:
    """Print one table."""
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        root, delivery = folder / "registry", folder / "delivery"
        lay_out(root)
        with chdir(root):
            sceneset(["draw", str(delivery), "--images", str(IMAGES), "--size", SIZE])
            sceneset(["add", str(delivery), "--name", NAME])
        layout = read_samples(delivery)
        pairs = [
            Pair(*key, layout.images[key], layout.masks[key], delivery) for key in layout.pairs()
        ]
        scans = turns(
            {
                "sceneset scan": lambda: scan(pairs),
                "limit: Pillow decodes, nothing else": lambda: decode_only(pairs),
                "the script people write": lambda: script(pairs),
            },
            ROUNDS,
        )
        python = sys.executable
        lookups = turns(
            {
                "sceneset lookup ski --stems": process(
                    python, "-m", "sceneset.registry.cli", "lookup", "ski", "--stems", cwd=root
                ),
                "limit: python -c pass": process(python, "-c", "pass"),
                "peer: dvc --version": process(python, "-m", "dvc", "--version", cwd=root),
            },
            ROUNDS,
        )
    finally:
        shutil.rmtree(folder)
    table = Table(title=f"{IMAGES} pairs of {SIZE}, {os.cpu_count()} cores, medians of {ROUNDS}")
    for column in ("what", "rate or time", "time against ours"):
        table.add_column(column)
    for row in lines(scans, "sceneset scan", IMAGES, "pairs/s"):
        table.add_row(*row)
    table.add_section()
    for row in lines(lookups, "sceneset lookup ski --stems", 0, ""):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
