"""V7's Darwin JSON as a delivery."""

import copy
import json
import random

import numpy as np
import pytest

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.schemas.terms import Persons
from support.formats import converted, mutate, write_json, write_picture


def path(x, y, r, b):
    return [{"x": x, "y": y}, {"x": r, "y": y}, {"x": r, "y": b}, {"x": x, "y": b}]


def polygon(name, *paths, **fields):
    box = {"x": 0, "y": 0, "w": 1, "h": 1}
    return {
        "id": "p",
        "name": name,
        "polygon": {"paths": list(paths)},
        "bounding_box": box,
    } | fields


def dense(values):
    """Return the pairs of value and length of a row-major image."""
    flat, runs = np.ravel(values), []
    for value in map(int, flat):
        if runs and runs[-2] == value:
            runs[-1] += 1
        else:
            runs += [value, 1]
    return runs


def layer(values, names):
    """Return the annotations of a raster layer: one mask for each id, and the layer."""
    masks = [{"id": f"m{n}", "name": name, "mask": {}} for n, name in names.items()]
    mapping = {f"m{n}": n for n in names}
    raster = {
        "dense_rle": dense(values),
        "mask_annotation_ids_mapping": mapping,
        "total_pixels": int(np.size(values)),
    }
    return [*masks, {"id": "r", "name": "__raster_layer__", "raster_layer": raster}]


def content(*annotations, name="a.jpg", folder="/", size=(20, 10), **fields):
    slot = {"type": "image", "slot_name": "0", "width": size[0], "height": size[1]}
    item = {"name": name, "path": folder, "slots": [slot]}
    return {"version": "2.0", "item": item, "annotations": list(annotations)} | fields


def delivery(folder, *annotations, **fields):
    write_picture(folder / "images/a.jpg")
    write_json(folder / "annotations/a.json", content(*annotations, **fields))
    return folder


def area(*boxes):
    mask = np.zeros((10, 20), np.uint8)
    for x, y, r, b, value in boxes:
        mask[y : b + 1, x : r + 1] = value
    return mask


def test_folder_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path, polygon("person", path(1, 1, 4, 4)))))
    assert form.name == "darwin"
    assert "annotations/a.json" in reason


def test_paths_of_a_polygon_are_filled_by_the_even_odd_rule(tmp_path):
    person = polygon("person", path(2, 1, 12, 8), path(5, 3, 9, 6))
    result = converted("darwin", delivery(tmp_path / "d", person), tmp_path / "w")
    assert result.codes == []
    # The tool draws the edge of a hole as a part of the area.
    assert np.array_equal(result.masks["train/a"], area((2, 1, 12, 8, 1), (6, 4, 8, 5, 0)))
    assert result.tags["train/a"].persons == Persons.SINGLE


def test_coordinates_are_rounded(tmp_path):
    person = polygon("person", path(1.6, 0.6, 12.4, 8.4))
    mask = converted("darwin", delivery(tmp_path / "d", person), tmp_path / "w").masks["train/a"]
    assert np.array_equal(mask, area((2, 1, 12, 8, 1)))


def test_version_1_is_read(tmp_path):
    write_picture(tmp_path / "d/images/a.jpg")
    old = {
        "image": {"filename": "a.jpg", "width": 20, "height": 10},
        "annotations": [
            {"name": "person", "polygon": {"path": path(2, 1, 12, 8)}},
            {
                "name": "person",
                "complex_polygon": {"path": [path(15, 1, 17, 3), path(15, 6, 17, 8)]},
            },
        ],
    }
    write_json(tmp_path / "d/annotations/a.json", old)
    result = converted("darwin", tmp_path / "d", tmp_path / "w")
    expected = area((2, 1, 12, 8, 1), (15, 1, 17, 3, 1), (15, 6, 17, 8, 1))
    assert np.array_equal(result.masks["train/a"], expected)
    assert result.tags["train/a"].boxes == 2


def test_raster_layer_maps_ids_to_annotations(tmp_path):
    values = area((0, 0, 4, 4, 1), (6, 0, 9, 4, 2), (12, 0, 14, 4, 3), (16, 0, 18, 4, 7))
    names = {1: "person", 2: "dog", 3: "ignore", 7: "person"}
    result = converted("darwin", delivery(tmp_path / "d", *layer(values, names)), tmp_path / "w")
    assert result.codes == []
    expected = area((0, 0, 4, 4, 1), (12, 0, 14, 4, 255), (16, 0, 18, 4, 1))
    assert np.array_equal(result.masks["train/a"], expected)
    assert result.tags["train/a"].boxes == 2


def test_instance_id_joins_polygons_to_one_person(tmp_path):
    one = {"instance_id": {"value": 5}}
    parts = [polygon("person", path(x, 1, x + 2, 4), **one) for x in (1, 6)]
    result = converted("darwin", delivery(tmp_path / "d", *parts), tmp_path / "w")
    assert result.tags["train/a"].boxes == 1


def test_images_of_one_name_are_told_apart_by_the_folder(tmp_path):
    for place, x in (("one", 1), ("two", 11)):
        write_picture(tmp_path / f"d/images/{place}/a.jpg")
        write_json(
            tmp_path / f"d/annotations/{place}-a.json",
            content(polygon("person", path(x, 1, x + 3, 4)), folder=f"/{place}"),
        )
    result = converted("darwin", tmp_path / "d", tmp_path / "w")
    assert result.codes == []
    assert result.masks["train/one_a"][2, 2] == 1
    assert result.masks["train/two_a"][2, 12] == 1


def test_boxes_are_ignored_with_a_warning_and_tags_are_words_for_scenes(tmp_path):
    box = {"name": "person", "bounding_box": {"x": 1, "y": 1, "w": 3, "h": 3}}
    result = converted(
        "darwin", delivery(tmp_path / "d", box, {"name": "ski", "tag": {}}), tmp_path
    )
    assert result.codes == ["shape-ignored"]
    assert list(result.converted.scene_words.values()) == [("ski",)]


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ([polygon("person", path(1, 1, 4, 4)[:2])], "has 2 points"),
        ([polygon("person")], "has no path"),
        ([polygon("person", path(1, 1, 90, 4))], "outside of the image"),
        ([polygon("person", [{"x": 1}, {"y": 1}, {}])], "not a number"),
        ([{"polygon": {}}], "has no name"),
        ([{"name": "person", "blob": {}}], "of a type that is unknown"),
        (layer(np.zeros((9, 20)), {1: "person"}), "add up to 180 pixels, not 200"),
        (layer(np.full((10, 20), 2), {1: "person"}), "the id 2, which has no annotation"),
        (layer(np.ones((10, 20)), {1: "person"})[1:], "which is no annotation"),
        (layer(np.ones((10, 20)), {1: "person"})[:1], "no raster layer"),
    ],
)
def test_broken_annotation_is_reported_with_its_sample(tmp_path, annotations, message):
    folder = delivery(tmp_path / "d", polygon("person", path(1, 1, 4, 4)), *annotations)
    found = converted("darwin", folder, tmp_path / "w").converted.layout.findings
    assert [(p.code, p.stem) for p in found] == [("annotation-broken", "a")]
    assert message in found[0].message


def test_video_is_reported(tmp_path):
    folder = delivery(tmp_path / "d", polygon("person", path(1, 1, 4, 4)))
    video = content(name="v.mp4")
    video["item"]["slots"][0]["type"] = "video"
    write_json(folder / "annotations/v.json", video)
    result = converted("darwin", folder, tmp_path / "w")
    assert result.codes == ["annotation-broken"]
    assert "deliver the frames as images" in result.messages


def test_missing_image_and_missing_annotation_are_reported(tmp_path):
    folder = delivery(tmp_path / "d", polygon("person", path(1, 1, 4, 4)))
    write_json(folder / "annotations/b.json", content(name="b.jpg"))
    write_picture(folder / "images/c.jpg")
    result = converted("darwin", folder, tmp_path / "w")
    assert result.codes == ["image-missing", "mask-missing"]


def test_any_change_of_a_file_gives_findings_or_masks(tmp_path):
    values = area((0, 0, 4, 4, 1), (6, 0, 9, 4, 2))
    good = content(
        polygon("person", path(2, 1, 12, 8), path(5, 3, 9, 6)),
        {"name": "person", "ellipse": {"center": {"x": 9, "y": 5}, "radius": {"x": 3, "y": 2}}},
        *layer(values, {1: "person", 2: "dog"}),
    )
    folder = delivery(tmp_path / "d")
    for seed in range(200):
        chance = random.Random(seed)
        changed = copy.deepcopy(good)
        for _ in range(chance.randrange(1, 4)):
            mutate(changed, chance)
        folder.joinpath("annotations/a.json").write_text(json.dumps(changed), "utf-8")
        try:
            converted("darwin", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue
