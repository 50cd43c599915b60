"""Measure deliveries in annotation formats and exports: `make bench-formats`.

A COCO delivery of drawn pictures is checked beside the same pairs in the Custom layout, whose masks
are PNG files already: the difference is the cost of reading the JSON and drawing the masks. Exports
that pack files are compared with a plain copy of the same files.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from corpus import deliver
from timing import OURS, Report, process, time_in_turns

NAME = "CustomSeg_Person_20240115_bench"
PAIRS = 5000


def coco_of(delivery: Path, folder: Path) -> Path:
    """Write the pairs of a delivery as COCO instances with polygons; return the folder."""
    images, annotations = [], []
    (folder / "train2017").mkdir(parents=True)
    for number, image in enumerate(sorted((delivery / "img_dir/train").iterdir()), 1):
        shutil.copy(image, folder / "train2017")
        mask = np.asarray(Image.open(delivery / f"ann_dir/train/{image.stem}.png"))
        height, width = mask.shape
        images.append({"id": number, "file_name": image.name, "width": width, "height": height})
        person = (mask == 1).astype(np.uint8)
        for ring in cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]:
            points = cv2.approxPolyDP(ring, 1, closed=True).reshape(-1).astype(float).tolist()
            if len(points) < 6:
                continue
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "iscrowd": 0,
                    "segmentation": [points],
                }
            )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    (folder / "instances_train2017.json").write_text(json.dumps(content))
    return folder


def add_to(report: Report, folder: Path, pairs: int, rounds: int) -> None:
    """Time both deliveries and the exports in turns, and add the results."""
    folder.mkdir(parents=True, exist_ok=True)
    delivery = deliver(folder / "delivery", pairs)
    coco, root = coco_of(delivery, folder / "coco"), folder / "registry"
    process(*OURS, "init", root, cwd=folder)()
    add = (*OURS, "add")
    with report.section(f"Check a delivery of {pairs:,} pairs (add --dry-run)"):
        ways = {
            "COCO with polygons": process(*add, coco, "--name", NAME, "--dry-run", cwd=root),
            "limit: the same, masks drawn": process(
                *add, delivery, "--name", NAME, "--dry-run", cwd=root
            ),
        }
        found = time_in_turns(ways, rounds, 0)
        report.add(found, {}, dict.fromkeys(found, pairs), "pairs/s")
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
