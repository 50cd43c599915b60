"""Compare how fast sceneset measures images with how fast Pillow decodes them.

    python benchmarks/decoding.py DELIVERY

This is a process of its own because worker processes import the modules of the main program: a
larger program would start more slowly.
"""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from sceneset.catalog.subset_folder import read_samples
from sceneset.scanning.measure_sample import Pair
from sceneset.scanning.process_pool import measure_files
from sceneset.schemas.params import Limits
from timing import time_in_turns

TIMES, ROUNDS = 10, 3
OURS, LIMIT = "sceneset", "limit: Pillow"


def decode(pairs: Sequence[Pair]) -> None:
    """Decode every file with Pillow and do nothing else: a lower limit of the time."""

    def decode_file(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(
            decode_file, [path for pair in pairs for path in (pair.image, pair.mask)]
        ):
            pass


def measure(pairs: Sequence[Pair]) -> None:
    """Measure every pair: validation, MD5, exact colour sums, mask shape, perceptual hashes."""
    for result in measure_files(pairs, Limits()):
        assert result.row, result.findings


def pairs_of(folder: Path) -> list[Pair]:
    """Return the samples of a delivery."""
    layout = read_samples(folder)
    return [Pair(*key, layout.images[key], layout.masks[key], folder) for key in layout.pairs()]


def main() -> None:
    """Print the seconds of all rounds as JSON."""
    pairs = pairs_of(Path(sys.argv[1])) * TIMES
    programs = {OURS: lambda: measure(pairs), LIMIT: lambda: decode(pairs)}
    sys.stdout.write(json.dumps(time_in_turns(programs, ROUNDS, 0)))


if __name__ == "__main__":
    main()
