"""labelme's JSON as a delivery."""

import base64
import copy
import io
import json
import random

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from sceneset.schemas.terms import Persons
from support.build import NAME, snapshot
from support.formats import converted, mutate, write_json, write_picture


def shape(label, points, kind="polygon", **fields):
    return {"label": label, "points": points, "shape_type": kind, "group_id": None} | fields


def square(label, x, y, r, b, **fields):
    return shape(label, [[x, y], [r, y], [r, b], [x, b]], **fields)


def bitmap(label, array, x, y, **fields):
    out = io.BytesIO()
    Image.fromarray(np.asarray(array, np.bool_)).save(out, "PNG")
    height, width = np.shape(array)
    box = [[x, y], [x + width - 1, y + height - 1]]
    data = base64.b64encode(out.getvalue()).decode()
    return shape(label, box, "mask", mask=data, **fields)


def annotation(*shapes, image="a.jpg", size=(20, 10), **fields):
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": image,
        "imageData": None,
        "imageHeight": size[1],
        "imageWidth": size[0],
    } | fields


def delivery(folder, *shapes, **fields):
    write_picture(folder / "a.jpg")
    write_json(folder / "a.json", annotation(*shapes, **fields))
    return folder


def area(x, y, r, b):
    """Return a mask with a rectangle whose right and lower edges belong to it, as labelme draws."""
    mask = np.zeros((10, 20), np.uint8)
    mask[y : b + 1, x : r + 1] = 1
    return mask


def test_folder_is_recognized(tmp_path):
    form, reason = choose_format(Tree(delivery(tmp_path, square("person", 1, 1, 4, 4))))
    assert form.name == "labelme"
    assert "a.json" in reason


def test_polygon_includes_its_edge(tmp_path):
    result = converted("labelme", delivery(tmp_path / "d", square("person", 2, 1, 7, 5)), tmp_path)
    assert result.codes == []
    assert np.array_equal(result.masks["train/a"], area(2, 1, 7, 5))
    assert result.tags["train/a"].persons == Persons.SINGLE


def test_rectangle_may_start_at_any_corner(tmp_path):
    turned = shape("person", [[7, 5], [2, 1]], "rectangle")
    result = converted("labelme", delivery(tmp_path / "d", turned), tmp_path)
    assert np.array_equal(result.masks["train/a"], area(2, 1, 7, 5))


def test_rectangle_may_have_four_corners(tmp_path):
    corners = shape("person", [[2, 1], [7, 1], [7, 5], [2, 5]], "rectangle")
    result = converted("labelme", delivery(tmp_path / "d", corners), tmp_path)
    assert np.array_equal(result.masks["train/a"], area(2, 1, 7, 5))


def test_circle_has_a_center_and_a_point_of_its_edge(tmp_path):
    circle = shape("person", [[10, 5], [13, 5]], "circle")
    mask = converted("labelme", delivery(tmp_path / "d", circle), tmp_path).masks["train/a"]
    y, x = np.nonzero(mask)
    assert (x.min(), x.max(), y.min(), y.max()) == (7, 13, 2, 8)
    assert not mask[2, 7]
    assert mask[5, 10]


def test_line_strip_is_ten_pixels_wide(tmp_path):
    strip = shape("person", [[0, 5], [19, 5]], "linestrip")
    mask = converted("labelme", delivery(tmp_path / "d", strip), tmp_path).masks["train/a"]
    drawn = Image.new("L", (20, 10))
    ImageDraw.Draw(drawn).line([(0, 5), (19, 5)], fill=1, width=10)
    assert np.array_equal(mask, np.asarray(drawn))


def test_mask_shape_is_placed_at_its_box(tmp_path):
    ring = np.ones((4, 5))
    ring[1:3, 1:4] = 0
    result = converted("labelme", delivery(tmp_path / "d", bitmap("person", ring, 3, 2)), tmp_path)
    assert result.codes == []
    expected = np.zeros((10, 20), np.uint8)
    expected[2:6, 3:8] = ring
    assert np.array_equal(result.masks["train/a"], expected)


def test_later_shapes_cover_earlier_ones(tmp_path):
    shapes = (
        square("person", 0, 0, 19, 9),
        square("bottle", 5, 2, 8, 4),
        square("__ignore__", 10, 2, 12, 4),
    )
    mask = converted("labelme", delivery(tmp_path / "d", *shapes), tmp_path).masks["train/a"]
    expected = np.ones((10, 20), np.uint8)
    expected[2:5, 5:9], expected[2:5, 10:13] = 0, 255
    assert np.array_equal(mask, expected)


def test_group_id_joins_shapes_to_one_person(tmp_path):
    parts = [square("person", x, 1, x + 2, 3, group_id=4) for x in (1, 6)]
    other = square("person", 12, 1, 14, 3)
    single = converted("labelme", delivery(tmp_path / "a", *parts), tmp_path / "w1")
    multi = converted("labelme", delivery(tmp_path / "b", *parts, other), tmp_path / "w2")
    assert (single.tags["train/a"].persons, single.tags["train/a"].boxes) == (Persons.SINGLE, 1)
    assert (multi.tags["train/a"].persons, multi.tags["train/a"].boxes) == (Persons.MULTI, 2)


def test_points_and_lines_are_ignored_with_a_warning(tmp_path):
    shapes = (square("person", 1, 1, 4, 4), shape("person", [[3, 3]], "point"))
    result = converted("labelme", delivery(tmp_path / "d", *shapes), tmp_path)
    assert result.codes == ["shape-ignored"]
    assert "1 shape is left out of the mask: point" in result.messages
    assert result.tags["train/a"].boxes == 1


def test_points_of_other_classes_are_not_reported(tmp_path):
    shapes = (square("person", 1, 1, 4, 4), shape("ball", [[3, 3]], "point"))
    assert converted("labelme", delivery(tmp_path / "d", *shapes), tmp_path).codes == []


def test_embedded_image_is_used_where_the_file_is_missing(tmp_path):
    out = io.BytesIO()
    Image.new("RGB", (20, 10), (9, 99, 9)).save(out, "PNG")
    data = base64.b64encode(out.getvalue()).decode()
    for place in ("x", "y"):
        write_json(
            tmp_path / f"d/{place}/a.json",
            annotation(square("person", 1, 1, 4, 4), image="..\\photos\\é .png", imageData=data),
        )
    before = sorted(tmp_path.joinpath("d").rglob("*"))
    result = converted("labelme", tmp_path / "d", tmp_path / "w")
    assert result.codes == []
    assert len(result.masks) == 2
    for path in result.converted.layout.images.values():
        assert path.read_bytes() == out.getvalue()
        assert path.is_relative_to(tmp_path / "w")
    assert sorted(tmp_path.joinpath("d").rglob("*")) == before


@pytest.mark.parametrize("data", ["%%%", base64.b64encode(b"GIF89a....").decode()])
def test_embedded_data_that_is_no_image_is_reported(tmp_path, data):
    write_json(tmp_path / "d/a.json", annotation(imageData=data))
    assert converted("labelme", tmp_path / "d", tmp_path / "w").codes == ["annotation-broken"]


def test_image_is_found_by_a_windows_path(tmp_path):
    write_picture(tmp_path / "d/images/b.jpg")
    content = annotation(square("person", 1, 1, 4, 4), image="..\\images\\b.jpg")
    write_json(tmp_path / "d/labels/b.json", content)
    assert list(converted("labelme", tmp_path / "d", tmp_path / "w").masks) == ["train/b"]


def test_missing_image_is_reported(tmp_path):
    write_json(tmp_path / "d/b.json", annotation(square("person", 1, 1, 4, 4), image="b.jpg"))
    result = converted("labelme", delivery(tmp_path / "d"), tmp_path / "w")
    assert result.codes == ["image-missing"]
    assert "b.jpg" in result.messages


def test_image_without_a_file_is_reported(tmp_path):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4))
    write_picture(folder / "b.jpg")
    assert converted("labelme", folder, tmp_path / "w").codes == ["mask-missing"]


def test_two_files_of_one_image_are_reported(tmp_path):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4))
    write_json(folder / "z.json", annotation(square("person", 1, 1, 4, 4)))
    result = converted("labelme", folder, tmp_path / "w")
    assert result.codes == ["annotation-broken"]
    assert "which a.json annotates too" in result.messages


def test_delivery_without_a_person_asks_for_the_class(tmp_path):
    folder = delivery(tmp_path / "d", square("skier", 1, 1, 4, 4), square("snow", 5, 1, 8, 4))
    with pytest.raises(FindingsError, match="classes: skier, snow"):
        converted("labelme", folder, tmp_path / "w")
    result = converted("labelme", folder, tmp_path / "w2", names=frozenset({"skier"}))
    assert np.array_equal(result.masks["train/a"], area(1, 1, 4, 4))


def test_image_without_shapes_has_an_empty_mask(tmp_path):
    result = converted("labelme", delivery(tmp_path / "d"), tmp_path / "w")
    assert result.codes == []
    assert not result.masks["train/a"].any()
    assert result.tags["train/a"].boxes == 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (shape("person", [[1, 1], [2, 2]]), "has 2 points; it needs 3"),
        (square("person", 1, 1, 400, 4), "outside of the image"),
        (shape("person", [[1, 1], [2, "x"], [3, 3]]), "not a number"),
        (shape("person", [[1, 1]], "circle"), "it needs 2"),
        (shape("person", [[1, 1], [4, 4]], "blob"), "'blob' is unknown"),
        (shape("person", [[0, 0], [9, 9]], "mask", mask="AAAA"), "it is not a PNG"),
        (
            bitmap("person", np.ones((3, 3)), 1, 1) | {"points": [[1, 1], [9, 9]]},
            "its box is 9 x 9",
        ),
        ({"points": []}, "has no label"),
    ],
)
def test_broken_shape_is_reported_with_its_sample(tmp_path, broken, message):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4), broken)
    found = converted("labelme", folder, tmp_path / "w").converted.layout.findings
    assert [(p.code, p.stem, p.file) for p in found] == [("annotation-broken", "a", "a.json")]
    assert message in found[0].message


def test_truncated_file_is_reported_with_its_sample(tmp_path):
    folder = delivery(tmp_path / "d", square("person", 1, 1, 4, 4))
    write_picture(folder / "b.jpg")
    folder.joinpath("b.json").write_text(json.dumps(annotation(image="b.jpg"))[:-20])
    found = converted("labelme", folder, tmp_path / "w").converted.layout.findings
    assert ("annotation-broken", "b") in {(p.code, p.stem) for p in found}


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turned_image_is_told_apart_by_the_annotated_size(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    write_picture(tmp_path / "d/a.jpg", exif=exif)
    is_transposed = orientation >= 5
    content = annotation(square("person", 1, 1, 4, 2), size=(10, 20) if is_transposed else (20, 10))
    write_json(tmp_path / "d/a.json", content)
    result = converted("labelme", tmp_path / "d", tmp_path / "w")
    if not is_transposed:
        assert result.codes == ["format-unclear"]
        result = converted("labelme", tmp_path / "d", tmp_path / "w2", annotated_as="shown")
    assert result.codes == []
    drawn = Image.fromarray(result.masks["train/a"])
    assert drawn.size == (20, 10)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    shown = np.asarray(drawn.transpose(turns[orientation]))
    assert shown[1:3, 1:5].all()
    assert shown.sum() == 8


def test_any_change_of_a_file_gives_findings_or_masks(tmp_path):
    good = annotation(
        square("person", 2, 1, 7, 5, group_id=1),
        shape("person", [[10, 5], [13, 5]], "circle"),
        bitmap("__ignore__", np.ones((3, 3)), 3, 2),
    )
    folder = delivery(tmp_path / "d")
    for seed in range(150):
        chance = random.Random(seed)
        content = copy.deepcopy(good)
        for _ in range(chance.randrange(1, 4)):
            mutate(content, chance)
        folder.joinpath("a.json").write_text(json.dumps(content), "utf-8")
        try:
            converted("labelme", folder, tmp_path / "w")
        except (FindingsError, UsageError):
            continue


def test_embedded_image_and_quarantine_end_to_end(registry, sceneset, tmp_path):
    out = io.BytesIO()
    pixels = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((64, 48)).save(out, "JPEG", quality=95)
    data = base64.b64encode(out.getvalue()).decode()
    good = annotation(
        square("人", 8, 8, 40, 40), image="C:\\p\\a.jpg", size=(64, 48), imageData=data
    )
    write_json(tmp_path / "d/a.json", good)
    write_json(tmp_path / "d/b.json", good | {"shapes": [shape("person", [[1, 1]])]})
    before = snapshot(tmp_path / "d")
    words = ("add", tmp_path / "d", "--name", NAME)
    refused = sceneset(*words, cwd=registry)
    assert refused.code == 1
    assert "the polygon has 1 points; it needs 3" in refused.err
    done = sceneset(*words, "--quarantine", tmp_path / "q", cwd=registry)
    assert done.code == 0, done.err
    subset = registry / "Insta360SemanticSeg" / NAME
    [image] = subset.glob("img_dir/train/*")
    assert image.read_bytes() == out.getvalue()
    mask = np.asarray(Image.open(subset / f"ann_dir/train/{image.stem}.png"))
    assert mask.sum() == 33 * 33
    assert snapshot(tmp_path / "d") == before
