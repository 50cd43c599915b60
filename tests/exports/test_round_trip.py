"""What is exported comes in again: the masks are equal, also those of equal stems."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import Run
from support.exports import FIRST, Exports

NAME = "CustomSeg_Person_20250101_again"
OPTIONS = {
    "coco": (),
    "labelme": (),
    "voc": (),
    "ultralytics-semantic": (),
}


@pytest.mark.parametrize("name", OPTIONS)
def test_export_comes_in_again(
    name: str, exports: Exports, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", name, "--subset", "web", "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    outcome = sceneset("add", to, "--name", NAME, *OPTIONS[name], cwd=registry)
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
