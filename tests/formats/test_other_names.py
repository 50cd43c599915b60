"""Files that annotations name in another normal form or case, and classes by their other names."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sceneset.formats.tree import Tree
from sceneset.formats.types import Options, is_ignore_name, is_person_name
from support.formats import converted, write_json, write_picture, write_values

NAMES = {
    "NFC": ("caf\u00e9", "cafe\u0301"),
    "NFD": ("cafe\u0301", "caf\u00e9"),
    "case": ("IMG_1", "img_1"),
}
"""A stem in the annotation, and of the file on the disk."""
SQUARE = [[2, 2], [8, 2], [8, 8], [2, 8]]
FLAT = [number for point in SQUARE for number in point]
MASK = np.pad(np.full((4, 4), 1), ((2, 4), (2, 14)))


def coco(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"images/{stored}.jpg")
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [FLAT]}
    content = {
        "images": [{"id": 1, "file_name": f"{said}.jpg", "width": 20, "height": 10}],
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "person"}],
    }
    write_json(folder / "instances.json", content)


def labelme(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"{stored}.jpg")
    shape = {"label": "person", "points": SQUARE, "shape_type": "polygon"}
    write_json(folder / "json/x.json", {"shapes": [shape], "imagePath": f"..\\{said}.jpg"})


def labelme_beside(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"{stored}.jpg")
    shape = {"label": "person", "points": SQUARE, "shape_type": "polygon"}
    write_json(folder / f"{said}.json", {"shapes": [shape], "imagePath": "moved.jpg"})


def yolo(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"images/train/{stored}.jpg")
    (folder / "labels/train").mkdir(parents=True)
    (folder / f"labels/train/{said}.txt").write_text("0 0.1 0.2 0.4 0.2 0.4 0.8 0.1 0.8", "utf-8")
    (folder / "data.yaml").write_text("names: [person]", "utf-8")


def voc(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"JPEGImages/{stored}.jpg")
    write_values(folder / f"SegmentationClass/{said}.png", MASK)
    (folder / "class_names.txt").write_text("background\nperson\n", "utf-8")


def cvat(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"images/{stored}.jpg")
    points = ";".join(f"{x},{y}" for x, y in SQUARE)
    (folder / "annotations.xml").write_text(
        f'<annotations><version>1.1</version><image name="{said}.jpg" width="20" height="10">'
        f'<polygon label="person" points="{points}"/></image></annotations>',
        "utf-8",
    )


def label_studio(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"{stored}.jpg")
    points = [[x * 5, y * 10] for x, y in SQUARE]
    region = {
        "type": "polygonlabels",
        "original_width": 20,
        "original_height": 10,
        "value": {"points": points, "polygonlabels": ["person"]},
    }
    task = {
        "data": {"image": f"/data/upload/1/0a1b2c3d-{said}.jpg"},
        "annotations": [{"result": [region]}],
    }
    write_json(folder / "export.json", [task])


def supervisely(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"img/{stored}.jpg")
    points = {"exterior": SQUARE, "interior": []}
    item = {"classTitle": "person", "geometryType": "polygon", "points": points}
    content = {"size": {"width": 20, "height": 10}, "objects": [item]}
    write_json(folder / f"ann/{said}.jpg.json", content)


def datumaro(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"images/train/{stored}.jpg")
    annotation = {"type": "polygon", "label_id": 0, "points": FLAT}
    content = {
        "categories": {"label": {"labels": [{"name": "person"}]}},
        "items": [{"id": said, "annotations": [annotation]}],
    }
    write_json(folder / "annotations/train.json", content)


def masks(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"images/{stored}.jpg")
    write_values(folder / f"masks/{said}_mask.png", MASK)


def hf(folder: Path, said: str, stored: str) -> None:
    write_picture(folder / f"train/images/{stored}.jpg")
    write_values(folder / f"train/masks/{stored}.png", MASK)
    line = {"file_name": f"images/{said}.jpg", "mask_file_name": f"masks/{said}.png"}
    (folder / "train/metadata.jsonl").write_text(json.dumps(line), "utf-8")


WRITERS: dict[str, Callable[[Path, str, str], None]] = {
    "coco": coco,
    "labelme": labelme,
    "labelme beside": labelme_beside,
    "yolo": yolo,
    "voc": voc,
    "cvat": cvat,
    "label-studio": label_studio,
    "supervisely": supervisely,
    "datumaro": datumaro,
    "masks": masks,
    "hf": hf,
}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("names", NAMES)
def test_an_image_is_found_when_its_name_differs_in_normal_form_or_case(
    form: str, names: str, tmp_path: Path
) -> None:
    said, stored = NAMES[names]
    WRITERS[form](tmp_path / "d", said, stored)
    result = converted(form.partition(" ")[0], tmp_path / "d", tmp_path / "work")
    assert result.codes == [], result.messages
    [(stem, mask)] = result.masks.items()
    assert stem == f"train/{unicodedata.normalize('NFC', stored)}"
    assert (mask == 1).sum() > 10


def test_a_file_of_the_same_form_goes_first_when_several_differ_in_form_alone(
    tmp_path: Path,
) -> None:
    composed, split = NAMES["NFC"]
    for name in (composed, split, composed.upper(), "b", "B", "C"):
        write_picture(tmp_path / f"{name}.jpg")
    tree = Tree(tmp_path)
    for name in (composed, split, composed.upper(), "b", "B", "C"):
        assert tree.find(f"{name}.jpg") == tree.same(f"{name}.jpg") == f"{name}.jpg"
    assert tree.find("c.JPG") == tree.same("c.JPG") == "C.jpg"
    assert tree.find("Caf\u00e9.jpg") is tree.same("Caf\u00e9.jpg") is None, "two would fit"


def test_phase_of_a_list_counts_when_its_line_is_in_another_normal_form(tmp_path: Path) -> None:
    said, stored = NAMES["NFC"]
    voc(tmp_path / "d", stored, stored)
    lists = tmp_path / "d/ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text(f"{said}\n", "utf-8")
    result = converted("voc", tmp_path / "d", tmp_path / "work")
    assert list(result.masks) == [f"val/{said}"]


@pytest.mark.parametrize(
    "name",
    [
        "person_1",
        "Person-02",
        "person 3",
        "person4",
        "\uff50\uff45\uff52\uff53\uff4f\uff4e",
        "人_2",
    ],
)
def test_a_class_is_person_in_full_width_and_with_a_number(name: str) -> None:
    assert is_person_name(name)


@pytest.mark.parametrize("name", ["1", "", "person_sitting", "personal", "7person", 1, None])
def test_another_class_is_no_person(name: object) -> None:
    assert not is_person_name(name)


def test_a_further_name_of_person_is_compared_in_one_form() -> None:
    options = Options(names=frozenset({"ski racer"}))
    assert is_person_name("Ski_Racer 2", options)
    assert not is_person_name("racer", options)


@pytest.mark.parametrize("name", ["Ignore_Region", "ignored-regions", "忽略", "__ignore__"])
def test_regions_to_ignore_are_known_by_other_names(name: str) -> None:
    assert is_ignore_name(name)


@pytest.mark.parametrize("file", ["labels/train/a.txt", "classes.txt"])
def test_a_byte_order_mark_is_no_part_of_a_text(file: str, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    yolo(folder, "a", "a")
    (folder / "data.yaml").unlink()
    (folder / "classes.txt").write_text("person\n", "utf-8")
    text = (folder / file).read_text("utf-8")
    (folder / file).write_text(text, "utf-8-sig")
    assert (converted("yolo", folder, tmp_path / "work").masks["train/a"] == 1).any()


def test_a_class_without_a_name_is_not_taken_for_background(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    yolo(folder, "a", "a")
    (folder / "data.yaml").unlink()
    (folder / "classes.txt").write_text("\nperson\n", "utf-8")
    result = converted("yolo", folder, tmp_path / "work")
    assert (result.codes, "class 0 is not" in result.messages) == (["annotation-broken"], True)
