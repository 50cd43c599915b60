"""The identity of a picture depends on its pixels as shown, and on nothing else."""

import io

import numpy as np
import pytest
from blake3 import blake3
from PIL import Image, ImageOps, PngImagePlugin

from sceneset.imaging import facts
from sceneset.imaging.facts import measure_image
from sceneset.imaging.picture import picture_digest
from sceneset.schemas.orientation import combined, inverse
from sceneset.schemas.params import Limits
from support.images import encoded, noise

LIMITS = Limits()
ORIENTATIONS = range(1, 9)


def picture_of(image: Image.Image, kind: str = "PNG", **options: object) -> str:
    suffix = {"PNG": ".png", "JPEG": ".jpg"}[kind]
    return measure_image(encoded(image, kind, **options), suffix, LIMITS).picture


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010E] = "a description"
    return found


def shown(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image as Pillow shows it with an EXIF orientation."""
    stored = Image.open(io.BytesIO(encoded(image, "PNG", exif=exif(orientation))))
    return ImageOps.exif_transpose(stored)


def test_picture_is_the_hash_of_rows_and_size_that_is_documented() -> None:
    pixels = noise((9, 8))
    size = b"".join(number.to_bytes(4) for number in (9, 8, 3))
    assert picture_digest(pixels) == blake3(pixels.tobytes() + size).hexdigest(16)
    # The same on every machine and in every later version.
    drawn = np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3)
    assert picture_digest(drawn) == "d247b154f90eef161b2a83813908d60c"


def test_picture_is_the_same_when_only_metadata_or_container_differ() -> None:
    image = Image.fromarray(noise((70, 50)))
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "somebody")
    expected = picture_of(image)
    assert picture_of(image, pnginfo=text, compress_level=0) == expected
    assert picture_of(image, exif=exif(1), icc_profile=b"profile") == expected
    assert picture_of(image.convert("RGBA")) == expected


def test_picture_of_a_jpeg_is_the_same_when_metadata_is_added() -> None:
    image = Image.fromarray(noise((70, 50)))
    plain, tagged = (encoded(image, "JPEG", quality=90, **more) for more in ({}, {"exif": exif(1)}))
    assert plain != tagged
    one, other = (measure_image(data, ".jpg", LIMITS).picture for data in (plain, tagged))
    assert one == other == picture_of(Image.open(io.BytesIO(plain)))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_picture_is_the_same_when_exif_turns_it_or_its_pixels_are_turned(
    orientation: int, mode: str
) -> None:
    image = Image.fromarray(noise((70, 50))).convert(mode)
    assert picture_of(image, exif=exif(orientation)) == picture_of(shown(image, orientation))


def test_picture_differs_for_each_orientation_of_the_pixels() -> None:
    image = Image.fromarray(noise((70, 70)))
    assert len({picture_of(image, exif=exif(turn)) for turn in ORIENTATIONS}) == 8


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_picture_of_gray_is_the_same_when_it_is_stored_as_rgb(mode: str) -> None:
    gray = Image.fromarray(noise((70, 50), channels=1)).convert(mode)
    rgb = gray.convert("L").convert("RGB")
    assert picture_of(gray) == picture_of(rgb) == picture_of(gray.convert("L"))


def test_picture_differs_when_one_pixel_or_the_size_differs() -> None:
    pixels = noise((70, 50))
    found = {picture_of(Image.fromarray(pixels))}
    for place in ((0, 0, 0), (49, 69, 2), (25, 30, 1)):
        changed = pixels.copy()
        changed[place] ^= 1
        found.add(picture_of(Image.fromarray(changed)))
    found.add(picture_of(Image.fromarray(pixels.reshape(70, 50, 3))))
    found.add(picture_of(Image.fromarray(pixels[::-1])))
    assert len(found) == 6


def test_picture_differs_when_channels_have_equal_sums_but_other_pixels() -> None:
    gray = noise((70, 50), channels=1)
    shuffled = np.stack([gray, gray[::-1], gray], axis=2)
    assert picture_of(Image.fromarray(shuffled)) != picture_of(Image.fromarray(gray))


def test_gray_pictures_are_found_without_comparing_the_channels_of_colour_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    compare = facts.has_equal_channels
    monkeypatch.setattr(
        facts, "has_equal_channels", lambda planes: calls.append(1) or compare(planes)
    )
    picture_of(Image.fromarray(noise((70, 50))))
    assert calls == []
    picture_of(Image.fromarray(noise((70, 50), channels=1)).convert("RGB"))
    assert calls == [1]


@pytest.mark.parametrize("first", ORIENTATIONS)
@pytest.mark.parametrize("second", ORIENTATIONS)
def test_combined_orientation_equals_turning_twice(first: int, second: int) -> None:
    image = Image.fromarray(noise((7, 5)))
    twice = shown(shown(image, first), second)
    assert np.array_equal(twice, shown(image, combined(first, second)))
    assert combined(first, inverse(first)) == combined(inverse(first), first) == 1
