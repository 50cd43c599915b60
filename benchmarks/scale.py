"""What a million samples cost: look-ups and the leakage gate, in one table: `make bench-scale`."""

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
from contest import OURS, PLAIN, Report, peer, process, turns
from sceneset import Registry
from sceneset.quality.hamming_search import Pairs, search

SUBSETS, ROUNDS = 20, 7
FEW = 100_000  # hashes of which faiss finds all pairs
PART = 10_000  # hashes it searches for among all, to be multiplied
SKI = ("lookup", "ski", "--persons", "multi", "--phase", "train", "--stems")


def lookups(report: Report, root: Path, folder: Path) -> None:
    """Measure look-ups beside queries of the same rows in Parquet."""
    table = folder / "rows.parquet"
    registry = Registry(root)
    columns: dict[str, list[str]] = {n: [] for n in ("subset", "scene", "persons", "phase", "stem")}
    for name in registry.params.subsets:
        for tag in registry.tags(name, keep=False):
            for within in tag.scenes:
                row = (name, within.scene, str(tag.persons), str(tag.phase), tag.stem)
                for values, value in zip(columns.values(), row, strict=True):
                    values.append(value)
    pq.write_table(pa.table(columns), table, compression="zstd")
    with report.section(f"Look up among {len(columns['stem']):,} samples, whole processes"):
        began = time.perf_counter()
        stems = process(*OURS, *SKI, cwd=root)()
        seconds = time.perf_counter() - began
        report.line("the first time", f"{seconds:.1f} s", "reads all tables, builds the index")
        for name in ("duckdb_lookup", "polars_lookup"):
            assert sorted(str(peer(name, table, "stems")()).split()) == sorted(str(stems).split())
        found = turns(
            {
                "sceneset lookup --stems": process(PLAIN / "sceneset", *SKI, cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "duckdb over Parquet": peer("duckdb_lookup", table, "stems"),
                "polars over Parquet": peer("polars_lookup", table, "stems"),
            },
            ROUNDS,
        )
        report.add(found, {"sceneset lookup --stems": f"{len(str(stems).split()):,} stems"})
        found = turns(
            {
                "sceneset scenes": process(PLAIN / "sceneset", "scenes", cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "duckdb over Parquet": peer("duckdb_lookup", table, "counts"),
                "polars over Parquet": peer("polars_lookup", table, "counts"),
            },
            ROUNDS,
        )
        report.add(found, {"sceneset scenes": "counts of all scenes; they are kept, not counted"})


def pairs(report: Report, folder: Path, count: int) -> None:
    """Measure all pairs of near hashes, mirrored ones too, beside faiss's flat binary index."""
    random = np.random.default_rng(905)
    looks, mirrors = random.integers(0, 1 << 64, (2, count), dtype=np.uint64)
    paths = [folder / f"{name}.npy" for name in ("looks", "mirrors", "few", "found")]
    for path, hashes in zip(paths, (looks, mirrors, looks[:FEW]), strict=False):
        np.save(path, hashes)
    part = min(PART, count)
    with report.section(f"All pairs of near hashes among {count:,}, and their mirror images"):
        ours = _timed(looks, looks, 8) + _timed(mirrors, looks, 8)
        report.line("sceneset, 8 bits", f"{ours:.1f} s", "exact", "1.00")
        flat = 0.0
        for left in paths[:2]:
            said = peer("faiss_pairs", left, paths[0], 8, part, paths[3])()
            flat += float(str(said)) * count / part
        note = f"exact; measured on {part:,} of them and multiplied"
        report.line("faiss IndexBinaryFlat, 8 bits", f"{flat:,.0f} s", note, f"{flat / ours:.1f}")
        wide = _timed(looks, looks, 10) + _timed(mirrors, looks, 8)
        report.line(
            "sceneset, 10 bits", f"{wide:.1f} s", "the distance of review", f"{wide / ours:.2f}"
        )
        code = f"""
import numpy as np; from sceneset.quality.hamming_search import search
hashes = np.random.default_rng(1).integers(0, 1 << 64, {count}, dtype=np.uint64)
search(hashes, hashes, 8, lambda pairs: pairs)"""
        report.line("sceneset, 8 bits, memory", f"{_memory(code):,} MB", "the whole process")
        peer("faiss_pairs", paths[2], paths[2], 8, min(FEW, count), paths[3])()
        found: list[tuple[int, int]] = []

        def take(some: Pairs) -> None:
            found.extend(zip(some.left.tolist(), some.right.tolist(), strict=True))

        search(looks[:FEW], looks[:FEW], 8, take)
        assert sorted(found) == sorted(zip(*np.load(paths[3]).tolist(), strict=True))
        report.line(
            f"pairs among {min(FEW, count):,}", f"{len(found):,}", "faiss finds the same ones"
        )


def _timed(left: "np.ndarray", right: "np.ndarray", bits: int) -> float:
    began = time.perf_counter()
    search(left, right, bits, lambda pairs: pairs)
    return time.perf_counter() - began


def gate(report: Report, root: Path, count: int) -> None:
    """Measure the whole stage, as DVC runs it."""
    text = (root / "params.yaml").read_text("utf-8")
    with report.section(f"The leakage gate, {count:,} samples in {SUBSETS} subsets, whole stage"):
        for what, review in (("near, 8 bits", 0), ("and review, 10 bits", 10)):
            (root / "params.yaml").write_text(text.replace("review: 10", f"review: {review}"))
            for name in ("leakage", "leaks"):
                (root / f"registry/reports/{name}.json").unlink(missing_ok=True)
            began = time.perf_counter()
            code = "from sceneset.stages.leakage import main; assert main() in (0, 1)"
            memory = _memory(code, root)
            seconds = time.perf_counter() - began
            lines = (root / "registry/reports/leakage.json").read_text().count('"code"')
            report.line(what, f"{seconds:.1f} s", f"{lines:,} findings; {memory:,} MB at most")
    (root / "params.yaml").write_text(text)


def _memory(code: str, cwd: Path | None = None) -> int:
    """Run ``code`` in a process; return the MB it took at most."""
    # What wait4 and getrusage tell may be the peak of who started it.
    peak = "print([line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line][0])"
    return int(str(process(sys.executable, "-c", f"{code}\n{peak}", cwd=cwd)())) >> 10


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    count = parser.parse_args().samples
    report = Report(f"What {count:,} samples cost")
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        root = folder / "registry"
        tables.lay(root, count, SUBSETS)
        sizes = [path.stat().st_size for path in (root / "registry/scans").glob("*.parquet")]
        report.line("scans in git", f"{sum(sizes) / count:,.0f} bytes a sample", "random hashes")
        lookups(report, root, folder)
        pairs(report, folder, count)
        gate(report, root, count)
    finally:
        shutil.rmtree(folder)
    report.show()


if __name__ == "__main__":
    main()
