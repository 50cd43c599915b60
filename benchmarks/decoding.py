"""How fast pictures are measured, beside how fast Pillow decodes them: python decoding.py DELIVERY.

A process of its own, because each of its workers begins with what it has imported.
"""

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from contest import turns
from sceneset.catalog.subset_folder import read_samples
from sceneset.scanning.measure_sample import Pair
from sceneset.scanning.process_pool import measure_many
from sceneset.schemas.params import Limits

TIMES, ROUNDS = 10, 3
OURS, LIMIT = "sceneset", "limit: Pillow"


def load(pairs: Sequence[Pair]) -> None:
    """The limit: Pillow loads every file, and nothing is done with it."""

    def one(path: Path) -> None:
        with Image.open(path) as image:
            image.load()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(one, [path for pair in pairs for path in (pair.image, pair.mask)]):
            pass


def measured(pairs: Sequence[Pair]) -> None:
    """Ours: strict validation, hashes, exact sums, mask facts, perceptual hashes."""
    for found in measure_many(pairs, Limits()):
        assert found.row, found.findings


def pairs_of(folder: Path) -> list[Pair]:
    """Return the samples of a delivery."""
    layout = read_samples(folder)
    return [Pair(*key, layout.images[key], layout.masks[key], folder) for key in layout.pairs()]


def main() -> None:
    """Print the seconds of all rounds, as JSON."""
    pairs = pairs_of(Path(sys.argv[1])) * TIMES
    found = turns({OURS: lambda: measured(pairs), LIMIT: lambda: load(pairs)}, ROUNDS, 0)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
