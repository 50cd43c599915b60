"""137 broken and odd files, each offered as an image and as a mask: told what it is, no more."""

import resource
import shutil
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from sceneset import Registry
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Request
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.terms import Kind
from support.build import NAME, ROOT, SHARED, needs_shared, write_image

pytestmark = needs_shared
HOSTILE = SHARED / "data/hostile"
WARNS = "libjpeg warns of it, and what it warns of can't be told from damage: the strict reading"
OF_16_BITS = "gray of 16 bits: readers cut its brightness off at 255, so it is to be converted"
TINY = "2 x 2 and 1 x 1 pixels: below limits.min_side, as s01n3p01.png, which the index refuses"
SUFFIX = "mmsegmentation takes one suffix for all images, in this very case: rename it"
DIFFER = {
    "truncated_app14.jpg": WARNS,
    "junk_jpeg_header.jpg": WARNS,
    "jpeg_ff00_header.jpg": WARNS,
    "icc-after-SOF.jpg": WARNS,
    "hopper_bad_exif.jpg": WARNS,
    "photoshop-200dpi-broken.jpg": WARNS,
    "basn0g16.png": OF_16_BITS,
    "basi0g16.png": OF_16_BITS,
    "acid2.png": TINY,
    "multiple_exif.jpg": TINY,
    "invalid_palette_index.png": "refused as a mask, as the index says; as an image it decodes",
    "IMG_0001.JPG": SUFFIX,
    "photo.jpeg": SUFFIX,
}
"""Files that are answered otherwise than the index says, and why."""


class Row(NamedTuple):
    folder: str
    file: str
    accept: bool

    @property
    def path(self) -> Path:
        return HOSTILE / self.folder / self.file


def index() -> list[Row]:
    """Read INDEX.md: sections are folders, a row is a file, a column what a careful tool says."""
    rows, folder = [], ""
    text = (HOSTILE / "INDEX.md").read_text("utf-8") if HOSTILE.is_dir() else ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("## "):
            folder = line[3:].strip()
        elif line.startswith("| ") and cells[0] != "file" and len(cells) >= 6:
            said = next(cell for cell in cells if cell.startswith(("ACCEPT", "REJECT")))
            rows.append(Row(folder, cells[0], said.startswith("ACCEPT")))
    return rows


@cache
def here() -> Registry:
    return Registry(ROOT)


def told(folder: Path) -> list[Finding]:
    """Return what add would say of a delivery."""
    request = Request(folder, NAME, Kind.FULL)
    return read_delivery(request, here(), lambda items, _: items).findings


def size_of(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as opened:
            return opened.size if opened.size[0] * opened.size[1] < 10_000_000 else (32, 24)
    except Exception:
        return (32, 24)


def test_the_index_is_whole() -> None:
    rows = index()
    assert len(rows) == 137
    assert all(row.path.is_file() for row in rows)
    assert DIFFER.keys() <= {row.file for row in rows}


@pytest.mark.parametrize("row", index(), ids=lambda row: row.file)
def test_as_an_image(row: Row, tmp_path: Path) -> None:
    size = size_of(row.path)
    for part in ("img_dir", "ann_dir"):
        (tmp_path / part / "train").mkdir(parents=True)
    shutil.copyfile(row.path, tmp_path / "img_dir/train" / row.file)
    mask = np.zeros(size[::-1], np.uint8)
    mask[size[1] // 3 :, size[0] // 3 :] = 1
    Image.fromarray(mask).save(tmp_path / "ann_dir/train" / f"{Path(row.file).stem}.png")
    findings = told(tmp_path)
    assert all(p.hint or p.code == "mask-missing" for p in errors_of(findings)), "errors teach"
    assert (not errors_of(findings)) == (row.accept != (row.file in DIFFER)), findings
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 20, "kB: less than 1 GiB"


@pytest.mark.parametrize("row", index(), ids=lambda row: row.file)
def test_as_a_mask(row: Row, tmp_path: Path) -> None:
    stem = "a"
    write_image(tmp_path / f"img_dir/train/{stem}.jpg", size=size_of(row.path))
    (tmp_path / "ann_dir/train").mkdir(parents=True)
    shutil.copyfile(row.path, tmp_path / f"ann_dir/train/{stem}{Path(row.file).suffix}")
    wrong = errors_of(told(tmp_path))
    assert all(p.hint for p in wrong), "errors teach"
    if not wrong:  # then it is what a mask has to be, by another reading
        with Image.open(row.path) as mask:
            assert (mask.format, mask.mode) == ("PNG", "L")
            assert set(np.unique(np.asarray(mask))) <= {0, 1, 255}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 20, "kB: less than 1 GiB"
