"""Retire a subset, or give it another name, with everything that names it."""

import os

from sceneset.catalog.crops import crops_path
from sceneset.catalog.deliveries import deliveries_path
from sceneset.catalog.lineage import lineage_path
from sceneset.catalog.params_edit import entry_text, with_renamed_subset
from sceneset.catalog.reader import Catalog
from sceneset.edits.draft import Draft
from sceneset.edits.references import follow_subset
from sceneset.edits.samples import change_samples, outdated_scan_findings, record_dropped
from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT
from sceneset.schemas.dropped import DroppedRow
from sceneset.storage.dvc_digests import Digest, digests_of_scan
from sceneset.storage.dvc_lock_file import (
    LOCK,
    PIPELINE,
    StageRun,
    lock_with_digests,
    lock_with_stage_run,
    read_lock,
)
from sceneset.storage.files import md5_of, read_text

_PARTS = ("img_dir", "ann_dir")


def retire_subset(catalog: Catalog, draft: Draft, name: str, reason: str) -> int:
    """Note that a subset is no longer part of the registry, and why; return its samples' number.

    Its blobs stay in DVC's cache and on the remote, where old versions need them.

    Raises:
        FindingsError: A file of the working tree differs from the scan, and would be deleted.
    """
    keys = [tag.key for tag in catalog.tags(name, cache=False)]
    record_dropped(catalog, draft, [DroppedRow(subset=name, reason=reason)])
    change_samples(catalog, draft, {name: dict.fromkeys(keys)}, operation="retire")
    return len(keys)


def rename_subset(catalog: Catalog, draft: Draft, old: str, new: str) -> int:
    """Note another name of a subset; return the number of its samples.

    Raises:
        FindingsError: The name is taken, or scan and .dvc files of the subset disagree.
    """
    paths = catalog.paths
    _refuse_taken_name(catalog, new)
    table = catalog.scan(old, None)
    digests = digests_of_scan(table)
    if findings := outdated_scan_findings(catalog, old, digests):
        raise FindingsError(findings)
    for path, target in (
        (paths.tags(old), paths.tags(new)),
        (paths.scan(old), paths.scan(new)),
        (lineage_path(paths, old), lineage_path(paths, new)),
        (deliveries_path(paths, old), deliveries_path(paths, new)),
        (crops_path(paths, old), crops_path(paths, new)),
        *(
            (paths.subset(old) / f, paths.subset(new) / f)
            for f in (".gitignore", "img_dir.dvc", "ann_dir.dvc")
        ),
    ):
        if path.exists():
            draft.write(target, path.read_bytes())
            draft.delete(path)
    entry = catalog.entry(old).model_copy(update={"name": new})
    draft.write(paths.entry(new), entry_text(entry).encode())
    draft.delete(paths.entry(old))
    for part in _PARTS:
        if (paths.subset(old) / part).is_dir():
            draft.move(paths.subset(old) / part, paths.subset(new) / part)
    for path in sorted((paths.subset(old) / "split_dir").glob("*.txt")):
        draft.delete(path)
    params = read_text(paths.params, "params.yaml")
    draft.write(paths.params, with_renamed_subset(params, old, new).encode())
    follow_subset(catalog, draft, old, new)
    _rename_in_lock(catalog, draft, old, new, digests)
    return len(table)


def _refuse_taken_name(catalog: Catalog, name: str) -> None:
    paths = catalog.paths
    listed = {known.casefold() for known in catalog.params.subsets}
    places = (paths.subset(name), paths.entry(name), paths.tags(name), paths.scan(name))
    existing = [path for path in places if os.path.lexists(path)]
    if name.casefold() in listed or existing:
        fail(
            "subset-exists",
            "is listed already" if name.casefold() in listed else "exists already",
            subset=name,
            file="params.yaml" if name.casefold() in listed else paths.relative(existing[0]),
            hint="choose another name",
        )


def _rename_in_lock(
    catalog: Catalog, draft: Draft, old: str, new: str, digests: dict[str, Digest]
) -> None:
    """Note the scan of the subset in dvc.lock under its new name, so that it is not run again."""
    text = read_lock(catalog.root)
    if not text:
        return
    text = lock_with_digests(text, {}, [f"scan@{old}", f"splits@{old}"])
    scan = catalog.paths.scan(old).read_bytes()
    run = StageRun(
        {f"{DATA_ROOT}/{new}/{part}": digests[part] for part in _PARTS},
        catalog.params.algorithms.scan,
        {catalog.paths.relative(catalog.paths.scan(new)): Digest(md5_of(scan), 0, len(scan))},
    )
    pipeline = read_text(catalog.root / PIPELINE, PIPELINE)
    text = lock_with_stage_run(text, pipeline, "scan", new, run) or text
    draft.write(catalog.root / LOCK, text.encode())
