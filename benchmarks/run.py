"""What the registry costs beside its limits and its peers, in one table: `make bench`.

Everything is drawn into a temporary folder. Peers run in an environment of their own.
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
import pull
from contest import OURS, PLAIN, Report, peer, process, turns
from corpus import SIZE, deliver
from decoding import pairs_of
from pipeline import repro
from sceneset.cli.scaffold import lay_out
from sceneset.scanning.dask_pool import on_dask
from sceneset.scanning.measure_sample import Measure
from sceneset.scanning.remote_reader import reading
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of

PAIRS, TIMES, NEW, ROUNDS = 600, 5, 10, 3
NAME = "CustomSeg_Person_20240115_bench"
SCAN = (sys.executable, "-m", "sceneset.stages.scan", NAME)


def scans(report: Report, folder: Path) -> None:
    """Measure decoding: at a steady rate, and as whole processes."""
    delivery = deliver(folder / "delivery", PAIRS)
    pairs = PAIRS * decoding.TIMES
    with report.section(f"Scan, {pairs:,} pairs of {SIZE}, as many workers as cores"):
        alone = process(sys.executable, Path(__file__).with_name("decoding.py"), delivery)
        found = json.loads(str(alone()))
        note = {
            decoding.OURS: "each file read and decoded once: damage, md5, exact sums, mask, hashes",
            decoding.LIMIT: "decodes, and does nothing with it; takes damaged files",
        }
        report.add(found, note, dict.fromkeys(found, pairs), "pairs/s")
    root = folder / "registry"
    lay_out(root)
    process(*OURS, "add", delivery, "--name", NAME, cwd=root)()
    scan = root / f"registry/scans/{NAME}.parquet"

    def anew() -> None:
        scan.unlink()
        process(*SCAN, cwd=root)()

    with report.section(f"Scan, {PAIRS} pairs, whole processes"):
        found = turns(
            {
                "sceneset scan": anew,
                "the script people write": peer("script", delivery),
                "CleanVision": peer("cleanvision_issues", delivery),
                "Datumaro": peer("datumaro_statistics", delivery),
            },
            1,
            0,
        )
        note = {
            "the script people write": "no hashes; float sums; takes damaged files; one core",
            "CleanVision": "no masks, sums or md5; stops at a damaged file",
            "Datumaro": "no masks, no look-alikes; stops at a damaged file",
        }
        report.add(found, note, dict.fromkeys(found, PAIRS), "pairs/s")
        report.line("FiftyOne", "", "does not start: it wants a MongoDB server")
    with report.section(f"Scan again, {PAIRS} pairs"):
        report.add(turns({"nothing new": process(*SCAN, cwd=root)}, ROUNDS, 0), {})
        grow(root, deliver(folder / "more", NEW, seed=1))
        again = process(*SCAN, cwd=root)
        report.add(turns({f"{NEW} more": again}, 1, 0), {f"{NEW} more": f"decodes {NEW}"})
        report.add(turns({"all anew": anew}, ROUNDS, 0), {})
        report.line(
            "bytes a sample in git", f"{scan.stat().st_size / (PAIRS + NEW):,.0f}", "Parquet"
        )


def elsewhere(report: Report, root: Path) -> None:
    """Measure what a scan from the remote costs, here and handed to dask's workers."""
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
        assert all(found.row for found in measure(pairs, Limits(), known={}))

    with (
        report.section(f"Scan from a remote that is a folder, {len(pairs):,} pairs"),
        LocalCluster(os.cpu_count(), threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        ways = {
            "sceneset scan --from-remote": lambda: run(reading(blobs)),
            "the same, --engine dask": lambda: run(on_dask(blobs, cluster.scheduler_address)),
        }
        found = turns(ways, ROUNDS, 0)
        note = {"the same, --engine dask": "as many workers as cores, all on this machine"}
        report.add(found, note, dict.fromkeys(found, len(pairs)), "pairs/s")


def grow(root: Path, more: Path) -> None:
    """Add a delivery's samples to the subset."""
    folder = root / "Insta360SemanticSeg" / NAME
    for path in sorted(more.glob("*_dir/*/*.*g")):
        shutil.copy(path, folder / path.parent.relative_to(more) / f"more_{path.name}")
    process(sys.executable, "-m", "dvc", "add", folder / "img_dir", folder / "ann_dir", cwd=root)()


def lookups(report: Report, root: Path) -> None:
    """Measure look-ups in a small registry; `make bench-scale` has large ones."""
    words = (PLAIN / "sceneset", "lookup", "ski", "--stems")
    process(*OURS, *words[1:], cwd=root)()  # makes the index
    with report.section("Look up, whole processes, small registry"):
        found = turns(
            {
                "sceneset lookup ski --stems": process(*words, cwd=root),
                "limit: python -c pass": process(PLAIN / "python", "-c", "pass"),
                "dvc --version": process(sys.executable, "-m", "dvc", "--version", cwd=root),
            },
            7,
        )
        report.add(found, {"dvc --version": "answers nothing of scenes"})


@contextmanager
def scratch() -> Iterator[Path]:
    """Lend a folder."""
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def main() -> None:
    """Print one table."""
    report = Report("What the registry costs")
    with scratch() as folder:
        scans(report, folder)
        elsewhere(report, folder / "registry")
        lookups(report, folder / "registry")
        repro(report, folder / "pipeline")
        pull.add_to(report, folder / "pull", pairs=1000, scene=150, rounds=1)
    report.show()


if __name__ == "__main__":
    main()
