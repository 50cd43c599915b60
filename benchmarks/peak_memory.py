"""Run one part of sceneset and print the peak memory of the process in MB.

python benchmarks/peak_memory.py search COUNT   all pairs of similar hashes among COUNT
python benchmarks/peak_memory.py leakage        the leakage stage, in a registry's folder
python benchmarks/peak_memory.py site DIR       the catalogue, in a registry's folder
python benchmarks/peak_memory.py diff REV       the differences from a revision, in a registry
python benchmarks/peak_memory.py review REV     the review of a registry against a revision

diff and review print two more numbers: the MB before they begin, and their CPU seconds.
"""

import sys
import time
from pathlib import Path


def run_search(count: int) -> None:
    """Search all pairs of random hashes within 8 bits."""
    import numpy as np

    from sceneset.quality.hamming_search import search

    hashes = np.random.default_rng(1).integers(0, 1 << 64, count, dtype=np.uint64)
    search(hashes, hashes, 8, lambda pairs: pairs)


def run_leakage() -> None:
    """Run the leakage stage."""
    from sceneset.stages.leakage import main

    assert main() in {0, 1}


def run_site(to: str) -> None:
    """Write the catalogue."""
    from sceneset.cli.main import main

    assert main(["site", "--to", to]) == 0


def compare_with(rev: str, what: str) -> tuple[int, float]:
    """Compare the registry with a revision; return the memory before and the CPU seconds."""
    import pyarrow.compute  # here, so that libraries do not count
    import pyarrow.parquet  # noqa: F401

    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.review import review
    from sceneset.versions.diff import compare
    from sceneset.versions.revisions import open_at

    changed = Catalog.find()
    base = open_at(changed.root, rev)
    before, began = peak_memory(), time.process_time()
    if what == "review":
        assert review(base, changed).diff
    else:
        assert compare(base, changed).changes
    return before, time.process_time() - began


def peak_memory() -> int:
    """Return the peak memory of this process in MB.

    The kernel's figure for this process alone is needed: after a fork, getrusage may return the
    peak of the parent process.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kilobytes) >> 10


if __name__ == "__main__":
    figures: tuple[float, ...] = ()
    if sys.argv[1] == "search":
        run_search(int(sys.argv[2]))
    elif sys.argv[1] == "leakage":
        run_leakage()
    elif sys.argv[1] == "site":
        run_site(sys.argv[2])
    else:
        figures = compare_with(sys.argv[2], sys.argv[1])
    sys.stdout.write(" ".join(map(str, (peak_memory(), *figures))) + "\n")
