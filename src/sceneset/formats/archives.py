"""Open deliveries that are archives, or folders with archives in them.

Archives are extracted into a work folder; nothing is written into the delivery. One archive counts
as one folder that is named after it.
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.subset_folder import printable
from sceneset.counts import counted
from sceneset.errors import fail
from sceneset.formats.archive_members import (
    ARCHIVE_ENDINGS,
    OTHER_ENDINGS,
    BrokenArchiveError,
    Member,
    members,
    reading,
)
from sceneset.formats.own_labels import is_export
from sceneset.formats.tree import Tree
from sceneset.progress import Progress, no_progress
from sceneset.schemas.finding import MAX_ALIKE, Finding, finding
from sceneset.storage.disk_space import SpaceNeeded

CUSTOM_FOLDERS = ("img_dir", "ann_dir", "split_dir")
_MAX_MEMBERS = 5_000_000
_MAX_RATIO = 200
"""An archive that unpacks to more than so many times its size is refused, if that is much."""
_MUCH = 1 << 30  # bytes
_RESERVE = 256 << 20  # bytes to leave free on the disk
_MAX_CHAIN = 4  # folders with a single folder in them, above those of the Custom layout
_CHUNK = 1 << 20
_SPACE_HINT = "free some space, or set TMPDIR to a folder on a larger disk"


@dataclass
class Opened:
    """A delivery whose archives are extracted."""

    root: Path
    """The folder to read: the delivery, or what was extracted."""
    mounts: dict[str, Path] = field(default_factory=dict)
    """Folders that stand for archives in the delivery: path in the delivery -> extracted folder."""
    archives: set[str] = field(default_factory=set)
    """The archives in the delivery, which are no files to read any more."""
    tars: set[str] = field(default_factory=set)
    """The folders that come from tar archives; "" is the root."""
    findings: list[Finding] = field(default_factory=list)
    says: list[str] = field(default_factory=list)

    def tree(self, work: Path) -> Tree:
        """Return the files of the delivery, those of archives too."""
        return Tree(self.root, work, mounts=self.mounts, hidden=self.archives, tars=self.tars)

    @property
    def is_custom(self) -> bool:
        """Whether the root has the Custom layout, and is not one of our own exports.

        `sceneset export mmseg --merged` writes the same folders, with its labels in a table beside.
        """
        return any((self.root / name).exists() for name in CUSTOM_FOLDERS) and not is_export(
            self.root
        )


def is_archive(name: str) -> bool:
    """Return whether a file has the ending of an archive that is read."""
    return name.lower().endswith(ARCHIVE_ENDINGS)


def open_archives(delivery: Path, work: Path, *, progress: Progress = no_progress) -> Opened:
    """Extract the archives of a delivery.

    Args:
        delivery: An archive, or a folder. Links are not followed.
        work: A folder to extract into; it is created if there is an archive.
        progress: Called for each archive: while a tar is read for the first time, with its
            megabytes; and while an archive is extracted, with its members.

    Raises:
        FindingsError: An archive is truncated, too large or of a kind that is not read.
    """
    if not delivery.is_dir():
        return _single(delivery, delivery.name, work, progress)
    opened = Opened(delivery)
    if opened.is_custom:
        return opened
    tree = Tree(delivery)
    archives = [file for file in tree.files if is_archive(file)]
    for file in tree.files:
        if _is_other_archive(file):
            problem = "is an archive of a kind that is not read"
            _report(opened, file, "", problem, "unpack it; --quarantine leaves it out")
    if not archives:
        return opened
    if len(tree.files) == 1:
        return _single(delivery / archives[0], archives[0], work, progress)
    for file in archives:
        _mount(file, work, opened, progress)
    if len(archives) == len(tree.files) and opened.mounts:
        opened.root, opened.mounts, opened.archives = work, {}, set()
    return opened


def _mount(file: str, work: Path, opened: Opened, progress: Progress) -> None:
    """Extract one archive of a folder."""
    delivery, folder = opened.root, _without_ending(file)
    opened.archives.add(file)
    if folder in opened.mounts or (delivery / folder).exists():
        problem = f"there is {printable(folder)} beside it, which would have the same name"
        hint = "deliver one of the two; --quarantine leaves the archive out"
        _report(opened, file, "", problem, hint)
        return
    opened.mounts[folder] = work / folder
    _extract(delivery / file, file, work / folder, opened, progress)
    if not file.lower().endswith(".zip"):
        opened.tars.add(folder)


def _single(archive: Path, shown: str, work: Path, progress: Progress) -> Opened:
    if not archive.is_file() or archive.is_symlink():
        return Opened(archive)  # it is reported as no folder
    if _is_other_archive(shown):
        fail(
            "archive-broken",
            "is an archive of a kind that is not read",
            file=printable(shown),
            hint="unpack it, and deliver the folder, a zip or a tar.gz",
        )
    if not is_archive(shown):
        return Opened(archive)
    target = work / (_without_ending(archive.name) or "archive")
    opened = Opened(target)
    _extract(archive, shown, target, opened, progress)
    if not shown.lower().endswith(".zip"):
        opened.tars.add("")
    folder = target
    for _ in range(_MAX_CHAIN):
        children = list(folder.iterdir())
        if len(children) != 1 or not children[0].is_dir():
            break
        folder = children[0]
        if any((folder / name).is_dir() for name in CUSTOM_FOLDERS):
            opened.root = folder
            break
    return opened


def _without_ending(file: str) -> str:
    ending = max((e for e in ARCHIVE_ENDINGS if file.lower().endswith(e)), key=len)
    return file[: -len(ending)]


def _is_other_archive(file: str) -> bool:
    return file.lower().endswith(OTHER_ENDINGS) and not is_archive(file)


def _extract(archive: Path, shown: str, target: Path, opened: Opened, progress: Progress) -> None:
    """Extract an archive into a new folder, whose only folder of the same name is left out."""
    try:
        needed = SpaceNeeded()
        target.mkdir(parents=True)
        budget = _Budget(archive)
        needed.add(target, _sizes(archive, budget, progress))
        needed.check(_SPACE_HINT, reserve=lambda _: _RESERVE)
        extractor = _Extractor(archive, shown, target, opened)
        extractor.run(progress(members(archive), budget.members, "extract"))
    except BrokenArchiveError as error:
        fail(
            "archive-broken",
            str(error),
            file=printable(shown),
            hint="get the archive again, or unpack it yourself and deliver the folder",
        )
    inner = target / target.name
    if inner.is_dir() and len(list(target.iterdir())) == 1:
        aside = target.with_name(f"{target.name}.outer")
        target.rename(aside)
        (aside / target.name).rename(target)
        aside.rmdir()


def _sizes(archive: Path, budget: "_Budget", progress: Progress) -> Iterator[int]:
    """Yield the declared sizes of the members, and check the bounds on the way."""
    total, done = archive.stat().st_size // _CHUNK, 0
    steps = iter(progress(range(total), total, "read archive (MiB)"))

    def passed(position: int) -> None:
        nonlocal done
        while done < position // _CHUNK and next(steps, None) is not None:
            done += 1

    for member in members(archive, passed):
        budget.add_member(member.size)
        if not member.problem:
            yield member.size
    for _ in steps:  # so that the progress ends
        pass


class _Budget:
    """What an archive may unpack to."""

    def __init__(self, archive: Path) -> None:
        self._allowed = max(_MUCH, _MAX_RATIO * archive.stat().st_size)
        self.members = self._bytes = 0

    def add_member(self, size: int) -> None:
        """Count a member, with its size or 0."""
        self.members += 1
        if self.members > _MAX_MEMBERS:
            raise BrokenArchiveError(f"has more than {_MAX_MEMBERS:,} members")
        self.add_bytes(size)

    def add_bytes(self, size: int) -> None:
        """Count bytes."""
        self._bytes += size
        if self._bytes > self._allowed:
            raise BrokenArchiveError(
                f"unpacks to more than {self._allowed:,} bytes, {_MAX_RATIO} times its size; "
                "it may be made to fill the disk"
            )


class _Extractor:
    """Extracts one archive."""

    def __init__(self, archive: Path, shown: str, target: Path, opened: Opened) -> None:
        self.archive, self.shown, self.target, self.opened = archive, shown, target, opened
        self.budget = _Budget(archive)
        self.problems: Counter[str] = Counter()

    def run(self, found: Iterable[Member]) -> None:
        """Extract all members; report those that are not safe.

        Raises:
            BrokenArchiveError: The archive is broken, or unpacks to more than it may.
        """
        guessed, is_empty = [], True
        for member in found:
            is_empty = False
            self.budget.add_member(0)
            if problem := member.problem or self._write(member):
                self._report(member.name, problem)
            elif member.is_guessed:
                guessed.append("/".join(member.parts))
        if is_empty:
            raise BrokenArchiveError("contains no file")
        if guessed:
            self.opened.says.append(
                f"{printable(self.shown)} does not say how its names are encoded; "
                f"{counted(len(guessed), 'name is', 'names are')} read as GBK, for example "
                f"{printable(guessed[0])}"
            )
        for problem, count in self.problems.items():
            if count > MAX_ALIKE:
                more = counted(count - MAX_ALIKE, "more member")
                self._report_one("", f"{more} can't be extracted: {problem}")

    def _report(self, name: str, problem: str) -> None:
        self.problems[problem] += 1
        if self.problems[problem] <= MAX_ALIKE:
            self._report_one(name, problem)

    def _report_one(self, name: str, problem: str) -> None:
        hint = "pack the archive again with regular files"
        if problem == "it is encrypted":
            hint = "unpack the archive with its password, and deliver the folder"
        _report(self.opened, self.shown, name, problem, f"{hint}; --quarantine leaves it out")

    def _write(self, member: Member) -> str:
        """Write a member; return why it can't be, or ""."""
        if is_archive(member.parts[-1]):
            return "it is an archive inside of an archive"
        folder = self.target.joinpath(*member.parts[:-1])
        path = folder / member.parts[-1]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            return "another member has the same name"
        with os.fdopen(descriptor, "wb") as file:
            problem = self._copy(member, file.write)
        if problem:
            path.unlink()
        return problem

    def _copy(self, member: Member, write: Callable[[bytes], int]) -> str:
        written, is_zip = 0, self.archive.suffix.lower() == ".zip"
        try:
            with reading():
                source = member.open()
            while True:
                with reading():  # a full disk is not a broken archive
                    chunk = source.read(_CHUNK)
                if not chunk:
                    break
                written += len(chunk)
                self.budget.add_bytes(len(chunk))
                write(chunk)
        except BrokenArchiveError as error:
            if is_zip and "unpacks to" not in str(error):  # members of a zip stand alone
                return f"it {error}"
            raise
        if written != member.size:
            return f"it has {written:,} bytes, not the {member.size:,} that the archive declares"
        return ""


def _report(opened: Opened, archive: str, member: str, message: str, hint: str) -> None:
    place = printable(f"{archive} ({member})" if member else archive)
    opened.findings.append(finding("archive-member", message, file=place, hint=hint))
