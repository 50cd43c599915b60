"""Compare sceneset with lower limits and with other tools, in one table: `make bench`.

All data is drawn into a temporary folder. The other tools have a Python environment of their own.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import decoding
import evaluation
import pull
from corpus import SIZE, deliver
from decoding import pairs_of
from pipeline import repro
from sceneset.cli.scaffold import lay_out
from sceneset.scanning.dask_pool import dask_measure
from sceneset.scanning.measure_sample import Measure
from sceneset.scanning.remote_reader import remote_measure
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of
from timing import OURS, PLAIN, Report, peer, process, time_in_turns

PAIRS, TIMES, NEW, ROUNDS = 600, 5, 10, 3
EVALUATED = 500  # pairs of masks
NAME = "CustomSeg_Person_20240115_bench"
SCAN = (sys.executable, "-m", "sceneset.stages.scan", NAME)


def scans(report: Report, folder: Path) -> None:
    """Measure scans: the rate of decoding, and whole processes."""
    delivery = deliver(folder / "delivery", PAIRS)
    pairs = PAIRS * decoding.TIMES
    with report.section(f"Scan, {pairs:,} pairs of {SIZE}, as many workers as cores"):
        run = process(sys.executable, Path(__file__).with_name("decoding.py"), delivery)
        found = json.loads(str(run()))
        note = {
            decoding.OURS: "each file read and decoded once: damage, MD5, exact sums, mask, hashes",
            decoding.LIMIT: "only decodes; accepts damaged files",
        }
        report.add(found, note, dict.fromkeys(found, pairs), "pairs/s")
    root = folder / "registry"
    lay_out(root)
    process(*OURS, "add", delivery, "--name", NAME, cwd=root)()
    scan = root / f"registry/scans/{NAME}.parquet"

    def scan_all() -> None:
        scan.unlink()
        process(*SCAN, cwd=root)()

    with report.section(f"Scan, {PAIRS} pairs, whole processes"):
        found = time_in_turns(
            {
                "sceneset scan": scan_all,
                "a typical script": peer("script", delivery),
                "CleanVision": peer("cleanvision_issues", delivery),
                "Datumaro": peer("datumaro_statistics", delivery),
            },
            1,
            0,
        )
        note = {
            "a typical script": "no hashes; float sums; accepts damaged files; one core",
            "CleanVision": "no masks, sums or MD5; stops at a damaged file",
            "Datumaro": "no masks, no near-duplicates; stops at a damaged file",
        }
        report.add(found, note, dict.fromkeys(found, PAIRS), "pairs/s")
        report.line("FiftyOne", "", "does not start: it needs a MongoDB server")
    with report.section(f"Scan again, {PAIRS} pairs"):
        report.add(time_in_turns({"nothing new": process(*SCAN, cwd=root)}, ROUNDS, 0), {})
        grow(root, deliver(folder / "more", NEW, seed=1))
        again = process(*SCAN, cwd=root)
        report.add(time_in_turns({f"{NEW} more": again}, 1, 0), {f"{NEW} more": f"decodes {NEW}"})
        report.add(time_in_turns({"everything again": scan_all}, ROUNDS, 0), {})
        report.line(
            "bytes per sample in git", f"{scan.stat().st_size / (PAIRS + NEW):,.0f}", "Parquet"
        )


def remote_scans(report: Report, root: Path) -> None:
    """Measure scans from a remote, in processes and on a dask cluster."""
    from distributed import LocalCluster

    remote = root.parent / "remote"
    remote.mkdir()
    for words in (("remote", "add", "--default", "store", remote), ("push", "--quiet")):
        process(sys.executable, "-m", "dvc", *words, cwd=root)()
    blobs, pairs = Blobs(root), []
    for pair in pairs_of(root / "Insta360SemanticSeg" / NAME):
        hashes = [md5_of(path.read_bytes()) for path in (pair.image, pair.mask)]
        pairs.append(pair._replace(md5=(hashes[0], hashes[1])))
    pairs *= TIMES

    def run(measure: Measure) -> None:
        assert all(result.row for result in measure(pairs, Limits(), known={}))

    with (
        report.section(f"Scan from a remote that is a folder, {len(pairs):,} pairs"),
        LocalCluster(os.cpu_count(), threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        ways = {
            "sceneset scan --from-remote": lambda: run(remote_measure(blobs)),
            "the same, --engine dask": lambda: run(dask_measure(blobs, cluster.scheduler_address)),
        }
        found = time_in_turns(ways, ROUNDS, 0)
        note = {"the same, --engine dask": "one worker per core, all on this machine"}
        report.add(found, note, dict.fromkeys(found, len(pairs)), "pairs/s")


def grow(root: Path, more: Path) -> None:
    """Add the samples of a delivery to the subset."""
    folder = root / "Insta360SemanticSeg" / NAME
    for path in sorted(more.glob("*_dir/*/*.*g")):
        shutil.copy(path, folder / path.parent.relative_to(more) / f"more_{path.name}")
    process(sys.executable, "-m", "dvc", "add", folder / "img_dir", folder / "ann_dir", cwd=root)()


def lookups(report: Report, root: Path) -> None:
    """Measure look-ups in a small registry; `make bench-scale` measures them in a large one."""
    words = (PLAIN / "sceneset", "lookup", "ski", "--stems")
    process(*OURS, *words[1:], cwd=root)()  # builds the index
    with report.section("Look up, whole processes, small registry"):
        found = time_in_turns(
            {
                "sceneset lookup ski --stems": process(*words, cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "dvc --version": process(sys.executable, "-m", "dvc", "--version", cwd=root),
            },
            7,
        )
        report.add(found, {"dvc --version": "does not look up scenes"})


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Provide a temporary folder that is deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print the table."""
    report = Report("What the registry costs")
    with temporary_folder() as folder:
        scans(report, folder)
        remote_scans(report, folder / "registry")
        lookups(report, folder / "registry")
        repro(report, folder / "pipeline")
        evaluation.add_to(report, folder / "evaluation", EVALUATED)
        pull.add_to(report, folder / "pull", pairs=1000, scene=150, rounds=1)
    report.show()


if __name__ == "__main__":
    main()
