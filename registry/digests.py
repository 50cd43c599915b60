"""Digests of a subset's folders, worked out from scan rows and held against the .dvc files."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sceneset.registry.catalog import Paths
from sceneset.registry.remote import Tracked, folder_digest, tracked
from sceneset.schemas.problem import Problem, problem
from sceneset.schemas.sample import ScanRow

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("phase", "image", "mask", "image_md5", "mask_md5", "image_bytes", "mask_bytes")
"""The columns of a scan that digests read."""

_FOLDERS = {"img_dir": "image", "ann_dir": "mask"}


def digests_of_rows(rows: Iterable[ScanRow]) -> dict[str, Tracked]:
    """Return what DVC records of img_dir and ann_dir if they hold just these samples."""
    files: dict[str, list[tuple[str, str, int]]] = {folder: [] for folder in _FOLDERS}
    for row in rows:
        files["img_dir"].append((f"{row.phase}/{row.image}", row.image_md5, row.image_bytes))
        files["ann_dir"].append((f"{row.phase}/{row.mask}", row.mask_md5, row.mask_bytes))
    return {folder: folder_digest(found) for folder, found in files.items()}


def digests_of_scan(table: "pa.Table") -> dict[str, Tracked]:
    """Return the same from a scan; it must have been read with COLUMNS."""
    phases = table["phase"].to_pylist()
    return {
        folder: folder_digest(
            (f"{phase}/{file}", md5.hex(), size)
            for phase, file, md5, size in zip(
                phases,
                table[what].to_pylist(),
                table[f"{what}_md5"].to_pylist(),
                table[f"{what}_bytes"].to_pylist(),
                strict=True,
            )
        )
        for folder, what in _FOLDERS.items()
    }


def recorded_otherwise(
    paths: Paths, name: str, digests: Mapping[str, Tracked], message: str, hint: str
) -> list[Problem]:
    """Report the .dvc files of a subset that record other files than ``digests`` says."""
    found = []
    for folder, digest in digests.items():
        path = paths.subset(name) / f"{folder}.dvc"
        if tracked(path, paths.shown(path), subset=name).md5 != digest.md5:
            found.append(
                problem(
                    "scan-incomplete",
                    message.format(folder=folder),
                    subset=name,
                    file=paths.shown(path),
                    hint=hint.format(folder=folder),
                )
            )
    return found
