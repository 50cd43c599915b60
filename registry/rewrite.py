"""Changing a subset's samples by their rows: what its files become, without an image at hand."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sceneset.registry.blobs import Blobs
from sceneset.registry.catalog import DATA_ROOT, Registry
from sceneset.registry.digests import Tracked, digests_of_rows, listings_of_rows, with_digest
from sceneset.registry.files import copy_file, md5_of, replacing
from sceneset.registry.redo import Redo
from sceneset.registry.remote import dvc, relocked
from sceneset.registry.scanfile import write_scan
from sceneset.registry.tagsfile import tags_text
from sceneset.registry.versions import TEXT_STAGES
from sceneset.schemas.sample import ScanRow
from sceneset.schemas.tag import Tag


@dataclass
class Change:
    """What a change makes of a registry's files."""

    new: dict[Path, bytes] = field(default_factory=dict)
    gone: list[Path] = field(default_factory=list)
    listings: dict[str, bytes] = field(default_factory=dict)
    """Lists of folders' files, by hash: blobs that DVC needs."""
    recorded: dict[str, Tracked] = field(default_factory=dict)
    """What dvc.lock is to say of files and folders."""


def put_rows(
    registry: Registry, name: str, rows: Sequence[ScanRow], tags: Iterable[Tag], made: Change
) -> None:
    """Note the new scan, tags and .dvc files of a subset that is to hold these samples."""
    paths = registry.paths
    metadata = registry.scan(name, ()).schema.metadata or {}
    scan = _scan_bytes(rows, int(metadata[b"sceneset.algorithm"]))
    made.new[paths.scan(name)] = scan
    made.recorded[paths.shown(paths.scan(name))] = Tracked(md5_of(scan), 0, len(scan))
    made.new[paths.tags(name)] = tags_text(tags).encode()
    for folder, digest in digests_of_rows(rows).items():
        path = paths.subset(name) / f"{folder}.dvc"
        made.new[path] = with_digest(path.read_text("utf-8"), digest).encode()
        made.recorded[f"{DATA_ROOT}/{name}/{folder}"] = digest
    made.listings |= listings_of_rows(rows)


def put_lock(registry: Registry, made: Change, gone: Iterable[str] = ()) -> None:
    """Note what dvc.lock is to say; ``gone`` are stages that are no more."""
    lock = registry.root / "dvc.lock"
    if made.recorded and lock.is_file():
        made.new[lock] = relocked(lock.read_text("utf-8"), made.recorded, gone).encode()


def _scan_bytes(rows: Iterable[ScanRow], algorithm: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="sceneset-") as folder:
        path = Path(folder) / "scan.parquet"
        write_scan(path, rows, algorithm)
        return path.read_bytes()


def finish(root: Path, redo: Redo, lock: int) -> Any:
    """Make a prepared change; return what was asked for. It can be done again at any point."""
    notes = redo.apply()
    files = notes.get("files", {})
    blobs = Blobs(root) if files else None
    for shown, md5 in files.items():
        path = root / shown
        if blobs and (not path.exists() or md5_of(path.read_bytes()) != md5):
            with replacing(path) as aside:
                copy_file(blobs.path(md5), aside)
    dvc(root, "repro", "--quiet", "--allow-missing", *TEXT_STAGES, lend=lock)
    redo.discard()
    return notes["asked"]
