"""A delivery is recognized as the one format that it has, and quickly."""

from pathlib import PurePosixPath

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sceneset.errors import FindingsError
from sceneset.formats.registry import choose_format, detect_formats, find_format
from sceneset.formats.tree import Tree, suffix_of, without_suffix
from sceneset.formats.types import Options
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


def test_several_formats_are_named_with_their_reasons_and_the_options_to_add(tmp_path):
    write_picture(tmp_path / "a.jpg")
    coco(tmp_path)
    cvat(tmp_path)
    with pytest.raises(FindingsError) as caught:
        choose_format(Tree(tmp_path))
    [found] = caught.value.findings
    assert (
        "coco: annotations/train.json names 0 of 0 images; cvat: annotations.xml" in found.message
    )
    assert found.hint == "add one to the command: --format coco or --format cvat"


def test_images_of_one_name_get_the_masks_of_their_own_folders(tmp_path):
    for image in ("a.jpg", "x/b.jpg", "y/b.jpg", "x/c.jpg", "c.jpg"):
        write_picture(tmp_path / image)
    for mask in ("masks/a.png", "masks/x/b.png", "y/masks/b.png", "masks/c.png"):
        write_values(tmp_path / mask, [[0, 1]])
    reports = []
    samples = find_format("masks").read(Tree(tmp_path), Options(), reports.append)
    assert {sample.image: sample.annotation for sample in samples} == {
        "a.jpg": "masks/a.png",
        "x/b.jpg": "masks/x/b.png",
        "y/b.jpg": "y/masks/b.png",
    }
    # Nothing says which image masks/c.png belongs to.
    assert sorted(p.file for p in reports) == ["c.jpg", "masks/c.png", "x/c.jpg"]


@given(st.lists(st.text("aZ._人", min_size=1), min_size=1, max_size=3).map("/".join))
def test_suffixes_are_those_of_pathlib(file):
    name = file.rpartition("/")[2]
    assume(name not in {".", ".."})
    assert suffix_of(file) == PurePosixPath(file).suffix.lower()
    assert without_suffix(file) + file[len(without_suffix(file)) :] == file
    assert without_suffix(file).rpartition("/")[2] == PurePosixPath(name).stem


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
