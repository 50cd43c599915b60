"""Measure how long `dvc repro` takes with many subsets, and how much of it DVC itself takes."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import tables
from timing import Report

SUBSETS = (1, 30, 300)
SAMPLES = 200  # in each subset
NEW = "CustomSeg_Person_20240102_new"
_DVC = (sys.executable, "-m", "dvc", "repro", "--allow-missing")
_PREFIX = "> python -m "


def repro(report: Report, folder: Path) -> None:
    """Measure a run with nothing to do, and a run after a subset was added."""
    with report.section(f"Pipeline: dvc repro, subsets of {SAMPLES} samples"):
        for count in SUBSETS:
            root, many = folder / str(count), "subsets" if count > 1 else "subset"
            tables.create_registry(root, count * SAMPLES, count)
            _repro(root)  # runs all stages after the scans
            report.line(
                f"{count} {many}, nothing to do", f"{_repro(root)[0]:.1f} s", "all of it in DVC"
            )
            names = sorted(path.stem for path in (root / "registry/subsets").glob("*.yaml"))
            lock = tables.write_subset(root, NEW, SAMPLES, seed=count)
            tables.list_subsets(root, [*names, NEW], lock)
            seconds, stages = _repro(root)
            ours = sum(_run_without_dvc(root, stage) for stage in stages)
            report.line(
                f"{count} {many}, one more",
                f"{seconds:.1f} s",
                f"{len(stages)} stages ran: {ours:.1f} s in stages, {seconds - ours:.1f} s in DVC",
            )


def _repro(root: Path) -> tuple[float, list[str]]:
    """Run the pipeline; return the seconds and the commands of the stages that ran."""
    began = time.perf_counter()
    done = subprocess.run(_DVC, cwd=root, check=False, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert not done.returncode, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    return seconds, [line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)]


def _run_without_dvc(root: Path, stage: str) -> float:
    """Run a stage's command again and return the seconds.

    DVC deletes the outputs of a stage before it runs, so this does the same.
    """
    for name, folder in (("stats", "stats"), ("card", "cards")):
        if stage.endswith(f"stages.{name}"):
            shutil.rmtree(root / "registry" / folder)
    began = time.perf_counter()
    command = [sys.executable, "-m", *stage.split()]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return time.perf_counter() - began
