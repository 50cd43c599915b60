"""137 broken and unusual files, each delivered as an image and as a mask: accepted or refused."""

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
from sceneset.progress import no_progress
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.terms import Kind
from support.build import NAME, ROOT, SHARED, needs_shared, write_image
from support.peak import within

pytestmark = needs_shared
HOSTILE = SHARED / "data/hostile"
EXTRA = "extra bytes between its compressed data: they may be the rest of pixels that were lost"
GRAY_16 = "16-bit gray: readers clip its brightness at 255, so it has to be converted"
TINY = "2 x 2 or 1 x 1 pixels: below limits.min_side, like s01n3p01.png, which the index refuses"
SUFFIX = "mmsegmentation takes one suffix for all images, and case matters: rename it"
DIFFERS_FROM_INDEX = {
    "hopper_bad_exif.jpg": EXTRA,
    "basn0g16.png": GRAY_16,
    "basi0g16.png": GRAY_16,
    "acid2.png": TINY,
    "multiple_exif.jpg": TINY,
    "invalid_palette_index.png": "refused as a mask, as the index says; as an image it decodes",
    "IMG_0001.JPG": SUFFIX,
    "photo.jpeg": SUFFIX,
}
"""Files for which the result differs from the index, and why."""


class Row(NamedTuple):
    folder: str
    file: str
    accept: bool

    @property
    def path(self) -> Path:
        return HOSTILE / self.folder / self.file


def index() -> list[Row]:
    """Read INDEX.md: a section is a folder, a row a file, a column what a careful tool does."""
    rows, folder = [], ""
    text = (HOSTILE / "INDEX.md").read_text("utf-8") if HOSTILE.is_dir() else ""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split(" | ")]
        if line.startswith("## "):
            folder = line[3:].strip()
        elif line.startswith("| ") and cells[0] != "file" and len(cells) >= 6:
            verdict = next(cell for cell in cells if cell.startswith(("ACCEPT", "REJECT")))
            rows.append(Row(folder, cells[0], verdict.startswith("ACCEPT")))
    return rows


@cache
def this_registry() -> Registry:
    return Registry(ROOT)


def findings_on(folder: Path) -> list[Finding]:
    """Return the findings of `sceneset add` on a delivery."""
    request = Request(folder, NAME, Kind.FULL)
    with within(768 << 20):
        return read_delivery(request, this_registry(), no_progress).findings


def size_of(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as opened:
            return opened.size if opened.size[0] * opened.size[1] < 10_000_000 else (32, 24)
    except Exception:
        return (32, 24)


def test_index_lists_every_file() -> None:
    rows = index()
    assert len(rows) == 137
    assert all(row.path.is_file() for row in rows)
    assert DIFFERS_FROM_INDEX.keys() <= {row.file for row in rows}


@pytest.mark.parametrize("row", index(), ids=lambda row: row.file)
def test_file_is_accepted_or_refused_as_the_index_says_when_it_is_an_image(
    row: Row, tmp_path: Path
) -> None:
    size = size_of(row.path)
    for part in ("img_dir", "ann_dir"):
        (tmp_path / part / "train").mkdir(parents=True)
    shutil.copyfile(row.path, tmp_path / "img_dir/train" / row.file)
    mask = np.zeros(size[::-1], np.uint8)
    mask[size[1] // 3 :, size[0] // 3 :] = 1
    Image.fromarray(mask).save(tmp_path / "ann_dir/train" / f"{Path(row.file).stem}.png")
    findings = findings_on(tmp_path)
    assert all(p.hint or p.code == "mask-missing" for p in errors_of(findings)), "errors have hints"
    assert (not errors_of(findings)) == (row.accept != (row.file in DIFFERS_FROM_INDEX)), findings


@pytest.mark.parametrize("row", index(), ids=lambda row: row.file)
def test_file_is_accepted_only_with_valid_values_when_it_is_a_mask(
    row: Row, tmp_path: Path
) -> None:
    stem = "a"
    write_image(tmp_path / f"img_dir/train/{stem}.jpg", size=size_of(row.path))
    (tmp_path / "ann_dir/train").mkdir(parents=True)
    shutil.copyfile(row.path, tmp_path / f"ann_dir/train/{stem}{Path(row.file).suffix}")
    errors = errors_of(findings_on(tmp_path))
    assert all(p.hint for p in errors), "errors have hints"
    if not errors:  # accepted, so it must be a valid mask when read independently
        with Image.open(row.path) as mask:
            assert (mask.format, mask.mode) == ("PNG", "L")
            assert set(np.unique(np.asarray(mask))) <= {0, 1, 255}
