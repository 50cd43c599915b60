"""YOLO segmentation labels as a delivery."""

import random
from gc import get_objects

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.convert import convert
from sceneset.formats.registry import choose_format, find_format
from sceneset.formats.tree import Tree
from sceneset.formats.types import Options
from sceneset.imaging.shapes import Drawing
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Persons, Phase
from support.formats import converted, write_picture

DATA = "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: dog\n  1: person\n  2: ignore\n"


def square(number, x, y, r, b, size=(20, 10)):
    points = [(x, y), (r, y), (r, b), (x, b)]
    # A tenth of a pixel more, so that fractions are not truncated to the pixel before.
    return " ".join(
        [
            str(number),
            *(f"{(v + 0.1) / s:.6f}" for p in points for v, s in zip(p, size, strict=True)),
        ]
    )


def write(folder, name, text, data=DATA):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if data:
        folder.joinpath("data.yaml").write_text(data, "utf-8")


def delivery(folder, *lines, phase="train", data=DATA):
    write_picture(folder / f"images/{phase}/a.jpg")
    write(folder, f"labels/{phase}/a.txt", "".join(f"{line}\n" for line in lines), data)
    return folder


def area(*boxes):
    mask = np.zeros((10, 20), np.uint8)
    for x, y, r, b, value in boxes:
        mask[y : b + 1, x : r + 1] = value
    return mask


def test_folder_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path, square(1, 1, 1, 4, 4))))
    assert form.name == "yolo"
    assert reason == "data.yaml names 3 classes; 1 image has a label file"


def test_polygon_includes_its_edge(tmp_path):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5), square(2, 10, 1, 12, 3))
    result = converted("yolo", folder, tmp_path / "w")
    assert result.codes == []
    expected = area((2, 1, 7, 5, 1), (10, 1, 12, 3, 255))
    assert np.array_equal(result.masks["train/a"], expected)
    assert result.tags["train/a"].persons == Persons.SINGLE


def test_shapes_of_a_delivery_are_not_held_in_memory(tmp_path):
    write_picture(tmp_path / "d/images/train/0.jpg")
    picture = (tmp_path / "d/images/train/0.jpg").read_bytes()
    for number in range(40):
        (tmp_path / f"d/images/train/{number}.jpg").write_bytes(picture)
        text = square(1, number % 10, 1, 15, 8)
        write(tmp_path / "d", f"labels/train/{number}.txt", text)
    held = []

    def progress(items, total, what):
        held.append(
            sum(isinstance(thing, Drawing) and bool(thing.shapes) for thing in get_objects())
        )
        yield from items

    work = tmp_path / "w"
    work.mkdir()
    form, tree = find_format("yolo"), Tree(tmp_path / "d", work / "files")
    done = convert(form, tree, Options(), work, limits=Limits(min_side=1), progress=progress)
    assert held == [0]
    for number in range(40):
        mask = np.asarray(Image.open(done.layout.masks[Phase.TRAIN, str(number)]))
        assert np.array_equal(mask, area((number % 10, 1, 15, 8, 1)))


def test_other_classes_do_not_cover_persons(tmp_path):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5), square(0, 0, 0, 19, 9))
    mask = converted("yolo", folder, tmp_path / "w").masks["train/a"]
    assert np.array_equal(mask, area((2, 1, 7, 5, 1)))


def test_person_is_found_by_name(tmp_path):
    data = "names: [rider, person]\n"
    folder = delivery(tmp_path / "d", square(0, 2, 1, 7, 5), data=data)
    assert not converted("yolo", folder, tmp_path / "w").masks["train/a"].any()
    folder = delivery(tmp_path / "e", square(0, 2, 1, 7, 5), data="names: [rider]\n")
    with pytest.raises(FindingsError, match="no class is called person; classes: rider"):
        converted("yolo", folder, tmp_path / "w2")


def test_empty_label_file_means_no_person(tmp_path):
    result = converted("yolo", delivery(tmp_path / "d"), tmp_path / "w")
    assert result.codes == []
    assert not result.masks["train/a"].any()
    assert result.tags["train/a"].boxes == 0


def test_image_without_a_label_file_is_reported(tmp_path):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5))
    write_picture(folder / "images/train/b.jpg")
    write(folder, "labels/train/c.txt", "")
    assert converted("yolo", folder, tmp_path / "w").codes == ["image-missing", "mask-missing"]


@pytest.mark.parametrize(
    ("phase", "data", "expected"),
    [
        ("val", DATA, "val"),
        ("valid", "names: [person, b]\nval: ../valid/images\n", "val"),
        ("held", "names: [person, b]\ntest: images/held\n", "test"),
        ("held", "names: [person, b]\ntest: lists/held.txt\n", "test"),
        ("plain", "names: [person, b]\n", "train"),
    ],
)
def test_phase_comes_from_data_yaml_or_the_path(tmp_path, phase, data, expected):
    folder = delivery(tmp_path / "d", phase=phase, data=data)
    write(folder, "lists/held.txt", "./images/held/a.jpg\n", "")
    assert list(converted("yolo", folder, tmp_path / "w").masks) == [f"{expected}/a"]


def test_roboflow_folders_are_read(tmp_path):
    write_picture(tmp_path / "d/valid/images/a.jpg")
    write(tmp_path / "d", "valid/labels/a.txt", square(1, 2, 1, 7, 5))
    assert list(converted("yolo", tmp_path / "d", tmp_path / "w").masks) == ["val/a"]


def test_labels_may_be_beside_the_images_with_classes_txt(tmp_path):
    write_picture(tmp_path / "d/a.jpg")
    write(tmp_path / "d", "a.txt", square(1, 2, 1, 7, 5), "")
    write(tmp_path / "d", "classes.txt", "dog\nperson\n", "")
    form, _ = choose_format(Tree(tmp_path / "d"))
    assert form.name == "yolo"
    assert converted("yolo", tmp_path / "d", tmp_path / "w").masks["train/a"].sum() == 30


def test_labels_without_names_ask_for_them(tmp_path):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5), data="")
    with pytest.raises(FindingsError, match=r"no data\.yaml or classes\.txt"):
        converted("yolo", folder, tmp_path / "w")


def test_two_files_that_disagree_are_reported(tmp_path):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5))
    write(folder, "other.yaml", "names: [person]\n", "")
    with pytest.raises(FindingsError, match="name different classes"):
        converted("yolo", folder, tmp_path / "w")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 0.5 0.5 0.2 0.2", "is a box"),
        ("1 0.5 0.5 0.2 0.2 0.3", "5 coordinates, an x without a y"),
        ("1 0.1 0.1", "has 1 points"),
        ("1 10 10 40 10 40 40", "coordinates are fractions"),
        ("1 0.1 0.1 1.4 0.1 0.4 0.4", "outside of the image"),
        ("1 0.1 0.1 nan 0.1 0.4 0.4", "not a number"),
        ("7 0.1 0.1 0.4 0.1 0.4 0.4", "class 7 is not in data.yaml"),
        ("person 0.1 0.1 0.4 0.1 0.4 0.4", "something else than numbers"),
    ],
)
def test_broken_line_is_reported_with_its_sample(tmp_path, line, message):
    folder = delivery(tmp_path / "d", square(1, 2, 1, 7, 5), line)
    found = converted("yolo", folder, tmp_path / "w").converted.layout.findings
    assert [(p.code, p.stem) for p in found] == [("annotation-broken", "a")]
    assert message in found[0].message


def test_turned_image_is_asked_about(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    write_picture(tmp_path / "d/images/train/a.jpg", exif=exif)
    write(tmp_path / "d", "labels/train/a.txt", square(1, 1, 2, 4, 5, size=(10, 20)))
    assert converted("yolo", tmp_path / "d", tmp_path / "w").codes == ["format-unclear"]
    shown = converted("yolo", tmp_path / "d", tmp_path / "w2", annotated_as="shown")
    expected = np.zeros((20, 10), np.uint8)
    expected[2:6, 1:5] = 1
    assert np.array_equal(np.rot90(shown.masks["train/a"], -1), expected)


def test_any_change_of_the_files_gives_findings_or_masks(tmp_path):
    good = {"labels/train/a.txt": "\n".join([square(1, 2, 1, 7, 5), square(2, 3, 3, 4, 4)])}
    good["data.yaml"] = DATA
    folder = delivery(tmp_path / "d")
    for seed in range(200):
        chance = random.Random(seed)
        name = chance.choice(list(good))
        data = bytearray(good[name].encode())
        for _ in range(chance.randrange(1, 5)):
            start = chance.randrange(len(data))
            piece = chance.choice(
                (b"", b"\xff", b"-", b"nan ", b"1e999 ", b"\n", b"[", b"9" * 5000)
            )
            data[start : start + chance.randrange(3)] = piece
        for other, text in good.items():
            folder.joinpath(other).write_bytes(bytes(data) if other == name else text.encode())
        try:
            converted("yolo", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue
