"""Withdrawn images are recognized in a delivery, also re-encoded and turned."""

from pathlib import Path

import pytest
from PIL import Image

from sceneset.delivery.withdrawn import withdrawn_findings
from sceneset.imaging.facts import hash_pil_image
from sceneset.scanning.measure_sample import Pair, measure_pair
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.schemas.tombstone import Tombstone
from support.images import noise

TURNS = {
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def portrait(seed: int = 1) -> Image.Image:
    return Image.fromarray(noise((9, 7), seed)).resize((180, 140), Image.Resampling.BICUBIC)


def measured(folder: Path, image: Image.Image, **options: object) -> ScanRow:
    """Return the scan row of an image that is saved as a JPEG."""
    image.save(folder / "x.jpg", quality=80, **options)
    Image.new("L", image.size, 1).save(folder / "x.png")
    pair = Pair(Phase.TRAIN, "x", folder / "x.jpg", folder / "x.png", folder)
    row = measure_pair(pair, Limits()).row
    assert row
    return row


def tombstone(image: Image.Image, md5: str = "0" * 32) -> dict[str, Tombstone]:
    hashes = hash_pil_image(image)
    withdrawn = Tombstone(
        image=md5,
        phash=f"{hashes.phash:016x}",
        phash_mirror=f"{hashes.mirror:016x}",
        reason="asked for",
    )
    return {md5: withdrawn}


def codes(row: ScanRow, tombstones: dict[str, Tombstone]) -> list[str]:
    return [found.code for found in withdrawn_findings([row], tombstones)]


@pytest.mark.parametrize("turn", TURNS)
def test_copy_of_a_withdrawn_image_is_found_when_its_pixels_are_turned(
    turn: int, tmp_path: Path
) -> None:
    row = measured(tmp_path, portrait().transpose(TURNS[turn]))
    assert codes(row, tombstone(portrait())) == ["forgotten-near"]
    assert codes(row, tombstone(portrait(2))) == []
    assert codes(row, tombstone(portrait(2)) | tombstone(portrait(), "1" * 32)) == [
        "forgotten-near"
    ]


def test_upright_copy_is_found_when_the_withdrawn_image_was_stored_turned(tmp_path: Path) -> None:
    stored = portrait().transpose(Image.Transpose.ROTATE_90)
    assert codes(measured(tmp_path, portrait()), tombstone(stored)) == ["forgotten-near"]


def test_file_is_forgotten_when_its_hash_is_known(tmp_path: Path) -> None:
    row = measured(tmp_path, portrait())
    assert codes(row, tombstone(portrait(), row.image_md5)) == ["forgotten"]
    assert codes(row, {}) == []


def test_file_is_forgotten_when_its_pixels_are_known(tmp_path: Path) -> None:
    first = measured(tmp_path, portrait())
    [withdrawn] = tombstone(portrait(), first.image_md5).values()
    known = {withdrawn.image: withdrawn.model_copy(update={"picture": first.picture})}
    row = measured(tmp_path, portrait(), comment="the same pixels, another file")
    assert (row.image_md5 != first.image_md5, row.picture) == (True, first.picture)
    assert codes(row, known) == ["forgotten"]
    assert codes(row, {withdrawn.image: withdrawn}) == ["forgotten-near"]


def test_row_of_an_older_scan_is_compared_as_stored_and_mirrored(tmp_path: Path) -> None:
    mirrored = portrait().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    row = measured(tmp_path, mirrored).model_copy(update={"phash_turned": None})
    assert codes(row, tombstone(portrait())) == ["forgotten-near"]
