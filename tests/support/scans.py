"""Helpers for tests of scans: what a registry without blobs has, and what a scan says."""

import shutil
from pathlib import Path

from sceneset import Registry
from support.build import NAME

DATA = f"Insta360SemanticSeg/{NAME}"


SCAN = f"registry/scans/{NAME}.parquet"


def emptied(root: Path) -> bytes:
    """Take away the scan and every image and mask; return the scan as it was."""
    before = (root / SCAN).read_bytes()
    (root / SCAN).unlink()
    for folder in ("img_dir", "ann_dir"):
        shutil.rmtree(root / DATA / folder)
    shutil.rmtree(root / ".dvc/cache")
    return before


def hashes(root: Path) -> list[tuple[str, str]]:
    table = Registry(root).scan(NAME, ("image_md5", "mask_md5"))
    columns = (table[name].to_pylist() for name in table.column_names)
    return [(image.hex(), mask.hex()) for image, mask in zip(*columns, strict=True)]
