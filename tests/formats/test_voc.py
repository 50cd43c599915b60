"""Pascal VOC as a delivery."""

import random

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.schemas.terms import Persons
from support.formats import converted, write_picture


def palette():
    """Return the palette of the VOC development kit, as its VOCcolormap.m makes it."""
    colours = []
    for index in range(256):
        red = green = blue = 0
        rest = index
        for bit in range(7, -1, -1):
            red |= (rest & 1) << bit
            green |= (rest >> 1 & 1) << bit
            blue |= (rest >> 2 & 1) << bit
            rest >>= 3
        colours += [red, green, blue]
    return colours


def write_mask(path, array, mode="P", colours=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.asarray(array, np.uint8)
    image = Image.frombytes(mode, values.shape[1::-1], values.tobytes())
    if mode == "P":
        image.putpalette(palette() if colours is None else colours)
    image.save(path)


def values(*boxes):
    mask = np.zeros((10, 20), np.uint8)
    for x, y, r, b, value in boxes:
        mask[y:b, x:r] = value
    return mask


PERSON_AND_DOG = values((2, 1, 8, 6, 255), (3, 2, 7, 5, 15), (10, 2, 14, 5, 12))
EXPECTED = values((2, 1, 8, 6, 255), (3, 2, 7, 5, 1))


def delivery(folder, array=PERSON_AND_DOG, **options):
    write_picture(folder / "JPEGImages/a.jpg")
    write_mask(folder / "SegmentationClass/a.png", array, **options)
    return folder


def test_folder_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path / "VOCdevkit/VOC2012").parent.parent))
    assert form.name == "voc"
    assert reason == "1 mask below VOCdevkit/VOC2012/SegmentationClass"


def test_palette_of_voc_has_its_classes(tmp_path):
    result = converted("voc", delivery(tmp_path / "d"), tmp_path / "w")
    assert result.codes == []
    assert np.array_equal(result.masks["train/a"], EXPECTED)
    assert result.tags["train/a"].persons is None


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.where(PERSON_AND_DOG == 15, 1, PERSON_AND_DOG), {}),  # no mask has 15
        (values((0, 0, 3, 3, 15), (5, 5, 9, 9, 40)), {}),  # VOC has no class 40
        (PERSON_AND_DOG, {"colours": [0, 0, 0, 9, 9, 9] * 128}),
        (PERSON_AND_DOG, {"mode": "L"}),
    ],
)
def test_unclear_numbers_are_asked_about(tmp_path, array, options):
    folder = delivery(tmp_path / "d", array, **options)
    result = converted("voc", folder, tmp_path / "w")
    assert result.codes == ["format-unclear"]
    assert "--map" in str(result.converted.layout.findings[0].hint)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("class_names.txt", "_background_\ndog\nperson\n"),
        ("labels.txt", "__ignore__\n_background_\ndog\nperson\n"),
    ],
)
def test_list_of_names_gives_the_numbers(tmp_path, file, names):
    folder = delivery(tmp_path / "d", values((0, 0, 4, 4, 1), (5, 0, 9, 4, 2), (0, 9, 2, 10, 255)))
    folder.joinpath(file).write_text(names)
    mask = converted("voc", folder, tmp_path / "w").masks["train/a"]
    assert np.array_equal(mask, values((5, 0, 9, 4, 1), (0, 9, 2, 10, 255)))


def test_list_of_names_without_a_person_asks(tmp_path):
    folder = delivery(tmp_path / "d")
    folder.joinpath("class_names.txt").write_text("_background_\nskier\n")
    with pytest.raises(FindingsError, match="classes: skier"):
        converted("voc", folder, tmp_path / "w")


LABELMAP = "# label:color_rgb:parts:actions\nbackground:0,0,0::\nhuman:10,20,30::\ndog:9,9,9::\n"


def test_labelmap_gives_the_meaning_of_colours(tmp_path):
    colours = np.zeros((10, 20, 3), np.uint8)
    colours[2:5, 3:7], colours[2:5, 10:14] = (10, 20, 30), (9, 9, 9)
    folder = delivery(tmp_path / "d", colours, mode="RGB")
    folder.joinpath("labelmap.txt").write_text(LABELMAP)
    result = converted("voc", folder, tmp_path / "w")
    assert result.codes == []
    assert np.array_equal(result.masks["train/a"], values((3, 2, 7, 5, 1)))


def test_colour_that_labelmap_does_not_list_is_reported(tmp_path):
    folder = delivery(tmp_path / "d", np.full((10, 20, 3), 77, np.uint8), mode="RGB")
    folder.joinpath("labelmap.txt").write_text(LABELMAP)
    result = converted("voc", folder, tmp_path / "w")
    assert result.codes == ["annotation-broken"]
    assert "200 pixels of the picture have the id" in result.messages


def test_persons_are_counted_in_segmentation_object(tmp_path):
    folder = delivery(
        tmp_path / "d", values((3, 2, 5, 5, 15), (7, 2, 9, 5, 15), (12, 2, 14, 5, 12))
    )
    objects = values((3, 2, 5, 5, 1), (7, 2, 9, 5, 2), (12, 2, 14, 5, 3))
    write_mask(folder / "SegmentationObject/a.png", objects)
    tag = converted("voc", folder, tmp_path / "w").tags["train/a"]
    assert (tag.persons, tag.boxes) == (Persons.MULTI, 2)


def test_segmentation_object_of_another_size_is_reported(tmp_path):
    folder = delivery(tmp_path / "d")
    write_mask(folder / "SegmentationObject/a.png", np.zeros((5, 5)))
    assert converted("voc", folder, tmp_path / "w").codes == ["annotation-broken"]


def test_lists_give_the_phase_and_the_images_to_expect(tmp_path):
    folder = delivery(tmp_path / "d")
    write_picture(folder / "JPEGImages/listed.jpg")
    write_picture(folder / "JPEGImages/other.jpg")
    lists = folder / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    lists.joinpath("val.txt").write_text("a\nlisted\n")
    lists.joinpath("trainval.txt").write_text("a\nlisted\n")
    result = converted("voc", folder, tmp_path / "w")
    assert list(result.masks) == ["val/a"]
    found = result.converted.layout.findings
    assert [(p.code, p.stem) for p in found] == [("mask-missing", "listed")]


def test_stem_in_two_lists_is_reported(tmp_path):
    folder = delivery(tmp_path / "d")
    lists = folder / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    for name in ("train", "val"):
        lists.joinpath(f"{name}.txt").write_text("a\n")
    result = converted("voc", folder, tmp_path / "w")
    assert result.codes == ["annotation-broken"]
    assert "listed for train and for val" in result.messages


def test_all_images_are_expected_without_lists(tmp_path):
    folder = delivery(tmp_path / "d")
    write_picture(folder / "JPEGImages/b.jpg")
    write_mask(folder / "SegmentationClass/c.png", PERSON_AND_DOG)
    assert converted("voc", folder, tmp_path / "w").codes == ["image-missing", "mask-missing"]


def test_map_comes_before_the_palette(tmp_path):
    from sceneset.formats.mask_values import parse_mapping

    mapping, _ = parse_mapping("12=person,255=ignore")
    mask = converted("voc", delivery(tmp_path / "d"), tmp_path / "w", mapping=mapping).masks
    assert np.array_equal(
        mask["train/a"], values((2, 1, 8, 6, 255), (3, 2, 7, 5, 0), (10, 2, 14, 5, 1))
    )


def test_any_change_of_the_files_gives_findings_or_masks(tmp_path):
    folder = delivery(tmp_path / "d")
    write_mask(folder / "SegmentationObject/a.png", PERSON_AND_DOG)
    folder.joinpath("labelmap.txt").write_text(LABELMAP)
    names = [
        "SegmentationClass/a.png",
        "SegmentationObject/a.png",
        "labelmap.txt",
        "JPEGImages/a.jpg",
    ]
    good = {name: folder.joinpath(name).read_bytes() for name in names}
    for seed in range(120):
        chance = random.Random(seed)
        name = chance.choice(names)
        data = bytearray(good[name])
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if seed % 5 == 0:
            del data[chance.randrange(len(data)) :]
        for other in names:
            folder.joinpath(other).write_bytes(bytes(data) if other == name else good[other])
        if seed % 2:
            folder.joinpath("labelmap.txt").unlink()
        try:
            converted("voc", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue
