"""Digests of a subset's folders, worked out from scan rows and held against the .dvc files."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import yaml

from sceneset.errors import fail
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import md5_of, read_text
from sceneset.storage.yaml_files import parse

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("phase", "image", "mask", "image_md5", "mask_md5", "image_bytes", "mask_bytes")
"""The columns of a scan that digests read."""

_FOLDERS = {"img_dir": "image", "ann_dir": "mask"}


class Tracked(NamedTuple):
    """What a .dvc file says of a folder, or what a folder's files add up to."""

    md5: str
    files: int
    size: int


def tracked(dvc_file: Path, shown: str, *, subset: str = "") -> Tracked:
    """Return what a folder's .dvc file records.

    Raises:
        ProblemsFoundError: it is missing or is not the .dvc file of one folder.
    """
    hint = "restore it with git, or `dvc add` the folder"
    data = parse(read_text(dvc_file, shown, hint=hint, limit=1 << 20), shown).data
    try:
        [out] = data["outs"]
        found = Tracked(str(out["md5"]), int(out["nfiles"]), int(out["size"]))
    except (KeyError, TypeError, ValueError):
        found = Tracked("", 0, 0)
    if not found.md5.endswith(".dir"):
        fail(
            "file-unreadable",
            "is not the .dvc file of one folder",
            subset=subset,
            file=shown,
            hint=hint,
        )
    return found


def folder_digest(files: Iterable[tuple[str, str, int]]) -> Tracked:
    """Return what DVC records of a folder with these (path, md5, bytes): its .dir object's hash.

    The object is a JSON list sorted by path (dvc_data.hashfile.tree.Tree.as_bytes).
    """
    listed = list(files)
    digest = md5_of(listing_of(listed))
    return Tracked(f"{digest}.dir", len(listed), sum(size for *_, size in listed))


def listing_of(files: Iterable[tuple[str, str, int]]) -> bytes:
    """Return the .dir object of a folder with these (path, md5, bytes)."""
    rows = [{"md5": md5, "relpath": path} for path, md5, _ in sorted(files)]
    return json.dumps(rows, sort_keys=True).encode()


def digests_of_rows(rows: Iterable[ScanRow]) -> dict[str, Tracked]:
    """Return what DVC records of img_dir and ann_dir if they hold just these samples."""
    return {folder: folder_digest(found) for folder, found in _files_of_rows(rows).items()}


def _files_of_rows(rows: Iterable[ScanRow]) -> dict[str, list[tuple[str, str, int]]]:
    files: dict[str, list[tuple[str, str, int]]] = {folder: [] for folder in _FOLDERS}
    for row in rows:
        files["img_dir"].append((f"{row.phase}/{row.image}", row.image_md5, row.image_bytes))
        files["ann_dir"].append((f"{row.phase}/{row.mask}", row.mask_md5, row.mask_bytes))
    return files


def listings_of_rows(rows: Iterable[ScanRow]) -> dict[str, bytes]:
    """Return the .dir objects of img_dir and ann_dir with just these samples, by hash."""
    found = {}
    for files in _files_of_rows(rows).values():
        found[folder_digest(files).md5] = listing_of(files)
    return found


def with_digest(text: str, digest: Tracked) -> str:
    """Return the text of a folder's .dvc file with another content."""
    data = yaml.safe_load(text)
    data["outs"][0] |= {"md5": digest.md5, "size": digest.size, "nfiles": digest.files}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


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
) -> list[Finding]:
    """Report the .dvc files of a subset that record other files than ``digests`` says."""
    found = []
    for folder, digest in digests.items():
        path = paths.subset(name) / f"{folder}.dvc"
        if tracked(path, paths.shown(path), subset=name).md5 != digest.md5:
            found.append(
                finding(
                    "scan-incomplete",
                    message.format(folder=folder),
                    subset=name,
                    file=paths.shown(path),
                    hint=hint.format(folder=folder),
                )
            )
    return found
