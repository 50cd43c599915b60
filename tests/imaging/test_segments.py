"""Where the picture ends in its file, and what follows it."""

import pytest
from PIL import Image

from sceneset.imaging.edit import without_personal
from sceneset.imaging.facts import image_facts
from sceneset.schemas.params import Limits
from support.images import encoded, jpeg

LIMITS = Limits()
SMALL = Image.new("RGB", (16, 16))
JPEG, PNG = jpeg(), encoded(SMALL, "PNG")
THUMBNAIL = b"Exif\0\0MM\0*\0\0\0\x08\0\0" + encoded(SMALL, "JPEG")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(JPEG, False, id="nothing"),
        pytest.param(JPEG + bytes(40), False, id="padding"),
        pytest.param(jpeg(exif=THUMBNAIL), False, id="a small copy before it"),
        pytest.param(jpeg(progressive=True, restart_marker_blocks=2), False, id="restarts"),
        pytest.param(JPEG + b"secret", True, id="text"),
        pytest.param(JPEG + JPEG, True, id="a second picture"),
        pytest.param(JPEG + b"secret" * 99 + b"\xff\xd9", True, id="what ends as a picture does"),
        pytest.param(jpeg(exif=THUMBNAIL) + JPEG, True, id="a small copy and a second picture"),
        pytest.param(PNG, False, id="nothing behind a PNG"),
        pytest.param(PNG + PNG, True, id="a second PNG"),
    ],
)
def test_what_follows_the_picture_is_told(data, told):
    suffix = ".png" if data.startswith(b"\x89") else ".jpg"
    assert ("trailing bytes" in image_facts(data, suffix, LIMITS).traits) == told
    if told:
        assert without_personal(data) == without_personal(JPEG if suffix == ".jpg" else PNG)
