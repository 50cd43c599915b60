"""Small pictures with masks: what is painted where, in which colors."""

import io

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import UndecodableError
from sceneset.imaging.overlay import COLOURS, Paint, draw_overlay, paint
from sceneset.imaging.sheet import Legend, SheetTooLargeError, Tile, draw_sheet
from sceneset.schemas.params import Limits
from support.images import encoded

LIMITS = Limits()
GRAY = (100, 110, 120)


def photo(size: tuple[int, int] = (40, 20), kind: str = "PNG", **options: object) -> bytes:
    return encoded(Image.new("RGB", size, GRAY), kind, **options)


def mask_file(values: np.ndarray) -> bytes:
    return encoded(Image.fromarray(values), "PNG")


def blended(which: Paint) -> tuple[int, ...]:
    *colour, alpha = COLOURS[which]
    pairs = zip(GRAY, colour, strict=True)
    return tuple((own * (255 - alpha) + other * alpha + 127) // 255 for own, other in pairs)


def test_mask_is_filled_and_outlined_and_the_rest_is_the_photo():
    values = np.zeros((20, 40), np.uint8)
    values[5:15, 10:30] = 1
    drawn = draw_overlay(photo(), ".png", mask_file(values), 256, LIMITS).composed()
    assert drawn.shape == (20, 40, 3)
    expected = {
        (10, 20): blended(Paint.PERSON),
        (5, 10): COLOURS[Paint.LINE][:3],
        (10, 29): COLOURS[Paint.LINE][:3],
        (4, 10): COLOURS[Paint.EDGE][:3],
        (10, 30): COLOURS[Paint.EDGE][:3],
        (10, 31): GRAY,
        (0, 0): GRAY,
    }
    assert {place: tuple(drawn[place].tolist()) for place in expected} == expected


def test_person_at_the_border_of_the_image_has_no_line_there():
    painted = paint(np.ones((20, 40), np.uint8), (40, 20))
    assert (painted == Paint.PERSON).all()


@pytest.mark.parametrize(
    ("value", "fill", "stripe"),
    [
        (255, Paint.IGNORED, Paint.IGNORED_STRIPE),
        (38, Paint.OTHER, Paint.OTHER_STRIPE),
    ],
)
def test_ignored_and_other_values_are_hatched_in_their_own_colours(value, fill, stripe):
    values = np.zeros((20, 40), np.uint8)
    values[:, :12] = value
    values[:, 12:24] = 1
    painted = paint(values, (40, 20))
    assert set(np.unique(painted[:, :12])) == {fill, stripe}
    assert (painted == stripe).sum() == 20 * 12 // 3
    assert set(np.unique(painted[:, 24])) == {Paint.EDGE}
    assert set(np.unique(painted[:, 25:])) == {Paint.NOTHING}


@pytest.mark.parametrize("side", [1, 3])
def test_smallest_person_is_visible_on_a_small_picture(side):
    values = np.zeros((400, 800), np.uint8)
    values[101 : 101 + side, 201 : 201 + side] = 1
    painted = paint(values, (80, 40))
    assert (painted[9:12, 19:22] == Paint.LINE).any()


def test_reduced_mask_keeps_what_covers_a_third_of_a_pixel():
    values = np.zeros((100, 100), np.uint8)
    values[:, 50:54] = 1  # four of ten columns
    values[:, 70:73] = 1  # three of ten
    painted = paint(values, (10, 10))
    assert (painted[:, 5] == Paint.LINE).all()
    assert (painted[:, 7] == Paint.NOTHING).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_image_and_mask_are_turned_as_exif_says(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.full((32, 64, 3), 40, np.uint8)
    stored[:16, :16] = 220  # a bright corner
    values = np.zeros((32, 64), np.uint8)
    values[:16, :16] = 1
    suffix = {"PNG": ".png", "JPEG": ".jpg"}[kind]
    data = encoded(Image.fromarray(stored), kind, exif=exif)
    overlay = draw_overlay(data, suffix, mask_file(values), 256, LIMITS)
    corner = {
        1: (0, 0), 2: (0, -1), 3: (-1, -1), 4: (-1, 0),
        5: (0, 0), 6: (0, -1), 7: (-1, -1), 8: (-1, 0),
    }[orientation]  # fmt: skip
    shape = (32, 64) if orientation < 5 else (64, 32)
    assert overlay.photo.shape[:2] == overlay.paints.shape == shape
    bright = overlay.photo[..., 1] > 128
    assert bright[corner]
    assert bright.sum() == pytest.approx(256, abs=16)
    assert overlay.paints[corner] == Paint.PERSON
    inside = np.isin(overlay.paints, (Paint.PERSON, Paint.LINE))
    assert (inside == bright).mean() > 0.99


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        (mask_file(np.ones((9, 9), np.uint8)), "is 9 x 9, its image 40 x 20"),
        (b"", "is empty (0 bytes)"),
        (encoded(Image.new("P", (40, 20)), "PNG"), "is a palette image"),
    ],
)
def test_photo_is_shown_without_a_mask_that_does_not_fit(mask, problem):
    overlay = draw_overlay(photo(), ".png", mask, 256, LIMITS)
    assert overlay.problem.startswith(problem)
    assert not overlay.has_mask
    assert (overlay.composed() == GRAY).all()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_damaged_image_is_refused(suffix):
    kind = {".png": "PNG", ".jpg": "JPEG"}[suffix]
    data = photo((200, 100), kind)
    with pytest.raises(UndecodableError):
        draw_overlay(data[: len(data) // 2], suffix, None, 64, LIMITS)


def test_image_above_the_limits_is_not_decoded():
    with pytest.raises(UndecodableError, match="more than 100 pixels"):
        draw_overlay(photo(kind="JPEG"), ".jpg", None, 64, Limits(max_pixels=100))


@pytest.mark.parametrize(("size", "small"), [((1000, 500), (100, 50)), ((30, 3000), (1, 100))])
def test_picture_is_reduced_to_the_wanted_side_and_never_enlarged(size, small):
    data = photo(size, "JPEG")
    drawn = draw_overlay(data, ".jpg", None, 100, LIMITS).photo
    assert drawn.shape == (small[1], small[0], 3)
    assert draw_overlay(photo(), ".png", None, 100, LIMITS).photo.shape == (20, 40, 3)


def test_files_of_a_page_have_the_pixels_of_the_picture():
    values = np.zeros((20, 40), np.uint8)
    values[5:15, 10:30] = 1
    overlay = draw_overlay(photo(), ".png", mask_file(values), 256, LIMITS)
    layer = Image.open(io.BytesIO(overlay.paints_png())).convert("RGBA")
    below = Image.fromarray(overlay.photo).convert("RGBA")
    together = np.asarray(Image.alpha_composite(below, layer).convert("RGB")).astype(int)
    assert abs(together - overlay.composed()).max() <= 1
    jpeg = np.asarray(Image.open(io.BytesIO(overlay.photo_jpeg()))).astype(int)
    assert abs(jpeg - np.array(GRAY)).max() <= 3


def test_equal_files_give_equal_sheets():
    data = encoded(Image.effect_noise((300, 200), 60).convert("RGB"), "JPEG")
    values = np.zeros((200, 300), np.uint8)
    values[40:160, 60:200] = 1

    def sheet() -> bytes:
        picture = draw_overlay(data, ".jpg", mask_file(values), 100, LIMITS).composed()
        return draw_sheet("title", [], [], [Tile(picture, labels=("a",))], 100).png

    assert sheet() == sheet()


def test_sheet_has_each_picture_at_its_place_with_labels_and_legend():
    pictures = [np.full((50, 100, 3), level, np.uint8) for level in (10, 60, 110)]
    tiles = [Tile(picture, labels=("name",), texts=("a text",)) for picture in pictures]
    tiles += [Tile(None, "is not here", labels=("other",))]
    drawn = draw_sheet("title", ["a note"], [Legend((1, 2, 3), "person")], tiles, 100)
    sheet = np.asarray(Image.open(io.BytesIO(drawn.png)))
    columns = []
    for level in (10, 60, 110):
        rows, places = np.nonzero((sheet == level).all(axis=2))
        assert (np.ptp(rows), np.ptp(places)) == (49, 99)
        columns.append((rows.min(), places.min()))
    assert columns == [(columns[0][0], 20 + number * 112) for number in range(3)]
    assert (sheet == (1, 2, 3)).all(axis=2).sum() >= 100
    assert (sheet == (208, 212, 218)).all(axis=2).sum() > 3000
    assert drawn.missing == ""


def test_long_and_hostile_labels_stay_in_their_column():
    picture = np.full((50, 100, 3), 10, np.uint8)
    text = "<script>alert(1)</script>" * 40
    tiles = [Tile(picture, labels=(text,), texts=(text, "word " * 300))] * 2
    sheet = np.asarray(Image.open(io.BytesIO(draw_sheet(text, [], [], tiles, 100).png)))
    below = sheet[90:]
    assert (below[:, 121:131] == 255).all()
    assert sheet.shape[0] < 400


def test_characters_without_a_font_are_reported(monkeypatch):
    monkeypatch.setattr("sceneset.imaging.sheet._wide_font", lambda size: None)  # noqa: ARG005
    drawn = draw_sheet("滑雪 ski", [], [], [Tile(None, "no")], 100)
    assert drawn.missing == "滑雪"


def test_too_many_tiles_are_refused():
    with pytest.raises(SheetTooLargeError):
        draw_sheet("title", [], [], [Tile(None, "no")] * 200, 1600)
