"""What `dvc repro` costs as subsets grow, and how much of it is DVC's own."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import tables
from contest import Report

SUBSETS = (1, 30, 300)
SAMPLES = 200  # of one subset
NEW = "CustomSeg_Person_20240102_new"
_DVC = (sys.executable, "-m", "dvc", "repro", "--allow-missing")
_PREFIX = "> python -m "


def repro(report: Report, folder: Path) -> None:
    """Measure a run with nothing to do, and one after a subset has come."""
    with report.section(f"Pipeline: dvc repro, subsets of {SAMPLES} samples"):
        for count in SUBSETS:
            root, many = folder / str(count), "subsets" if count > 1 else "subset"
            tables.lay(root, count * SAMPLES, count)
            _timed(root)  # what follows the scans is made
            report.line(
                f"{count} {many}, nothing to do", f"{_timed(root)[0]:.1f} s", "all of it DVC's own"
            )
            names = sorted(path.stem for path in (root / "registry/subsets").glob("*.yaml"))
            lock = tables.put(root, NEW, SAMPLES, seed=count)
            tables.list_subsets(root, [*names, NEW], lock)
            seconds, stages = _timed(root)
            ours = sum(_alone(root, stage) for stage in stages)
            report.line(
                f"{count} {many}, one more",
                f"{seconds:.1f} s",
                f"{len(stages)} stages ran: {ours:.1f} s ours, {seconds - ours:.1f} s DVC's own",
            )


def _timed(root: Path) -> tuple[float, list[str]]:
    """Run the pipeline; return seconds, and the commands of the stages that ran."""
    began = time.perf_counter()
    done = subprocess.run(_DVC, cwd=root, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert not done.returncode, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    return seconds, [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]


def _alone(root: Path, stage: str) -> float:
    """Run a stage's command again, without DVC, which takes its outputs away first."""
    for name, folder in (("stats", "stats"), ("card", "cards")):
        if stage.endswith(f"stages.{name}"):
            shutil.rmtree(root / "registry" / folder)
    began = time.perf_counter()
    command = [sys.executable, "-m", *stage.split()]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began
