"""Pascal VOC: palette masks hold every pixel, and names are unique in the one folder."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from support.build import Run
from support.exports import FIRST, IGNORE, PERSON, SECOND, Exports, left_out


def test_voc_holds_every_pixel(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "voc", "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    root = to / "VOCdevkit/VOC2012"
    with (to / "samples.csv").open(encoding="utf-8", newline="") as file:
        rows = {Path(row["file"]).stem: row for row in csv.DictReader(file)}
    seen = set()
    for phase in ("train", "val"):
        for name in (root / f"ImageSets/Segmentation/{phase}.txt").read_text("utf-8").splitlines():
            row = rows[name]
            key = (row["subset"], phase, row["stem"])
            assert row["phase"] == phase
            seen.add(key)
            suffix = ".jpg" if key[0] == FIRST else ".png"
            image = root / f"JPEGImages/{name}{suffix}"
            assert image.read_bytes() == exports.images[key]
            mask = Image.open(root / f"SegmentationClass/{name}.png")
            assert mask.mode == "P"
            truth = exports.truth[key]
            expected = np.zeros_like(truth)
            expected[truth == PERSON] = 15
            expected[truth == IGNORE] = 255
            np.testing.assert_array_equal(np.asarray(mask), expected)
            colours = np.asarray(mask.convert("RGB"))
            assert (colours[truth == PERSON] == (192, 128, 128)).all()
            assert (colours[truth == IGNORE] == (224, 224, 192)).all()
    assert seen == exports.truth.keys()
    assert not (root / "ImageSets/Segmentation/test.txt").exists()
    assert {row["stem"] for row in left_out(to)} == {"a", "B", "w"}
    assert {row["subset"] for row in left_out(to)} == {SECOND}


def test_voc_names_only_equal_stems_by_subset_and_phase(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", "voc", "--to", to, cwd=exports.root).code == 0
    names = {path.stem for path in (to / "VOCdevkit/VOC2012/SegmentationClass").iterdir()}
    # "a" is in train and val of one subset, and in another; "b" and "B" are one name on Windows
    assert names == {
        f"{FIRST}__train__a", f"{FIRST}__val__a", f"{SECOND}__a", f"{FIRST}__b", f"{SECOND}__B",
        "人 1", "with space", "v.1", "w",
    }  # fmt: skip
