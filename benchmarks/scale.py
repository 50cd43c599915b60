"""Measure look-ups and the leakage stage with a million samples: `make bench-scale`."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import tables
from sceneset import Registry
from sceneset.quality.hamming_search import Pairs, search
from timing import OURS, PLAIN, Report, peer, process, time_in_turns

SUBSETS, ROUNDS = 20, 7
FEW = 100_000  # hashes for which faiss finds all pairs, to compare the results
PART = 10_000  # hashes that faiss searches for among all; its time is extrapolated
SKI = ("lookup", "ski", "--persons", "multi", "--phase", "train", "--stems")


def lookups(report: Report, root: Path, folder: Path) -> None:
    """Compare look-ups with queries of the same rows in Parquet."""
    table = folder / "rows.parquet"
    registry = Registry(root)
    columns: dict[str, list[str]] = {n: [] for n in ("subset", "scene", "persons", "phase", "stem")}
    for name in registry.params.subsets:
        for tag in registry.tags(name, cache=False):
            for scene in tag.scenes:
                row = (name, scene.scene, str(tag.persons), str(tag.phase), tag.stem)
                for values, value in zip(columns.values(), row, strict=True):
                    values.append(value)
    pq.write_table(pa.table(columns), table, compression="zstd")
    with report.section(f"Look up among {len(columns['stem']):,} samples, whole processes"):
        began = time.perf_counter()
        stems = process(*OURS, *SKI, cwd=root)()
        seconds = time.perf_counter() - began
        report.line(
            "the first look-up", f"{seconds:.1f} s", "reads all tables and builds the index"
        )
        for name in ("duckdb_lookup", "polars_lookup"):
            assert sorted(str(peer(name, table, "stems")()).split()) == sorted(str(stems).split())
        found = time_in_turns(
            {
                "sceneset lookup --stems": process(PLAIN / "sceneset", *SKI, cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "duckdb over Parquet": peer("duckdb_lookup", table, "stems"),
                "polars over Parquet": peer("polars_lookup", table, "stems"),
            },
            ROUNDS,
        )
        report.add(found, {"sceneset lookup --stems": f"{len(str(stems).split()):,} stems"})
        found = time_in_turns(
            {
                "sceneset scenes": process(PLAIN / "sceneset", "scenes", cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "duckdb over Parquet": peer("duckdb_lookup", table, "counts"),
                "polars over Parquet": peer("polars_lookup", table, "counts"),
            },
            ROUNDS,
        )
        report.add(found, {"sceneset scenes": "counts of all scenes; the index contains them"})


def pairs(report: Report, folder: Path, count: int) -> None:
    """Compare the search for all pairs of similar hashes with faiss's flat binary index."""
    random = np.random.default_rng(905)
    hashes, mirrors = random.integers(0, 1 << 64, (2, count), dtype=np.uint64)
    paths = [folder / f"{name}.npy" for name in ("hashes", "mirrors", "few", "found")]
    for path, values in zip(paths, (hashes, mirrors, hashes[:FEW]), strict=False):
        np.save(path, values)
    part = min(PART, count)
    with report.section(f"All pairs of similar hashes among {count:,}, and of their mirror images"):
        ours = _seconds(hashes, hashes, 8) + _seconds(mirrors, hashes, 8)
        report.line("sceneset, 8 bits", f"{ours:.1f} s", "exact", "1.00")
        flat = 0.0
        for left in paths[:2]:
            output = peer("faiss_pairs", left, paths[0], 8, part, paths[3])()
            flat += float(str(output)) * count / part
        note = f"exact; extrapolated from {part:,} of them"
        report.line("faiss IndexBinaryFlat, 8 bits", f"{flat:,.0f} s", note, f"{flat / ours:.1f}")
        wide = _seconds(hashes, hashes, 10) + _seconds(mirrors, hashes, 8)
        report.line(
            "sceneset, 10 bits", f"{wide:.1f} s", "the distance for review", f"{wide / ours:.2f}"
        )
        memory = _peak_memory("search", count)
        report.line("sceneset, 8 bits, memory", f"{memory:,} MB", "the whole process")
        peer("faiss_pairs", paths[2], paths[2], 8, min(FEW, count), paths[3])()
        found: list[tuple[int, int]] = []

        def collect(pairs: Pairs) -> None:
            found.extend(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))

        search(hashes[:FEW], hashes[:FEW], 8, collect)
        assert sorted(found) == sorted(zip(*np.load(paths[3]).tolist(), strict=True))
        report.line(
            f"pairs among {min(FEW, count):,}", f"{len(found):,}", "faiss finds the same pairs"
        )


def _seconds(left: "np.ndarray", right: "np.ndarray", bits: int) -> float:
    began = time.perf_counter()
    search(left, right, bits, lambda pairs: pairs)
    return time.perf_counter() - began


def gate(report: Report, root: Path, count: int) -> None:
    """Measure the leakage stage as DVC runs it: without its previous outputs."""
    text = (root / "params.yaml").read_text("utf-8")
    with report.section(f"The leakage stage, {count:,} samples in {SUBSETS} subsets"):
        for what, review in (("near, 8 bits", 0), ("and review, 10 bits", 10)):
            (root / "params.yaml").write_text(text.replace("review: 10", f"review: {review}"))
            for name in ("leakage", "leaks"):
                (root / f"registry/reports/{name}.json").unlink(missing_ok=True)
            began = time.perf_counter()
            memory = _peak_memory("leakage", cwd=root)
            seconds = time.perf_counter() - began
            lines = (root / "registry/reports/leakage.json").read_text().count('"code"')
            report.line(what, f"{seconds:.1f} s", f"{lines:,} findings; {memory:,} MB peak memory")
    (root / "params.yaml").write_text(text)


def _peak_memory(*words: object, cwd: Path | None = None) -> int:
    """Run peak_memory.py and return the MB that it prints."""
    program = Path(__file__).with_name("peak_memory.py")
    return int(str(process(sys.executable, program, *words, cwd=cwd)()))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    count = parser.parse_args().samples
    report = Report(f"{count:,} samples")
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        root = folder / "registry"
        tables.create_registry(root, count, SUBSETS)
        sizes = [path.stat().st_size for path in (root / "registry/scans").glob("*.parquet")]
        report.line("scans in git", f"{sum(sizes) / count:,.0f} bytes per sample", "random hashes")
        lookups(report, root, folder)
        pairs(report, folder, count)
        gate(report, root, count)
    finally:
        shutil.rmtree(folder)
    report.show()


if __name__ == "__main__":
    main()
