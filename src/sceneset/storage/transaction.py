"""Change several files of a registry as one, so that a kill at any line loses nothing.

A transaction prepares all new content in ``.sceneset/transaction``. Its record there has one of
three states (``transaction_record.State``). Until the record is *ready*, the next command that
changes the registry rolls the transaction back; from then on, the next command finishes it: every
step can be repeated. ``add``, ``fix`` and ``forget`` all change the registry in this way::

    with Transaction.begin(paths, Command.of("fix", *names)) as transaction:
        if transaction is None:  # an interrupted run of the same command has been finished
            return
        with transaction.create_folder(paths.subset(name)) as folder:
            ...  # fill the new folder
        transaction.write(paths.tags(name), data)
        transaction.delete(paths.scan(old))
        transaction.commit(FollowUp(reproduce=True))

Without ``commit`` the end of the block rolls back. Files are written in the order of the calls, so
a file that makes others visible (params.yaml lists a subset) comes last.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.errors import fail
from sceneset.paths import Paths
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_writers import no_dvc_writer
from sceneset.storage.files import md5_of, sync_folder
from sceneset.storage.leftovers import sweep
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction_finish import finish
from sceneset.storage.transaction_record import (
    Command,
    Delete,
    FollowUp,
    Move,
    Record,
    State,
    Write,
    checked_path,
    clear_record,
    file_digest,
    read_record,
    record_folder,
    staged_file,
    write_record,
)
from sceneset.storage.transaction_rollback import (
    inventory_path,
    list_files,
    roll_back,
    unplaced_folder,
)

__all__ = ["Command", "FollowUp", "Transaction", "interrupted_subset", "recover"]


class Transaction:
    """A change of several files of a registry; ``begin`` creates it."""

    def __init__(
        self, paths: Paths, command: Command, lock: int, progress: Progress = no_progress
    ) -> None:
        self.lock = lock
        """Descriptor of the write lock, for child processes to inherit."""
        self._progress = progress
        self._paths, self._record = paths, Record(command=command)
        self._writes: dict[str, Write] = {}
        self._deletes: dict[str, Delete] = {}
        self._moves: dict[str, Move] = {}

    @classmethod
    @contextmanager
    def begin(
        cls,
        paths: Paths,
        command: Command,
        *,
        notify: Notify = no_notice,
        progress: Progress = no_progress,
    ) -> Iterator["Transaction | None"]:
        """Hold the write lock for the block and yield a transaction; roll back without a commit.

        First an interrupted transaction is finished or rolled back, so read what you change
        inside of the block. Yields None if the interrupted transaction was of the same command
        and has been finished: then nothing is left to do.

        Args:
            paths: The paths of the registry.
            command: What the transaction is for.
            notify: Called if an interrupted transaction was finished or rolled back.
            progress: Called with the files that are put in place, and with what follows.

        Raises:
            FindingsError: Another command, of sceneset or DVC, is writing; or an interrupted
                transaction collides with changes that people made since.
            DvcError: The follow-up of an interrupted transaction failed.
        """
        with write_lock(paths.work) as lock, no_dvc_writer(paths):
            sweep(paths)
            finished = recover(paths, lock, notify=notify)
            if finished == command:
                yield None
                return
            if finished:
                notify(f"an interrupted {finished} was finished")
            try:
                yield cls(paths, command, lock, progress)
            finally:
                # The file decides: an interrupt may have hit commit() at any line.
                record = read_record(paths)
                if record is None:
                    clear_record(paths)
                elif record.state is State.OPEN:
                    roll_back(paths, record)

    @contextmanager
    def create_folder(self, path: Path) -> Iterator[Path]:
        """Yield an empty folder to fill; when the block succeeds, it becomes ``path`` at once.

        It is in place before the transaction is ready, so that DVC can add its files.

        Args:
            path: The folder of a new subset.

        Raises:
            FileExistsError: There is something at ``path``.
        """
        name, number = self._relative(path), len(self._record.folders)
        if os.path.lexists(path):
            raise FileExistsError(17, os.strerror(17), str(path))
        folder = unplaced_folder(self._paths, number)
        folder.mkdir(parents=True)
        sync_folder(folder.parent)
        # The record comes after the folder and before the rename: see transaction_rollback.
        self._save(folders=(*self._record.folders, name))
        yield folder
        inventory = "\n".join(sorted(list_files(folder)))
        inventory_path(self._paths, number).write_bytes(
            inventory.encode("utf-8", "surrogateescape")
        )
        path.parent.mkdir(exist_ok=True)
        folder.rename(path)
        sync_folder(path.parent)

    def write(self, path: Path, data: bytes) -> None:
        """Stage new content of a file."""
        name, after = self._relative(path), md5_of(data)
        staged = staged_file(self._paths, after)
        staged.parent.mkdir(parents=True, exist_ok=True)
        with staged.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self._writes[name] = Write(path=name, before="", after=after)

    def write_blob(self, path: Path, md5: str) -> None:
        """Stage a blob of DVC's cache as the new content of a file of the working tree."""
        name = self._relative(path)
        self._writes[name] = Write(path=name, before="", after=md5, is_cached=True)

    def add_to_cache(self, md5: str, data: bytes) -> None:
        """Put a blob into DVC's cache at once; an unused one does no harm."""
        Blobs(self._paths.root).add_to_cache(md5, data)

    def delete(self, path: Path) -> None:
        """Stage the removal of a file, if it exists, and of folders that it leaves empty."""
        name = self._relative(path)
        self._deletes[name] = Delete(path=name, before="")

    def move(self, path: Path, to: Path) -> None:
        """Stage the renaming of a file or folder of the data root; nothing may be at ``to``."""
        name = self._relative(path)
        self._moves[name] = Move(path=name, to=self._relative(to))

    def commit(self, follow_up: FollowUp | None = None) -> None:
        """Put all files in place, then do the follow-up. A kill from here on loses nothing.

        Raises:
            FindingsError: Somebody changes a file meanwhile; it is not overwritten.
            DvcError: The change is made, but a step of the follow-up failed.
        """
        if both := self._writes.keys() & self._deletes.keys():
            raise ValueError(f"both written and deleted: {', '.join(sorted(both))}")
        root = self._paths.root
        if any(not write.is_cached for write in self._writes.values()):
            sync_folder(record_folder(self._paths) / "staged")
        self._save(
            state=State.READY,
            writes=tuple(
                write.model_copy(update={"before": file_digest(root / name)})
                for name, write in self._writes.items()
            ),
            deletes=tuple(
                Delete(path=name, before=file_digest(root / name)) for name in self._deletes
            ),
            moves=tuple(self._moves.values()),
            follow_up=follow_up or FollowUp(),
        )
        finish(self._paths, self._record, self.lock, progress=self._progress)

    def _save(self, **changes: object) -> None:
        self._record = Record.model_validate(dict(self._record) | changes)
        write_record(self._paths, self._record)

    def _relative(self, path: Path) -> str:
        """Return a path as the record has it.

        Raises:
            FindingsError: Its name is not UTF-8, or a folder above it is a symbolic link.
        """
        name = self._paths.relative(path)
        try:
            name.encode()
        except UnicodeEncodeError:
            escaped = name.encode("utf-8", "backslashreplace").decode()
            fail("file-unreadable", "its name is not UTF-8", file=escaped, hint="rename it")
        checked_path(self._paths, name)
        return name


def interrupted_subset(paths: Paths, name: str, part: str) -> str:
    """Return the subset of an interrupted command, if it is this command; otherwise "".

    A command that removes or renames a subset may have done so before it was killed. Its name can
    then only be found in the record.

    Args:
        paths: The paths of the registry.
        name: The name of the command.
        part: The name of the subset as the user gave it, or a part of it.
    """
    record = read_record(paths)
    is_same = record and record.command.name == name and record.state is not State.OPEN
    subset = record.command.subset if record and is_same else ""
    return subset if part.casefold() in subset.casefold() else ""


def recover(paths: Paths, lock: int, *, notify: Notify = no_notice) -> Command | None:
    """Roll back or finish an interrupted transaction; return its command if it is finished now.

    Args:
        paths: The paths of the registry.
        lock: Descriptor of the write lock. While this process holds it, a transaction that is
            found belongs to no living process.
        notify: Called if something was rolled back.

    Raises:
        FindingsError: People have changed or committed files of the transaction since, or its
            record is damaged.
        DvcError: The transaction is applied, but a step of its follow-up failed.
    """
    record = read_record(paths)
    if record is None:
        clear_record(paths)  # files of a command that was killed before it wrote a record
        return None
    if record.state is State.OPEN:
        roll_back(paths, record)
        notify(f"an interrupted {record.command} was rolled back")
        return None
    finish(paths, record, lock)
    return record.command
