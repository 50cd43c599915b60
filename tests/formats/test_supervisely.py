"""Supervisely projects as a delivery."""

import base64
import copy
import io
import json
import random
import zlib

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.schemas.terms import Persons
from support.formats import converted, mutate, write_json, write_picture


def polygon(title, *corners, interior=()):
    points = {"exterior": [list(c) for c in corners], "interior": [list(i) for i in interior]}
    return {"classTitle": title, "geometryType": "polygon", "points": points}


def square(title, x, y, r, b, **fields):
    return polygon(title, (x, y), (r, y), (r, b), (x, b), **fields)


def packed(array, kind):
    out = io.BytesIO()
    inside = np.asarray(array, np.uint8)
    if kind == "palette":  # as the SDK writes it: index 0 is transparent
        image = Image.frombytes("P", inside.shape[::-1], inside.tobytes())
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.save(out, "PNG", transparency=0, optimize=0)
    else:
        rgba = np.zeros((*inside.shape, 4), np.uint8)
        rgba[..., 3] = inside * 255
        Image.fromarray(rgba).save(out, "PNG")
    return base64.b64encode(zlib.compress(out.getvalue())).decode()


def bitmap(title, array, x, y, kind="palette"):
    data = {"origin": [x, y], "data": packed(array, kind)}
    return {"classTitle": title, "geometryType": "bitmap", "bitmap": data}


def annotation(*objects, size=(20, 10)):
    return {
        "description": "",
        "tags": [{"name": "weather", "value": "snow"}],
        "size": {"height": size[1], "width": size[0]},
        "objects": list(objects),
    }


def delivery(folder, *objects, image="a.jpg", classes=("person", "dog")):
    write_json(folder / "meta.json", {"classes": [{"title": name} for name in classes], "tags": []})
    write_picture(folder / f"ds0/img/{image}")
    write_json(folder / f"ds0/ann/{image}.json", annotation(*objects))
    return folder


def test_project_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path, square("person", 1, 1, 4, 4))))
    assert form.name == "supervisely"
    assert "ds0/ann/a.jpg.json" in reason


def test_polygon_has_holes(tmp_path):
    hole = [[6, 3], [8, 3], [8, 5], [6, 5]]
    person = square("person", 2, 1, 12, 8, interior=[hole])
    result = converted("supervisely", delivery(tmp_path / "d", person), tmp_path / "w")
    expected = np.zeros((10, 20), np.uint8)
    expected[1:9, 2:13], expected[3:6, 6:9] = 1, 0
    assert result.codes == []
    assert np.array_equal(result.masks["train/a"], expected)
    assert result.tags["train/a"].persons == Persons.SINGLE


@pytest.mark.parametrize("kind", ["palette", "rgba"])
def test_bitmap_is_placed_at_its_origin(tmp_path, kind):
    ring = np.ones((4, 5), np.uint8)
    ring[1:3, 1:4] = 0
    folder = delivery(tmp_path / "d", bitmap("person", ring, 3, 2, kind))
    expected = np.zeros((10, 20), np.uint8)
    expected[2:6, 3:8] = ring
    assert np.array_equal(
        converted("supervisely", folder, tmp_path / "w").masks["train/a"], expected
    )


def test_later_objects_cover_earlier_ones(tmp_path):
    objects = (square("person", 0, 0, 19, 9), square("dog", 5, 2, 8, 4))
    mask = converted("supervisely", delivery(tmp_path / "d", *objects), tmp_path).masks["train/a"]
    expected = np.ones((10, 20), np.uint8)
    expected[2:5, 5:9] = 0
    assert np.array_equal(mask, expected)


def test_tags_are_words_for_scenes(tmp_path):
    result = converted("supervisely", delivery(tmp_path / "d"), tmp_path / "w")
    assert ("weather", "snow") in result.converted.scene_words.values()


def test_images_of_one_name_in_two_datasets_are_told_apart(tmp_path):
    folder = delivery(tmp_path / "d", square("person", 0, 0, 5, 5))
    write_picture(folder / "ds1/img/a.jpg")
    write_json(folder / "ds1/ann/a.jpg.json", annotation(square("person", 10, 0, 12, 5)))
    result = converted("supervisely", folder, tmp_path / "w")
    assert result.codes == []
    assert sorted(int(m.sum()) for m in result.masks.values()) == [18, 36]


def test_old_projects_leave_out_the_suffix_of_the_image(tmp_path):
    write_picture(tmp_path / "d/img/a.png")
    write_json(tmp_path / "d/ann/a.json", annotation(square("person", 0, 0, 5, 5)))
    assert list(converted("supervisely", tmp_path / "d", tmp_path / "w").masks) == ["train/a"]


def test_lines_of_persons_are_ignored_with_a_warning(tmp_path):
    line = square("person", 0, 0, 5, 5) | {"geometryType": "line"}
    result = converted("supervisely", delivery(tmp_path / "d", line), tmp_path / "w")
    assert result.codes == ["shape-ignored"]


def test_class_may_be_declared_and_unused(tmp_path):
    folder = delivery(tmp_path / "d", square("dog", 0, 0, 5, 5))
    assert not converted("supervisely", folder, tmp_path / "w").masks["train/a"].any()
    folder = delivery(tmp_path / "e", square("dog", 0, 0, 5, 5), classes=("dog",))
    with pytest.raises(FindingsError, match="classes: dog"):
        converted("supervisely", folder, tmp_path / "w2")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (polygon("person", (1, 1), (2, 2)), "has 2 points"),
        (square("person", 0, 0, 50, 5), "outside of the image"),
        (
            {"classTitle": "person", "geometryType": "bitmap", "bitmap": {"origin": [0, 0]}},
            "no data",
        ),
        (
            {
                "classTitle": "person",
                "geometryType": "bitmap",
                "bitmap": {"origin": [0, 0], "data": packed(np.ones((3, 3)), "rgba")[:40]},
            },
            "bitmap",
        ),
        (bitmap("person", np.ones((3, 3)), 30, 30), "outside of the image"),
        (bitmap("person", np.ones((100, 100)), 0, 0), "do not fit the image"),
        ({"geometryType": "polygon"}, "has no classTitle"),
        (square("person", 0, 0, 5, 5) | {"geometryType": "blob"}, "'blob' is unknown"),
    ],
)
def test_broken_object_is_reported_with_its_sample(tmp_path, broken, message):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4), broken)
    found = converted("supervisely", folder, tmp_path / "w").converted.layout.findings
    assert [(p.code, p.stem) for p in found] == [("annotation-broken", "a")]
    assert message in found[0].message


def test_missing_image_and_missing_annotation_are_reported(tmp_path):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4))
    write_json(folder / "ds0/ann/b.jpg.json", annotation())
    write_picture(folder / "ds0/img/c.jpg")
    result = converted("supervisely", folder, tmp_path / "w")
    assert result.codes == ["image-missing", "mask-missing"]


def test_any_change_of_a_file_gives_findings_or_masks(tmp_path):
    good = annotation(
        square("person", 2, 1, 12, 8, interior=[[[6, 3], [8, 3], [8, 5]]]),
        bitmap("person", np.ones((3, 3)), 3, 2),
    )
    folder = delivery(tmp_path / "d")
    for seed in range(150):
        chance = random.Random(seed)
        content = copy.deepcopy(good)
        for _ in range(chance.randrange(1, 4)):
            mutate(content, chance)
        folder.joinpath("ds0/ann/a.jpg.json").write_text(json.dumps(content), "utf-8")
        try:
            converted("supervisely", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue
