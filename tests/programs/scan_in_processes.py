"""Measure the pair 0.jpg and 0.png of a folder in worker processes, and stop half-way.

Prints "started" after the first result, and then keeps its workers until stdin is closed.
"""

import sys
from pathlib import Path

from sceneset.scanning import process_pool
from sceneset.scanning.measure_sample import Pair
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase

if __name__ == "__main__":
    process_pool._MIN_PAIRS = 1
    folder = Path(sys.argv[1])
    pairs = [Pair(Phase.TRAIN, "0", folder / "0.jpg", folder / "0.png", folder)] * 100
    for _ in process_pool.measure_files(pairs, Limits()):
        sys.stdout.write("started\n")
        sys.stdout.flush()
        sys.stdin.read()
