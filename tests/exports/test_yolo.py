"""YOLO and Ultralytics: labels drawn by OpenCV give the mask but its holes and ignored pixels."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from PIL import Image
from scipy.ndimage import binary_fill_holes

from support.build import Run
from support.exports import FIRST, IGNORE, PERSON, SECOND, Exports, left_out


def labels(to: Path, key: tuple[str, str, str]) -> list[list[float]]:
    subset, phase, stem = key
    text = (to / f"labels/{phase}/{subset}/{stem}.txt").read_text()
    return [[float(word) for word in line.split()] for line in text.splitlines()]


@pytest.mark.parametrize("whole", [np.trunc, np.round], ids=["truncates", "rounds"])
def test_yolo_polygons_give_the_mask_without_holes_when_a_reader(
    whole: Callable[[np.ndarray], np.ndarray], exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "yolo-seg", "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    lost: dict[tuple[str, str, str, str], int] = {}
    for key, mask in exports.truth.items():
        height, width = mask.shape
        drawn = np.zeros_like(mask)
        for number, *points in labels(to, key):
            assert number == 0
            assert len(points) >= 6, "Ultralytics reads shorter lines as boxes"
            assert min(points) >= 0
            assert max(points) <= 1
            ring = whole(np.array(points).reshape(-1, 2) * (width, height)).astype(np.int32)
            cv2.fillPoly(drawn, [ring], 1)
        filled = binary_fill_holes(mask == PERSON)
        np.testing.assert_array_equal(drawn, filled, err_msg=str(key))
        losses = {
            "holes": (filled & (mask != PERSON)).sum(),
            "ignore": (~filled & (mask == IGNORE)).sum(),
        }
        lost |= {(*key, what): int(pixels) for what, pixels in losses.items() if pixels}
    rows = {
        (row["subset"], row["phase"], row["stem"], row["what"]): int(row["reason"].split()[0])
        for row in left_out(to)
    }
    assert rows == lost
    assert not labels(to, (FIRST, "train", "with space")), "a sample without a person is empty"


@pytest.mark.parametrize("name", ["yolo-seg", "ultralytics-semantic"])
def test_data_yaml_names_the_folders_of_images(
    name: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", name, "--to", to, cwd=exports.root).code == 0
    data = yaml.safe_load((to / "data.yaml").read_text("utf-8"))
    for phase in ("train", "val"):
        images = [path for path in (to / data[phase]).rglob("*") if path.is_file()]
        assert len(images) == len(exports.of(phase))
        for image in images:
            assert not image.is_symlink()
            shown = image.as_posix()
            if name == "yolo-seg":
                assert data["names"] == {0: "person"}
                label = shown.replace("/images/", "/labels/").removesuffix(image.suffix) + ".txt"
                assert Path(label).is_file()
            else:
                assert data["names"] == {0: "background", 1: "person"}
                folder = f"/{data['masks_dir']}/"
                mask = shown.replace("/images/", folder).removesuffix(image.suffix) + ".png"
                key = (image.parent.name, phase, image.stem)
                np.testing.assert_array_equal(np.asarray(Image.open(mask)), exports.truth[key])
    assert "test" not in data


def test_yolo_says_that_a_phase_is_missing(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    words = ("export", "yolo-seg", "--phase", "val", "--to", tmp_path / "out", "--json")
    outcome = sceneset(*words, cwd=exports.root)
    assert "no train sample" in outcome.json["notes"][0]
    assert "train" not in yaml.safe_load((tmp_path / "out/data.yaml").read_text("utf-8"))


def test_yolo_writes_scenes_as_classes(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    to = tmp_path / "out"
    words = ("--scene-as", "class", "--phase", "train", "--to", to)
    assert sceneset("export", "yolo-seg", *words, cwd=exports.root).code == 0
    names = yaml.safe_load((to / "data.yaml").read_text("utf-8"))["names"]
    assert sorted(names.values()) == ["city", "person", "ski"]
    assert {names[int(row[0])] for row in labels(to, (SECOND, "train", "B"))} == {"ski"}
    assert {names[int(row[0])] for row in labels(to, (FIRST, "train", "人 1"))} == {"city"}
