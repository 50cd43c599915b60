"""Undo what an interrupted transaction created, and keep what people added to it since.

Before it is ready, a transaction creates nothing but folders of new subsets. Each is filled in
``.sceneset/transaction/folders`` and then renamed into the data root. If a folder of the record is
no longer in that place, it was moved: the folder in the data root belongs to the transaction and
may be deleted. Otherwise the folder in the data root belongs to somebody else.
"""

import os
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from sceneset.errors import FindingsError, fail
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import read_text
from sceneset.storage.git import is_committed, unstage
from sceneset.storage.transaction_record import (
    Record,
    State,
    checked_path,
    clear_record,
    read_record,
    record_folder,
)
from sceneset.storage.yaml_parser import parse


def unplaced_folder(paths: Paths, number: int) -> Path:
    """Return where the record's folder of this number is filled before it is put in place."""
    return record_folder(paths) / "folders" / str(number)


def inventory_path(paths: Paths, number: int) -> Path:
    """Return the file that lists what the record's folder of this number held at first."""
    return record_folder(paths) / f"files-{number}.txt"


def list_files(folder: Path) -> Iterator[str]:
    """Yield the files below a folder, relative to it."""
    for base, _, names in os.walk(folder):
        for name in names:
            yield Path(base, name).relative_to(folder).as_posix()


def roll_back(paths: Paths, record: Record) -> None:
    """Delete the folders that an open transaction has created, and then its record.

    Folders of subsets that params.yaml lists by now belong to people and stay. Files that people
    have added to the other folders are moved to ``.sceneset/kept``.

    Raises:
        FindingsError: A folder is committed, or params.yaml can't be read.
    """
    for number, name in enumerate(record.folders):
        folder, waiting = checked_path(paths, name), unplaced_folder(paths, number)
        if not waiting.exists() and folder.is_dir() and folder.name not in _listed_subsets(paths):
            _refuse_committed(paths, record, folder)
            unstage(paths.root, folder)
            folder.rename(waiting)  # one step: a kill leaves no half of a folder in the data root
        if waiting.exists() and inventory_path(paths, number).exists():
            _keep_added_files(paths, number)
    clear_record(paths)


def _refuse_committed(paths: Paths, record: Record, folder: Path) -> None:
    if is_committed(paths.root, folder):
        name = paths.relative(folder)
        fail(
            record.command.unfinished_code,
            f"is committed, although {record.command} was interrupted before it was complete",
            subset=folder.name,
            file=name,
            hint="to give the subset up, `git rm -r` the folder and commit; to keep it, list it "
            "in params.yaml; then run the command again",
        )


def _keep_added_files(paths: Paths, number: int) -> None:
    """Move files that neither the transaction nor `dvc add` wrote out of a folder to delete."""
    folder, kept = unplaced_folder(paths, number), paths.work / "kept"
    inventory = inventory_path(paths, number).read_bytes().decode("utf-8", "surrogateescape")
    written = set(inventory.split("\n"))
    for name in sorted(set(list_files(folder)) - written):
        if not name.endswith((".dvc", ".gitignore")):
            kept.mkdir(exist_ok=True)
            free = (kept / f"{n}-{Path(name).name}" for n in count(1))
            shutil.move(folder / name, next(path for path in free if not path.exists()))


def _listed_subsets(paths: Paths) -> set[str]:
    name = paths.relative(paths.params)
    params = parse(read_text(paths.params, name), name).data
    subsets = params.get("subsets") if isinstance(params, dict) else None
    return set(map(str, subsets)) if isinstance(subsets, list) else set()


def unfinished_paths(paths: Paths) -> set[Path]:
    """Return what an unfinished transaction has created or will write.

    Raises:
        FindingsError: The record is damaged.
    """
    record = read_record(paths)
    if record is None:
        return set()
    created = {
        paths.root / name
        for number, name in enumerate(record.folders)
        if not unplaced_folder(paths, number).exists()
    }
    return created | {paths.root / write.path for write in record.writes}


def refuse_unfinished_change(paths: Paths) -> None:
    """Raise FindingsError if a command was killed while it replaced files.

    For stages: they would derive files from a subset that is half old and half new.
    """
    record = read_record(paths)
    if record and record.state is State.READY:
        fail(
            record.command.unfinished_code,
            f"{record.command} was interrupted while it replaced files",
            subset=record.command.subset,
            file=paths.relative(record_folder(paths)),
            hint="run the same command again, or `sceneset doctor --fix`, which finishes it; then "
            "run `dvc repro` again",
        )


def unfinished_findings(paths: Paths) -> list[Finding]:
    """Report a transaction that was interrupted, or that another command is working on.

    For commands, not for stages: a stage's result must depend on files in git alone.

    Raises:
        FindingsError: params.yaml can't be read.
    """
    try:
        record = read_record(paths)
    except FindingsError as error:
        return error.findings
    if record is None:
        return []
    if record.state is State.OPEN:
        names = {Path(folder).name for folder in record.folders}
        if names <= _listed_subsets(paths):
            return []  # people list the subsets: nothing is rolled back
    return [
        finding(
            record.command.unfinished_code,
            f"{record.command} was interrupted, or is running",
            subset=record.command.subset,
            file=paths.relative(record_folder(paths)),
            hint="if it is not running, run the same command again, or `sceneset doctor --fix`; "
            "any command that changes the registry first "
            + ("rolls it back" if record.state is State.OPEN else "finishes it"),
        )
    ]
