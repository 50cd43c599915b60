"""What is exported comes in again: masks, persons, boxes and sources are equal."""

from pathlib import Path

import cv2
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
    "cvat": ("cvat",),
    "datumaro": ("datumaro",),
    "mmseg-merged": ("mmseg", "--merged"),
    "yolo-seg": ("yolo-seg",),
}
SAID = {"datumaro": ("--map", "1=person,2=ignore")}
"""What `add` needs to know: Datumaro has no value 255."""


@pytest.mark.parametrize("name", WORDS)
def test_export_comes_in_again(
    name: str, exports: Exports, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", *WORDS[name], "--subset", "web", "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    outcome = sceneset("add", to, "--name", NAME, *SAID.get(name, ()), cwd=registry)
    assert outcome.code == 0, outcome.err
    data = registry / f"Insta360SemanticSeg/{NAME}"
    expected = sorted(
        (exports.images[key], held(name, mask).tobytes(), key[1])
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


def held(name: str, mask: np.ndarray) -> np.ndarray:
    """Return what a format holds of a mask: outlines have no holes and no ignored pixels."""
    if name != "yolo-seg":
        return mask
    person = (mask == 1).astype(np.uint8)
    rings, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(person, rings, -1, 1, cv2.FILLED)


def labels_of(root: Path, subset: str) -> list[tuple[object, ...]]:
    """Return persons, boxes and source of all samples; their stems may differ."""
    tags = Catalog(root).tags(subset)
    return sorted((str(tag.phase), str(tag.persons), str(tag.boxes), tag.source) for tag in tags)
