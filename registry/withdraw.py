"""Taking samples out of a registry: what its files become, and the change made as one."""

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.registry.add import entry_text, without_subset
from sceneset.registry.blobs import Blobs
from sceneset.registry.catalog import DATA_ROOT, Registry
from sceneset.registry.digests import (
    Tracked,
    digests_of_rows,
    digests_of_scan,
    listings_of_rows,
    recorded_otherwise,
    with_digest,
)
from sceneset.registry.files import md5_of
from sceneset.registry.forget import Key, Withdrawal, find
from sceneset.registry.locking import writing
from sceneset.registry.redo import Redo
from sceneset.registry.remote import dvc, relocked
from sceneset.registry.revisions import cache_folder
from sceneset.registry.scanfile import scan_rows, write_scan
from sceneset.registry.tagsfile import tags_text
from sceneset.registry.tombstones import FILE, in_folder, text_of
from sceneset.registry.versions import TEXT_STAGES
from sceneset.registry.views import rows_of
from sceneset.schemas.problem import ProblemsFoundError
from sceneset.schemas.sample import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag


def withdraw(
    registry: Registry,
    words: Sequence[str],
    reason: str,
    *,
    with_near: bool = False,
    purge: bool = False,
    remote: str | None = None,
) -> Withdrawal | None:
    """Take what ``words`` name out of the registry as it stands, and leave tombstones.

    With ``purge`` the blobs go from the remote and the caches of this machine too. Cut off at any
    line, the same call ends it. Returns what was done, or None if an earlier call that was cut
    off was this one, and has been ended.

    Raises:
        UsageError: a word names nothing.
        ProblemsFoundError: scan, tags and .dvc files of a subset do not agree.
        DvcError: the remote can't be reached, or the pipeline does not run through.
    """
    asked = {"words": list(words), "with_near": with_near, "purge": purge, "remote": remote}
    with writing(registry.paths.work) as lock:
        redo = Redo(registry.paths)
        if redo.is_ready and _finish(registry.root, redo, lock) == asked:
            return None
        registry = Registry(registry.root)
        withdrawal = find(registry, words, reason, with_near=with_near, purge=purge)
        made = change(registry, withdrawal)
        if made.listings or purge:
            blobs = Blobs(registry.root, remote)
            if purge:
                blobs.sizes(withdrawal.purge)  # it answers, or nothing is begun
            for md5, listing in made.listings.items():
                blobs.keep(md5, listing)
        notes = {"asked": asked, "blobs": withdrawal.purge if purge else []}
        redo.prepare(made.new, made.gone, notes)
        _finish(registry.root, redo, lock)
    return withdrawal


def _finish(root: Path, redo: Redo, lock: int) -> object:
    """Make a prepared change; return what was asked for."""
    notes = redo.apply()
    if notes["blobs"]:
        blobs = Blobs(root, notes["asked"]["remote"])
        for md5 in notes["blobs"]:
            blobs.delete(md5)
            # Where registries known by URL keep theirs.
            (cache_folder() / "blobs/files/md5" / md5[:2] / md5[2:]).unlink(missing_ok=True)
    dvc(root, "repro", "--quiet", "--allow-missing", *TEXT_STAGES, lend=lock)
    redo.discard()
    return notes["asked"]


@dataclass
class Change:
    """What taking samples out makes of a registry's files."""

    new: dict[Path, bytes] = field(default_factory=dict)
    gone: list[Path] = field(default_factory=list)
    listings: dict[str, bytes] = field(default_factory=dict)
    """Lists of folders' files, by hash: blobs that DVC needs."""
    recorded: dict[str, Tracked] = field(default_factory=dict)
    """What dvc.lock is to say of files and folders."""


def change(registry: Registry, withdrawal: Withdrawal) -> Change:
    """Work out the files of the registry without the samples; nothing is written.

    Raises:
        ProblemsFoundError: scan, tags and .dvc files of a subset do not agree.
    """
    paths, made = registry.paths, Change()
    emptied = []
    for name, keys in withdrawal.here.items():
        rows = _rows_left(registry, name, keys, made)
        if rows:
            _without(registry, name, keys, rows, made)
        else:
            emptied.append(name)
            made.gone += _all_of(registry, name)
    if emptied:
        params = paths.params.read_text("utf-8")
        for name in emptied:
            params = without_subset(params, name)
        made.new[paths.params] = params.encode()
    stones = withdrawal.stones | in_folder(registry.root)
    made.new[registry.root / FILE] = text_of(stones.values()).encode()
    lock = registry.root / "dvc.lock"
    if withdrawal.here and lock.is_file():
        stages = [f"{stage}@{name}" for name in emptied for stage in ("scan", "splits")]
        made.new[lock] = relocked(lock.read_text("utf-8"), made.recorded, stages).encode()
    return made


def _rows_left(registry: Registry, name: str, keys: set[Key], made: Change) -> list[ScanRow]:
    """Return the scan rows that stay; the files of the others are noted as gone."""
    table = registry.scan(name)
    wrong = recorded_otherwise(
        registry.paths,
        name,
        digests_of_scan(table),
        "records other files than were scanned",
        "run `dvc repro` where its images are, then forget again",
    )
    if wrong:
        raise ProblemsFoundError(wrong)
    folder, left = registry.paths.subset(name), []
    for row in scan_rows(table):
        if row.key not in keys:
            left.append(row)
        else:
            made.gone.append(folder / "img_dir" / row.phase / row.image)
            made.gone.append(folder / "ann_dir" / row.phase / row.mask)
    return left


def _without(
    registry: Registry,
    name: str,
    keys: set[Key],
    rows: list[ScanRow],
    made: Change,
) -> None:
    """Note the new texts of a subset that keeps samples."""
    paths, entry, tags = registry.paths, registry.entry(name), registry.tags(name)
    algorithm = int((registry.scan(name, ()).schema.metadata or {})[b"sceneset.algorithm"])
    left = [tag for tag in tags if tag.key not in keys]
    scan = _scan_bytes(rows, algorithm)
    made.new[paths.scan(name)] = scan
    made.recorded[paths.shown(paths.scan(name))] = Tracked(md5_of(scan), 0, len(scan))
    made.new[paths.tags(name)] = tags_text(left).encode()
    counted = _entry(entry, tags, left)
    if counted != entry:
        made.new[paths.entry(name)] = entry_text(counted).encode()
    for folder, digest in digests_of_rows(rows).items():
        path = paths.subset(name) / f"{folder}.dvc"
        made.new[path] = with_digest(path.read_text("utf-8"), digest).encode()
        made.recorded[f"{DATA_ROOT}/{name}/{folder}"] = digest
    made.listings |= listings_of_rows(rows)


def _entry(entry: Subset, before: Sequence[Tag], after: Sequence[Tag]) -> Subset:
    """Return the scene table with the declared counts mended, and without rows left empty."""
    rows = []
    for (row, had), (_, has) in zip(
        rows_of(entry.splits, before), rows_of(entry.splits, after), strict=True
    ):
        if had and not has:
            continue
        true_before = row.images == len(had)
        rows.append(row.model_copy(update={"images": len(has)}) if true_before else row)
    return entry.model_copy(update={"splits": tuple(rows)})


def _scan_bytes(rows: Iterable[ScanRow], algorithm: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="sceneset-") as folder:
        path = Path(folder) / "scan.parquet"
        write_scan(path, rows, algorithm)
        return path.read_bytes()


def _all_of(registry: Registry, name: str) -> list[Path]:
    """Return the files of a subset that goes with its last sample."""
    paths = registry.paths
    folder = paths.subset(name)
    files = [paths.entry(name), paths.tags(name), paths.scan(name), folder / ".gitignore"]
    files += [folder / f"{part}.dvc" for part in ("img_dir", "ann_dir")]
    with suppress(FileNotFoundError):
        files += [path for path in (folder / "split_dir").iterdir() if path.is_file()]
    return files
