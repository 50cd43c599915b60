"""Datumaro's own JSON as a delivery."""

import copy
import json
import random

import numpy as np
import pytest

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.imaging.rle import encode_coco, uncompressed_coco
from support.formats import converted, mutate, write_json, write_picture

pytest.importorskip("pycocotools")

LABELS = ("person", "dog", "ignore", "ski")
WHOLE = np.ones((10, 20), np.uint8)


def part(x, y, r, b):
    mask = np.zeros((10, 20), np.uint8)
    mask[y:b, x:r] = 1
    return mask


def mask(array, label=0, *, counts=encode_coco, **fields):
    return {
        "id": 0,
        "type": "mask",
        "attributes": {},
        "group": 0,
        "label_id": label,
        "rle": {"counts": counts(array), "size": list(array.shape)},
        "z_order": 0,
    } | fields


def polygon(x, y, r, b, label=0, **fields):
    points = [x, y, r, y, r, b, x, b]
    return {"type": "polygon", "points": points, "label_id": label, "group": 0} | fields


def item(one, *annotations, **fields):
    return {
        "id": one,
        "annotations": list(annotations),
        "image": {"path": f"{one}.jpg", "size": [10, 20]},
    } | fields


def delivery(folder, *items, subset="val", names=("a", "b")):
    for name in names:
        write_picture(folder / f"images/{subset}/{name}.jpg")
    labels = [{"name": name, "parent": "", "attributes": []} for name in LABELS]
    content = {
        "info": {},
        "categories": {"label": {"labels": labels, "attributes": []}},
        "items": list(items),
    }
    write_json(folder / f"annotations/{subset}.json", content)
    return folder


def test_masks_polygons_and_groups_become_masks_and_counts(tmp_path):
    crowd = {"attributes": {"is_crowd": True}}
    folder = delivery(
        tmp_path / "d",
        item(
            "a",
            mask(part(8, 0, 10, 10), 1, z_order=3),  # a dog in front
            mask(part(0, 0, 9, 10)),
            polygon(12, 0, 14, 4, group=7),
            polygon(12, 6, 14, 10, group=7),
            mask(part(16, 0, 20, 10), 2),
            {"type": "label", "label_id": 3, "group": 0},
            {"type": "caption", "caption": "two people ski", "group": 0},
        ),
        item(
            "b", mask(part(0, 0, 6, 10), **crowd), mask(part(4, 0, 8, 10), counts=uncompressed_coco)
        ),
    )
    form, reason = choose_format(Tree(folder))
    assert form.name == "datumaro"
    assert reason == "annotations/val.json has 2 items and label categories"
    done = converted("datumaro", folder, tmp_path / "work")
    assert done.codes == []
    expected = part(0, 0, 8, 10) + part(12, 0, 14, 4) + part(12, 6, 14, 10)
    expected[:, 16:] = 255
    assert np.array_equal(done.masks["val/a"], expected)
    expected = np.where(part(4, 0, 8, 10) > 0, 1, part(0, 0, 6, 10) * 255)
    assert np.array_equal(done.masks["val/b"], expected)
    assert (done.tags["val/a"].boxes, done.tags["val/b"].boxes) == (2, None)
    assert done.converted.scene_words["val", "a"] == ("ski",)


def test_crowds_are_asked_about_when_every_person_is_one(tmp_path):
    crowd = mask(part(0, 0, 6, 10), attributes={"is_crowd": True})
    folder = delivery(tmp_path / "d", item("a", crowd), item("b"))
    with pytest.raises(FindingsError, match="every person is a crowd: 1 annotation has"):
        converted("datumaro", folder, tmp_path / "work")
    done = converted("datumaro", folder, tmp_path / "work", crowd="person")
    assert set(np.unique(done.masks["val/a"])) == {0, 1}
    assert done.tags["val/a"].boxes == 1


def test_ids_with_folders_find_their_images(tmp_path):
    items = [
        item("c1/x", polygon(0, 0, 5, 5), image={}),
        item("c2/x", polygon(0, 0, 9, 9), image={}),
    ]
    folder = delivery(tmp_path / "d", *items, names=("c1/x", "c2/x"))
    done = converted("datumaro", folder, tmp_path / "work")
    assert done.codes == []
    assert {k: int(m.sum()) for k, m in done.masks.items()} == {"val/c1_x": 25, "val/c2_x": 81}


def test_an_ellipse_is_a_box_in_which_it_lies(tmp_path):
    shape = {"type": "ellipse", "points": [4, 2, 12, 8], "label_id": 0}
    done = converted(
        "datumaro", delivery(tmp_path / "d", item("a", shape), item("b")), tmp_path / "work"
    )
    rows, columns = np.nonzero(done.masks["val/a"])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 7, 4, 11)


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (mask(WHOLE, rle={"counts": [3], "size": [10, 20]}), "add up to 3"),
        (mask(WHOLE, rle={"counts": "~~", "size": [10, 20]}), "characters"),
        (mask(WHOLE, rle={"counts": [1], "size": [10**6, 10**6]}), "does not fit"),
        (mask(WHOLE, rle={"size": [10, 20]}), "has no rle"),
        (mask(WHOLE, rle=None), "has no rle"),
        (mask(WHOLE, 99), "has no label of the categories"),
        (mask(WHOLE, True), "has no label of the categories"),
        (polygon(0, 0, 5, 5, points=[1, 2, 3, 4]), "has 2 points"),
        (polygon(0, 0, 5, 5, points=[1, 2, 3, 4, 5]), "without a y"),
        ({"type": "ellipse", "points": [1], "label_id": 0}, "left, top, right, bottom"),
        ({"type": "blob", "label_id": 0}, "'blob' is unknown"),
        (5, "one is no object"),
    ],
)
def test_a_broken_annotation_is_reported_with_its_item(tmp_path, annotation, reason):
    folder = delivery(tmp_path / "d", item("a", annotation), item("b", polygon(0, 0, 5, 5)))
    done = converted("datumaro", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken"]
    assert "annotations/val.json (item a)" in done.messages
    assert reason in done.messages


def test_boxes_are_left_out_with_a_finding(tmp_path):
    box = {"type": "bbox", "bbox": [1, 1, 5, 5], "label_id": 0}
    done = converted(
        "datumaro", delivery(tmp_path / "d", item("a", box), item("b")), tmp_path / "work"
    )
    assert done.codes == ["shape-ignored"]


def test_missing_and_repeated_images_are_reported(tmp_path):
    items = (item("a"), item("gone"), item("a"), 4)
    done = converted("datumaro", delivery(tmp_path / "d", *items), tmp_path / "work")
    assert done.codes == ["annotation-broken", "image-missing", "image-missing", "mask-missing"]


def test_mutated_values_give_findings_and_no_other_error(tmp_path):
    folder = delivery(
        tmp_path / "d", item("a", mask(WHOLE), polygon(0, 0, 5, 5)), item("b", mask(WHOLE, 1))
    )
    path, chance = folder / "annotations/val.json", random.Random(3)
    whole = json.loads(path.read_text())
    for _ in range(250):
        content = copy.deepcopy(whole)
        mutate(content, chance)
        path.write_text(json.dumps(content))
        try:
            converted("datumaro", folder, tmp_path / "work")
        except (FindingsError, UsageError):
            continue
