"""What is exported comes in again: masks, persons, boxes and sources are equal."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from support.build import Run
from support.exports import FIRST, Exports

NAME = "CustomSeg_Person_20250101_again"
WORDS = {
    "coco": ("coco",),
    "labelme": ("labelme",),
    "voc": ("voc",),
    "ultralytics-semantic": ("ultralytics-semantic",),
    "webdataset": ("webdataset",),
    "hf": ("hf",),
    "hf-parquet": ("hf", "--parquet"),
}


@pytest.mark.parametrize("name", WORDS)
def test_export_comes_in_again(
    name: str, exports: Exports, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", *WORDS[name], "--subset", "web", "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    outcome = sceneset("add", to, "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    data = registry / f"Insta360SemanticSeg/{NAME}"
    expected = sorted(
        (exports.images[key], mask.tobytes(), key[1])
        for key, mask in exports.truth.items()
        if key[0] == FIRST
    )
    found = []
    for phase in ("train", "val"):
        for image in (data / "img_dir" / phase).iterdir():
            mask = np.asarray(Image.open(data / f"ann_dir/{phase}/{image.stem}.png"))
            found.append((image.read_bytes(), mask.tobytes(), phase))
    assert sorted(found) == expected
    assert labels_of(registry, NAME) == labels_of(exports.root, FIRST)


def labels_of(root: Path, subset: str) -> list[tuple[object, ...]]:
    """Return persons, boxes and source of all samples; their stems may differ."""
    tags = Catalog(root).tags(subset)
    return sorted((str(tag.phase), str(tag.persons), str(tag.boxes), tag.source) for tag in tags)
