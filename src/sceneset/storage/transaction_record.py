"""The record of a transaction: what it created, will write and delete, and how far it is.

One JSON file holds the whole record and is replaced atomically, so a reader never finds two
files that disagree. The file may come from a damaged disk, so every path in it is validated
before anything is written or deleted.
"""

import os
import shutil
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.storage.files import md5_of, read_bytes, write_text
from sceneset.storage.work_folder import refuse_links, refuse_tracked

UNFINISHED_ADD, UNFINISHED_CHANGE = "unfinished-add", "unfinished-change"
_UNTOUCHED = {".git", ".sceneset"}


def _validate_path(text: str) -> str:
    """Return a path relative to the root of a registry, with forward slashes.

    Raises:
        ValueError: It leads outside of the registry, or into a folder of git or of sceneset.
    """
    path = PurePosixPath(text)
    is_inside = path.parts and not path.is_absolute() and ".." not in path.parts
    if not is_inside or "\0" in text or path.parts[0] in _UNTOUCHED:
        raise ValueError(f"{text!r} is not a path of the registry")
    return text


def _validate_folder(text: str) -> str:
    parts = PurePosixPath(_validate_path(text)).parts
    if len(parts) != 2 or parts[0] != DATA_ROOT:
        raise ValueError(f"{text!r} is not the folder of a subset")
    return text


RelativePath = Annotated[str, AfterValidator(_validate_path)]
SubsetFolder = Annotated[str, AfterValidator(_validate_folder)]
Md5 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}(\.dir)?$")]
Md5OrNone = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{32})?$")]


class _Model(BaseModel):
    # Unlike schemas.base.Model: spaces at the ends of paths are kept.
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class State(StrEnum):
    """How far a transaction is."""

    OPEN = "open"
    """It is being prepared. If the process ends now, the next command rolls it back."""
    READY = "ready"
    """It is complete. If the process ends now, the next command puts its files in place."""
    APPLIED = "applied"
    """Its files are in place and are not compared or written again; its follow-up is not done."""


class Command(_Model):
    """The command that a transaction belongs to. Equal commands do the same work."""

    name: str
    """For example "add"."""
    subset: str = ""
    """The subset that the command is about, if it is a single one."""
    arguments: tuple[str, ...] = ()
    """Whatever tells this run from other runs of the command."""

    @classmethod
    def of(cls, name: str, *arguments: str, subset: str = "") -> "Command":
        """Return a command; arguments that are not UTF-8 (file names) are escaped."""
        escaped = (text.encode("utf-8", "backslashreplace").decode() for text in arguments)
        return cls(name=name, subset=subset, arguments=tuple(escaped))

    def __str__(self) -> str:
        return f"`sceneset {self.name}`" + (f" of {self.subset}" if self.subset else "")

    @property
    def unfinished_code(self) -> str:
        """The code of the rule that reports an unfinished transaction of this command."""
        return UNFINISHED_ADD if self.name == "add" else UNFINISHED_CHANGE


class Write(_Model):
    """A file to create or replace."""

    path: RelativePath
    before: Md5OrNone
    """Hash of the present content; "" if there is no file."""
    after: Md5
    """Hash of the new content."""
    is_cached: bool = False
    """Whether the new content is a blob of DVC's cache; otherwise it is a staged file."""


class Delete(_Model):
    """A file to delete."""

    path: RelativePath
    before: Md5OrNone
    """Hash of the present content; "" if there is no file."""


class Move(_Model):
    """A file or folder of the data root to rename, with everything in it."""

    path: RelativePath
    """Where it is before. There is something at one of both paths, before and after."""
    to: RelativePath


class FollowUp(_Model):
    """What to do once the files are in place. Every step can be repeated."""

    reproduce: bool = False
    """Whether to run the stages that need no images."""
    single_item: bool = False
    """Whether to run only these stages: the images of the working tree may be older than the
    scans, and DVC would scan them again."""
    purge: tuple[Md5, ...] = ()
    """Blobs to delete from the remote and from all caches of this machine."""
    remote: str | None = None
    """The DVC remote to purge; None means the default one."""


class Record(_Model):
    """The content of the record file."""

    command: Command
    state: State = State.OPEN
    folders: tuple[SubsetFolder, ...] = ()
    """Folders of subsets that the transaction creates before it is ready."""
    writes: tuple[Write, ...] = ()
    """In the order in which they are applied."""
    deletes: tuple[Delete, ...] = ()
    moves: tuple[Move, ...] = ()
    """Applied before the writes."""
    follow_up: FollowUp = FollowUp()


def record_folder(paths: Paths) -> Path:
    """Return the folder that holds the record and the staged files of a transaction."""
    return paths.work / "transaction"


def _record_path(paths: Paths) -> Path:
    return record_folder(paths) / "record.json"


def write_record(paths: Paths, record: Record) -> None:
    """Write the record atomically and wait until it is on the disk."""
    write_text(_record_path(paths), record.model_dump_json())


def clear_record(paths: Paths) -> None:
    """Delete the record, and then the rest of its folder, which is garbage without it."""
    _record_path(paths).unlink(missing_ok=True)
    if record_folder(paths).exists():
        shutil.rmtree(record_folder(paths))


def staged_file(paths: Paths, md5: str) -> Path:
    """Return where staged content with this hash is kept."""
    return record_folder(paths) / "staged" / md5


def checked_path(paths: Paths, relative: str) -> Path:
    """Return a path of the record as a path of this machine.

    Raises:
        FindingsError: A folder above it is a symbolic link, which may lead out of the registry.
    """
    path = paths.root / relative
    for folder in path.relative_to(paths.root).parents:
        if (paths.root / folder).is_symlink() and folder.parts:
            fail(
                "file-unreadable",
                "is a symbolic link; files are not changed through links",
                file=folder.as_posix(),
                hint="replace the link by the folder itself",
            )
    return path


def file_digest(path: Path) -> str:
    """Return the content hash of a file, or "" if there is none."""
    try:
        return md5_of(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""


def read_record(paths: Paths) -> Record | None:
    """Return the record of the unfinished transaction, or None if there is none.

    Raises:
        FindingsError: The record is damaged, or was not written on this machine.
    """
    path = _record_path(paths)
    shown = paths.relative(path)
    hint = (
        f"look at `git status`, restore what should not have changed, delete "
        f"{paths.relative(path.parent)}, and run the command again"
    )
    if not os.path.lexists(path):
        return None
    refuse_links(paths.work)
    refuse_tracked(paths.work, UNFINISHED_CHANGE)
    try:
        data = read_bytes(path, shown, hint=hint)
    except FindingsError:
        if os.path.lexists(path):
            raise
        return None  # another process has ended the transaction meanwhile
    try:
        return Record.model_validate_json(data)
    except ValueError:
        fail(UNFINISHED_CHANGE, "the record of a change is damaged", file=shown, hint=hint)
