"""Predictions for the samples of a small registry."""

from pathlib import Path

import numpy as np
from PIL import Image

from support.build import NAME


def masks_of(root: Path) -> dict[str, np.ndarray]:
    """Return the true masks of the subset, by stem."""
    folder = root / "Insta360SemanticSeg" / NAME / "ann_dir/train"
    return {path.stem: np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))}


def write_run(folder: Path, root: Path, shifts: dict[str, int]) -> Path:
    """Write predictions that are the true masks, moved to the right by some pixels."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, mask in masks_of(root).items():
        if stem in shifts:
            moved = np.roll(mask, shifts[stem], axis=1) * np.uint8(255)
            Image.fromarray(moved).save(folder / f"{stem}.png")
    return folder
