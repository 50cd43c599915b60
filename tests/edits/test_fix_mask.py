"""Metadata and an orientation in a mask are removed where there is one right answer."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sceneset.edits.fix_mask import mask_orientation, without_metadata, without_orientation
from sceneset.edits.fix_sample import MaskFrame, SampleFiles, fix_files
from sceneset.imaging.mask_values import is_void_file
from sceneset.schemas.params import Limits
from support.build import NAME, Run, make_delivery
from support.images import encoded, noise, png_chunk

SECRET = "A. Nobody"


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def mask(size: tuple[int, int] = (40, 24), orientation: int = 1, author: str = "") -> bytes:
    info = PngInfo()
    if author:
        info.add_text("Author", author)
    pixels = Image.fromarray(noise(size, channels=1) % 2)
    options = {"exif": exif(orientation)} if orientation != 1 else {}
    return encoded(pixels, "PNG", pnginfo=info, **options)


def image(size: tuple[int, int] = (40, 24), orientation: int = 1) -> bytes:
    options = {"exif": exif(orientation)} if orientation != 1 else {}
    return encoded(Image.fromarray(noise(size)), "JPEG", **options)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_metadata_of_a_mask_is_removed_and_its_orientation_stays() -> None:
    assert without_metadata(mask()) is None
    assert without_metadata(mask(author=SECRET)) == mask()
    clean = without_metadata(mask(orientation=6, author=SECRET))
    assert clean
    assert SECRET.encode() not in clean
    assert without_metadata(clean) is None
    assert without_orientation(image(), clean)


def test_orientation_of_a_mask_is_removed_when_it_fits_the_image_as_stored() -> None:
    assert without_orientation(image(), mask()) is None
    fixed = without_orientation(image(), mask(orientation=6))
    assert fixed == mask()
    both = without_orientation(image(orientation=3), mask(orientation=3))
    assert both == mask(), "readers turn both or none"


def test_a_mask_is_rotated_when_only_its_rotated_size_fits() -> None:
    fixed = without_orientation(image(), mask((24, 40), orientation=6))
    assert fixed
    assert (pixels(fixed) == np.rot90(pixels(mask((24, 40))), 3)).all()


@pytest.mark.parametrize(("size", "orientation"), [((40, 24), 3), ((24, 24), 6), ((50, 30), 6)])
def test_an_orientation_that_may_be_right_is_left_to_a_person(
    size: tuple[int, int], orientation: int
) -> None:
    with pytest.raises(ValueError, match="look at the mask"):
        without_orientation(image(size if size != (50, 30) else (40, 24)), mask(size, orientation))


def test_fix_cleans_masks_of_a_delivery(tmp_path: Path, registry: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d")
    path = folder / "ann_dir/train/a.png"
    info = PngInfo()
    info.add_text("Author", SECRET)
    with Image.open(path) as opened:
        opened.save(path, pnginfo=info, exif=exif(6))
    found = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry).json
    assert {"mask-metadata", "mask-orientation"} <= {p["code"] for p in found["problems"]}
    outcome = sceneset("fix", folder, "--to", tmp_path / "fixed", "--json", cwd=registry)
    assert outcome.code == 0, outcome.err
    [sample] = outcome.json["samples"]
    assert sample["done"] == ["mask-metadata", "mask-orientation"]
    found = sceneset(
        "add", tmp_path / "fixed", "--name", NAME, "--dry-run", "--json", cwd=registry
    ).json
    assert not [p for p in found["problems"] if p["code"].startswith("mask-")]


@pytest.mark.parametrize("frame", [None, *MaskFrame])
def test_an_image_is_not_turned_when_its_mask_has_an_orientation_too(
    frame: MaskFrame | None,
) -> None:
    files = SampleFiles(".jpg", image(orientation=6), mask((24, 40), orientation=3))
    result = fix_files(files, ("image-orientation",), Limits(), frame)
    assert (result.files, result.fixed) == (files, ())
    [(code, reason)] = result.unfixed
    assert (code, "orientation of its own (3)" in reason) == ("image-orientation", True)
    both = files._replace(mask=mask((24, 40), orientation=6))
    turned = fix_files(both, ("mask-orientation", "image-orientation"), Limits(), MaskFrame.SHOWN)
    assert turned.fixed == ("mask-orientation", "image-orientation")
    assert turned.files.mask == mask((24, 40))


@pytest.mark.parametrize(
    ("kind", "body"),
    [(b"fdAT", b"\0"), (b"iCCP", b"a\0\1x"), (b"iCCP", b"a\0"), (b"zTXt", b"a\0\1x")],
)
def test_fix_does_not_change_a_mask_with_a_broken_chunk_after_its_pixels(
    kind: bytes, body: bytes
) -> None:
    """Pillow raises SyntaxError or IndexError for these."""
    broken = mask()[:-12] + png_chunk(kind, body) + mask()[-12:]
    for read in (mask_orientation, is_void_file):
        with pytest.raises(OSError, match="does not decode"):
            read(broken)
    for files in (
        SampleFiles(".jpg", image(), broken),
        SampleFiles(".jpg", image((9, 9), 6), broken),
    ):
        result = fix_files(files, ("mask-orientation", "image-orientation"), Limits())
        assert (result.files, result.fixed) == (files, ())
