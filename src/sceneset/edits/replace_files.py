"""Give samples of a subset corrected images or masks, completely or not at all.

What replaced what is recorded in the lineage. No blob of a sample that does not change is read.
"""

from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.lineage import lineage_row
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import rows_from_table
from sceneset.edits.draft import Draft
from sceneset.edits.edit_registry import Edited, edit_registry
from sceneset.edits.examine_files import Examined, Replaced
from sceneset.edits.place_blobs import NewBlob, NewBlobs, Placing
from sceneset.edits.samples import outdated_scan_findings
from sceneset.edits.subset_change import SubsetChange
from sceneset.errors import FindingsError
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import digests_of_scan
from sceneset.storage.files import md5_of
from sceneset.storage.transaction import Command


class Taken(NamedTuple):
    """The result of a replacement."""

    samples: int
    """Number of samples with other files."""
    placing: Placing
    """How many blobs were uploaded, with --to-remote."""


def replace_files(
    catalog: Catalog,
    examined: Examined,
    name: str,
    operation: str,
    *,
    to_remote: bool = False,
    dry_run: bool = False,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> Edited[Taken] | None:
    """Take the corrected files that differ.

    Args:
        catalog: The registry.
        examined: The comparison of the delivery with the subset.
        name: The subset.
        operation: What the lineage says about the samples.
        to_remote: Upload the blobs to the default remote and keep none of them here.
        dry_run: Change nothing.
        progress: Called with the blobs that are copied or uploaded.
        notify: Called if an interrupted command was finished or rolled back.

    Returns:
        The change, or None if an interrupted run of the same command was finished.

    Raises:
        FindingsError: The subset or the delivery has changed since they were compared, or the
            change would cause errors. Nothing is changed.
        DvcError: The remote can't be written to, and nothing is changed; or the change is made,
            but a stage of the pipeline failed.
    """
    placing = Placing(catalog.root, progress, to_remote=to_remote)

    def plan(catalog: Catalog, draft: Draft) -> Taken:
        replaced = examined.replaced
        if replaced:
            rows = _rows_after(catalog, replaced, name)
            change = SubsetChange(catalog, placing.stage_of(draft))
            change.replace_samples(name, rows, catalog.tags(name))
            change.record_lineage(
                name, (lineage_row(one.old, one.new, operation) for one in replaced)
            )
            change.stage_lists()
            _place(catalog, draft, replaced, name, placing)
        return Taken(len(replaced), placing)

    command = Command.of("add", "--replace", *examined.identity, subset=name)
    return edit_registry(catalog, command, plan, dry_run=dry_run, notify=notify)


def _rows_after(catalog: Catalog, replaced: list[Replaced], name: str) -> list[ScanRow]:
    """Return the rows of a subset after the change.

    Raises:
        FindingsError: The subset has changed since it was compared with the delivery.
    """
    table = catalog.scan(name)
    findings = outdated_scan_findings(catalog, name, digests_of_scan(table))
    rows = {row.key: row for row in rows_from_table(table)}
    for sample in replaced:
        if rows.get(sample.old.key) != sample.old:
            findings.append(
                finding(
                    "scan-incomplete",
                    f"{'/'.join(sample.old.key)} has changed since it was compared with the "
                    "delivery",
                    subset=name,
                    file=catalog.paths.relative(catalog.paths.scan(name)),
                    hint="run the command again",
                )
            )
        rows[sample.old.key] = sample.new
    if findings:
        raise FindingsError(findings)
    return list(rows.values())


def _place(
    catalog: Catalog, draft: Draft, replaced: list[Replaced], name: str, placing: Placing
) -> None:
    """Note the new blobs, and those files of the working tree that they replace.

    Raises:
        FindingsError: A file of the working tree differs from the scan.
    """
    new, files, blobs = NewBlobs(), dict[Path, str](), Blobs(catalog.root)
    findings: list[Finding] = []
    for old, row, taken, _ in replaced:
        for part, path, md5 in taken:
            is_image = part == "img_dir"
            new[md5] = NewBlob(path, row.image_bytes if is_image else row.mask_bytes)
            target = catalog.paths.subset(name) / part / row.phase
            target /= row.image if is_image else row.mask
            if placing.to_remote or not target.is_file():
                continue
            files[target] = md5
            before = old.image_md5 if is_image else old.mask_md5
            found = md5_of(target.read_bytes())
            if found not in {before, md5}:
                findings.append(_edited_finding(catalog, name, target))
            elif found == before and not blobs.path(before).is_file():
                draft.keep(before, target)  # there may be no other copy of it
    if findings:
        raise FindingsError(findings)
    placing.place(draft, new, files)


def _edited_finding(catalog: Catalog, name: str, path: Path) -> Finding:
    return finding(
        "scan-incomplete",
        "differs from the file that was scanned, and would be overwritten",
        subset=name,
        file=catalog.paths.relative(path),
        hint="`dvc checkout` restores it; if the change is intended, `dvc add` its folder and run "
        "`dvc repro`; then run the command again",
    )
