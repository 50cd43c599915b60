"""Run one part of sceneset and print the peak memory of the process in MB.

python benchmarks/peak_memory.py search COUNT   all pairs of similar hashes among COUNT
python benchmarks/peak_memory.py leakage        the leakage stage, in a registry's folder
"""

import sys
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


def peak_memory() -> int:
    """Return the peak memory of this process in MB.

    The kernel's figure for this process alone is needed: after a fork, getrusage may return the
    peak of the parent process.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(kilobytes) >> 10


if __name__ == "__main__":
    if sys.argv[1] == "search":
        run_search(int(sys.argv[2]))
    else:
        run_leakage()
    sys.stdout.write(f"{peak_memory()}\n")
