"""Withdraw images: remove their samples from the registry and leave tombstones."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.provenance import renamed
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import rows_from_table
from sceneset.catalog.split_selection import samples_by_row
from sceneset.catalog.tombstones import TOMBSTONES_FILE, read_tombstones, tombstones_text
from sceneset.edits.fix_sample import Key
from sceneset.edits.subset_change import SubsetChange
from sceneset.edits.withdraw_search import Withdrawal, find_withdrawal
from sceneset.errors import FindingsError
from sceneset.paths import INTERNAL_SAMPLE_INDEX, PICTURE_STORE, PICTURES, SAMPLE_INDEX
from sceneset.progress import Notify, no_notice
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import digest_mismatches, digests_of_scan
from sceneset.storage.files import md5_of
from sceneset.storage.picture_store import forget_pictures
from sceneset.storage.transaction import Command, FollowUp, Transaction


def withdraw(
    catalog: Catalog,
    names: Sequence[str],
    reason: str,
    *,
    with_near: bool = False,
    purge: bool = False,
    remote: str | None = None,
    notify: Notify = no_notice,
    observe: Callable[[Withdrawal], None] | None = None,
) -> Withdrawal | None:
    """Remove samples from the working tree of a registry and record tombstones.

    Args:
        catalog: The registry.
        names: What to withdraw; see ``find_withdrawal``.
        reason: One line to record.
        with_near: Withdraw similar images too.
        purge: Delete the blobs from the remote and from all caches of this machine.
        remote: The DVC remote to purge; None means the default one.
        notify: Called if an interrupted command was finished or rolled back.
        observe: Called with what is found, before anything is changed.

    Returns:
        What was withdrawn, or None if an interrupted run of the same call was finished.

    Raises:
        UsageError: A name is unknown.
        FindingsError: Scan, tags and .dvc files of a subset disagree.
        DvcError: The remote can't be reached, or a stage of the pipeline fails.
    """
    options = ["--with-near"] * with_near + ["--purge"] * purge
    options += ["--remote", remote] if remote else []
    command = Command.of("forget", *names, "--reason", reason, *options)
    with Transaction.begin(
        catalog.paths, command, notify=notify, progress=catalog.progress
    ) as transaction:
        if transaction is None:
            return None
        catalog = catalog.again()
        withdrawal = find_withdrawal(catalog, names, reason, with_near=with_near, purge=purge)
        if observe:
            observe(withdrawal)
        if purge:
            # Fail before anything is changed if the remote does not answer.
            blobs_of_remote = Blobs(catalog.root, remote)
            blobs_of_remote.sizes(withdrawal.purge, progress=catalog.progress)
            remote, _ = blobs_of_remote.address()  # the default remote may be another one later
        _stage(catalog, withdrawal, transaction)
        for name in (PICTURES, SAMPLE_INDEX, INTERNAL_SAMPLE_INDEX):
            (catalog.root / name).unlink(missing_ok=True)  # it may show or name the images
        masks = {md5 for one in withdrawal.tombstones.values() for md5 in one.masks}
        forget_pictures(
            catalog.root / PICTURE_STORE, {*withdrawal.how_found, *withdrawal.purge, *masks}
        )
        blobs = tuple(withdrawal.purge) if purge else ()
        transaction.commit(FollowUp(reproduce=True, purge=blobs, remote=remote))
    return withdrawal


def _stage(catalog: Catalog, withdrawal: Withdrawal, transaction: Transaction) -> None:
    """Stage the files of the registry without the samples.

    Raises:
        FindingsError: Scan, tags and .dvc files of a subset disagree.
    """
    change = SubsetChange(catalog, transaction)
    for name, keys in withdrawal.current_samples.items():
        _remove_samples(catalog, name, keys, transaction, change)
    tombstones = withdrawal.tombstones | read_tombstones(catalog.root)
    text = tombstones_text(tombstones.values())
    transaction.write(catalog.root / TOMBSTONES_FILE, text.encode())
    change.stage_lists()


def _remove_samples(
    catalog: Catalog, name: str, keys: set[Key], transaction: Transaction, change: SubsetChange
) -> None:
    """Stage a subset without some samples, or its removal if no sample remains."""
    table = catalog.scan(name)
    findings = digest_mismatches(
        catalog.paths,
        name,
        digests_of_scan(table),
        "records other files than were scanned",
        "run `dvc repro` where its images are, then run the command again",
    )
    if findings:
        raise FindingsError(findings)
    folder, remaining = catalog.paths.subset(name), []
    for row in rows_from_table(table):
        if row.key not in keys:
            remaining.append(row)
            continue
        files = {
            folder / "img_dir" / row.phase / row.image: row.image_md5,
            folder / "ann_dir" / row.phase / row.mask: row.mask_md5,
        }
        findings += _changed_files(catalog, name, files)
        for path in files:
            transaction.delete(path)
    if findings:
        raise FindingsError(findings)
    if not remaining:
        change.remove_subset(name)
        return
    entry, tags = catalog.entry(name), catalog.tags(name)
    remaining_tags = [tag for tag in tags if tag.key not in keys]
    change.replace_samples(name, remaining, remaining_tags)
    change.follow_deliveries(name, dict.fromkeys(keys))
    new_entry = entry_with_counts(entry, [tags], remaining_tags, drop_empty=True)
    if new_entry.provenance:
        gone = dict.fromkeys(keys)
        stems = {tag.stem for tag in remaining_tags}
        provenance = renamed(new_entry.provenance, gone, stems=stems)
        new_entry = new_entry.model_copy(update={"provenance": provenance})
    if new_entry != entry:
        transaction.write(catalog.paths.entry(name), entry_text(new_entry).encode())


def _changed_files(catalog: Catalog, name: str, files: Mapping[Path, str]) -> list[Finding]:
    """Report files whose content differs from the scan: there may be no other copy of them."""
    return [
        finding(
            "scan-incomplete",
            "differs from the file that was scanned, and would be deleted",
            subset=name,
            file=catalog.paths.relative(path),
            hint="move it away, or `dvc add` its folder and run `dvc repro`; then run the command "
            "again",
        )
        for path, md5 in files.items()
        if path.is_file() and md5_of(path.read_bytes()) != md5
    ]


def entry_with_counts(
    entry: Subset, before: Sequence[Sequence[Tag]], after: Sequence[Tag], *, drop_empty: bool
) -> Subset:
    """Return an entry with new declared counts.

    A declared count that was wrong before stays, so that the check still reports it.

    Args:
        entry: The entry.
        before: The tags for which a declared count may be right; after a merge, those of each side.
        after: The tags now.
        drop_empty: Leave out rows that have become empty.
    """
    rows = []
    counts = [
        [len(selected) for _, selected in samples_by_row(entry.splits, tags)] for tags in before
    ]
    for number, (row, new) in enumerate(samples_by_row(entry.splits, after)):
        old = [side[number] for side in counts]
        if drop_empty and any(old) and not new:
            continue
        was_correct = row.images in old
        rows.append(row.model_copy(update={"images": len(new)}) if was_correct else row)
    return entry.model_copy(update={"splits": tuple(rows)})
