"""Measure `sceneset diff` and `sceneset review` on a registry with many samples.

python benchmarks/states.py --samples 300000
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import tables
from timing import Report, process

SUBSETS = 20
EVERY = 100  # one sample in this many gets another scene


def commit(root: Path) -> None:
    """Make the registry a git repository with one commit."""
    user = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com")
    for words in (
        ("init", "--quiet"),
        ("add", "--all"),
        (*user, "commit", "--quiet", "--message", "Base"),
    ):
        process("git", *words, cwd=root)()


def relabel(root: Path) -> int:
    """Give one sample in EVERY another scene; return how many samples that are."""
    changed = 0
    for path in sorted((root / "registry/tags").glob("*.csv")):
        lines = path.read_text("utf-8").splitlines()
        for number in range(1, len(lines), EVERY):
            fields = lines[number].split(",")
            fields[2] = "indoor" if fields[2] == "city" else "city"
            lines[number] = ",".join(fields)
            changed += 1
        path.write_text("\n".join(lines) + "\n", "utf-8")
    return changed


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=300_000)
    count = parser.parse_args().samples
    report = Report(f"{count:,} samples in {SUBSETS} subsets")
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    os.environ["SCENESET_CACHE_DIR"] = str(folder / "cache")
    try:
        root = folder / "registry"
        tables.create_registry(root, count, SUBSETS)
        commit(root)
        changed = relabel(root)
        program = Path(__file__).with_name("peak_memory.py")
        with report.section(f"Compare with HEAD; {changed:,} samples have another scene"):
            for what in ("diff", "review"):
                output = str(process(sys.executable, program, what, "HEAD", cwd=root)())
                peak, before, seconds = map(float, output.split())
                memory = (peak - before) * (1 << 20) / count
                report.line(
                    what,
                    f"{seconds:.1f} s of CPU",
                    f"{seconds / count * 1e6:.0f} us and {memory:,.0f} bytes per sample; "
                    f"{peak:,.0f} MB peak memory",
                )
    finally:
        shutil.rmtree(folder)
    report.show()


if __name__ == "__main__":
    main()
