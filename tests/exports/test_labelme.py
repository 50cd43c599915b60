"""labelme: mask shapes hold every pixel, polygons nearly every one."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from support.build import Run
from support.exports import FIRST, IGNORE, Exports, left_out

VALUES = {"__ignore__": IGNORE, "_background_": 0, "person": 1}


def drawn(content: dict[str, Any]) -> np.ndarray:
    """Draw shapes as labelme.utils.shapes_to_label does."""
    size = (content["imageHeight"], content["imageWidth"])
    mask = np.zeros(size, np.uint8)
    for shape in content["shapes"]:
        inside = np.zeros(size, bool)
        if shape["shape_type"] == "mask":
            (x1, y1), (x2, y2) = shape["points"]
            bitmap = np.asarray(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
            inside[y1 : y2 + 1, x1 : x2 + 1] = bitmap > 0
        else:
            assert shape["shape_type"] == "polygon"
            assert len(shape["points"]) > 2
            image = Image.fromarray(np.zeros(size, np.uint8))
            points = [tuple(point) for point in shape["points"]]
            ImageDraw.Draw(image).polygon(xy=points, outline=1, fill=1)
            inside = np.asarray(image) > 0
        mask[inside] = VALUES[shape["label"]]
    return mask


def read(to: Path, key: tuple[str, str, str]) -> dict[str, Any]:
    subset, phase, stem = key
    content = json.loads((to / f"{phase}/{subset}/{stem}.json").read_text("utf-8"))
    assert (to / f"{phase}/{subset}" / content["imagePath"]).is_file()
    return content


def test_labelme_mask_shapes_hold_every_pixel(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "labelme", "--to", to, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    for key, mask in exports.truth.items():
        np.testing.assert_array_equal(drawn(read(to, key)), mask, err_msg=str(key))
    assert not left_out(to)
    assert (to / "labels.txt").read_text() == "__ignore__\n_background_\nperson\n"
    assert read(to, (FIRST, "train", "b"))["flags"] == {"ski": True, "city": True}


def test_labelme_polygons_differ_by_the_pixels_in_left_out(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("--polygons", "--to", to)
    assert sceneset("export", "labelme", *words, cwd=exports.root).code == 0
    wrong = {}
    for key, mask in exports.truth.items():
        content = read(to, key)
        assert {s["shape_type"] for s in content["shapes"] if s["label"] != "__ignore__"} <= {
            "polygon"
        }
        pixels = int((drawn(content) != mask).sum())
        if pixels:
            wrong[key] = pixels
    rows = {
        (row["subset"], row["phase"], row["stem"]): int(row["reason"].split()[0])
        for row in left_out(to)
    }
    assert rows == wrong
    hole = read(to, (FIRST, "train", "a"))
    assert [s["label"] for s in hole["shapes"]] == ["person", "_background_", "person"]
    assert (FIRST, "train", "a") not in wrong, "holes are kept"
