"""Measure how fast PyTorch gets samples: `make bench-training`.

The same samples are read from S3 with an empty cache, from a cache, from a pulled folder, and by
the few lines of Pillow that people write. `rclone serve s3` runs on this machine and uses its cores
too, so the CPU time of the reading processes is shown beside the rates.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from corpus import deliver, multiply
from pull import NAME, run
from timing import OURS, ROOT, Report, cpu_time

sys.path.append(str(ROOT / f"build/interop/lib/python3.{sys.version_info.minor}/site-packages"))
sys.path.append(str(ROOT / "tests"))
import torch
from torch.utils.data import DataLoader, Dataset

from sceneset import Registry
from sceneset.torch import SegmentationDataset, StreamingDataset, from_folder, from_registry
from support.servers import BUCKET, KEYS, S3, s3_server

SIZE = "1280x720"
SAMPLES, DRAWN, BATCH = 1000, 100, 8
Way = Callable[[], Dataset]


class Bare(Dataset):
    """Decodes files of a pulled folder with Pillow."""

    def __init__(self, folder: Path) -> None:
        self.images = sorted((folder / NAME / "img_dir").glob("*/*"))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = self.images[position]
        mask = image.parents[2] / "ann_dir" / image.parent.name / f"{image.stem}.png"
        pixels = np.asarray(Image.open(image).convert("RGB"))
        return (
            torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))),
            torch.from_numpy(np.array(Image.open(mask))),
        )


def build(folder: Path, server: S3, samples: int) -> tuple[Path, Path]:
    """Return a registry whose blobs are on the server only, and a pulled folder."""
    delivery = deliver(folder / "delivery", min(samples, DRAWN), size=SIZE)
    multiply(delivery, samples)
    root, pulled = folder / "registry", folder / "pulled"
    run(*OURS, "init", root, cwd=folder)
    run(*OURS, "add", delivery, "--name", NAME, cwd=root)
    run(*OURS, "pull", "--to", pulled, cwd=root)
    assert server.folder is not None
    # Before the first request: the server remembers which folders there were.
    shutil.move(root / ".dvc/cache/files", server.folder / BUCKET / "people/files")
    run(*OURS, "remote", f"s3://{BUCKET}/people", "--endpoint", server.url, cwd=root)
    return root, pulled


def epoch(way: Way, workers: int, samples: int) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of one epoch; the dataset is opened before."""
    loader = DataLoader(way(), batch_size=BATCH, num_workers=workers, collate_fn=list)
    start, spent = time.perf_counter(), cpu_time()
    read = sum(map(len, loader))
    seconds = time.perf_counter() - start
    assert read == samples, f"{read} of {samples} samples"
    return seconds, cpu_time() - spent


def add_to(report: Report, folder: Path, samples: int, rounds: int) -> None:
    """Time the ways in turns, and add the results."""
    with s3_server("rclone", folder / "server") as server:
        root, pulled = build(folder, server, samples)
        registry = Registry.open(root)
        warm = folder / "warm"

        def remote(kind: type[Dataset], cache: Path | None = None) -> Dataset:
            new = cache or Path(tempfile.mkdtemp(dir=folder))
            return kind(from_registry(registry, cache=new))

        ways: dict[str, Way] = {
            "sceneset, S3, nothing cached": partial(remote, SegmentationDataset),
            "the same as a stream": partial(remote, StreamingDataset),
            "sceneset, S3, everything cached": partial(remote, SegmentationDataset, warm),
            "sceneset, a pulled folder": lambda: SegmentationDataset(from_folder(pulled)),
            "limit: Pillow, the same folder": lambda: Bare(pulled),
        }
        # Fill the warm cache.
        epoch(partial(remote, SegmentationDataset, warm), 2, samples)
        for workers in (2, 0):
            with report.section(f"Read {samples:,} samples of {SIZE}, {workers} workers"):
                spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
                for _ in range(rounds):
                    for name, way in ways.items():
                        spent[name].append(epoch(way, workers, samples))
                seconds = {name: [wall for wall, _ in pairs] for name, pairs in spent.items()}
                notes = {
                    name: f"{1000 * median(cpu for _, cpu in pairs) / samples:.1f} ms of CPU time "
                    "a sample"
                    for name, pairs in spent.items()
                }
                report.add(seconds, notes, dict.fromkeys(ways, samples), "samples/s")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    os.environ.update(KEYS)
    report = Report("Reading samples with PyTorch")
    with tempfile.TemporaryDirectory(prefix="sceneset-bench-") as folder:
        add_to(report, Path(folder), args.samples, args.rounds)
    report.show()


if __name__ == "__main__":
    main()
