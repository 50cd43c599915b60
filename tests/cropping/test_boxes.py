"""Boxes are read from COCO, YOLO and CVAT; what is no box is listed with the reason."""

from pathlib import Path

import pytest

from sceneset.cropping.box_file import read_boxes
from sceneset.cropping.types import Boxes, Reason
from sceneset.errors import FindingsError, UsageError
from sceneset.formats.types import Options
from support.people import coco_boxes, write_json

BOX = (10.0, 20.0, 50.0, 100.0)
NO_OPTIONS = Options()


def sides(boxes: Boxes) -> list[tuple[str, tuple[float, ...]]]:
    return [(one.image, tuple(round(side, 6) for side in one.sides)) for one in boxes.detections]


def read(path: Path, options: Options = NO_OPTIONS, images: Path | None = None) -> Boxes:
    return read_boxes(path, images, options)


def test_coco_annotations_and_results_give_the_same_boxes(tmp_path: Path) -> None:
    content = coco_boxes({"train/a": [BOX], "val/b": []}, score=0.75)
    whole = read(write_json(tmp_path / "instances.json", content))
    images = write_json(tmp_path / "images.json", {**content, "annotations": []})
    results = read(write_json(tmp_path / "results.json", content["annotations"]), images=images)
    assert sides(whole) == sides(results) == [("train/a.jpg", BOX)]
    assert list(whole.images) == ["train/a.jpg", "val/b.jpg"]
    assert whole.detections[0].score == 0.75
    assert whole.detections[0].size == (320, 240)
    assert whole.about.startswith("instances.json md5:")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bbox": [1, 2, float("nan"), 4]}, "no finite number"),
        ({"bbox": [1, 2, 1e308, 4], "x": 1}, ""),
        ({"bbox": [1e308, 2, 1e308, 4]}, "no finite number"),
        ({"bbox": [1, 2, -3, 4]}, "not above 0"),
        ({"bbox": [1, 2, 0, 4]}, "not above 0"),
        ({"bbox": [1, 2, 3]}, "not a list of four numbers"),
        ({"bbox": ["1", 2, 3, 4]}, "no finite number"),
        ({"bbox": None}, "not a list of four numbers"),
        ({"score": float("nan")}, "the score nan"),
        ({"score": 7}, "the score 7"),
        ({"score": True}, "the score True"),
        ({"score": None}, "the score None"),
    ],
)
def test_broken_results_are_listed(change: dict[str, object], said: str, tmp_path: Path) -> None:
    result = {"image_id": "a", "category_id": 1, "bbox": [1, 2, 3, 4]} | change
    boxes = read(write_json(tmp_path / "results.json", [result]))
    assert len(boxes.detections) == (not said)
    assert [refusal.reason for refusal in boxes.refused] == [Reason.BROKEN] * bool(said)
    assert all(said in refusal.detail for refusal in boxes.refused)
    assert list(boxes.images) == ["a"]


def test_annotation_without_a_box_has_the_bounds_of_its_polygons(tmp_path: Path) -> None:
    content = coco_boxes({"a": [BOX, BOX]})
    for annotation, polygons in zip(
        content["annotations"],
        ([[10, 30, 50, 20, 30, 100], [20, 25, 21, 26, 22, 25]], [[]]),
        strict=True,
    ):
        del annotation["bbox"]
        annotation["segmentation"] = polygons
    boxes = read(write_json(tmp_path / "instances.json", content))
    assert sides(boxes) == [("a.jpg", BOX)]
    assert [refusal.detail for refusal in boxes.refused] == ["has neither a box nor polygons"]


def test_annotation_without_a_box_has_the_bounds_of_its_run_lengths(tmp_path: Path) -> None:
    content = coco_boxes({"a": [BOX] * 4})
    runs = [
        {"size": [4, 5], "counts": [5, 2, 2, 2, 9]},  # columns of 4 pixels
        {"size": [4, 5], "counts": [20]},
        {"size": [1 << 20, 1 << 20], "counts": [1]},
        {"size": [4, 5], "counts": [7, 99]},
    ]
    for annotation, segmentation in zip(content["annotations"], runs, strict=True):
        del annotation["bbox"]
        annotation["segmentation"] = segmentation
    boxes = read(write_json(tmp_path / "instances.json", content))
    assert sides(boxes) == [("a.jpg", (1, 1, 3, 3))]
    assert [refusal.reason for refusal in boxes.refused] == [Reason.BROKEN] * 3


def test_results_with_numbers_need_the_list_of_images(tmp_path: Path) -> None:
    results = write_json(tmp_path / "r.json", [{"image_id": 7, "bbox": [1, 2, 3, 4]}])
    with pytest.raises(UsageError, match="--images FILE"):
        read(results)


def test_results_of_several_classes_need_the_categories(tmp_path: Path) -> None:
    found = [{"image_id": "a", "category_id": n, "bbox": [1, 2, 3, 4]} for n in (1, 18)]
    with pytest.raises(UsageError, match="categories 1, 18"):
        read(write_json(tmp_path / "r.json", found))


@pytest.mark.parametrize("kind", [str, float])
def test_numbers_mean_the_same_however_they_are_written(kind: type, tmp_path: Path) -> None:
    content = coco_boxes({"train/a": [BOX]})
    for annotation in content["annotations"]:
        annotation.update(image_id=kind(0), category_id=kind(1))
    assert sides(read(write_json(tmp_path / "r.json", content))) == [("train/a.jpg", BOX)]


def test_numbers_that_the_file_does_not_list_are_errors(tmp_path: Path) -> None:
    content = coco_boxes({"a": [BOX] * 5})
    content["categories"].append({"id": 2, "name": "dog"})
    changes = ({"category_id": 0}, {"category_id": None}, {"image_id": 9}, {"image_id": "9"}, {})
    for annotation, change in zip(content["annotations"], changes, strict=True):
        annotation.update(change)
    content["annotations"].append({"image_id": 0, "category_id": 2, "bbox": [1, 2, 3, 4]})
    boxes = read(write_json(tmp_path / "r.json", content))
    assert [refusal.detail for refusal in boxes.refused] == [
        "has the category 0, which the file does not list",
        "has no category_id",
        *["has the image id 9, which the file does not list"] * 2,
    ]
    assert sides(boxes) == [("a.jpg", BOX)]
    assert boxes.others == {"dog": 1}


def test_two_images_of_one_number_are_refused(tmp_path: Path) -> None:
    content = coco_boxes({"a": [BOX]})
    content["images"].append({"id": 0, "file_name": "b.jpg"})
    with pytest.raises(UsageError, match=r"two images have the id 0: a\.jpg and b\.jpg"):
        read(write_json(tmp_path / "r.json", content))


@pytest.mark.parametrize("text", ["{", "[[]]", "[1, null]", '{"annotations": 3}', "3", "\x00"])
def test_file_that_is_no_coco_is_refused_or_listed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    try:
        boxes = read(path)
    except (UsageError, FindingsError):
        return
    assert boxes.refused
    assert not boxes.detections


def test_yolo_labels_are_boxes_in_shares_of_the_image(tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    (labels / "train").mkdir(parents=True)
    (labels / "train/a.txt").write_text("0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.1 0.1\n")
    (labels / "b.txt").write_text("0 0.5 0.5 0.2 0.2 0.9\n0 0.1 0.2 0.3 0.2 0.2 0.6\n")
    (labels / "c.txt").write_text("")
    (labels / "classes.txt").write_text("person\nski\n")
    boxes = read(labels)
    assert sides(boxes) == [
        ("b", (0.4, 0.4, 0.6, 0.6)),
        ("b", (0.1, 0.2, 0.3, 0.6)),
        ("train/a", (0.375, 0.25, 0.625, 0.75)),
    ]
    assert [one.score for one in boxes.detections] == [0.9, None, None]
    assert list(boxes.images) == ["b", "c", "train/a"]


@pytest.mark.parametrize(
    "line",
    [
        *("0 1 2 3", "0 a b c d", "0 0.5 0.5 nan 0.1", "0 0.5 0.5 0 0.1"),
        *("0 0.5 0.5 0.1 0.1 7", "0 0.1 0.1 0.2 0.2 0.3 0.3 0.4"),
    ],
)
def test_broken_yolo_lines_are_listed(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"{line}\n0 0.5 0.5 0.1 0.1\n")
    boxes = read(tmp_path)
    assert [refusal.place for refusal in boxes.refused] == ["a.txt (line 1)"]
    assert len(boxes.detections) == 1


def test_yolo_labels_in_pixels_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 160 120 80 60\n")
    [refusal] = read(tmp_path).refused
    assert "shares of the width and height, and no pixels" in refusal.detail


def test_yolo_labels_may_begin_with_a_mark_and_write_classes_as_fractions(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0.0 0.5 0.5 0.2 0.2\r\n", "utf-8-sig", newline="")
    (tmp_path / "b.txt").write_text("1 0.5 0.5 0.2 0.2\n")
    (tmp_path / "classes.txt").write_text("person\ndog\n", "utf-8-sig")
    boxes = read(tmp_path)
    assert [detection.image for detection in boxes.detections] == ["a"]
    assert boxes.others == {"dog": 1}


def test_yolo_lists_of_images_are_no_labels(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "train.txt").write_text("images/a.jpg\nimages/b.png\n")
    assert list(read(tmp_path).images) == ["a"]


def test_yolo_class_without_a_name_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("7 0.5 0.5 0.2 0.2\n0,0.5,0.5,0.2,0.2\n")
    (tmp_path / "data.yaml").write_text("names: [person]\n")
    assert [refusal.detail for refusal in read(tmp_path).refused] == [
        "has the class 7, which data.yaml does not name",
        "has something else than numbers: 0,0.5,0.5,0.2,0.2",
    ]


def test_broken_data_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("names: [person\n")
    with pytest.raises(FindingsError, match=r"data\.yaml"):
        read(tmp_path)


def test_links_to_labels_are_refused(tmp_path: Path) -> None:
    labels = tmp_path / "other"
    labels.mkdir()
    (labels / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "train").symlink_to(labels)
    with pytest.raises(UsageError, match="labels/train is a link"):
        read(folder)
    (folder / "train").unlink()
    (folder / "a.txt").symlink_to(labels / "a.txt")
    with pytest.raises(UsageError, match=r"labels/a\.txt is a link"):
        read(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [("r.json", "[]"), ("r.xml", "<annotation><object/></annotation>"), ("labels", None)],
)
def test_file_that_names_no_image_is_refused(
    name: str, content: str | None, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.mkdir() if content is None else path.write_text(content)
    with pytest.raises(UsageError, match="names no image"):
        read(path)


def test_yolo_classes_without_names_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n")
    with pytest.raises(UsageError, match="--person NUMBER"):
        read(tmp_path)
    boxes = read(tmp_path, Options(names=frozenset({"2"})))
    assert [one.place for one in boxes.detections] == ["a.txt (line 2)"]


CVAT = """<?xml version="1.0"?>
<annotations>
 <image id="0" name="train/a.jpg" width="320" height="240">
  <box label="person" xtl="10" ytl="20" xbr="50" ybr="100"/>
  <box label="ski" xtl="1" ytl="1" xbr="5" ybr="9"/>
  <box label="person" xtl="9" ytl="20" xbr="5" ybr="100"/>
  <box label="person" xtl="1" ytl="1" xbr="5" ybr="9" rotation="30"/>
  <polygon label="person" points="1,1;2,2;3,1"/>
 </image>
 <image id="1" name="val/b.jpg" width="320" height="240"/>
 <track id="0" label="person">
  <box frame="7" outside="0" xtl="10" ytl="20" xbr="50" ybr="100"/>
  <box frame="8" outside="1" xtl="10" ytl="20" xbr="50" ybr="100"/>
 </track>
</annotations>
"""


def test_cvat_boxes_of_images_and_tracks_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(CVAT)
    boxes = read(tmp_path / "a.xml")
    assert sides(boxes) == [("train/a.jpg", BOX), ("frame_000007", BOX)]
    assert boxes.detections[0].size == (320, 240)
    assert list(boxes.images) == ["train/a.jpg", "val/b.jpg", "frame_000007"]
    assert [(r.reason, r.place) for r in boxes.refused] == [
        (Reason.BROKEN, "a.xml (line 6)"),
        (Reason.BROKEN, "a.xml (line 7)"),
        (Reason.NOT_A_BOX, "a.xml (line 8)"),
    ]


@pytest.mark.parametrize("name", ["nothing.json", "boxes.parquet"])
def test_file_of_an_unknown_form_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "boxes.parquet").write_bytes(b"PAR1")
    with pytest.raises(UsageError):
        read(tmp_path / name)
