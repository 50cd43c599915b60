"""Measure how long counting of predictions takes beside decoding them: `make bench-evaluate`.

All programs read the same files and take turns. The figures are CPU time of all processes, so they
do not depend on the number of cores. The time that other libraries take to start is left out.
`make bench` does the same with fewer pairs.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from corpus import SIZE, deliver, multiply
from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.cli.scaffold import lay_out
from sceneset.evaluation.counts import Widths
from sceneset.evaluation.predictions import FolderPredictions
from sceneset.evaluation.run import count_predictions
from sceneset.exports.selection import select_samples
from sceneset.imaging.decode import decode_mask
from sceneset.imaging.prediction_file import Reading
from sceneset.scanning.process_map import map_on_all_cores
from sceneset.schemas.params import Limits
from sceneset.versions.local_files import LocalFiles
from timing import OURS, PEERS, ROOT, Report, cpu_time, process, time_in_turns

NAME = "CustomSeg_Person_20240115_bench"
PAIRS, DRAWN, ROUNDS = 5000, 100, 3
PEER_PAIRS = 500
"""Pairs that other libraries count, because the slowest takes a second for eight."""
FOLDER = "Insta360SemanticSeg"
NOTES = {
    "sceneset evaluate, whole command": "with intervals of all groups, and start-up",
    "sceneset's decoder, both masks": "damage and checksums checked; nothing counted",
    "opencv": "decodes both masks; nothing counted; accepts damaged files",
    "pillow": "the same",
    "mmseg": "IoUMetric of mmsegmentation: IoU only; decodes with Pillow",
    "torchmetrics": "binary_jaccard_index: IoU only; decodes with Pillow",
}
"""What is beside ours; of names that are no program of ours, score_masks.py runs a library."""


class Pair(NamedTuple):
    """The true mask and the prediction of a sample."""

    truth: Path
    predicted: Path


def predict(mask: Path, to: Path) -> None:
    """Write a prediction: the true mask with another outline, moved by a few pixels."""
    person = np.asarray(Image.open(mask)).astype(np.float32)
    random = np.random.default_rng(len(mask.stem) + person.size)
    noise = cv2.GaussianBlur(random.normal(0, 1, person.shape).astype(np.float32), (0, 0), 4)
    smooth = cv2.GaussianBlur(person, (0, 0), 5) + 1.4 * noise > 0.5
    moved = np.roll(smooth, (-2, 3), axis=(0, 1)).astype(np.uint8)
    Image.fromarray(moved).save(to)


def decode(pair: Pair) -> None:
    """Read and decode both masks as evaluate does."""
    for path in pair:
        decode_mask(path.read_bytes(), Limits())


def decode_all(pairs: list[Pair]) -> None:
    """Decode all masks in the same pool of workers, and do nothing else."""
    for _ in map_on_all_cores(decode, pairs, len(pairs), decode):
        pass


def count_all(root: Path, run: Path, widths: Widths) -> None:
    """Count all pairs of masks of a registry."""
    catalog = Catalog(root)
    samples = select_samples(catalog, resolve_query(catalog)).samples
    predictions = FolderPredictions(run, samples, catalog, Reading())
    counts = count_predictions(
        catalog, samples, predictions, files=LocalFiles(catalog), widths=widths, about={}
    )
    assert len(counts.compared) == len(samples)


def other_library(name: str, listing: Path) -> float:
    """Return the CPU seconds that a library takes for all pairs of a list."""
    python = ROOT / "build/interop/bin/python"
    found = process(python, PEERS / "score_masks.py", name, listing)()
    return float(json.loads(str(found).splitlines()[-1]))


def build(folder: Path, pairs: int) -> tuple[Path, Path]:
    """Return a registry and a folder of predictions."""
    delivery = deliver(folder / "delivery", min(pairs, DRAWN))
    multiply(delivery, pairs)
    root, run = folder / "registry", folder / "run"
    lay_out(root)
    process(*OURS, "add", delivery, "--name", NAME, cwd=root)()
    run.mkdir()
    for mask in masks_of(root):
        predict(mask, run / mask.name)
    return root, run


def masks_of(root: Path) -> Iterator[Path]:
    """Yield the true masks of a registry."""
    yield from sorted((root / FOLDER / NAME).glob("ann_dir/*/*.png"))


def add_to(report: Report, folder: Path, pairs: int) -> None:
    """Add the evaluation of so many pairs of masks, which are drawn in a folder."""
    root, run = build(folder, pairs)
    files = [Pair(mask, run / mask.name) for mask in masks_of(root)]
    listing = folder / "pairs.json"
    listing.write_text(json.dumps([list(map(str, pair)) for pair in files[:PEER_PAIRS]]))
    with report.section(f"Evaluate {pairs:,} pairs of {SIZE}"):
        ways = {
            "sceneset: IoU, Boundary IoU, boundary F": partial(count_all, root, run, Widths()),
            "sceneset: IoU only": partial(count_all, root, run, Widths((), ())),
            "sceneset evaluate, whole command": process(*OURS, "evaluate", run, cwd=root),
            "sceneset's decoder, both masks": partial(decode_all, files),
        }
        found = time_in_turns(ways, ROUNDS, 1, cpu_time)
        work = dict.fromkeys(found, pairs)
        for name in NOTES:
            if name not in found:
                found[name] = [other_library(name, listing) for _ in range(ROUNDS)]
                work[name] = min(pairs, PEER_PAIRS)
        report.add(found, NOTES, work, "pairs/s of CPU time")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="default: %(default)s")
    pairs = parser.parse_args().pairs
    report = Report("What evaluations cost")
    folder = Path(tempfile.mkdtemp(prefix="sceneset-bench-"))
    try:
        add_to(report, folder, pairs)
    finally:
        shutil.rmtree(folder)
    report.show()


if __name__ == "__main__":
    main()
