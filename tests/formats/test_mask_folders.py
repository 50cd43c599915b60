"""Folders of images and masks as a delivery."""

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import UsageError
from sceneset.formats.mask_values import count_instances, parse_mapping
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.imaging.mask_file import Values
from support.formats import converted, write_picture, write_values

PERSON = np.zeros((10, 20), np.uint8)
PERSON[2:8, 5:15] = 1


def pair(folder, image, mask, values):
    """Write one image and its mask."""
    write_picture(folder / image)
    if mask.endswith(".npy"):
        (folder / mask).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / mask, values)
    else:
        write_values(folder / mask, values)
    return folder


@pytest.mark.parametrize(
    ("image", "mask", "sample"),
    [
        ("images/1.jpg", "masks/1.png", "train/1"),
        ("Training_Images/1.jpg", "Ground_Truth/1.png", "train/1"),
        ("PNGImages/a.jpg", "PedMasks/a_mask.png", "train/a"),
        ("val/images/a.jpg", "val/masks/a.png", "val/a"),
        ("images/valid/a.jpg", "labels/valid/a.png", "val/a"),
        ("JPEGImages/a.jpeg", "PNGAnnotations/gt/a.png", "train/a"),
        ("all/a.jpg", "all/a_mask.png", "train/a"),
        ("photos/a.jpg", "annotations/a.npy", "train/a"),
        ("test2017/a.jpg", "gt/test2017/a.png", "test/a"),
    ],
)
def test_layouts_are_recognized(tmp_path, image, mask, sample):
    folder = pair(tmp_path / "d", image, mask, PERSON)
    form, reason = choose_format(Tree(folder))
    assert form.name == "masks"
    assert "1 image has a mask" in reason
    done = converted("masks", folder, tmp_path / "work")
    assert done.codes == []
    assert np.array_equal(done.masks[sample], PERSON)


def test_255_is_person_only_if_no_mask_uses_1(tmp_path):
    folder = pair(tmp_path / "d", "images/a.jpg", "masks/a.png", PERSON * 255)
    done = converted("masks", folder, tmp_path / "work")
    assert np.array_equal(done.masks["train/a"], PERSON)
    assert "255 is read as person: 1 of 1 masks" in done.converted.says[0]
    pair(folder, "images/b.jpg", "masks/b.png", PERSON)
    done = converted("masks", folder, tmp_path / "work")
    assert np.array_equal(done.masks["train/a"], PERSON * 255)
    assert np.array_equal(done.masks["train/b"], PERSON)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15=person,255=ignore", {0: 0, 2: 0, 15: 1, 255: 255}),
        ("1..=person", {0: 0, 2: 1, 15: 1, 255: 1}),
        ("1..=person,255=ignore,2=background", {0: 0, 2: 0, 15: 1, 255: 255}),
        ("2..15=person", {0: 0, 2: 1, 15: 1, 255: 0}),
        ("0=person,255=ignore", {0: 1, 2: 0, 15: 0, 255: 255}),
    ],
)
def test_a_map_gives_values_their_meaning(tmp_path, text, expected):
    values = np.array([list(expected)], np.uint8).repeat(3, axis=0)
    folder = tmp_path / "d"
    write_picture(folder / "images/a.jpg", (4, 3))
    write_values(folder / "masks/a.png", values)
    unclear = converted("masks", folder, tmp_path / "work")
    assert unclear.codes == ["format-unclear"]
    assert "masks use the values 0, 2, 15, 255" in unclear.messages
    done = converted("masks", folder, tmp_path / "work", mapping=parse_mapping(text)[0])
    assert done.masks["train/a"][0].tolist() == list(expected.values())


def test_instances_are_counted(tmp_path):
    values = PERSON.copy()
    values[2:4, 5:15] = 3
    folder = pair(tmp_path / "d", "images/a.jpg", "masks/a.png", values)
    mapping = parse_mapping("1..=instance,255=ignore")[0]
    done = converted("masks", folder, tmp_path / "work", mapping=mapping)
    assert np.array_equal(done.masks["train/a"], PERSON)
    assert (done.tags["train/a"].boxes, done.tags["train/a"].persons) == (2, "multi")


@pytest.mark.parametrize(
    "text",
    ["15", "15=cat", "x=person", "..=person", "70000=person", "#12=person", "#zzzzzz=person"],
)
def test_a_map_that_says_nothing_is_refused(text):
    with pytest.raises(UsageError, match="write VALUE=MEANING"):
        parse_mapping(text)


def test_soft_masks_need_a_threshold(tmp_path):
    ramp = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (10, 1))
    folder = tmp_path / "d"
    write_picture(folder / "images/a.jpg", (40, 10))
    write_values(folder / "alpha/a.png", ramp)
    assert converted("masks", folder, tmp_path / "w").codes == ["format-unclear"]
    done = converted("masks", folder, tmp_path / "w", threshold=(0.25, 0.75))
    levels = ramp / 255
    expected = np.where(levels >= 0.75, 1, np.where(levels >= 0.25, 255, 0))
    assert np.array_equal(done.masks["train/a"], expected)


def test_transparency_is_a_mask(tmp_path):
    folder = tmp_path / "d"
    write_picture(folder / "images/a.jpg")
    rgba = np.full((10, 20, 4), 200, np.uint8)
    rgba[..., 3] = PERSON * 255
    (folder / "mattes").mkdir()
    Image.fromarray(rgba).save(folder / "mattes/a.png")
    done = converted("masks", folder, tmp_path / "work")
    assert np.array_equal(done.masks["train/a"], PERSON)


def test_colours_need_a_map(tmp_path):
    folder = tmp_path / "d"
    write_picture(folder / "images/a.jpg")
    rgb = np.zeros((10, 20, 3), np.uint8)
    rgb[PERSON > 0] = (192, 128, 128)
    rgb[0] = (0, 0, 200)
    write_values(folder / "masks/a.png", rgb)
    unclear = converted("masks", folder, tmp_path / "work")
    assert unclear.codes == ["format-unclear"]
    assert "#c08080" in unclear.messages
    colours = parse_mapping("#c08080=person,#0000c8=ignore")[1]
    done = converted("masks", folder, tmp_path / "work", colours=colours)
    expected = PERSON.copy()
    expected[0] = 255
    assert np.array_equal(done.masks["train/a"], expected)


def test_masks_of_another_size_are_resized_only_on_request(tmp_path):
    folder = pair(tmp_path / "d", "images/a.jpg", "masks/a.png", PERSON[::2, ::2])
    done = converted("masks", folder, tmp_path / "work")
    assert done.codes == ["size-differs"]
    assert "the mask is 10 x 5, the image 20 x 10" in done.messages
    done = converted("masks", folder, tmp_path / "work", resize_masks="nearest")
    assert done.masks["train/a"].shape == (10, 20)
    assert done.converted.delivered["train", "a"].changes == "mask resized from 10 x 5"


def test_frames_of_clips_with_equal_names_get_the_folder_into_their_stem(tmp_path):
    for clip in ("parkour", "bmx"):
        pair(tmp_path / "d", f"JPEGImages/{clip}/00000.jpg", f"masks/{clip}/00000.png", PERSON)
    done = converted("masks", tmp_path / "d", tmp_path / "work")
    assert sorted(done.masks) == ["train/bmx_00000", "train/parkour_00000"]
    assert done.tags["train/bmx_00000"].source == "bmx"
    assert done.converted.delivered["train", "bmx_00000"].changes == "renamed from 00000.jpg"


def test_what_has_no_partner_is_reported(tmp_path):
    folder = pair(tmp_path / "d", "images/a.jpg", "masks/a.png", PERSON)
    write_picture(folder / "images/lone.jpg")
    write_values(folder / "masks/other.png", PERSON)
    done = converted("masks", folder, tmp_path / "work")
    assert done.codes == ["image-missing", "mask-missing"]
    assert sorted(done.masks) == ["train/a"]


def test_unsafe_names_become_safe_and_are_recorded(tmp_path):
    folder = pair(tmp_path / "d", "images/a b?.JPEG", "masks/a b?.png", PERSON)
    done = converted("masks", folder, tmp_path / "work")
    assert sorted(done.masks) == ["train/a_b"]
    assert done.converted.delivered["train", "a_b"].changes == "renamed from a b?.JPEG"


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\x93NUMPY\x01\x00", b"text"])
def test_a_mask_that_does_not_decode_is_reported(tmp_path, content):
    folder = pair(tmp_path / "d", "images/a.jpg", "masks/a.png", PERSON)
    for name in ("b.png", "c.npy"):
        write_picture(folder / f"images/{name[0]}.jpg")
        (folder / f"masks/{name}").write_bytes(content)
    done = converted("masks", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken", "annotation-broken"]
    assert sorted(done.masks) == ["train/a"]


def test_objects_of_colours_are_counted_without_black_and_border():
    mask = np.array([[1, 1, 1, 1, 0]], np.uint8)
    colours = [[[128, 0, 0], [0, 128, 0], [224, 224, 192], [0, 0, 0], [0, 0, 128]]]
    assert count_instances(Values(np.array(colours, np.uint8), 0), mask) == 2
    with pytest.raises(ValueError, match="another size"):
        count_instances(Values(np.zeros((2, 2, 3), np.uint8), 0), mask)
