"""Finish a transaction that is ready: put its files in place, then do its follow-up.

Every step can be repeated, so a transaction that was interrupted here is finished by the next
command.
"""

import os
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import DvcError, FindingsError, SceneSetError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Progress, no_progress, one_step
from sceneset.schemas.finding import finding
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import TEXT_STAGES, dvc, has_hard_link_locks
from sceneset.storage.dvc_locks import exclude_dvc
from sceneset.storage.files import atomic_write, copy_file, sync_folder
from sceneset.storage.transaction_record import (
    FollowUp,
    Move,
    Record,
    State,
    Write,
    checked_path,
    clear_record,
    file_digest,
    record_folder,
    staged_file,
    write_record,
)
from sceneset.storage.user_cache import cached_copies

if TYPE_CHECKING:
    from typing import NoReturn

# `dvc repro` may have written it between two attempts to finish a transaction.
_NOT_COMPARED = {"dvc.lock"}
_DERIVED = "registry/scans/"


def finish(paths: Paths, record: Record, lock: int, *, progress: Progress = no_progress) -> None:
    """Apply a transaction that is ready, do its follow-up, and delete its record.

    Args:
        paths: The paths of the registry.
        record: The record of the transaction.
        lock: Descriptor of the write lock; child processes hold it while they run.
        progress: Called with the files that are put in place, and with what follows.

    Raises:
        FindingsError: Somebody has changed a file since, new content is damaged, or a DVC command
            runs; nothing more is written.
        DvcError: The change is made, but a step of the follow-up failed.
    """
    if record.state is State.READY:
        # DVC would record, or delete, folders of which half the files are replaced.
        with exclude_dvc(paths.root, hard_links=has_hard_link_locks(paths.root)):
            _apply(paths, record, progress)
            record = record.model_copy(update={"state": State.APPLIED})
            write_record(paths, record)
    failures = _follow_up(paths.root, record.follow_up, lock, progress)
    # A follow-up that failed is not tried again: it must not block all other commands.
    clear_record(paths)
    if failures:
        raise DvcError(f"the change is made, but {' and '.join(failures)}")


def _apply(paths: Paths, record: Record, progress: Progress) -> None:
    _refuse_changed_files(paths, record)
    for move in record.moves:
        _move(paths, move)
    open_blobs = cache(lambda: Blobs(paths.root))  # only if a blob is put in place, and once
    for write in progress(record.writes, len(record.writes), "write files"):
        _put(paths, record, write, open_blobs)
    for delete in progress(record.deletes, len(record.deletes), "delete files"):
        path = checked_path(paths, delete.path)
        path.unlink(missing_ok=True)
        _delete_empty_folders(paths.root / DATA_ROOT, path.parent)


def _refuse_changed_files(paths: Paths, record: Record) -> None:
    expected = {write.path: {write.before, write.after} for write in record.writes}
    for name, digests in expected.items():
        if name.startswith(_DERIVED):  # DVC deletes outputs of a stage before it runs the stage
            digests.add("")
    expected |= {delete.path: {delete.before, ""} for delete in record.deletes}
    changed = [
        name
        for name, digests in expected.items()
        if name not in _NOT_COMPARED and file_digest(checked_path(paths, name)) not in digests
    ]
    changed += [
        move.to
        for move in record.moves
        if all(os.path.lexists(checked_path(paths, name)) for name in (move.path, move.to))
    ]
    if changed:
        raise FindingsError(
            finding(
                record.command.unfinished_code,
                f"was changed after {record.command} was interrupted, which would overwrite it",
                subset=record.command.subset,
                file=name,
                hint="undo that change (or move the file away) and run the command again; or "
                f"delete {paths.relative(record_folder(paths))} to give the command up",
            )
            for name in changed
        )


def _move(paths: Paths, move: Move) -> None:
    path, target = checked_path(paths, move.path), checked_path(paths, move.to)
    if os.path.lexists(path):  # otherwise it was moved before a kill
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        sync_folder(target.parent)
    _delete_empty_folders(paths.root / DATA_ROOT, path.parent)


def _put(paths: Paths, record: Record, write: Write, open_blobs: Callable[[], Blobs]) -> None:
    path = checked_path(paths, write.path)
    after = write.after
    if file_digest(path) == after:
        return
    source = open_blobs().path(after) if write.is_cached else staged_file(paths, after)
    # The temporary name is fixed, so that the next attempt replaces what a kill left.
    temporary = path.with_name(f".{path.name[:100]}.transaction.part")
    with atomic_write(path, temporary=temporary):
        if source.is_file():
            copy_file(source, temporary)
        if file_digest(temporary) != after:
            _fail_damaged(paths, record, write)


def _fail_damaged(paths: Paths, record: Record, write: Write) -> "NoReturn":
    place = "DVC's cache" if write.is_cached else paths.relative(staged_file(paths, write.after))
    fail(
        record.command.unfinished_code,
        f"its new content, {write.after} in {place}, is missing or damaged",
        subset=record.command.subset,
        file=write.path,
        hint=f"check the disk; then restore the files that `git status` and `dvc status` list, "
        f"delete {paths.relative(record_folder(paths))} to give the command up, and run it again",
    )


def _delete_empty_folders(data_root: Path, folder: Path) -> None:
    """Delete a folder of the data root if it is empty, and then those above it."""
    while folder.is_relative_to(data_root) and folder != data_root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:  # not empty
            return
        folder = folder.parent


def _follow_up(root: Path, follow_up: FollowUp, lock: int, progress: Progress) -> list[str]:
    """Do every step, also after one has failed; return what failed and how to repair it."""
    failures = []
    if follow_up.reproduce:
        try:
            options = ["--allow-missing", *(["--single-item"] if follow_up.single_item else [])]
            # With --quiet, DVC would not say that another command holds its lock.
            run = partial(dvc, root, "repro", *options, *TEXT_STAGES, lend=lock)
            one_step(progress, "run the pipeline", run)
        except (SceneSetError, OSError) as error:
            failures.append(
                f"the derived files are out of date ({_one_line(error)}); fix the cause and run "
                "`dvc repro`"
            )
    try:
        _purge(root, follow_up.purge, follow_up.remote, progress)
    except (SceneSetError, OSError) as error:
        failures.append(
            f"the blobs could not be deleted ({_one_line(error)}); `sceneset forget HASH "
            "--reason ... --purge` deletes them once the remote allows it"
        )
    return failures


def _one_line(error: Exception) -> str:
    if isinstance(error, FindingsError):
        return "; ".join(map(str, error.findings))
    return " ".join(str(error).split("\n"))


def _purge(root: Path, hashes: Sequence[str], remote: str | None, progress: Progress) -> None:
    """Delete blobs from the remote and from all caches of this machine.

    Raises:
        DvcError: The remote can't be opened or written to.
        OSError: A file of a cache can't be deleted.
    """
    if not hashes:
        return
    blobs = Blobs(root, remote)
    for md5 in progress(hashes, len(hashes), "delete blobs"):
        blobs.delete(md5)
        for copy in cached_copies(md5):
            copy.unlink(missing_ok=True)
