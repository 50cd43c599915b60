"""Pictures of what changed between two masks."""

import io

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import UndecodableError
from sceneset.imaging.mask_change import Counts, Mark, MaskChange, Side, draw_change
from sceneset.schemas.params import Limits
from support.images import encoded, noise

SIZE = (96, 64)


def mask(*boxes: tuple[int, int, int, int], value: int = 1, size: tuple[int, int] = SIZE):
    values = np.zeros(size[::-1], np.uint8)
    for left, top, right, bottom in boxes:
        values[top:bottom, left:right] = value
    return values


def photo(**options: object) -> bytes:
    return encoded(Image.fromarray(noise(SIZE)), "JPEG", **options)


def change(old: np.ndarray, new: np.ndarray, side: int = 640, **options: object) -> MaskChange:
    image = photo(**options)
    first, second = (
        Side(image, ".jpg", encoded(Image.fromarray(values), "PNG")) for values in (old, new)
    )
    return draw_change(first, second, side, Limits())


def test_every_changed_pixel_is_marked_and_counted_by_what_it_became() -> None:
    old = mask((10, 10, 40, 40))
    new = mask((20, 10, 50, 40))
    new[50:52] = 255
    old[60, 5], new[60, 5] = 3, 4
    found = change(old, new)
    assert found.counts == Counts(added=300, removed=300, ignored=192, other=1, pixels=96 * 64)
    kinds = {
        Mark.ADDED: (new == 1) & (old == 0),
        Mark.OTHER: old == 3,
    }
    for mark, area in kinds.items():
        assert np.array_equal(found.marks == mark, area)
    removed = (found.marks == Mark.REMOVED) | (found.marks == Mark.REMOVED_STRIPE)
    assert np.array_equal(removed, (old == 1) & (new == 0))
    assert set(np.unique(found.marks[50])) == {Mark.IGNORED, Mark.IGNORED_STRIPE}
    assert found.before.photo is found.after.photo
    left, top, width, height = found.box
    assert (left * 96, top * 64) == (0, 10)
    assert (width * 96, height * 64) == (96, 51)


def test_equal_masks_have_no_marks() -> None:
    found = change(mask((1, 1, 9, 9)), mask((1, 1, 9, 9)))
    assert not found.marks.any()
    assert found.box is None
    assert found.counts[:4] == (0, 0, 0, 0)


@pytest.mark.parametrize("width", [1, 2])
def test_change_that_is_smaller_than_a_pixel_of_the_picture_is_visible(width: int) -> None:
    size = (960, 640)
    old = mask((100, 100, 500, 500), size=size)
    new = mask((100, 100, 500 + width, 101), (100, 101, 500, 500), size=size)
    image = encoded(Image.fromarray(noise(size)), "JPEG")
    sides = (Side(image, ".jpg", encoded(Image.fromarray(m), "PNG")) for m in (old, new))
    found = draw_change(*sides, 96, Limits())
    assert found.counts.added == width
    assert (found.marks == Mark.ADDED).sum() == 1
    assert found.marks[10, 50] == Mark.ADDED


def test_marks_are_turned_as_the_image_is_shown() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = change(mask((0, 0, 10, 10)), mask(), exif=exif)
    assert found.marks.shape == (96, 64) == found.after.photo.shape[:2]
    assert found.marks[:10, -10:].all()
    assert np.count_nonzero(found.marks) == 100


def test_marks_png_has_the_colours_of_the_marks() -> None:
    found = change(mask((10, 10, 40, 40)), mask((10, 10, 50, 40)))
    pixels = np.asarray(Image.open(io.BytesIO(found.marks_png())).convert("RGBA"))
    assert tuple(pixels[20, 45]) == (0, 200, 83, 205)
    assert not pixels[20, 20, 3]


def test_masks_of_different_sizes_are_shown_without_marks() -> None:
    images = [encoded(Image.fromarray(noise(size)), "JPEG") for size in (SIZE, SIZE[::-1])]
    masks = [mask((1, 1, 9, 9)), mask((1, 1, 9, 9), size=SIZE[::-1])]
    sides = [
        Side(image, ".jpg", encoded(Image.fromarray(values), "PNG"))
        for image, values in zip(images, masks, strict=True)
    ]
    found = draw_change(*sides, 640, Limits())
    assert found.before.has_mask
    assert found.after.has_mask
    assert found.marks is None
    assert found.problem == "the size changed from 96 x 64 to 64 x 96"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"no PNG", "is named .png"),
        (encoded(Image.fromarray(mask(size=(9, 9))), "PNG"), "is 9 x 9, its image 96 x 64"),
        (None, "is not here"),
    ],
)
def test_unusable_mask_is_left_out_with_the_reason(data: bytes | None, reason: str) -> None:
    image, good = photo(), encoded(Image.fromarray(mask((1, 1, 9, 9))), "PNG")
    old = Side(image, ".jpg", data, "is not here" if data is None else "")
    found = draw_change(old, Side(image, ".jpg", good), 640, Limits(min_side=1))
    assert reason in found.before.problem
    assert not found.before.has_mask
    assert found.after.has_mask
    assert found.marks_png() == b""


def test_damaged_image_is_refused() -> None:
    side = Side(photo()[:300], ".jpg", None)
    with pytest.raises(UndecodableError):
        draw_change(side, side, 640, Limits())
