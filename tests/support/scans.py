"""Paths and helpers for tests that scan the subset of the fixtures."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from sceneset import Registry
from sceneset.catalog.scan_table import arrow_schema
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


ADDED = {
    "3": ("picture", "mask_traits", "phash_turned"),
    "4": ("outline", "outline_straight", "outline_turning", "outline_edge"),
}
"""The columns that each format of scans added to the one before."""


def write_older_scan(path: Path, version: str) -> None:
    """Rewrite a scan as an older release wrote it."""
    later = [name for since, names in ADDED.items() if since > version for name in names]
    table = pq.read_table(path).cast(arrow_schema()).drop_columns(later)
    algorithm = {"2": "4", "3": "6"}[version]
    metadata = {"sceneset.format": version, "sceneset.algorithm": algorithm}
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd")
