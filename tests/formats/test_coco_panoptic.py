"""COCO panoptic annotations as a delivery."""

import copy
import json
import random

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.schemas.terms import Persons
from support.formats import converted, mutate, write_json, write_picture

THINGS = [{"id": 7, "name": "person", "isthing": 1}, {"id": 8, "name": "dog", "isthing": 1}]
STUFF = [{"id": 9, "name": "snow", "isthing": 0}]


def ids(*boxes):
    array = np.zeros((10, 20), np.uint32)
    for x, y, r, b, value in boxes:
        array[y:b, x:r] = value
    return array


def values(*boxes):
    return ids(*boxes).astype(np.uint8)


def write_ids(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = np.stack([array & 255, array >> 8 & 255, array >> 16], axis=-1)
    Image.fromarray(channels.astype(np.uint8)).save(path)


def segment(number, category, **fields):
    return {
        "id": number,
        "category_id": category,
        "area": 1,
        "bbox": [0, 0, 1, 1],
        "iscrowd": 0,
    } | fields


def content(*segments, categories=(*THINGS, *STUFF)):
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": list(segments)}],
        "categories": list(categories),
    }


def delivery(folder, array, *segments, **fields):
    write_picture(folder / "val2017/a.jpg")
    write_ids(folder / "annotations/panoptic_val2017/a.png", array)
    write_json(folder / "annotations/panoptic_val2017.json", content(*segments, **fields))
    return folder


BIG = 5 + 256 * 6 + 65_536 * 7


def test_folder_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path, ids((0, 0, 5, 5, 3)), segment(3, 7))))
    assert form.name == "coco-panoptic"
    assert "segments of 1 image" in reason


def test_segments_of_persons_are_drawn(tmp_path):
    array = ids((0, 0, 20, 10, 1), (2, 1, 7, 5, BIG), (10, 1, 12, 5, 300), (15, 0, 18, 3, 44))
    segments = (segment(1, 9), segment(BIG, 7), segment(300, 8), segment(44, 7))
    result = converted("coco-panoptic", delivery(tmp_path / "d", array, *segments), tmp_path / "w")
    assert result.codes == []
    assert np.array_equal(result.masks["val/a"], values((2, 1, 7, 5, 1), (15, 0, 18, 3, 1)))
    assert (result.tags["val/a"].persons, result.tags["val/a"].boxes) == (Persons.MULTI, 2)


def test_void_is_ignored_where_stuff_is_annotated(tmp_path):
    array = ids((0, 0, 10, 10, 1), (2, 1, 7, 5, 2))
    with_stuff = delivery(tmp_path / "d", array, segment(1, 9), segment(2, 7))
    mask = converted("coco-panoptic", with_stuff, tmp_path / "w").masks["val/a"]
    assert np.array_equal(mask, values((10, 0, 20, 10, 255), (2, 1, 7, 5, 1)))


def test_void_is_background_where_only_things_are_annotated(tmp_path):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), segment(2, 7))
    mask = converted("coco-panoptic", folder, tmp_path / "w").masks["val/a"]
    assert np.array_equal(mask, values((2, 1, 7, 5, 1)))


def test_crowd_is_ignored_or_person(tmp_path):
    array = ids((2, 1, 7, 5, 2), (10, 1, 12, 5, 3))
    folder = delivery(tmp_path / "d", array, segment(2, 7, iscrowd=1), segment(3, 7))
    result = converted("coco-panoptic", folder, tmp_path / "w")
    assert np.array_equal(result.masks["val/a"], values((2, 1, 7, 5, 255), (10, 1, 12, 5, 1)))
    assert (result.tags["val/a"].persons, result.tags["val/a"].boxes) == (Persons.MULTI, None)
    result = converted("coco-panoptic", folder, tmp_path / "w2", crowd="person")
    assert np.array_equal(result.masks["val/a"], values((2, 1, 7, 5, 1), (10, 1, 12, 5, 1)))


def test_all_persons_as_crowds_are_asked_about(tmp_path):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), segment(2, 7, iscrowd=1))
    with pytest.raises(FindingsError, match="every person is a crowd: 1 annotation has"):
        converted("coco-panoptic", folder, tmp_path / "w")


def test_images_may_be_png_files_of_the_same_name(tmp_path):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), segment(2, 7))
    folder.joinpath("val2017/a.jpg").unlink()
    write_picture(folder / "val2017/a.png")
    changed = content(segment(2, 7))
    changed["images"][0]["file_name"] = "a.png"
    write_json(folder / "annotations/panoptic_val2017.json", changed)
    result = converted("coco-panoptic", folder, tmp_path / "w")
    assert result.codes == []
    assert result.masks["val/a"].sum() == 20


def test_gray_ids_are_not_taken_for_levels(tmp_path):
    number = 4 + 256 * 4 + 65_536 * 4
    folder = delivery(tmp_path / "d", ids((0, 0, 20, 10, number)), segment(number, 7))
    assert converted("coco-panoptic", folder, tmp_path / "w").masks["val/a"].all()


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([segment(9, 7)], "20 pixels of the picture have the id 2"),
        ([segment(2, 7), segment(5, 7)], "segment 5 has no pixel"),
        ([segment(2, 7), segment(2, 7)], "used twice"),
        ([segment(2, 99)], "category '99', which is not listed"),
    ],
)
def test_ids_that_differ_are_reported_with_their_sample(tmp_path, segments, message):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), *segments)
    found = converted("coco-panoptic", folder, tmp_path / "w").converted.layout.findings
    assert [(p.code, p.stem) for p in found] == [("annotation-broken", "a")]
    assert message in found[0].message


def test_missing_png_is_reported(tmp_path):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), segment(2, 7))
    folder.joinpath("annotations/panoptic_val2017/a.png").rename(tmp_path / "a.png")
    assert converted("coco-panoptic", folder, tmp_path / "w").codes == ["annotation-broken"]


def test_missing_image_and_missing_annotation_are_reported(tmp_path):
    folder = delivery(tmp_path / "d", ids((2, 1, 7, 5, 2)), segment(2, 7))
    changed = content(segment(2, 7))
    changed["images"].append({"id": 2, "file_name": "b.jpg", "width": 20, "height": 10})
    write_json(folder / "annotations/panoptic_val2017.json", changed)
    write_picture(folder / "val2017/c.jpg")
    result = converted("coco-panoptic", folder, tmp_path / "w")
    assert result.codes == ["image-missing", "mask-missing"]


def test_any_change_of_the_file_gives_findings_or_masks(tmp_path):
    array = ids((0, 0, 10, 10, 1), (2, 1, 7, 5, 2))
    good = content(segment(1, 9), segment(2, 7))
    folder = delivery(tmp_path / "d", array, segment(1, 9), segment(2, 7))
    for seed in range(200):
        chance = random.Random(seed)
        changed = copy.deepcopy(good)
        for _ in range(chance.randrange(1, 4)):
            mutate(changed, chance)
        path = folder / "annotations/panoptic_val2017.json"
        path.write_text(json.dumps(changed), "utf-8")
        try:
            converted("coco-panoptic", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue
