"""Paths and helpers for tests that scan the subset of the fixtures."""

import shutil
from pathlib import Path

from sceneset import Registry
from support.build import NAME

DATA = f"Insta360SemanticSeg/{NAME}"
SCAN = f"registry/scans/{NAME}.parquet"


def remove_scan_and_files(root: Path) -> bytes:
    """Delete the scan, all images and masks and DVC's cache; return the content of the scan."""
    content = (root / SCAN).read_bytes()
    (root / SCAN).unlink()
    for folder in ("img_dir", "ann_dir"):
        shutil.rmtree(root / DATA / folder)
    shutil.rmtree(root / ".dvc/cache")
    return content


def content_hashes(root: Path) -> list[tuple[str, str]]:
    """Return the MD5 hashes of image and mask of every sample, as the scan records them."""
    table = Registry(root).scan(NAME, ("image_md5", "mask_md5"))
    columns = (table[name].to_pylist() for name in table.column_names)
    return [(image.hex(), mask.hex()) for image, mask in zip(*columns, strict=True)]
