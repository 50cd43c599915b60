"""CVAT XML as a delivery: images 1.1 and video tracks."""

import random

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.registry import choose_format
from sceneset.formats.tree import Tree
from support.formats import converted, write_picture

pytest.importorskip("pycocotools")

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><name>ski clip 3</name><size>4</size>
    <labels><label><name>person</name></label><label><name>ski pole</name></label>
    <label><name>ignore</name></label></labels>
    <original_size><width>20</width><height>10</height></original_size></task></meta>
"""
BOX = (
    '<{kind} label="{label}" source="manual" occluded="0" z_order="{z}" {extra} '
    'points="{x},{y};{r},{y};{r},{b};{x},{b}">{inner}</{kind}>'
)


def box(x, y, r, b, label="person", *, z=0, extra="", inner=""):
    """A polygon that covers the pixels x to r-1 and y to b-1."""
    return BOX.format(
        kind="polygon", label=label, z=z, extra=extra, inner=inner, x=x, y=y, r=r, b=b
    )


def image(name, *shapes, size=(20, 10), extra=""):
    return (
        f'<image id="0" name="{name}" {extra} width="{size[0]}" height="{size[1]}">'
        + "".join(shapes)
        + "</image>"
    )


def delivery(folder, *content, head=HEAD, names=("images/a.jpg", "images/b.jpg")):
    for name in names:
        write_picture(folder / name)
    text = f"{head}{''.join(content)}</annotations>"
    (folder / "annotations.xml").write_text(text, "utf-8")
    return folder


def area(x, y, r, b, value=1):
    mask = np.zeros((10, 20), np.uint8)
    mask[y:b, x:r] = value
    return mask


def test_shapes_are_painted_by_z_order_and_counted_by_group(tmp_path):
    folder = delivery(
        tmp_path / "d",
        image(
            "a.jpg",
            box(4, 0, 6, 10, "ski pole", z=5),  # in front, though it comes first
            box(0, 0, 10, 10),
            box(12, 0, 14, 4, extra='group_id="3"'),
            box(12, 6, 14, 10, extra='group_id="3"'),
            box(16, 0, 20, 10, "ignore"),
            '<tag label="ski" source="manual"/>',
        ),
        image("b.jpg"),
    )
    form, reason = choose_format(Tree(folder))
    assert (form.name, reason) == ("cvat", "annotations.xml has annotations of images")
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == []
    expected = area(0, 0, 10, 10)
    expected[:, 4:6] = 0
    expected += area(12, 0, 14, 4) + area(12, 6, 14, 10) + area(16, 0, 20, 10, 255)
    assert np.array_equal(done.masks["train/a"], expected)
    assert not done.masks["train/b"].any()
    tag = done.tags["train/a"]
    assert (tag.boxes, tag.persons, tag.source) == (2, "multi", "ski clip 3")
    assert done.tags["train/b"].boxes == 0
    assert done.converted.scene_words["train", "a"] == ("ski",)


def test_a_mask_is_row_major_inside_of_its_box(tmp_path):
    mask = (
        '<mask label="person" source="manual" occluded="0" rle="1, 2, 3, 2, 1" left="4" top="2" '
        'width="3" height="3" z_order="0"></mask>'
    )
    done = converted(
        "cvat", delivery(tmp_path / "d", image("a.jpg", mask), image("b.jpg")), tmp_path / "work"
    )
    expected = np.zeros((10, 20), np.uint8)
    expected[2:5, 4:7] = [[0, 1, 1], [0, 0, 0], [1, 1, 0]]
    assert np.array_equal(done.masks["train/a"], expected)


def test_an_ellipse_is_turned_and_cut_at_the_frame(tmp_path):
    shape = '<ellipse label="person" cx="10" cy="5" rx="8" ry="2" rotation="90"/>'
    done = converted(
        "cvat", delivery(tmp_path / "d", image("a.jpg", shape), image("b.jpg")), tmp_path / "work"
    )
    assert done.codes == []
    rows, columns = np.nonzero(done.masks["train/a"])
    assert (rows.min(), rows.max()) == (0, 9)  # 8 pixels up and down, cut
    assert (columns.min(), columns.max()) == (8, 11)


def test_boxes_and_lines_of_persons_are_left_out_with_a_finding(tmp_path):
    shapes = (
        '<box label="person" xtl="0" ytl="0" xbr="5" ybr="5" z_order="0"/>',
        '<polyline label="person" points="0,0;5,5"/>',
        '<box label="ski pole" xtl="0" ytl="0" xbr="5" ybr="5"/>',
        box(8, 0, 9, 9),
    )
    folder = delivery(tmp_path / "d", image("a.jpg", *shapes), image("b.jpg"))
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == ["shape-ignored"]
    assert "box, polyline" in done.messages
    assert done.tags["train/a"].boxes == 1


def test_tasks_of_a_project_and_subsets_give_source_and_phase(tmp_path):
    head = (
        "<annotations><version>1.1</version><meta><project><name>all</name><tasks>"
        "<task><id>1</id><name>one</name></task><task><id>2</id><name>two</name></task></tasks>"
        "<labels><label><name>person</name></label></labels></project></meta>"
    )
    folder = delivery(
        tmp_path / "d",
        image("a.jpg", box(1, 1, 4, 4), extra='task_id="1" subset="Validation"'),
        image("b.jpg", extra='task_id="2" subset="Train"'),
        head=head,
    )
    done = converted("cvat", folder, tmp_path / "work")
    assert {key: tag.source for key, tag in done.tags.items()} == {"val/a": "one", "train/b": "two"}


def track(number, label, *shapes):
    return f'<track id="{number}" label="{label}" source="manual">{"".join(shapes)}</track>'


def at(frame, x, *, outside=0, keyframe=1):
    return box(x, 0, x + 4, 10, extra=f'frame="{frame}" outside="{outside}" keyframe="{keyframe}"')


FRAMES = tuple(f"images/frame_{n:06}.png" for n in range(4))


def test_tracks_are_drawn_where_they_are_not_outside(tmp_path):
    folder = delivery(
        tmp_path / "d",
        track(0, "person", at(0, 0), at(1, 1, keyframe=0), at(2, 2, outside=1)),
        track(1, "person", at(1, 10), at(2, 11), at(3, 12, outside=1)),
        names=FRAMES,
    )
    form, reason = choose_format(Tree(folder))
    assert (form.name, reason) == ("cvat", "annotations.xml has annotations of tracks")
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == []
    masks = [done.masks[f"train/frame_{n:06}"] for n in range(4)]
    expected = [
        area(0, 0, 4, 10),
        area(1, 0, 5, 10) + area(10, 0, 14, 10),
        area(11, 0, 15, 10),
        area(0, 0, 0, 0),
    ]
    assert all(map(np.array_equal, masks, expected))
    assert [done.tags[f"train/frame_{n:06}"].boxes for n in range(4)] == [1, 2, 1, 0]
    assert {tag.source for tag in done.tags.values()} == {"ski clip 3"}


def test_a_frame_that_was_not_exported_is_broken_and_not_empty(tmp_path):
    folder = delivery(tmp_path / "d", track(0, "person", at(0, 0), at(3, 3)), names=FRAMES)
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken"] * 2
    assert "track 1 has no shape in frame 1, but before and after" in done.messages
    assert sorted(done.masks) == ["train/frame_000000", "train/frame_000003"]


def test_a_group_of_tracks_is_one_person(tmp_path):
    halves = [track(n, "person", at(0, 5 * n)) for n in range(2)]
    halves = [half.replace("<track ", '<track group_id="4" ') for half in halves]
    folder = delivery(tmp_path / "d", *halves, names=FRAMES[:1])
    done = converted("cvat", folder, tmp_path / "work")
    assert done.tags["train/frame_000000"].boxes == 1


def test_frames_of_a_task_with_a_step_are_known(tmp_path):
    head = HEAD.replace("<size>4</size>", "<size>3</size><stop_frame>29</stop_frame>")
    names = tuple(f"images/frame_{n:06}.png" for n in (0, 10, 20))
    folder = delivery(
        tmp_path / "d",
        track(0, "person", at(0, 0), at(10, 0, outside=1)),
        head=head,
        names=names,
    )
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == []
    assert [int(mask.sum()) for _, mask in sorted(done.masks.items())] == [40, 0, 0]


def test_images_that_are_not_named_by_frames_are_not_guessed(tmp_path):
    folder = delivery(tmp_path / "d", track(0, "person", at(0, 0)), names=("images/0000.jpg",))
    with pytest.raises(FindingsError, match="no image is called like frame_000000"):
        converted("cvat", folder, tmp_path / "work")


def test_frames_without_image_and_images_without_frame_are_reported(tmp_path):
    names = (*FRAMES[:2], "images/frame_000009.png")
    folder = delivery(tmp_path / "d", track(0, "person", at(2, 0)), names=names)
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == ["image-missing", "mask-missing"]


def test_annotations_of_turned_images_fit_by_their_size(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    folder = delivery(tmp_path / "d", image("a.jpg", box(0, 0, 4, 3), size=(10, 20)))
    write_picture(folder / "images/a.jpg", exif=exif)
    (folder / "images/b.jpg").unlink()
    done = converted("cvat", folder, tmp_path / "work")
    assert np.argwhere(done.masks["train/a"])[0].tolist() == [6, 0]
    assert done.masks["train/a"].sum() == 12


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ('<polygon label="person" points="1,1;5,5"/>', "has 2 points"),
        ('<polygon label="person" points="1,1;500,5;5,5"/>', "pixels outside"),
        ('<polygon label="person" points="1,1;x,5;5,5"/>', "something else than numbers"),
        ('<polygon label="person" points="1,1;nan,5;5,5"/>', "not a number"),
        ('<polygon label="person" points="1;2;3"/>', "something else than numbers"),
        ('<polygon points="1,1;2,2;5,5"/>', "has no label"),
        ('<mask label="person" rle="1,2" left="0" top="0" width="2" height="2"/>', "add up to 3"),
        ('<mask label="person" rle="4" left="0" top="0" width="2"/>', "has no height"),
        ('<mask label="person" rle="-4,8" left="0" top="0" width="2" height="2"/>', "negative"),
        ('<mask label="person" rle="4" left="0" top="0" width="9999999" height="9999999"/>', "fit"),
        ('<ellipse label="person" cx="1" cy="1" rx="inf" ry="1"/>', "not a number"),
        ('<blob label="person"/>', "'blob' is unknown"),
    ],
)
def test_a_broken_shape_is_reported_with_its_line(tmp_path, shape, reason):
    folder = delivery(tmp_path / "d", image("a.jpg", shape), image("b.jpg"))
    done = converted("cvat", folder, tmp_path / "work")
    assert done.codes == ["annotation-broken"]
    assert reason in done.messages
    assert "annotations.xml (image 1, line 8)" in done.messages
    assert sorted(done.masks) == ["train/b"]


def test_images_and_annotations_without_the_other_are_reported(tmp_path):
    content = (image("a.jpg"), image("gone.jpg"), image("a.jpg"))
    done = converted("cvat", delivery(tmp_path / "d", *content), tmp_path / "work")
    assert done.codes == ["annotation-broken", "image-missing", "mask-missing"]


def test_no_label_of_persons_stops_with_the_names(tmp_path):
    head = HEAD.replace("<name>person", "<name>rider")
    folder = delivery(tmp_path / "d", image("a.jpg", box(0, 0, 4, 4, "rider")), head=head)
    with pytest.raises(FindingsError, match="classes: rider, ski pole"):
        converted("cvat", folder, tmp_path / "work")
    done = converted("cvat", folder, tmp_path / "work", names=frozenset({"rider"}))
    assert done.masks["train/a"].any()


def test_entities_and_deep_or_cut_files_are_refused(tmp_path):
    folder = delivery(tmp_path / "d", image("a.jpg"), image("b.jpg"))
    path = folder / "annotations.xml"
    good = path.read_text()
    bomb = good.replace("<annotations>", '<!DOCTYPE a [<!ENTITY x "y">]><annotations>')
    for text, reason in (
        (good[:-40], "is truncated"),
        (good.replace("<version>", "<a>" * 100 + "<version>"), "nested too deeply"),
    ):
        path.write_text(text)
        with pytest.raises(FindingsError, match=reason):
            converted("cvat", folder, tmp_path / "work")
    path.write_text(bomb)
    with pytest.raises(FindingsError, match="has a document type"):
        converted("cvat", folder, tmp_path / "work")


def test_mutated_files_give_findings_and_no_other_error(tmp_path):
    folder = delivery(
        tmp_path / "d",
        image("a.jpg", box(0, 0, 4, 4), '<ellipse label="person" cx="9" cy="5" rx="3" ry="2"/>'),
        track(0, "person", at(0, 0), at(1, 1)),
        names=("images/a.jpg", *FRAMES),
    )
    path, chance = folder / "annotations.xml", random.Random(4)
    whole = path.read_bytes()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.choice(b'0919-."<>; ,xe\x00\xff')
        path.write_bytes(data)
        try:
            converted("cvat", folder, tmp_path / "work")
        except (FindingsError, UsageError):
            continue
