"""Registries with drawn pictures to export, and the truth about their masks."""

import csv
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from support.build import dvc, git, write_image

FIRST = "CustomSeg_Person_20240115_web"
SECOND = "CustomSeg_Person_20240220_phone"
BACKGROUND, PERSON, IGNORE = 0, 1, 255

Truth = Mapping[tuple[str, str, str], np.ndarray]
"""The mask of each sample, by subset, phase and stem."""


class Exports(NamedTuple):
    """A registry, and what an export of it must hold."""

    root: Path
    truth: Truth
    images: Mapping[tuple[str, str, str], bytes]

    def of(self, *phases: str) -> dict[tuple[str, str, str], np.ndarray]:
        return {key: mask for key, mask in self.truth.items() if key[1] in phases}


def draw_masks() -> dict[str, np.ndarray]:
    """Return masks with what formats lose: holes, ignored pixels, parts, thin lines, nothing."""
    size = (61, 43)
    drawings = {}

    def start(name: str) -> ImageDraw.ImageDraw:
        drawings[name] = Image.new("L", size)
        return ImageDraw.Draw(drawings[name])

    draw = start("hole")
    draw.ellipse((8, 5, 50, 38), fill=PERSON)
    draw.ellipse((20, 12, 38, 30), fill=BACKGROUND)
    draw.rectangle((26, 18, 30, 22), fill=PERSON)
    draw = start("ignore")
    draw.polygon((3, 40, 20, 2, 44, 36), fill=PERSON)
    draw.rectangle((30, 0, 60, 12), fill=IGNORE)
    draw.point((22, 30), fill=IGNORE)
    start("empty")
    draw = start("parts")
    draw.line((0, 0, 60, 42), fill=PERSON)
    draw.point((2, 40), fill=PERSON)
    draw.line((40, 2, 47, 2), fill=PERSON)
    draw.rectangle((5, 20, 14, 30), fill=PERSON)
    draw = start("all")
    draw.rectangle((0, 0, 60, 42), fill=PERSON)
    start("only-ignore").rectangle((10, 10, 12, 40), fill=IGNORE)
    drawings["noise"] = Image.fromarray(
        (np.random.default_rng(3).random((size[1], size[0])) < 0.4).astype(np.uint8)
    )
    return {name: np.asarray(drawing, np.uint8) for name, drawing in drawings.items()}


STEMS = {  # subset -> phase -> stem -> drawing
    FIRST: {
        "train": {
            "a": "hole", "b": "ignore", "人 1": "parts", "with space": "empty",
        },
        "val": {"a": "all", "v.1": "noise"},
    },
    SECOND: {"train": {"a": "only-ignore", "B": "hole"}, "val": {"w": "parts"}},
}  # fmt: skip
SUFFIXES = {FIRST: ".jpg", SECOND: ".png"}
SPLITS = {
    FIRST: {
        "total.txt": ["a", "b", "人 1", "with space"],
        "ski.txt": ["a", "b"],
        "city_muiltiperson.txt": ["b", "人 1"],
        "total_val.txt": ["a", "v.1"],
        "ski_val.txt": ["a"],
    },
    SECOND: {"total.txt": ["B", "a"], "ski.txt": ["B"], "total_val.txt": ["w"]},
}


def make_exports(root: Path, folder: Path) -> Exports:
    """Add two subsets to an empty registry, run its pipeline, and push to a remote beside it."""
    masks = draw_masks()
    truth, images = {}, {}
    seed = 0
    for subset, phases in STEMS.items():
        delivery = folder / subset
        for phase, stems in phases.items():
            for stem, drawing in stems.items():
                seed += 1
                image = delivery / "img_dir" / phase / f"{stem}{SUFFIXES[subset]}"
                write_image(image, seed, (61, 43))
                mask = delivery / "ann_dir" / phase / f"{stem}.png"
                mask.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(masks[drawing]).save(mask)
                truth[subset, phase, stem] = masks[drawing]
                images[subset, phase, stem] = image.read_bytes()
        for name, listed in SPLITS[subset].items():
            (delivery / "split_dir").mkdir(exist_ok=True)
            text = "".join(f"{stem}\n" for stem in listed)
            (delivery / "split_dir" / name).write_text(text, "utf-8")
        command = [sys.executable, "-m", "sceneset", "add", str(delivery), "--name", subset]
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    dvc(root, "repro")
    dvc(root, "remote", "add", "--default", "store", "../store")
    dvc(root, "remote", "modify", "store", "verify", "true")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Two subsets")
    dvc(root, "push")
    return Exports(root, truth, images)


def left_out(folder: Path) -> list[dict[str, str]]:
    """Return the rows of left_out.csv; none if there is no such file."""
    path = folder / "left_out.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
