"""Taking samples out of a registry: what its files become, and the change made as one."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import scan_rows
from sceneset.catalog.split_selection import rows_of
from sceneset.catalog.tombstones import FILE, in_folder, text_of
from sceneset.edits.ingest import entry_text, without_subset
from sceneset.edits.subset_change import Change, finish, put_lock, put_rows
from sceneset.edits.withdraw_search import Key, Withdrawal, find
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import digests_of_scan, recorded_otherwise
from sceneset.storage.files import md5_of
from sceneset.storage.locking import writing
from sceneset.storage.transaction import Redo


def withdraw(
    catalog: Catalog,
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
    asked = {"words": list(words), "reason": reason, "with_near": with_near, "purge": purge}
    with writing(catalog.paths.work) as lock:
        redo = Redo(catalog.paths)
        if redo.is_ready and finish(catalog.root, redo, lock) == asked:
            return None
        catalog = Catalog(catalog.root)
        withdrawal = find(catalog, words, reason, with_near=with_near, purge=purge)
        made = change(catalog, withdrawal)
        if made.listings or purge:
            blobs = Blobs(catalog.root, remote)
            if purge:
                blobs.sizes(withdrawal.purge)  # it answers, or nothing is begun
            for md5, listing in made.listings.items():
                blobs.keep(md5, listing)
        notes = {"asked": asked, "blobs": withdrawal.purge if purge else [], "remote": remote}
        redo.prepare(made.new, made.gone, notes)
        finish(catalog.root, redo, lock)
    return withdrawal


def change(catalog: Catalog, withdrawal: Withdrawal) -> Change:
    """Work out the files of the registry without the samples; nothing is written.

    Raises:
        ProblemsFoundError: scan, tags and .dvc files of a subset do not agree.
    """
    paths, made = catalog.paths, Change()
    emptied = []
    for name, keys in withdrawal.here.items():
        rows = _rows_left(catalog, name, keys, made)
        if rows:
            _without(catalog, name, keys, rows, made)
        else:
            emptied.append(name)
            made.gone += _all_of(catalog, name)
    if emptied:
        params = paths.params.read_text("utf-8")
        for name in emptied:
            params = without_subset(params, name)
        made.new[paths.params] = params.encode()
    stones = withdrawal.stones | in_folder(catalog.root)
    made.new[catalog.root / FILE] = text_of(stones.values()).encode()
    put_lock(catalog, made, [f"{stage}@{name}" for name in emptied for stage in ("scan", "splits")])
    return made


def _rows_left(catalog: Catalog, name: str, keys: set[Key], made: Change) -> list[ScanRow]:
    """Return the scan rows that stay; the files of the others are noted as gone."""
    table = catalog.scan(name)
    wrong = recorded_otherwise(
        catalog.paths,
        name,
        digests_of_scan(table),
        "records other files than were scanned",
        "run `dvc repro` where its images are, then forget again",
    )
    if wrong:
        raise FindingsError(wrong)
    folder, left = catalog.paths.subset(name), []
    for row in scan_rows(table):
        if row.key not in keys:
            left.append(row)
        else:
            image = folder / "img_dir" / row.phase / row.image
            mask = folder / "ann_dir" / row.phase / row.mask
            wrong += _replaced(catalog, name, {image: row.image_md5, mask: row.mask_md5})
            made.gone += [image, mask]
    if wrong:
        raise FindingsError(wrong)
    return left


def _replaced(catalog: Catalog, name: str, files: Mapping[Path, str]) -> list[Finding]:
    """Report files that are others than were scanned: they may be the only ones of their kind."""
    return [
        finding(
            "scan-incomplete",
            "is another file than was scanned, and would be deleted",
            subset=name,
            file=catalog.paths.shown(path),
            hint="move it away, or `dvc add` its folder and run `dvc repro`; then forget again",
        )
        for path, md5 in files.items()
        if path.is_file() and md5_of(path.read_bytes()) != md5
    ]


def _without(
    catalog: Catalog,
    name: str,
    keys: set[Key],
    rows: list[ScanRow],
    made: Change,
) -> None:
    """Note the new texts of a subset that keeps samples."""
    entry, tags = catalog.entry(name), catalog.tags(name)
    left = [tag for tag in tags if tag.key not in keys]
    put_rows(catalog, name, rows, left, made)
    counted = _entry(entry, tags, left)
    if counted != entry:
        made.new[catalog.paths.entry(name)] = entry_text(counted).encode()


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


def _all_of(catalog: Catalog, name: str) -> list[Path]:
    """Return the files of a subset that goes with its last sample."""
    paths = catalog.paths
    folder = paths.subset(name)
    files = [paths.entry(name), paths.tags(name), paths.scan(name), folder / ".gitignore"]
    files += [folder / f"{part}.dvc" for part in ("img_dir", "ann_dir")]
    with suppress(FileNotFoundError):
        files += [path for path in (folder / "split_dir").iterdir() if path.is_file()]
    return files
