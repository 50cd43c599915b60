"""Add the samples of a checked delivery to a subset that exists, completely or not at all.

The listings of the folders are composed from scan rows, so no blob of the other samples is read,
and none has to be on this machine. Descriptions of the subset stay; its scene table follows.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.crops import crops_path, crops_text, iter_crops
from sceneset.catalog.deliveries import deliveries_path, with_more_samples
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import rows_from_table
from sceneset.catalog.subset_folder import Key
from sceneset.delivery.existing import existing_findings
from sceneset.delivery.types import Delivery, Files
from sceneset.edits.draft import Draft
from sceneset.edits.edit_registry import Edited, edit_registry
from sceneset.edits.place_blobs import NewBlob, NewBlobs, Placing
from sceneset.edits.samples import outdated_scan_findings
from sceneset.edits.scene_tables import fitted_entry, stage_entry
from sceneset.edits.subset_change import SubsetChange
from sceneset.errors import FindingsError, fail
from sceneset.paths import Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import digests_of_scan
from sceneset.storage.files import md5_of, read_text
from sceneset.storage.transaction import Command
from sceneset.storage.transaction_record import State, read_record


class Grown(NamedTuple):
    """The result of adding samples."""

    samples: int
    """Number of samples that were added."""
    placing: Placing
    """How many blobs were uploaded, with --to-remote."""


def grow(
    catalog: Catalog,
    delivery: Delivery,
    name: str,
    *,
    to_remote: bool = False,
    dry_run: bool = False,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> Edited[Grown] | None:
    """Add the samples of a delivery to a subset.

    Args:
        catalog: The registry.
        delivery: The delivery, read with ``Request.into``.
        name: The subset.
        to_remote: Upload the blobs to the default remote and keep none of them here.
        dry_run: Change nothing.
        progress: Called with the blobs that are copied or uploaded.
        notify: Called if an interrupted command was finished or rolled back.

    Returns:
        The change, or None if an interrupted run of the same command was finished.

    Raises:
        FindingsError: The subset has samples of the same names, the change would cause errors, or
            the delivery has changed since it was checked. Nothing is changed.
        DvcError: The remote can't be written to, and nothing is changed; or the change is made,
            but a stage of the pipeline failed.
    """
    placing = Placing(catalog.root, progress, to_remote=to_remote)

    def plan(catalog: Catalog, draft: Draft) -> Grown:
        _plan(catalog, draft, delivery, name, placing)
        return Grown(len(delivery.rows), placing)

    command = Command.of("add", "--to", *delivery.identity, subset=name)
    return edit_registry(catalog, command, plan, dry_run=dry_run, notify=notify)


def without_refused(catalog: Catalog, delivery: Delivery, name: str) -> Delivery:
    """Return a delivery without the samples on which the changed registry has errors.

    Such errors are about the samples of the whole registry, for example leakage, so no check of
    the delivery alone finds them. They are added to what is left out.

    Raises:
        FindingsError: No sample would be left.
    """
    if is_unfinished(catalog.paths, name):
        return delivery  # completed as it is; the registry may be half changed
    edited = grow(catalog, delivery, name, dry_run=True)
    keys = {row.key for row in delivery.rows}
    errors = [
        p
        for p in errors_of(edited.findings if edited else ())
        if p.subset == name and (p.phase, p.stem) in keys
    ]
    bad = {(p.phase, p.stem) for p in errors}
    if errors and bad == keys:
        raise FindingsError(errors)
    return replace(
        delivery,
        rows=[row for row in delivery.rows if row.key not in bad],
        tags=[tag for tag in delivery.tags if tag.key not in bad],
        delivered=[one for one in delivery.delivered if (one.phase, one.stem) not in bad],
        crops=[row for row in delivery.crops if row.key not in bad],
        findings=[*delivery.findings, *errors],
        left_out=[*delivery.left_out, *errors],
    )


def is_unfinished(paths: Paths, name: str) -> bool:
    """Return whether an interrupted `add` to a subset only has to be completed.

    Samples that it adds may be in the subset already, and are no reason to refuse the same command.
    """
    record = read_record(paths)
    if record is None or record.state is State.OPEN:
        return False
    return (record.command.name, record.command.subset) == ("add", name)


def samples_of(catalog: Catalog, name: str) -> dict[Key, Files]:
    """Return the content hashes of the samples of a subset, by phase and stem."""
    columns = ("phase", "stem", "image_md5", "mask_md5")
    table = catalog.scan(name, columns)
    return {
        (Phase(phase), stem): Files(image.hex(), mask.hex())
        for phase, stem, image, mask in zip(
            *(table[column].to_pylist() for column in columns), strict=True
        )
    }


def _plan(catalog: Catalog, draft: Draft, delivery: Delivery, name: str, placing: Placing) -> None:
    table = catalog.scan(name)
    findings = outdated_scan_findings(catalog, name, digests_of_scan(table))
    if findings:
        raise FindingsError(findings)
    rows, entry = rows_from_table(table), catalog.entry(name)
    # What was read before the lock was held may be outdated: another add may have ended since.
    existing = {row.key: Files(row.image_md5, row.mask_md5) for row in rows}
    if findings := list(existing_findings(delivery.rows, existing)):
        raise FindingsError(findings)
    if entry.img_suffix != delivery.layout.img_suffix:
        fail(
            "suffix",
            f"the images of the subset are {entry.img_suffix}, those of the delivery "
            f"{delivery.layout.img_suffix}",
            subset=name,
            file=catalog.paths.relative(catalog.paths.entry(name)),
            hint="convert the delivered images, or add them as a subset of their own",
        )
    before = catalog.tags(name)
    after = sorted([*before, *delivery.tags], key=lambda tag: tag.key)
    change = SubsetChange(catalog, placing.stage_of(draft))
    change.replace_samples(name, [*rows, *delivery.rows], after)
    stage_entry(catalog, draft, fitted_entry(catalog.vocabulary, entry, before, after))
    if delivery.delivered:
        path = deliveries_path(catalog.paths, name)
        shown = catalog.paths.relative(path)
        text = read_text(path, shown) if path.exists() else ""
        draft.write(path, with_more_samples(text, delivery.delivered, shown).encode())
    if delivery.crops:
        path = crops_path(catalog.paths, name)
        shown = catalog.paths.relative(path)
        known = iter_crops(read_text(path, shown), shown, subset=name) if path.exists() else ()
        draft.write(path, crops_text([*known, *delivery.crops]).encode())
    change.stage_lists()
    files = _checked_out_files(catalog, name, delivery.rows)
    if not placing.to_remote:
        _refuse_existing_files(catalog, name, files)
    placing.place(draft, new_blobs(delivery), files)


def new_blobs(delivery: Delivery) -> NewBlobs:
    """Return the blobs of all files of a delivery."""
    layout, blobs = delivery.layout, NewBlobs()
    for row in delivery.rows:
        blobs[row.image_md5] = NewBlob(layout.images[row.key], row.image_bytes)
        blobs[row.mask_md5] = NewBlob(layout.masks[row.key], row.mask_bytes)
    return blobs


def _checked_out_files(catalog: Catalog, name: str, rows: list[ScanRow]) -> dict[Path, str]:
    """Return the files of new samples in those folders of the subset that are on this machine."""
    files: dict[Path, str] = {}
    images, masks = (catalog.paths.subset(name) / part for part in ("img_dir", "ann_dir"))
    for row in rows:
        files[images / row.phase / row.image] = row.image_md5
        files[masks / row.phase / row.mask] = row.mask_md5
    present = [folder for folder in (images, masks) if folder.is_dir()]
    return {path: md5 for path, md5 in files.items() if path.parents[1] in present}


def _refuse_existing_files(catalog: Catalog, name: str, files: dict[Path, str]) -> None:
    """Raise FindingsError for files that are in the way and that no scan knows."""
    findings: list[Finding] = [
        finding(
            "sample-exists",
            "is in the folder, but is no sample of the subset, and would be overwritten",
            subset=name,
            file=catalog.paths.relative(path),
            hint="move it away, then run the command again",
        )
        for path, md5 in files.items()
        if path.is_symlink() or (path.exists() and md5_of(path.read_bytes()) != md5)
    ]
    if findings:
        raise FindingsError(findings)
