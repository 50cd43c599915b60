"""The end of an image in its file, and bytes that follow it."""

import pytest
from PIL import Image

from sceneset.imaging.edit import strip_personal_data
from sceneset.imaging.facts import measure_image
from sceneset.schemas.params import Limits
from support.images import encoded, jpeg

LIMITS = Limits()
SMALL = Image.new("RGB", (16, 16))
JPEG, PNG = jpeg(), encoded(SMALL, "PNG")
THUMBNAIL = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + encoded(SMALL, "JPEG")


@pytest.mark.parametrize(
    ("data", "reported"),
    [
        pytest.param(JPEG, False, id="nothing"),
        pytest.param(JPEG + bytes(40), False, id="zero padding"),
        pytest.param(jpeg(exif=THUMBNAIL), False, id="thumbnail before the image"),
        pytest.param(jpeg(progressive=True, restart_marker_blocks=2), False, id="restart markers"),
        pytest.param(JPEG + b"secret", True, id="text"),
        pytest.param(JPEG + JPEG, True, id="second JPEG"),
        pytest.param(JPEG + b"secret" * 99 + b"\xff\xd9", True, id="text and an end marker"),
        pytest.param(jpeg(exif=THUMBNAIL) + JPEG, True, id="thumbnail and a second JPEG"),
        pytest.param(PNG, False, id="nothing after a PNG"),
        pytest.param(PNG + PNG, True, id="second PNG"),
    ],
)
def test_trailing_bytes_are_reported_and_removed_when_they_follow_the_image(data, reported):
    suffix = ".png" if data.startswith(b"\x89") else ".jpg"
    assert ("trailing bytes" in measure_image(data, suffix, LIMITS).traits) == reported
    if reported:
        image = JPEG if suffix == ".jpg" else PNG
        assert strip_personal_data(data) == strip_personal_data(image)
