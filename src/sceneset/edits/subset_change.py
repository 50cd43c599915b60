"""Stage a new set of samples for a subset, from scan rows and tags alone.

Scan, tags, .dvc files and dvc.lock are computed, not derived by the pipeline: no image has to be
on this machine, and nothing is scanned again.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sceneset.catalog.crops import crops_path
from sceneset.catalog.deliveries import deliveries_path, with_other_keys
from sceneset.catalog.lineage import lineage_path, lineage_text, read_lineage
from sceneset.catalog.params_edit import without_subset
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import write_scan
from sceneset.catalog.tags_csv import tags_text
from sceneset.paths import DATA_ROOT
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tag import Tag
from sceneset.storage.dvc_digests import (
    Digest,
    digests_of_rows,
    dvc_file_text,
    dvc_file_with_digest,
    listings_of_rows,
)
from sceneset.storage.dvc_lock_file import LOCK, lock_with_digests, read_lock
from sceneset.storage.files import md5_of, read_text
from sceneset.storage.leftovers import temporary_folder

Key = tuple[str, str]
"""Phase and stem."""


class Stage(Protocol):
    """Where the new contents of files go: a transaction, or the draft of a change."""

    def write(self, path: Path, data: bytes) -> None:
        """Stage new content of a file."""

    def delete(self, path: Path) -> None:
        """Stage the removal of a file."""

    def add_to_cache(self, md5: str, data: bytes) -> None:
        """Keep a blob in DVC's cache, for example the listing of a folder."""


class SubsetChange:
    """A change of the samples of subsets, staged in a transaction or a draft."""

    def __init__(self, catalog: Catalog, transaction: Stage) -> None:
        self._catalog, self._transaction = catalog, transaction
        self._digests: dict[str, Digest] = {}
        """New digests of files and folders that dvc.lock records, by path."""
        self._removed: list[str] = []
        """Subsets that lose their last sample."""

    def replace_samples(self, name: str, rows: Sequence[ScanRow], tags: Iterable[Tag]) -> None:
        """Stage the scan, tags and .dvc files of a subset that holds just these samples."""
        paths = self._catalog.paths
        metadata = self._catalog.scan(name, ()).schema.metadata or {}
        scan = encode_scan(rows, int(metadata[b"sceneset.algorithm"]))
        self._transaction.write(paths.scan(name), scan)
        self._digests[paths.relative(paths.scan(name))] = Digest(md5_of(scan), 0, len(scan))
        self._transaction.write(paths.tags(name), tags_text(tags).encode())
        for folder, digest in digests_of_rows(rows).items():
            path = paths.subset(name) / f"{folder}.dvc"
            shown = paths.relative(path)
            old = dvc_file_text(path, shown)
            text = dvc_file_with_digest(old, digest, shown, subset=name)
            self._transaction.write(path, text.encode())
            self._digests[f"{DATA_ROOT}/{name}/{folder}"] = digest
        for md5, listing in listings_of_rows(rows).items():
            self._transaction.add_to_cache(md5, listing)

    def record_lineage(self, name: str, rows: Iterable[LineageRow]) -> None:
        """Stage the lineage of a subset with more rows: samples before and after the change."""
        paths = self._catalog.paths
        text = lineage_text([*read_lineage(paths, name), *rows])
        self._transaction.write(lineage_path(paths, name), text.encode())

    def follow_deliveries(self, name: str, keys: Mapping[Any, Key | None]) -> None:
        """Stage the records of deliveries and crops for samples with other names, or removed."""
        paths = self._catalog.paths
        for path in (deliveries_path(paths, name), crops_path(paths, name)):
            if path.exists():
                shown = paths.relative(path)
                text = with_other_keys(read_text(path, shown), keys, shown)
                self._transaction.write(path, text.encode())

    def remove_subset(self, name: str) -> None:
        """Stage the removal of a subset. Its images and masks are not deleted."""
        paths = self._catalog.paths
        folder = paths.subset(name)
        files = [paths.entry(name), paths.tags(name), paths.scan(name), folder / ".gitignore"]
        files += [folder / f"{part}.dvc" for part in ("img_dir", "ann_dir")]
        with suppress(FileNotFoundError):
            files += [path for path in (folder / "split_dir").iterdir() if path.is_file()]
        records = (deliveries_path(paths, name), crops_path(paths, name))
        files += [record for record in records if record.exists()]
        for path in files:
            self._transaction.delete(path)
        self._removed.append(name)

    def stage_lists(self) -> None:
        """Stage params.yaml and dvc.lock after all subsets are staged."""
        paths = self._catalog.paths
        if self._removed:
            params = paths.params.read_text("utf-8")
            for name in self._removed:
                params = without_subset(params, name)
            self._transaction.write(paths.params, params.encode())
        stages = [f"{stage}@{name}" for name in self._removed for stage in ("scan", "splits")]
        if (self._digests or stages) and (text := read_lock(self._catalog.root)):
            text = lock_with_digests(text, self._digests, stages)
            self._transaction.write(self._catalog.root / LOCK, text.encode())


def encode_scan(rows: Iterable[ScanRow], algorithm: int) -> bytes:
    """Return the content of a scan file with these rows."""
    with temporary_folder() as folder:
        path = folder / "scan.parquet"
        write_scan(path, rows, algorithm)
        return path.read_bytes()
