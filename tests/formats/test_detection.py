"""A delivery is recognized as the one format that it has, and quickly."""

import pytest

from sceneset.formats.registry import detect_formats
from sceneset.formats.tree import Tree
from support.build import SHARED, needs_shared
from support.formats import write_json, write_picture, write_values


def cvat(folder):
    folder.joinpath("annotations.xml").write_text(
        '<annotations><version>1.1</version><image name="a.jpg"/></annotations>'
    )


def voc(folder):
    write_values(folder / "SegmentationClass/a.png", [[0, 1]])
    folder.joinpath("a.xml").write_text("<annotation><filename>a.jpg</filename></annotation>")


def label_studio(folder):
    write_json(folder / "x.json", [{"data": {"image": "a.jpg"}, "annotations": []}])


def datumaro(folder):
    categories = {"label": {"labels": [{"name": "person"}]}}
    write_json(folder / "annotations/train.json", {"items": [], "categories": categories})


def coco(folder):
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1, 0, 1, 1]]}
    content = {"images": [], "annotations": [annotation], "categories": []}
    write_json(folder / "annotations/train.json", content)


def imagefolder(folder):
    write_values(folder / "masks/a.png", [[0, 1]])
    write_json(folder / "metadata.jsonl", {"file_name": "a.jpg", "mask_file_name": "masks/a.png"})


def classification(folder):
    """An imagefolder without masks is no delivery of masks."""
    write_json(folder / "metadata.jsonl", {"file_name": "a.jpg", "label": "ski"})


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (cvat, {"cvat"}),
        (label_studio, {"label-studio"}),
        (datumaro, {"datumaro"}),
        (coco, {"coco"}),
        (imagefolder, {"hf"}),
        (classification, set()),
    ],
)
def test_one_format_fits(tmp_path, write, expected):
    write_picture(tmp_path / "a.jpg")
    write(tmp_path)
    found = {name for name, _ in detect_formats(Tree(tmp_path))}
    assert found - {"masks"} == expected


def test_xml_of_voc_is_not_taken_for_cvat(tmp_path):
    write_picture(tmp_path / "a.jpg")
    voc(tmp_path)
    assert "cvat" not in dict(detect_formats(Tree(tmp_path)))


@needs_shared
def test_real_deliveries_are_not_taken_for_formats_that_they_are_not():
    drops = sorted((SHARED / "data").glob("drop_*"))
    assert drops
    for drop in drops:
        found = {name for name, _ in detect_formats(Tree(drop))}
        assert not found & {"cvat", "label-studio", "datumaro", "hf", "webdataset"}, drop.name
