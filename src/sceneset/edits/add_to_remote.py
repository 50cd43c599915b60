"""Add a checked delivery as a new subset whose blobs go straight to the remote.

The .dvc files and the record of the scan in dvc.lock are what `dvc add` and `dvc repro` would
write, computed from scan rows: no blob is kept on this machine.
"""

from sceneset.catalog.crops import crops_path, crops_text
from sceneset.catalog.deliveries import deliveries_path, deliveries_text
from sceneset.catalog.params_edit import entry_text, with_subset
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tags_csv import tags_text
from sceneset.delivery.types import Delivery
from sceneset.edits.draft import Draft
from sceneset.edits.edit_registry import Edited, edit_registry
from sceneset.edits.grow import Grown, new_blobs
from sceneset.edits.ingest import add_command, refuse_taken_name
from sceneset.edits.place_blobs import Placing
from sceneset.edits.subset_change import encode_scan
from sceneset.paths import DATA_ROOT
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.subset import Subset
from sceneset.storage.dvc_digests import (
    Digest,
    digests_of_rows,
    listings_of_rows,
    new_dvc_file,
)
from sceneset.storage.dvc_lock_file import (
    LOCK,
    PIPELINE,
    StageRun,
    lock_with_stage_run,
    read_lock,
)
from sceneset.storage.files import md5_of, read_text
from sceneset.storage.yaml_bounds import MAX_YAML


def add_to_remote(
    catalog: Catalog,
    delivery: Delivery,
    *,
    dry_run: bool = False,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> Edited[Grown] | None:
    """Add a delivery as a new subset, and upload its blobs to the default remote.

    Args:
        catalog: The registry.
        delivery: The delivery.
        dry_run: Change nothing.
        progress: Called with the blobs that are uploaded.
        notify: Called if an interrupted command was finished or rolled back.

    Returns:
        The change, or None if an interrupted run of the same command was finished.

    Raises:
        FindingsError: The name is taken, the change would cause errors, or the delivery has changed
            since it was checked. Nothing is changed.
        DvcError: The remote can't be written to, and nothing is changed; or the change is made,
            but a stage of the pipeline failed.
    """
    entry = delivery.entry
    if entry is None:
        raise ValueError("a delivery without an entry can't be added")
    placing = Placing(catalog.root, progress, to_remote=True)

    def plan(catalog: Catalog, draft: Draft) -> Grown:
        _plan(catalog, draft, delivery, entry, placing)
        return Grown(len(delivery.rows), placing)

    command = add_command(catalog.paths, delivery, entry)
    return edit_registry(catalog, command, plan, dry_run=dry_run, notify=notify)


def _plan(
    catalog: Catalog, draft: Draft, delivery: Delivery, entry: Subset, placing: Placing
) -> None:
    paths, name = catalog.paths, entry.name
    refuse_taken_name(catalog, name)
    draft.write(paths.params, with_subset(paths.params.read_text("utf-8"), name).encode())
    draft.write(paths.tags(name), tags_text(delivery.tags).encode())
    draft.write(paths.entry(name), entry_text(entry).encode())
    if delivery.delivered:
        draft.write(deliveries_path(paths, name), deliveries_text(delivery.delivered).encode())
    if delivery.crops:
        draft.write(crops_path(paths, name), crops_text(delivery.crops).encode())
    algorithm = catalog.params.algorithms.scan
    scan = encode_scan(delivery.rows, algorithm)
    draft.write(paths.scan(name), scan)
    digests = digests_of_rows(delivery.rows)
    for folder, digest in digests.items():
        draft.write(paths.subset(name) / f"{folder}.dvc", new_dvc_file(folder, digest).encode())
    ignored = "".join(f"/{folder}\n" for folder in digests)
    draft.write(paths.subset(name) / ".gitignore", ignored.encode())
    run = StageRun(
        {f"{DATA_ROOT}/{name}/{folder}": digest for folder, digest in digests.items()},
        algorithm,
        {paths.relative(paths.scan(name)): Digest(md5_of(scan), 1, len(scan))},
    )
    pipeline = read_text(catalog.root / PIPELINE, PIPELINE, limit=MAX_YAML)
    lock = lock_with_stage_run(read_lock(catalog.root), pipeline, "scan", name, run)
    if lock is not None:
        draft.write(catalog.root / LOCK, lock.encode())
    stage = placing.stage_of(draft)
    for md5, listing in listings_of_rows(delivery.rows).items():
        stage.add_to_cache(md5, listing)
    placing.place(draft, new_blobs(delivery), {})
