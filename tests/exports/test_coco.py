"""COCO: masks are equal after pycocotools has read them, crowds are the ignored pixels."""

import json
from pathlib import Path

import numpy as np
import pytest

from support.build import Run
from support.exports import FIRST, IGNORE, PERSON, SECOND, Exports, left_out

coco_mask = pytest.importorskip("pycocotools.mask")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def read(folder: Path, phase: str) -> dict[tuple[str, str, str], np.ndarray]:
    """Return the masks of a phase, decoded by pycocotools."""
    content = json.loads((folder / f"annotations/instances_{phase}.json").read_text("utf-8"))
    masks = {}
    for image in content["images"]:
        assert (folder / "images" / phase / image["file_name"]).is_file()
        height, width = image["height"], image["width"]
        mask = np.zeros((height, width), np.uint8)
        for entry in content["annotations"]:
            if entry["image_id"] != image["id"]:
                continue
            runs = entry["segmentation"]
            if isinstance(runs, list):
                runs = coco_mask.merge(coco_mask.frPyObjects(runs, height, width))
            else:
                assert entry["area"] == coco_mask.area(runs)
                assert entry["bbox"] == coco_mask.toBbox(runs).tolist()
            mask[coco_mask.decode(runs) > 0] = IGNORE if entry["iscrowd"] else PERSON
        masks[image["subset"], phase, image["stem"]] = mask
    ids = [entry["id"] for entry in content["annotations"]]
    assert len(set(ids)) == len(ids)
    return masks


def test_coco_holds_every_pixel(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "coco", "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert outcome.json["samples"] == len(exports.truth)
    assert not left_out(to)
    found = read(to, "train") | read(to, "val")
    assert found.keys() == exports.truth.keys()
    for key, mask in exports.truth.items():
        np.testing.assert_array_equal(found[key], mask, err_msg=str(key))
    assert not (to / "annotations/instances_test.json").exists()
    for (subset, phase, stem), data in exports.images.items():
        suffix = ".jpg" if subset == FIRST else ".png"
        assert (to / f"images/{phase}/{subset}/{stem}{suffix}").read_bytes() == data


def test_coco_polygons_fill_holes_and_say_so(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    from scipy.ndimage import binary_fill_holes

    to = tmp_path / "out"
    assert sceneset("export", "coco", "--polygons", "--to", to, cwd=exports.root).code == 0
    found = read(to, "train") | read(to, "val")
    lost = {}
    for key, mask in exports.truth.items():
        filled = np.where(binary_fill_holes(mask == PERSON), PERSON, 0)
        filled[mask == IGNORE] = IGNORE
        np.testing.assert_array_equal(found[key], filled, err_msg=str(key))
        pixels = int((filled != mask).sum())
        if pixels:
            lost[key] = pixels
    rows = {(row["subset"], row["phase"], row["stem"]): row for row in left_out(to)}
    assert rows.keys() == lost.keys()
    assert (SECOND, "train", "B") in lost
    for key, pixels in lost.items():
        assert rows[key]["what"] == "holes"
        assert rows[key]["reason"].startswith(f"{pixels} pixel")


def test_coco_writes_scenes_as_metadata_classes_or_folders(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    def content(scene_as: str) -> tuple[dict, dict]:
        to = tmp_path / scene_as
        words = ("--scene-as", scene_as, "--phase", "train", "--to", to)
        assert sceneset("export", "coco", *words, cwd=exports.root).code == 0
        found = json.loads((to / "annotations/instances_train.json").read_text("utf-8"))
        return found, {(i["subset"], i["stem"]): i for i in found["images"]}

    found, images = content("metadata")
    assert [category["name"] for category in found["categories"]] == ["person"]
    assert sorted(images[FIRST, "b"]["scenes"]) == ["city", "ski"]
    assert images[SECOND, "a"]["scenes"] == []
    assert not left_out(tmp_path / "metadata")

    found, images = content("class")
    names = {category["id"]: category["name"] for category in found["categories"]}
    assert set(names.values()) == {"person", "ski", "city"}
    class_of = {entry["image_id"]: names[entry["category_id"]] for entry in found["annotations"]}
    assert class_of[images[SECOND, "B"]["id"]] == "ski"
    assert class_of[images[SECOND, "a"]["id"]] == "person"
    [row] = left_out(tmp_path / "class")
    assert (row["stem"], row["what"]) == ("b", "scenes")

    found, images = content("folder")
    assert images[SECOND, "B"]["file_name"] == f"ski/{SECOND}/B.png"
    assert images[SECOND, "a"]["file_name"] == f"_none/{SECOND}/a.png"
    for image in found["images"]:
        assert (tmp_path / "folder/images/train" / image["file_name"]).is_file()


def test_coco_leaves_out_phases_without_a_sample(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("ski", "--phase", "val", "--subset", "web", "--to", to)
    assert sceneset("export", "coco", *words, cwd=exports.root).code == 0
    assert [path.name for path in (to / "annotations").iterdir()] == ["instances_val.json"]
    assert read(to, "val").keys() == {(FIRST, "val", "a")}
