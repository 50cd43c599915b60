"""Compute the digests DVC has for a subset's folders, and compare them with the .dvc files."""

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
from sceneset.storage.yaml_parser import parse

if TYPE_CHECKING:
    import pyarrow as pa

DIGEST_COLUMNS = (
    *("phase", "image", "mask"),
    *("image_md5", "mask_md5", "image_bytes", "mask_bytes"),
)
"""The columns of a scan that ``digests_of_scan`` reads."""

_FOLDERS = {"img_dir": "image", "ann_dir": "mask"}
_MAX_DVC_FILE = 1 << 20  # bytes
_HINT = "restore it with git, or `dvc add` the folder"


class Digest(NamedTuple):
    """What DVC records of a tracked folder or file."""

    md5: str
    """Hash of the content; of a folder, the hash of its listing with the suffix ``.dir``."""
    files: int
    size: int
    """In bytes; of a folder, the sum over its files."""


def read_dvc_file(path: Path, shown: str, *, subset: str = "") -> Digest:
    """Return the digest that the .dvc file of a folder records.

    Args:
        path: The .dvc file.
        shown: How findings name it.
        subset: The subset it belongs to, for findings.

    Raises:
        FindingsError: The file is missing, or is not the .dvc file of one folder.
    """
    return parse_dvc_file(dvc_file_text(path, shown), shown, subset)


def dvc_file_text(path: Path, shown: str) -> str:
    """Return the text of the .dvc file of a folder; see ``read_dvc_file``."""
    return read_text(path, shown, hint=_HINT, limit=_MAX_DVC_FILE)


def parse_dvc_file(text: str, shown: str, subset: str = "") -> Digest:
    """Return the digest in the text of a folder's .dvc file; see ``read_dvc_file``."""
    data = parse(text, shown).data
    try:
        [out] = data["outs"]
        digest = Digest(str(out["md5"]), int(out["nfiles"]), int(out["size"]))
    except (KeyError, TypeError, ValueError):
        digest = Digest("", 0, 0)
    if not digest.md5.endswith(".dir"):
        fail(
            "file-unreadable",
            "is not the .dvc file of one folder",
            subset=subset,
            file=shown,
            hint=_HINT,
        )
    return digest


def folder_digest(files: Iterable[tuple[str, str, int]]) -> Digest:
    """Return the digest of a folder with these files, each as (path, md5, bytes)."""
    listed = list(files)
    md5 = md5_of(folder_listing(listed))
    return Digest(f"{md5}.dir", len(listed), sum(size for *_, size in listed))


def folder_listing(files: Iterable[tuple[str, str, int]]) -> bytes:
    """Return the .dir object of a folder with these files, each as (path, md5, bytes).

    It is a JSON list sorted by path (dvc_data.hashfile.tree.Tree.as_bytes).
    """
    rows = [{"md5": md5, "relpath": path} for path, md5, _ in sorted(files)]
    return json.dumps(rows, sort_keys=True).encode()


def digests_of_rows(rows: Iterable[ScanRow]) -> dict[str, Digest]:
    """Return the digests of img_dir and ann_dir with exactly these samples."""
    return {folder: folder_digest(files) for folder, files in _files_of_rows(rows).items()}


def _files_of_rows(rows: Iterable[ScanRow]) -> dict[str, list[tuple[str, str, int]]]:
    files: dict[str, list[tuple[str, str, int]]] = {folder: [] for folder in _FOLDERS}
    for row in rows:
        files["img_dir"].append((f"{row.phase}/{row.image}", row.image_md5, row.image_bytes))
        files["ann_dir"].append((f"{row.phase}/{row.mask}", row.mask_md5, row.mask_bytes))
    return files


def listings_of_rows(rows: Iterable[ScanRow]) -> dict[str, bytes]:
    """Return the .dir objects of img_dir and ann_dir with exactly these samples, by hash."""
    return {
        folder_digest(files).md5: folder_listing(files) for files in _files_of_rows(rows).values()
    }


def new_dvc_file(folder: str, digest: Digest) -> str:
    """Return the text of the .dvc file that `dvc add` writes for a folder beside it."""
    out = {"md5": digest.md5, "size": digest.size, "nfiles": digest.files}
    data = {"outs": [out | {"hash": "md5", "path": folder}]}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def dvc_file_with_digest(text: str, digest: Digest, shown: str, *, subset: str = "") -> str:
    """Return the text of a folder's .dvc file with another digest; see ``read_dvc_file``.

    Raises:
        FindingsError: The text is not that of the .dvc file of one folder.
    """
    parse_dvc_file(text, shown, subset)
    data = yaml.safe_load(text)
    data["outs"][0] |= {"md5": digest.md5, "size": digest.size, "nfiles": digest.files}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def digests_of_scan(table: "pa.Table") -> dict[str, Digest]:
    """Return the digests of img_dir and ann_dir from a scan with the DIGEST_COLUMNS."""
    return {folder: folder_digest(files) for folder, files in files_of_scan(table).items()}


def listings_of_scan(table: "pa.Table") -> dict[str, bytes]:
    """Return the .dir objects of img_dir and ann_dir, by hash; see ``digests_of_scan``."""
    return {
        folder_digest(files).md5: folder_listing(files) for files in files_of_scan(table).values()
    }


def files_of_scan(table: "pa.Table") -> dict[str, list[tuple[str, str, int]]]:
    """Return the files of img_dir and ann_dir, each as (path, md5, bytes)."""
    phases = table["phase"].to_pylist()
    return {
        folder: [
            (f"{phase}/{file}", md5.hex(), size)
            for phase, file, md5, size in zip(
                phases,
                table[kind].to_pylist(),
                table[f"{kind}_md5"].to_pylist(),
                table[f"{kind}_bytes"].to_pylist(),
                strict=True,
            )
        ]
        for folder, kind in _FOLDERS.items()
    }


def digest_mismatches(
    paths: Paths, name: str, digests: Mapping[str, Digest], message: str, hint: str
) -> list[Finding]:
    """Report the .dvc files of a subset whose digest differs from the expected one.

    Args:
        paths: The registry's paths.
        name: The subset.
        digests: The expected digests, by folder.
        message: Message of a finding; ``{folder}`` is replaced by the folder's name.
        hint: Hint of a finding, with the same placeholder.
    """
    found = []
    for folder, digest in digests.items():
        path = paths.subset(name) / f"{folder}.dvc"
        if read_dvc_file(path, paths.relative(path), subset=name).md5 != digest.md5:
            found.append(
                finding(
                    "scan-incomplete",
                    message.format(folder=folder),
                    subset=name,
                    file=paths.relative(path),
                    hint=hint.format(folder=folder),
                )
            )
    return found
