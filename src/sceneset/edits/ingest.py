"""Add a checked delivery to the registry as a new subset, completely or not at all.

The files are copied aside and renamed into the data root, so that `dvc add` can track them. The
scan, tags and entry follow when the transaction is ready, and params.yaml, which lists the subset,
comes last: until then no reader sees the subset.
"""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from sceneset.catalog.crops import crops_path, crops_text
from sceneset.catalog.deliveries import deliveries_path, deliveries_text
from sceneset.catalog.params_edit import entry_text, with_subset
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tags_csv import tags_text
from sceneset.delivery.types import Delivery
from sceneset.delivery.withdrawn import withdrawn_originals
from sceneset.edits.subset_change import encode_scan
from sceneset.errors import FindingsError, fail
from sceneset.paths import Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress, one_step
from sceneset.schemas.finding import finding
from sceneset.schemas.subset import Subset
from sceneset.storage.disk_space import check_space
from sceneset.storage.dvc import add_folders
from sceneset.storage.dvc_digests import digest_mismatches, digests_of_rows
from sceneset.storage.files import copy_file, md5_of
from sceneset.storage.transaction import Command, Transaction
from sceneset.storage.transaction_record import State, read_record
from sceneset.storage.transaction_rollback import unfinished_paths

Copies = Iterable[tuple[Path, str]]
"""Files of a delivery, and their paths in the folder of the subset."""


def ingest(
    catalog: Catalog,
    delivery: Delivery,
    *,
    progress: Progress = no_progress,
    notify: Notify = no_notice,
) -> None:
    """Add a delivery to the registry. If an interrupted run of this very add exists, finish it.

    Raises:
        FindingsError: The name is taken, another command is writing, the disk is too small, or
            the delivery has changed since it was checked.
        DvcError: `dvc add` failed; what was done is rolled back.
    """
    entry = delivery.entry
    if entry is None:
        raise ValueError("a delivery without an entry can't be added")
    name, paths = entry.name, catalog.paths
    texts = _texts(paths, delivery, entry)
    command = add_command(paths, delivery, entry)
    with Transaction.begin(paths, command, notify=notify, progress=progress) as transaction:
        if transaction is None:
            return
        # What was read before the lock was held may be outdated: another add may have ended since.
        catalog = catalog.again()
        refuse_taken_name(catalog, name)
        if findings := list(withdrawn_originals(delivery.crops, catalog.tombstones)):
            raise FindingsError(findings)
        with_subset(paths.params.read_text("utf-8"), name)  # fail before anything is copied
        copies = _copies(delivery)
        _check_space(catalog, delivery)
        folder = paths.subset(name)
        with transaction.create_folder(folder) as unplaced:
            _copy_files(progress(copies, len(copies), "copy"), unplaced)
        added = [folder / "img_dir", folder / "ann_dir"]
        add = partial(add_folders, catalog.root, added, lend=transaction.lock)
        one_step(progress, "add the folders to DVC", add)
        _check_added(catalog, delivery, name)
        for path, data in texts.items():
            transaction.write(path, data)
        algorithm = catalog.params.algorithms.scan
        transaction.write(paths.scan(name), encode_scan(delivery.rows, algorithm))
        # `dvc add` can take minutes: params.yaml is read again, so that no edit of it is lost.
        listing = with_subset(paths.params.read_text("utf-8"), name)
        transaction.write(paths.params, listing.encode())
        transaction.commit()


def refuse_taken_name(catalog: Catalog, name: str, *, can_grow: bool = True) -> None:
    """Raise FindingsError if there is a subset of this name, or files of one.

    Files of an interrupted add do not count: the next add removes or completes them. Nor does the
    name, if an interrupted add only has to be completed: running it again does that.

    Args:
        catalog: The registry.
        name: The name.
        can_grow: Whether the command can add samples to a listed subset instead.
    """
    paths = catalog.paths
    record = read_record(paths)
    if record and record.state is not State.OPEN and record.command.subset == name:
        return
    listed = {known.casefold() for known in catalog.params.subsets}
    if name.casefold() in listed:
        fail(
            "subset-exists",
            "is listed already",
            subset=name,
            file="params.yaml",
            hint="give the delivery another date or note; to add samples to a listed subset, use "
            "--to in place of --name"
            if can_grow
            else "give the crops another date or note: --name NAME",
        )
    own = unfinished_paths(paths)
    existing = [
        path
        for path in (paths.subset(name), paths.entry(name), paths.tags(name), paths.scan(name))
        if os.path.lexists(path) and path not in own
    ]
    if existing:
        raise FindingsError(
            finding(
                "subset-exists",
                "exists, although params.yaml does not list the subset",
                subset=name,
                file=paths.relative(path),
                hint="move it away; it is not overwritten",
            )
            for path in existing
        )


def _texts(paths: Paths, delivery: Delivery, entry: Subset) -> dict[Path, bytes]:
    texts = {
        paths.tags(entry.name): tags_text(delivery.tags).encode(),
        paths.entry(entry.name): entry_text(entry).encode(),
    }
    if delivery.delivered:
        text = deliveries_text(delivery.delivered)
        texts[deliveries_path(paths, entry.name)] = text.encode()
    if delivery.crops:
        texts[crops_path(paths, entry.name)] = crops_text(delivery.crops).encode()
    return texts


def add_command(paths: Paths, delivery: Delivery, entry: Subset) -> Command:
    """Return the command of an add: the same name and the same content give the same command."""
    digests = [digest.md5 for digest in digests_of_rows(delivery.rows).values()]
    texts = _texts(paths, delivery, entry)
    return Command.of("add", *digests, *map(md5_of, texts.values()), subset=entry.name)


def _check_space(catalog: Catalog, delivery: Delivery) -> None:
    """Raise FindingsError if a disk has no room for the delivery."""
    files = [(row.image_md5, row.image_bytes) for row in delivery.rows]
    files += [(row.mask_md5, row.mask_bytes) for row in delivery.rows]
    check_space(catalog.root, [size for _, size in files], dict(files))


def _copies(delivery: Delivery) -> list[tuple[Path, str]]:
    layout = delivery.layout
    return [
        (source, f"{folder}/{row.phase}/{row.stem}{suffix}")
        for row in delivery.rows
        for folder, source, suffix in (
            ("img_dir", layout.images[row.key], layout.img_suffix),
            ("ann_dir", layout.masks[row.key], ".png"),
        )
    ]


def _copy_files(copies: Copies, folder: Path) -> None:
    created: set[Path] = set()
    for source, name in copies:
        target = folder / name
        if target.parent not in created:
            target.parent.mkdir(parents=True, exist_ok=True)
            created.add(target.parent)
        copy_file(source, target)


def _check_added(catalog: Catalog, delivery: Delivery, name: str) -> None:
    """Raise FindingsError if `dvc add` has recorded other files than were checked."""
    findings = digest_mismatches(
        catalog.paths,
        name,
        digests_of_rows(delivery.rows),
        "records other files than were checked",
        "did {folder} of the delivery change meanwhile? Does .dvcignore exclude files? Fix it "
        "and add again",
    )
    if findings:
        raise FindingsError(findings)
