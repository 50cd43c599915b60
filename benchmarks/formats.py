"""Measure deliveries in annotation formats and exports: `make bench-formats`.

A COCO delivery of drawn pictures is checked beside the same pairs in the Custom layout, whose masks
are PNG files already: the difference is the cost of reading the JSON and drawing the masks. Exports
that pack files are compared with a plain copy of the same files.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from corpus import deliver, multiply
from timing import OURS, Report, cpu_time, process, time_in_turns

NAME = "CustomSeg_Person_20240115_bench"
PAIRS = 5000
DRAWN = 250  # pairs; the others are shifted copies of them


def coco_of(delivery: Path, folder: Path) -> Path:
    """Write the pairs of a delivery as COCO instances with polygons; return the folder."""
    for phase in ("train", "val"):
        images = sorted((delivery / "img_dir" / phase).iterdir())
        (folder / f"{phase}2017").mkdir(parents=True)
        for image in images:
            os.link(image, folder / f"{phase}2017" / image.name)
        masks = [delivery / f"ann_dir/{phase}/{image.stem}.png" for image in images]
        with ThreadPoolExecutor() as pool:
            rings = list(pool.map(_rings, masks))
        annotations = [
            {"image_id": number, "category_id": 1, "iscrowd": 0, "segmentation": [points]}
            for number, (_, polygons) in enumerate(rings)
            for points in polygons
        ]
        content = {
            "images": [
                {"id": number, "file_name": image.name, "width": width, "height": height}
                for number, (image, ((width, height), _)) in enumerate(
                    zip(images, rings, strict=True)
                )
            ],
            "annotations": [{"id": number, **one} for number, one in enumerate(annotations)],
            "categories": [{"id": 1, "name": "person"}],
        }
        (folder / f"instances_{phase}2017.json").write_text(json.dumps(content))
    return folder


def _rings(path: Path) -> tuple[tuple[int, int], list[list[float]]]:
    """Return the size of a mask and the outlines of its persons."""
    mask = np.asarray(Image.open(path))
    person = (mask == 1).astype(np.uint8)
    contours = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    rings = [cv2.approxPolyDP(ring, 1, closed=True).reshape(-1) for ring in contours]
    return mask.shape[::-1], [ring.astype(float).tolist() for ring in rings if len(ring) >= 6]


def add_to(report: Report, folder: Path, pairs: int, rounds: int) -> None:
    """Time both deliveries and the exports in turns, and add the results."""
    folder.mkdir(parents=True, exist_ok=True)
    delivery = deliver(folder / "delivery", min(pairs, DRAWN))
    multiply(delivery, pairs)
    coco, root = coco_of(delivery, folder / "coco"), folder / "registry"
    process(*OURS, "init", root, cwd=folder)()
    add = (*OURS, "add")
    with report.section(f"Check a delivery of {pairs:,} pairs (add --dry-run), CPU time"):
        ways = {
            "COCO with polygons": process(*add, coco, "--name", NAME, "--dry-run", cwd=root),
            "limit: the same, masks drawn": process(
                *add, delivery, "--name", NAME, "--dry-run", cwd=root
            ),
        }
        found = time_in_turns(ways, rounds, 0, cpu_time)
        report.add(found, {}, dict.fromkeys(found, pairs), "pairs per core-second")
    process(*add, delivery, "--name", NAME, cwd=root)()
    process(sys.executable, "-m", "dvc", "repro", "-q", cwd=root)()
    number = iter(range(1000))

    def export(*words: str) -> None:
        to = folder / f"out{next(number)}"
        process(*OURS, "export", *words, "--to", to, cwd=root)()
        shutil.rmtree(to)

    def copy() -> None:
        to = folder / f"out{next(number)}"
        process("cp", "-r", delivery, to)()
        shutil.rmtree(to)

    with report.section(f"Export {pairs:,} pairs"):
        ways = {
            "webdataset": lambda: export("webdataset"),
            "hf --parquet": lambda: export("hf", "--parquet"),
            "coco": lambda: export("coco"),
            "limit: cp -r": copy,
        }
        found = time_in_turns(ways, rounds, 0)
        notes = {"limit: cp -r": "nothing verified or packed"}
        report.add(found, notes, dict.fromkeys(found, pairs), "pairs/s")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    report = Report("Annotation formats")
    with tempfile.TemporaryDirectory(prefix="sceneset-bench-") as folder:
        add_to(report, Path(folder), args.pairs, args.rounds)
    report.show()


if __name__ == "__main__":
    main()
