"""Finish a merge, rebase or cherry-pick of git: merge the registry's files by their meaning.

Git merges lines. In a registry, two branches that each add a subset change the same lines of
generated files, and two that change one subset change the same binary scan. Here sources are
merged by sample and field, scans by content, and generated files are made again. Either all files
are merged, or nothing is changed and every conflict is named.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.edits.merge_files import MergedFiles, merge_files
from sceneset.edits.merge_run import MergeRun
from sceneset.edits.merge_values import Side
from sceneset.errors import DvcError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import dvc
from sceneset.storage.dvc_digests import files_of_scan, folder_digest
from sceneset.storage.dvc_lock_file import LOCK
from sceneset.storage.git_index import (
    Unmerged,
    changed_files,
    mark_resolved,
    merge_in_progress,
    unmerged_files,
)
from sceneset.storage.transaction import Command, FollowUp, Transaction

_PIPELINE = ("dvc.yaml", ".dvc/config")
"""Files that DVC needs to run; people merge them."""


class Merged(NamedTuple):
    """What ``merge`` did."""

    files: list[str]
    """Source files that were merged by their meaning."""
    derived: list[str]
    """Unmerged generated files that were made again."""
    left: list[str]
    """Unmerged files that people have to merge."""
    outdated: list[str]
    """Folders of images or masks that are not as the merged state has them: their blobs are not
    all on this machine."""
    in_progress: bool
    """Whether git waits for a commit that ends a merge."""


def merge(
    root: Path,
    *,
    prefer: Side | None = None,
    dry_run: bool = False,
    notify: Notify = no_notice,
    progress: Progress = no_progress,
) -> Merged:
    """Merge the unmerged files of a registry, make generated files again, and stage both.

    Args:
        root: The registry's top folder.
        prefer: The side to take where both sides changed the same value.
        dry_run: Only say what would be done.
        notify: Called if an interrupted command was finished or rolled back.
        progress: Called with the files that are merged or written.

    Raises:
        FindingsError: Both sides changed the same values, or a file was edited by hand and not
            staged; nothing is changed.
        GitError: The registry is in no git repository.
        DvcError: All sources are merged and staged, but a stage of the pipeline failed.
    """
    paths = Paths(root)
    if dry_run:
        return _outcome(root, _plan(paths, prefer, progress))
    while True:
        command = Command.of("merge", *_names_of(unmerged_files(root), prefer))
        with Transaction.begin(paths, command, notify=notify, progress=progress) as transaction:
            if transaction is None:  # the files of an interrupted run are in place, not yet staged
                continue
            plan = _plan(paths, prefer, progress)
            _stage(paths, plan.run, transaction)
            outcome = _outcome(root, plan)
            try:
                transaction.commit(FollowUp(reproduce=True, single_item=True))
            except DvcError:
                mark_resolved(root, outcome.files)
                raise
            mark_resolved(root, [*outcome.files, *outcome.derived])
            if outcome.in_progress:
                mark_resolved(root, changed_files(root, _derived_places(root)))
            return outcome._replace(outdated=_check_out(paths, transaction.lock))


def _names_of(unmerged: Mapping[str, Unmerged], prefer: Side | None) -> list[str]:
    """Return what tells one merge from another."""
    options = [f"--{prefer}"] if prefer else []
    return options + [" ".join((name, *oids)) for name, oids in sorted(unmerged.items())]


def _plan(paths: Paths, prefer: Side | None, progress: Progress) -> MergedFiles:
    unmerged = unmerged_files(paths.root)
    for name in _PIPELINE:
        if name in unmerged:
            fail(
                "merge-conflict",
                "is not merged, and DVC can't run without it",
                file=name,
                hint=f"edit it, run `git add {name}`, then run `sceneset merge` again",
            )
    return merge_files(paths, unmerged, prefer, progress)


def _outcome(root: Path, plan: MergedFiles) -> Merged:
    return Merged(
        sorted({*plan.run.writes, *plan.run.deletes}),
        sorted(plan.derived),
        sorted(plan.left),
        [],
        merge_in_progress(root),
    )


def _stage(paths: Paths, run: MergeRun, transaction: Transaction) -> None:
    if run.listings:
        blobs = Blobs(paths.root)
        for md5, listing in run.listings.items():
            blobs.add_to_cache(md5, listing)  # DVC needs them; unused ones do no harm
    for name, data in run.writes.items():
        transaction.write(paths.root / name, data)
    for name in run.deletes:
        transaction.delete(paths.root / name)


def _check_out(paths: Paths, lock: int) -> list[str]:
    """Bring the images and masks of the working tree to the merged state, where there are any.

    `dvc checkout` deletes files that are in no cache, or a whole folder whose listing is in none.
    So it is run only for folders of which the cache has every blob.

    Returns:
        The folders that stay as they are.
    """
    blobs, left = Blobs(paths.root), []
    for name in changed_files(paths.root, [f"{DATA_ROOT}/*/*_dir.dvc"], since="HEAD"):
        folder = (paths.root / name).with_suffix("")
        if not folder.is_dir() or not (paths.root / name).is_file():
            continue
        files = files_of_scan(Catalog(paths.root).scan(folder.parent.name))[folder.name]
        needed = [folder_digest(files).md5, *(md5 for _, md5, _ in files)]
        is_current = False
        if all(blobs.path(md5).is_file() for md5 in needed):
            with suppress(DvcError):  # it refuses to delete files that are in no cache
                dvc(paths.root, "checkout", "--quiet", name, lend=lock)
                is_current = True
        if not is_current:
            left.append(paths.relative(folder))
    return left


def _derived_places(root: Path) -> Sequence[str]:
    """Return the generated files and folders of a registry."""
    splits = [path.relative_to(root).as_posix() for path in root.glob(f"{DATA_ROOT}/*/split_dir")]
    names = ["reports", "stats", "cards", "manifest.json"]
    return [LOCK, *(f"registry/{name}" for name in names), *splits]
