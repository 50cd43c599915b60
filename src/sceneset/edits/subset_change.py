"""Changing a subset's samples by their rows: what its files become, without an image at hand."""

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import write_scan
from sceneset.catalog.tags_csv import tags_text
from sceneset.errors import DvcError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tag import Tag
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, dvc, relocked
from sceneset.storage.dvc_digests import Tracked, digests_of_rows, listings_of_rows, with_digest
from sceneset.storage.files import copy_file, md5_of, replacing
from sceneset.storage.transaction import Redo
from sceneset.versions.revisions import cache_folder


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
    catalog: Catalog, name: str, rows: Sequence[ScanRow], tags: Iterable[Tag], made: Change
) -> None:
    """Note the new scan, tags and .dvc files of a subset that is to hold these samples."""
    paths = catalog.paths
    metadata = catalog.scan(name, ()).schema.metadata or {}
    scan = _scan_bytes(rows, int(metadata[b"sceneset.algorithm"]))
    made.new[paths.scan(name)] = scan
    made.recorded[paths.shown(paths.scan(name))] = Tracked(md5_of(scan), 0, len(scan))
    made.new[paths.tags(name)] = tags_text(tags).encode()
    for folder, digest in digests_of_rows(rows).items():
        path = paths.subset(name) / f"{folder}.dvc"
        made.new[path] = with_digest(path.read_text("utf-8"), digest).encode()
        made.recorded[f"{DATA_ROOT}/{name}/{folder}"] = digest
    made.listings |= listings_of_rows(rows)


def put_lock(catalog: Catalog, made: Change, gone: Sequence[str] = ()) -> None:
    """Note what dvc.lock is to say; ``gone`` are stages that are no more."""
    lock = catalog.root / "dvc.lock"
    if (made.recorded or gone) and lock.is_file():
        made.new[lock] = relocked(lock.read_text("utf-8"), made.recorded, gone).encode()


def _scan_bytes(rows: Iterable[ScanRow], algorithm: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="sceneset-") as folder:
        path = Path(folder) / "scan.parquet"
        write_scan(path, rows, algorithm)
        return path.read_bytes()


def finish(root: Path, redo: Redo, lock: int) -> Any:
    """Make a prepared change; return what was asked for. Cut off anywhere, it can be done again.

    Raises:
        ProblemsFoundError: somebody has changed a file since; nothing more is written.
        DvcError: the change is made, but what is derived could not be, or blobs not be deleted.
    """
    notes = redo.apply()
    for shown, md5 in notes.get("files", {}).items():
        _place(root / shown, md5, Blobs(root))
    redo.mark_applied()
    failed = []
    try:
        dvc(root, "repro", "--quiet", "--allow-missing", *TEXT_STAGES, lend=lock)
    except DvcError as error:
        failed.append(f"what is derived is not made ({error}); mend that and run `dvc repro`")
    try:
        _purge(Blobs(root, notes.get("remote")), notes["blobs"])
    except DvcError as error:
        failed.append(
            f"blobs could not be deleted ({error}); `sceneset forget HASH --reason ... --purge` "
            "deletes them once they can be"
        )
    # What failed does not come right by itself: it must not keep others from going on.
    redo.discard()
    if failed:
        raise DvcError(f"the change is made, but {' and '.join(failed)}")
    return notes["asked"]


def _place(path: Path, md5: str, blobs: Blobs) -> None:
    """Put a blob of the cache at a path of the working tree, unless it is there."""
    if not path.exists() or md5_of(path.read_bytes()) != md5:
        with replacing(path) as aside:
            copy_file(blobs.path(md5), aside)


def _purge(blobs: Blobs, hashes: Iterable[str]) -> None:
    """Delete blobs from the remote, and wherever this machine keeps copies of them."""
    for md5 in hashes:
        blobs.delete(md5)
        name = f"files/md5/{md5[:2]}/{md5[2:]}"
        # Where registries known by URL keep theirs, and remotes that stand in such a registry.
        for kept in ((cache_folder() / "blobs" / name), *_embedded(name)):
            kept.unlink(missing_ok=True)


def _embedded(name: str) -> list[Path]:
    return list((cache_folder() / "projects").glob(f"*/**/{name}"))
