"""Label Studio's JSON export as a delivery."""

import copy
import json
import random
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from support.formats import converted, mutate, write_json, write_picture

pytest.importorskip("pycocotools")


def region(kind, value, *, name="r", size=(20, 10), **fields):
    return {
        "id": name,
        "type": kind,
        "from_name": "label",
        "to_name": "image",
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": value,
    } | fields


def polygon(x, y, r, b, label="Person", **fields):
    """A polygon in percent that covers the pixels x to r-1 and y to b-1 of 20 x 10."""
    points = [[5 * u, 10 * v] for u, v in ((x, y), (r, y), (r, b), (x, b))]
    return region("polygonlabels", {"points": points, "polygonlabels": [label]}, **fields)


def brush_bytes(mask):
    """Encode a mask as Label Studio does: RGBA bytes, here one run for each value of 8 bits."""
    rgba = np.repeat(mask.ravel().astype(np.uint8), 4)
    bits = f"{len(rgba):032b}{7:05b}" + "".join(f"{w - 1:04b}" for w in (3, 4, 8, 16))
    changes = [0, *(np.flatnonzero(np.diff(rgba)) + 1), len(rgba)]
    for start, end in pairwise(changes):
        bits += f"1{3:02b}{end - start - 1:016b}{rgba[start]:08b}"
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def brush(mask, label="Person"):
    value = {"format": "rle", "rle": brush_bytes(mask), "brushlabels": [label]}
    return region("brushlabels", value)


def task(number, image, *results, **fields):
    annotation = {"id": number, "was_cancelled": False, "result": list(results)}
    return {"id": number, "data": {"image": image}, "annotations": [annotation]} | fields


def delivery(folder, *tasks, names=("images/a.jpg", "images/b.jpg")):
    for name in names:
        write_picture(folder / name)
    write_json(folder / "export.json", list(tasks))
    return folder


def test_polygons_and_brushes_become_masks_and_counts(tmp_path):
    painted = np.zeros((10, 20), np.uint8)
    painted[2:5, 3:9] = 255
    painted[8, 19] = 1  # the edge of a stroke is softer
    choices = region("choices", {"choices": ["ski", "indoor"]})
    folder = delivery(
        tmp_path / "d",
        task(
            1, "/data/upload/1/0a1b2c3d-a.jpg", polygon(0, 0, 5, 5), polygon(10, 2, 14, 9), choices
        ),
        task(2, "/data/upload/1/0a1b2c3d-b.jpg", brush(painted), polygon(4, 0, 6, 10, "dog")),
    )
    form, reason = choose_format(Tree(folder))
    assert (form.name, reason) == (
        "label-studio",
        "export.json has 2 tasks with data and annotations",
    )
    done = converted("label-studio", folder, tmp_path / "work")
    assert done.codes == []
    expected = np.zeros((10, 20), np.uint8)
    expected[0:5, 0:5] = expected[2:9, 10:14] = 1
    assert np.array_equal(done.masks["train/a"], expected)
    expected = (painted > 0).astype(np.uint8)
    expected[:, 4:6] = 0
    assert np.array_equal(done.masks["train/b"], expected)
    assert [done.tags[f"train/{stem}"].boxes for stem in "ab"] == [2, 1]
    assert done.converted.scene_words["train", "a"] == ("ski", "indoor")


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("/data/upload/7/0a1b2c3d-my%20photo.jpg", "images/my photo.jpg"),
        ("/data/upload/7/0a1b2c3d-my_photo.jpg", "images/0a1b2c3d-my_photo.jpg"),
        ("/data/local-files/?d=clips/c1/%E4%BA%BA.jpg", "clips/c1/人.jpg"),
        ("s3://bucket/clips/c2/x.jpg", "c2/x.jpg"),
        ("https://example.com/a/b/x.jpg?token=1", "b/x.jpg"),
        ("C:\\photos\\x.jpg", "x.jpg"),
        ("plain#1.jpg", "plain#1.jpg"),
    ],
)
def test_addresses_of_images_are_understood(tmp_path, address, file):
    other = "c1/x.jpg" if file.endswith("/x.jpg") else "other.jpg"
    folder = delivery(tmp_path / "d", task(1, address, polygon(0, 0, 5, 5)), names=(file, other))
    done = converted("label-studio", folder, tmp_path / "work")
    assert "image-missing" not in done.codes
    assert [one.image for one in done.converted.delivered.values()] == [file]


def test_cancelled_annotations_are_skipped_and_several_are_asked_about(tmp_path):
    one, two = (task(n, f"{s}.jpg", polygon(0, 0, 5, 5)) for n, s in ((1, "a"), (2, "b")))
    one["annotations"].append({"id": 9, "was_cancelled": True, "result": [polygon(0, 0, 20, 10)]})
    two["annotations"].append({"id": 8, "was_cancelled": False, "result": []})
    done = converted("label-studio", delivery(tmp_path / "d", one, two), tmp_path / "work")
    assert done.codes == ["annotation-broken"]
    assert "the task has 2 annotations; keep one" in done.messages
    assert done.masks["train/a"].sum() == 25
    assert done.converted.layout.findings[0].stem == "b"


def test_a_task_without_annotation_is_not_an_image_without_people(tmp_path):
    skipped = task(2, "b.jpg")
    skipped["annotations"][0]["was_cancelled"] = True
    folder = delivery(tmp_path / "d", task(1, "a.jpg", polygon(0, 0, 5, 5)), skipped)
    done = converted("label-studio", folder, tmp_path / "work")
    assert done.codes == ["mask-missing"]
    assert "images/b.jpg" in done.messages


def test_boxes_are_left_out_with_a_finding(tmp_path):
    box = region("rectanglelabels", {"x": 1, "y": 1, "rectanglelabels": ["Person"]})
    folder = delivery(tmp_path / "d", task(1, "a.jpg", box), task(2, "b.jpg"))
    done = converted("label-studio", folder, tmp_path / "work")
    assert done.codes == ["shape-ignored"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"value": {"points": [[1, 1], [2, 2]], "polygonlabels": ["Person"]}}, "has 2 points"),
        ({"value": {"points": [[1, 1], [900, 2], [3, 3]], "polygonlabels": ["Person"]}}, "percent"),
        ({"value": {"points": [[1], [9, 2], [3, 3]], "polygonlabels": ["Person"]}}, "not a number"),
        ({"value": {"points": 3, "polygonlabels": ["Person"]}}, "has 0 points"),
        ({"value": {"points": [[1, 1], [9, 2], [3, 3]]}}, "has no label"),
        ({"value": 4}, "has no type or no value"),
        ({"original_width": "20"}, "has no original size"),
        ({"original_width": 10**9, "original_height": 10**9}, "impossible size"),
        ({"image_rotation": 90}, "was turned in Label Studio"),
        (
            {"type": "brushlabels", "value": {"rle": [1, 2], "brushlabels": ["Person"]}},
            "ends within",
        ),
        (
            {"type": "brushlabels", "value": {"rle": "x", "brushlabels": ["Person"]}},
            "list of bytes",
        ),
        (
            {
                "type": "brushlabels",
                "value": {"rle": brush_bytes(np.ones((3, 3))), "brushlabels": ["Person"]},
            },
            "not 20 x 10",
        ),
    ],
)
def test_a_broken_region_is_reported_with_its_task(tmp_path, change, reason):
    person = polygon(0, 0, 5, 5)
    folder = delivery(tmp_path / "d", task(5, "a.jpg", person | change), task(6, "b.jpg", person))
    done = converted("label-studio", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken"]
    assert "export.json (task 5)" in done.messages
    assert reason in done.messages


def test_missing_and_strange_images_are_reported(tmp_path):
    person = polygon(0, 0, 5, 5)
    tasks = (task(1, "a.jpg", person), task(2, "gone.jpg"), task(1, "a.jpg", person), 7)
    done = converted("label-studio", delivery(tmp_path / "d", *tasks), tmp_path / "work")
    assert done.codes == ["annotation-broken", "image-missing", "image-missing", "mask-missing"]


def test_annotations_of_turned_images_fit_by_their_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    value = {"points": [[0, 0], [40, 0], [40, 15], [0, 15]], "polygonlabels": ["Person"]}
    turned = region("polygonlabels", value, size=(10, 20))
    folder = delivery(tmp_path / "d", task(1, "a.jpg", turned), task(2, "b.jpg"))
    write_picture(folder / "images/a.jpg", exif=exif)
    done = converted("label-studio", folder, tmp_path / "work")
    assert np.argwhere(done.masks["train/a"])[0].tolist() == [6, 0]
    assert done.masks["train/a"].sum() == 12


def test_mutated_values_give_findings_and_no_other_error(tmp_path):
    whole = [
        task(1, "a.jpg", polygon(0, 0, 5, 5), region("choices", {"choices": ["ski"]})),
        task(2, "b.jpg", brush(np.ones((10, 20)))),
    ]
    chance, folder = random.Random(2), delivery(tmp_path / "d", *whole)
    for _ in range(250):
        content = copy.deepcopy(whole)
        mutate(content, chance)
        (folder / "export.json").write_text(json.dumps(content))
        try:
            converted("label-studio", folder, tmp_path / "work")
        except (FindingsError, UsageError):
            continue
