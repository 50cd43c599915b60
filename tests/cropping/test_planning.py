"""Geometry of crops, and which originals and boxes are cut."""

import unicodedata

import numpy as np
import pytest
from PIL import Image, ImageOps

from sceneset.cropping.match import match
from sceneset.cropping.originals import Original
from sceneset.cropping.plan import Planned, plan
from sceneset.cropping.types import Boxes, Detection, Reason, Rules
from sceneset.imaging.crop import crop_mask, cut, encode_image, owners_of
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase

RULES = Rules(grow=0.1, max_iou=0, min_gap=0, min_side=10, min_score=0.5, max_overlap=0.1)
FIRST, SECOND = (20, 20, 60, 100), (120, 20, 160, 100)


def original(
    stem: str = "a",
    *,
    phase: str = "train",
    size: tuple[int, int] = (200, 120),
    orientation: int = 1,
    names: tuple[str, ...] = (),
) -> Original:
    tag = Tag(phase=Phase(phase), stem=stem)
    given = names or (f"web/{phase}/{stem}",)
    return Original(tag, given, stem, stem, "0" * 32, ".jpg", *size, orientation)


def box(sides: tuple[float, ...], place: str = "box", **fields: object) -> Detection:
    score = fields.pop("score", None)
    return Detection("a", tuple(map(float, sides)), score, place, **fields)  # type: ignore[arg-type]


def planned(*boxes: Detection, rules: Rules = RULES, image: Original | None = None) -> Planned:
    return plan(image or original(), boxes, rules)


def frames(found: Planned) -> list[tuple[int, ...]]:
    return [found.people[number].frame for number in found.cut]


def reasons(found: Planned) -> list[str]:
    return [str(refusal.reason) for refusal in found.refused]


def test_box_grows_to_whole_pixels_and_stays_in_the_picture() -> None:
    found = planned(box(FIRST), box((150.4, 30.2, 199.6, 90)))
    assert frames(found) == [(16, 12, 64, 108), (145, 24, 200, 96)]
    assert found.refused == []


def test_crops_are_numbered_from_left_to_right_whatever_the_order_of_the_file() -> None:
    boxes = [box(FIRST, "one"), box(SECOND, "two")]
    assert frames(planned(*boxes)) == frames(planned(*reversed(boxes)))


@pytest.mark.parametrize(
    ("second", "change", "reason"),
    [
        ((50, 20, 90, 100), {}, Reason.OVERLAP),
        ((50, 20, 90, 100), {"max_iou": 0.2, "max_overlap": 1}, None),
        ((60, 20, 100, 100), {}, Reason.FRAMES),  # boxes that touch
        ((60, 20, 100, 100), {"grow": 0}, None),
        ((65, 20, 105, 100), {"min_gap": 6}, Reason.CLOSE),
        ((65, 20, 105, 100), {"min_gap": 5}, None),
        ((62, 20, 102, 100), {"grow": 0.4}, Reason.FRAMES),
    ],
)
def test_people_must_be_separate(
    second: tuple[int, ...], change: dict[str, float], reason: Reason | None
) -> None:
    found = planned(box(FIRST), box(second), rules=RULES._replace(**change))
    assert reasons(found) == ([str(reason)] if reason else [])
    assert len(found.cut) == (0 if reason else 2)


def test_small_and_crowd_boxes_count_when_people_must_be_separate() -> None:
    small = box((55, 20, 62, 27), "small")
    assert reasons(planned(box(FIRST), small)) == ["people-overlap"]
    assert reasons(planned(box(FIRST), box((100, 5, 108, 100), "thin"))) == ["box-small"]
    crowd = box((50, 0, 200, 60), "crowd", is_crowd=True)
    assert reasons(planned(box(FIRST), crowd)) == ["crowd", "people-overlap"]
    assert reasons(planned(crowd)) == ["crowd"]


def test_low_scores_and_repeated_boxes_do_not_count() -> None:
    found = planned(
        box(FIRST, "weak", score=0.6), box(FIRST, "best", score=0.9), box(FIRST, "low", score=0.1)
    )
    assert reasons(found) == ["box-twice", "box-twice"]
    assert found.people[0].detection.place == "best"
    assert reasons(planned(box(FIRST, score=0.1))) == ["score-low"]


def test_box_outside_of_the_image_or_of_another_size_is_an_error() -> None:
    assert reasons(planned(box((300, 20, 340, 100)))) == ["box-outside"]
    assert reasons(planned(box((1e300, 20, 1.5e300, 100)))) == ["box-outside"]
    assert reasons(planned(box(FIRST, size=(400, 240)))) == ["size-differs"]


def test_too_many_boxes_are_refused() -> None:
    boxes = [box((x / 20, 0, x / 20 + 0.01, 1)) for x in range(2001)]
    assert reasons(planned(*boxes)) == ["too-many-boxes"]


def test_box_over_the_seam_of_a_panorama_counts_as_two() -> None:
    panorama = original(size=(400, 200))
    for sides in ((370, 50, 430, 150), (-30, 50, 30, 150)):
        found = planned(box(sides), image=panorama)
        assert [one.sides for one in found.people] == [(0, 50, 30, 150), (370, 50, 400, 150)]
        assert found.seams == 1
        assert found.refused == []
    assert planned(box((370, 50, 400.5, 150)), image=panorama).seams == 0  # rounding
    assert planned(box((370, 50, 430, 150)), image=original(size=(400, 201))).seams == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_box_of_the_picture_as_shown_is_found_in_the_pixels_as_stored(orientation: int) -> None:
    stored = np.zeros((120, 200), np.uint8)
    stored[20:100, 20:60] = 1
    image = Image.fromarray(stored)
    image.getexif()[0x0112] = orientation
    shown = np.asarray(ImageOps.exif_transpose(image))
    rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
    sides = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    rules = RULES._replace(grow=0, boxes_as="shown")
    found = planned(box(sides), rules=rules, image=original(orientation=orientation))
    assert frames(found) == [(20, 20, 60, 100)]
    crop = cut(stored, frames(found)[0], orientation)
    assert crop.all()
    whole = cut(stored, (0, 0, 200, 120), orientation)
    assert np.array_equal(whole, shown)


def test_frame_of_a_turned_image_is_recognized_by_its_size_or_asked_for() -> None:
    turned = original(orientation=6)
    rules = RULES._replace(grow=0)
    for size in ((200, 120), (120, 200)):
        assert planned(box(FIRST, size=size), rules=rules, image=turned).cut == [0]
    assert reasons(planned(box(FIRST), image=turned)) == ["frame-unclear"]
    assert reasons(planned(box(FIRST, size=(200, 120)), image=original(orientation=3))) == [
        "frame-unclear"
    ]
    stored = RULES._replace(boxes_as="stored")
    assert planned(box(FIRST), rules=stored, image=turned).cut == [0]


def test_parts_of_a_mask_belong_to_the_person_of_the_box() -> None:
    mask = np.zeros((60, 100), np.uint8)
    mask[10:50, 10:30] = 1  # the person of the first box
    mask[52:58, 12:20] = 1  # a foot behind a pole
    mask[10:50, 60:80] = 1  # the second person
    mask[10:50, 34:50] = 1  # somebody without a box, whom the first box touches
    mask[0, 0] = 255
    owners = owners_of(mask, [(10, 10, 36, 58), (60, 10, 80, 50)])
    part, own, others = crop_mask(mask, owners, 0, (0, 0, 70, 60))
    assert own == 40 * 20 + 6 * 8
    assert others == 40 * 16 + 40 * 10
    assert part[0, 0] == 255
    assert set(np.unique(part)) == {0, 1, 255}
    assert (mask[10:50, 34:50] == 1).all(), "the mask of the original is not changed"
    again, *_ = crop_mask(mask, owners, 1, (55, 5, 85, 55))
    assert np.array_equal(again, mask[5:55, 55:85])


def test_png_keeps_pixels_and_jpeg_gives_the_same_bytes_each_time() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    png = encode_image(pixels, None, None)
    assert png == encode_image(pixels, None, None)
    assert encode_image(pixels, None, 90) == encode_image(pixels, None, 90)


def names(*images: Original, file: dict[str, int]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the number of boxes of each image, and refused names with their reasons."""
    boxes = Boxes("x", images=dict.fromkeys(file))
    for name, count in file.items():
        boxes.detections += [Detection(name, (0, 0, 1, 1), None, "")] * count
    found = match(boxes, images)
    counts = {key[1]: len(own) for key, own in found.by_original.items()}
    return counts, [(str(r.reason), r.image) for r in found.refused]


def test_names_are_matched_by_their_longest_common_end() -> None:
    one, two = original("a"), original("b", names=("web/train/b", "session 1/b"))
    file = {"C:\\data\\web\\train\\a.JPG": 1, "session%201/b.jpg": 2, "c.png": 3}
    counts, refused = names(one, two, file=file)
    assert counts == {"a": 1, "b": 2}
    assert refused == [("image-unknown", "c.png")]


def test_name_that_fits_several_images_is_refused() -> None:
    train, val = original("a"), original("a", phase="val")
    _, refused = names(train, val, file={"a.jpg": 1})
    assert ("name-ambiguous", "a.jpg") in refused
    counts, _ = names(train, val, file={"val2017/a.jpg": 1})
    assert counts == {"a": 1}


def test_names_of_two_folders_do_not_share_one_image() -> None:
    counts, refused = names(original("a"), file={"x/a.jpg": 1, "y/a.jpg": 1})
    assert counts == {}
    assert refused[:2] == [("name-ambiguous", "x/a.jpg"), ("name-ambiguous", "y/a.jpg")]
    counts, refused = names(original("a"), file={"train/a.jpg": 1, "y/a.jpg": 1})
    assert counts == {"a": 1}
    assert refused == [("image-unknown", "y/a.jpg")]


def test_images_without_a_box_are_listed() -> None:
    _, refused = names(original("a"), original("b"), file={"a.jpg": 0})
    assert refused == [("no-box", "train/a"), ("no-box", "train/b")]


def test_names_are_the_same_however_unicode_writes_them() -> None:
    for form, other in (("NFC", "NFD"), ("NFD", "NFC")):
        image = original(unicodedata.normalize(form, "caf\u00e9"))
        name = unicodedata.normalize(other, "train/caf\u00e9.jpg")
        found = match(Boxes("", [Detection(name, (1, 2, 3, 4), None, "")], {name: None}), [image])
        assert len(found.by_original[image.key]) == 1
        assert not found.refused
