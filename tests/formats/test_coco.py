"""COCO instances as a delivery."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError
from sceneset.formats.tree import Tree
from sceneset.imaging.rle import encode_coco, uncompressed_coco
from support.formats import converted, write_json, write_picture

pytest.importorskip("pycocotools")

SQUARE = [2, 2, 8, 2, 8, 8, 2, 8]


def annotation(number: int, image: int, segmentation: object, **fields: object) -> dict:
    return {
        "id": number,
        "image_id": image,
        "category_id": 15,
        "iscrowd": 0,
        "segmentation": segmentation,
    } | fields


def delivery(folder, annotations, *, images=None, file="annotations/instances_val2017.json"):
    """Write a delivery of two pictures, a and b, in which category 15 is person."""
    names = ("a.jpg", "b.jpg")
    for name in names:
        write_picture(folder / "val2017" / name)
    content = {
        "images": images
        or [
            {"id": number, "file_name": name, "width": 20, "height": 10}
            for number, name in enumerate(names, 1)
        ],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "dog"}, {"id": 15, "name": "Person"}],
    }
    write_json(folder / file, content)
    return folder


def test_polygons_runs_and_crowds_become_masks_and_counts(tmp_path):
    hole = np.zeros((10, 20), np.uint8)
    hole[1:9, 11:19] = 1
    hole[4:6, 14:16] = 0
    crowd = np.zeros((10, 20), np.uint8)
    crowd[:, :12] = 1
    annotations = [
        annotation(1, 1, [SQUARE, [12, 2, 16, 2, 16, 6, 12, 6]]),  # one person in two parts
        annotation(2, 1, [[17, 7, 19, 7, 19, 9, 17, 9]]),
        annotation(3, 1, [[0, 0, 20, 0, 20, 10, 0, 10]], category_id=1),  # a dog
        annotation(4, 2, {"size": [10, 20], "counts": encode_coco(hole)}),
        annotation(5, 2, {"size": [10, 20], "counts": uncompressed_coco(crowd)}, iscrowd=1),
    ]
    done = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert done.codes == []
    first, second = done.masks["val/a"], done.masks["val/b"]
    assert first[4, 4] == first[3, 13] == first[8, 18] == 1
    assert first[0, 0] == first[9, 10] == 0
    assert np.array_equal(second, np.where(hole > 0, 1, np.where(crowd > 0, 255, 0)))
    assert (done.tags["val/a"].persons, done.tags["val/a"].boxes) == ("multi", 2)
    assert (done.tags["val/b"].persons, done.tags["val/b"].boxes) == ("multi", None)


def test_masks_equal_those_of_pycocotools(tmp_path):
    from pycocotools import mask as coco

    random = np.random.default_rng(5)
    rings = [(random.random(2 * n) * np.tile([20, 10], n)).round(2).tolist() for n in (3, 5, 9)]
    folder = delivery(tmp_path / "d", [annotation(1, 1, rings)])
    done = converted("coco", folder, tmp_path / "work")
    with warnings.catch_warnings():  # pycocotools and NumPy 2
        warnings.simplefilter("ignore")
        peer = coco.decode(coco.merge(coco.frPyObjects(rings, 10, 20)))
    assert np.array_equal(done.masks["val/a"], peer)
    assert not done.masks["val/b"].any()
    assert (done.tags["val/b"].persons, done.tags["val/b"].boxes) == (None, 0)


def test_an_image_that_the_file_does_not_know_is_no_image_without_people(tmp_path):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])])
    write_picture(folder / "val2017/stranger.jpg")
    done = converted("coco", folder, tmp_path / "work")
    assert done.codes == ["mask-missing"]
    assert "stranger.jpg" in done.messages
    assert sorted(done.masks) == ["val/a", "val/b"]


def test_a_category_of_ignored_regions_becomes_255_and_counts_no_person(tmp_path):
    folder = delivery(
        tmp_path / "d",
        [
            annotation(1, 1, [SQUARE], category_id=16),
            annotation(2, 1, [[12, 2, 16, 2, 16, 6, 12, 6]], iscrowd=1),
        ],
    )
    path = folder / "annotations/instances_val2017.json"
    content = json.loads(path.read_text("utf-8"))
    content["categories"].append({"id": 16, "name": "ignore"})
    write_json(path, content)
    done = converted("coco", folder, tmp_path / "work", crowd="person")
    expected = np.zeros((10, 20), np.uint8)
    expected[2:8, 2:8], expected[2:6, 12:16] = 255, 1
    assert np.array_equal(done.masks["val/a"], expected)
    assert done.tags["val/a"].boxes == 1


def test_crowds_are_asked_about_when_every_person_is_one(tmp_path):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE], iscrowd=1)])
    with pytest.raises(FindingsError, match="every person is a crowd: 1 annotation has") as caught:
        converted("coco", folder, tmp_path / "work")
    assert "add --crowd person if" in caught.value.findings[0].hint
    assert "supervision" in caught.value.findings[0].hint
    as_person = converted("coco", folder, tmp_path / "work", crowd="person")
    assert set(np.unique(as_person.masks["val/a"])) == {0, 1}
    as_ignored = converted("coco", folder, tmp_path / "work", crowd="ignore")
    assert set(np.unique(as_ignored.masks["val/a"])) == {0, 255}


def test_no_category_of_persons_stops_with_the_names(tmp_path):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])])
    content = (folder / "annotations/instances_val2017.json").read_text().replace("Person", "Model")
    (folder / "annotations/instances_val2017.json").write_text(content)
    with pytest.raises(FindingsError, match="categories: dog, Model"):
        converted("coco", folder, tmp_path / "work")
    done = converted("coco", folder, tmp_path / "work", names=frozenset({"model"}))
    assert done.masks["val/a"].any()


@pytest.mark.parametrize(
    ("segmentation", "reason"),
    [
        ([[1, 1, 5, 5]], "has 2 points; it needs 3"),
        ([[1, 1, 5, 5, 3]], "an x without a y"),
        ([[1, 1, 500, 1, 500, 8]], "reaches 480 pixels outside"),
        ([[1, 1, 5, 1, "5", 5]], "is not a number"),
        ([[1, 1, 5, 1, 1e999, 5]], "is not a number"),
        ({"size": [10, 20], "counts": [1, 2]}, "add up to 3 pixels, not 200"),
        ({"size": [100000, 100000], "counts": [10000000000]}, "does not fit the image"),
        ({"size": [10, 20]}, "add up to 0"),
        ({"size": [10, 20], "counts": {"a": 1}}, "add up to 0"),
    ],
)
def test_a_broken_shape_is_reported_with_file_and_image(tmp_path, segmentation, reason):
    folder = delivery(tmp_path / "d", [annotation(1, 1, segmentation)])
    done = converted("coco", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken"]
    assert "annotations/instances_val2017.json (image 1)" in done.messages
    assert reason in done.messages
    assert sorted(done.masks) == ["val/b"]


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (lambda c: c["images"].append(c["images"][0]), "annotation-broken", "id 1 is used twice"),
        (lambda c: c["images"].append({"id": 9}), "annotation-broken", "image 3 has no file_name"),
        (
            lambda c: c["images"].append({"id": 9, "file_name": "no.jpg"}),
            "image-missing",
            "there is no file no.jpg",
        ),
        (
            lambda c: c["annotations"].append(7),
            "annotation-broken",
            "annotation 2 is not an",
        ),
        (
            lambda c: c["annotations"].append(annotation(1, 2, [SQUARE])),
            "annotation-broken",
            "annotation id 1 is used twice",
        ),
        (
            lambda c: c["annotations"].append(annotation(2, 77, [SQUARE])),
            "annotation-broken",
            "1 person is in image 77",
        ),
    ],
)
def test_a_broken_record_is_reported(tmp_path, change, code, reason):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])])
    path = folder / "annotations/instances_val2017.json"
    content = json.loads(path.read_text())
    change(content)
    write_json(path, content)
    done = converted("coco", folder, tmp_path / "work")
    assert done.codes == [code]
    assert reason in done.messages


@pytest.mark.parametrize(("name", "shown"), [("\ud800x", "\\ud800x"), ("y" * 9000, "y...")])
def test_categories_without_a_person_are_listed_whatever_their_names_are(tmp_path, name, shown):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])])
    path = folder / "annotations/instances_val2017.json"
    content = json.loads(path.read_text())
    content["categories"] = [{"id": 15, "name": name}]
    path.write_text(json.dumps(content))
    with pytest.raises(FindingsError) as error:
        converted("coco", folder, tmp_path / "work")
    [found] = error.value.findings
    assert found.message.startswith("no category is called person; categories: ")
    assert found.message.endswith(shown)
    assert len(found.message) < 400


def test_images_are_found_by_paths_of_other_machines(tmp_path):
    images = [
        {"id": 1, "file_name": "C:\\data\\val2017\\a.jpg", "width": 20, "height": 10},
        {"id": 2, "file_name": "/home/x/val2017/b.jpg", "width": 20, "height": 10},
    ]
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])], images=images)
    done = converted("coco", folder, tmp_path / "work")
    assert done.codes == []
    assert sorted(done.masks) == ["val/a", "val/b"]


def test_annotations_of_turned_images_fit_by_their_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees clockwise: 10 x 20
    images = [
        {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10},
        {"id": 2, "file_name": "b.jpg", "width": 10, "height": 20},
    ]
    corner = [[0, 0, 4, 0, 4, 3, 0, 3]]
    folder = delivery(
        tmp_path / "d", [annotation(1, 1, corner), annotation(2, 2, corner)], images=images
    )
    for name in ("a.jpg", "b.jpg"):
        write_picture(folder / "val2017" / name, exif=exif)
    done = converted("coco", folder, tmp_path / "work")
    assert done.codes == []
    stored, shown = done.masks["val/a"], done.masks["val/b"]
    assert stored.shape == shown.shape == (10, 20)
    assert stored[0, 0] == 1
    assert shown[9, 0] == 1  # the upper left corner of the picture is the lower left of the pixels
    assert shown.sum() == stored.sum()
    assert "mask turned (orientation 6)" in str(done.converted.delivered["val", "b"].changes)


@pytest.mark.parametrize("end", [10, 60, 120])
def test_a_truncated_file_is_reported_with_its_name(tmp_path, end):
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])])
    path = folder / "annotations/instances_val2017.json"
    path.write_text(path.read_text()[:-end])
    with pytest.raises(
        FindingsError, match=r"instances_val2017.json:1: is not JSON: .* \(the file is truncated\)"
    ):
        converted("coco", folder, tmp_path / "work")


def test_other_categories_of_an_image_are_words_for_scenes(tmp_path):
    dog = annotation(2, 2, [SQUARE], category_id=1)
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE]), dog])
    done = converted("coco", folder, tmp_path / "work")
    assert done.converted.scene_words == {("val", "b"): ("dog",)}


def test_equal_names_of_two_phases_mean_the_image_in_the_phase_of_the_file(tmp_path):
    files = [f"images/{phase}/clip/1.jpg" for phase in ("train2017", "val2017")]
    for file in files:
        write_picture(tmp_path / file)
    tree = Tree(tmp_path)
    for phase, expected in zip(("train", "val"), files, strict=True):
        near = f"annotations/instances_{phase}2017.json"
        assert tree.find("clip/1.jpg", near=near) == expected
    assert tree.find("clip/1.jpg", near="annotations/all.json") is None, "it is not clear which"


def test_labels_of_an_export_count_instead_of_instances(tmp_path):
    own = {"subset": "s", "persons": "multi", "boxes": 4, "source": "clip"}
    images = [
        {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10} | own,
        {"id": 2, "file_name": "b.jpg", "width": 20, "height": 10, "subset": "s", "boxes": -1},
    ]
    folder = delivery(tmp_path / "d", [annotation(1, 1, [SQUARE])], images=images)
    tags = converted("coco", folder, tmp_path / "work").tags
    assert (tags["val/a"].persons, tags["val/a"].boxes, tags["val/a"].source) == (
        "multi",
        4,
        "clip",
    )
    assert (tags["val/b"].persons, tags["val/b"].boxes) == (None, None)


@pytest.mark.parametrize("written", [str, float, int])
def test_ids_count_when_they_are_written_as_texts_or_with_a_point(tmp_path, written):
    one = annotation(1, written(1), [SQUARE], category_id=written(15))
    result = converted("coco", delivery(tmp_path / "d", [one]), tmp_path / "work")
    assert (result.masks["val/a"] == 1).sum() == 36
    assert result.tags["val/a"].persons == "single"
    assert result.codes == []


@pytest.mark.parametrize("category", [77, None, [15]])
def test_a_sample_is_refused_when_a_category_is_not_listed(tmp_path, category):
    annotations = [annotation(1, 1, [SQUARE]), annotation(2, 1, [SQUARE], category_id=category)]
    result = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert (list(result.masks), result.codes) == (["val/b"], ["annotation-broken"])
    assert "which is not listed" in result.messages


@pytest.mark.parametrize("segmentation", [[], None])
def test_a_person_without_a_segmentation_is_reported(tmp_path, segmentation):
    annotations = [
        annotation(1, 1, [SQUARE]),
        annotation(2, 1, segmentation, bbox=[10, 2, 4, 4]),
        annotation(3, 1, segmentation, category_id=1),
    ]
    result = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert (result.codes, "1 shape is left out of the mask: box" in result.messages) == (
        ["shape-ignored"],
        True,
    )


@pytest.mark.parametrize(("flag", "value"), [("0", 1), ("false", 1), (False, 1), ("1", 255)])
def test_crowds_are_marked_by_texts_too(tmp_path, flag, value):
    annotations = [annotation(1, 1, [SQUARE], iscrowd=flag), annotation(2, 2, [SQUARE])]
    result = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert set(np.unique(result.masks["val/a"])) == {0, value}


def test_a_region_that_is_marked_to_be_ignored_is_no_person(tmp_path):
    annotations = [
        annotation(1, 1, [SQUARE], ignore=0),
        annotation(2, 1, [[12, 2, 16, 2, 16, 6, 12, 6]], ignore=1),
    ]
    result = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert (result.masks["val/a"] == 255).sum() == 16
    assert result.tags["val/a"].persons == "single"


@pytest.mark.parametrize("size", [[20, 10], [5, 10]])
def test_run_lengths_of_another_size_are_refused(tmp_path, size):
    runs = {"size": size, "counts": [0, size[0] * size[1]]}
    annotations = [annotation(1, 1, runs), annotation(2, 2, [SQUARE])]
    result = converted("coco", delivery(tmp_path / "d", annotations), tmp_path / "work")
    assert (list(result.masks), result.codes) == (["val/b"], ["annotation-broken"])
    assert f"the RLE is of {size[1]} x {size[0]} pixels, the image of 20 x 10" in result.messages
