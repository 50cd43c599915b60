"""The files of a delivery: listed once, without following links, and found by name."""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from urllib.parse import unquote

from sceneset.catalog.subset_folder import JUNK, KNOWN_SUFFIXES
from sceneset.errors import fail
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_text

IMAGE_ENDINGS = (*sorted(KNOWN_SUFFIXES), *sorted(map(str.upper, KNOWN_SUFFIXES)))
_PHASES = {
    **dict.fromkeys(("train", "training", "trn", "trainval"), Phase.TRAIN),
    **dict.fromkeys(("val", "valid", "validation", "dev"), Phase.VAL),
    **dict.fromkeys(("test", "testing", "tst"), Phase.TEST),
}
_PHASE_WORD = re.compile(
    r"(?:^|[_\-. ])(train(?:ing|val)?|trn|val(?:id(?:ation)?)?|dev|test(?:ing)?|tst)"
    r"(?:20\d\d)?(?:$|[_\-. ])"
)


class Tree:
    """The regular files below the folder of a delivery."""

    def __init__(
        self,
        root: Path,
        work: Path | None = None,
        *,
        mounts: Mapping[str, Path] = MappingProxyType({}),
        hidden: Collection[str] = (),
        tars: Collection[str] = (),
    ) -> None:
        """List the files.

        Args:
            root: The folder of the delivery.
            work: A folder for images that a format takes out of other files; it is created when
                it is needed. Without one, such images can't be read.
            mounts: Folders elsewhere that count as folders of the delivery, by their path in it:
                archives that were extracted.
            hidden: Files that do not count: those archives.
            tars: The folders that were tar archives; "" is the delivery itself.

        Raises:
            FindingsError: The delivery is not a folder, or a folder of it can't be listed.
        """
        self.root = root
        self.links: list[str] = []
        """Symbolic links and special files, which are not read."""
        self.tars = frozenset(tars)
        """The folders that were tar archives."""
        self._mounts = dict(mounts)
        if not root.is_dir():
            fail("layout", "is not a folder", file=root.name)
        found = [file for file in self._walk(root, "") if file not in hidden]
        for name, folder in self._mounts.items():
            found += self._walk(folder, f"{name}/")
        self.files: list[str] = sorted(found)
        """Paths relative to the delivery, with "/" between folders."""
        self._work = work
        self._added: dict[str, Path] = {}

    def _walk(self, root: Path, prefix: str) -> Iterator[str]:
        pending = [""]
        while pending:
            folder = pending.pop()
            try:
                entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
            except OSError as error:
                fail(
                    "file-unreadable",
                    f"can't be listed: {error.strerror}",
                    file=prefix + folder or ".",
                )
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if is_litter(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield prefix + path
                else:
                    self.links.append(prefix + path)

    @property
    def work(self) -> Path:
        """The folder for files that a format makes, outside of the delivery; created here."""
        if self._work is None:
            raise RuntimeError("this tree has no work folder")
        self._work.mkdir(parents=True, exist_ok=True)
        return self._work

    def add_file(self, name: str, path: Path) -> str:
        """Add an image that is not a file of the delivery but a part of one.

        It is not listed in ``files`` or ``images``, and not found by ``find``; ``path`` knows it.

        Args:
            name: The name of the image, relative to the delivery; findings show it.
            path: The file in the work folder.

        Returns:
            The name to use as ``FormatSample.image``; it has a number if the name was taken.
        """
        unique, number = name, 1
        while unique in self._added or unique in self._listed:
            number += 1
            unique = f"{without_suffix(name)}_{number}{PurePosixPath(name).suffix}"
        self._added[unique] = path
        return unique

    @property
    def added(self) -> int:
        """The number of files that were added."""
        return len(self._added)

    def beside(self, file: str) -> list[str]:
        """Return the images in the folder of a file that have the file's stem."""
        stem = without_suffix(file)
        found = (self.same(f"{stem}{suffix}") for suffix in IMAGE_ENDINGS)
        return list(dict.fromkeys(file for file in found if file))

    def path(self, file: str) -> Path:
        """Return the path of a file on this machine."""
        if file in self._added:
            return self._added[file]
        end = file.find("/") if self._mounts else -1
        while end != -1:
            if folder := self._mounts.get(file[:end]):
                return folder / file[end + 1 :]
            end = file.find("/", end + 1)
        return self.root / file

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Return the files with one of some suffixes (lower case, with the dot), sorted."""
        return [file for file in self.files if suffix_of(file) in suffixes]

    @cached_property
    def _listed(self) -> frozenset[str]:
        return frozenset(self.files)

    def has(self, file: str) -> bool:
        """Return whether a file is in the delivery, by its path relative to it."""
        return file in self._listed

    @cached_property
    def images(self) -> list[str]:
        """All files that have the suffix of an image, masks too."""
        return [file for file in self.files if suffix_of(file) in KNOWN_SUFFIXES]

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """The files in each folder, by the folder's path ("" is the delivery itself)."""
        folders: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            folders[file.rpartition("/")[0]].append(file)
        return dict(folders)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        """The files by their last part, and by its casefolded form if this differs."""
        names: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            name = composed(file.rpartition("/")[2])
            for form in {name, name.casefold()}:
                names[form].append(file)
        return dict(names)

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        """The files by their paths in one normal form, and by these casefolded."""
        paths: dict[str, list[str]] = defaultdict(list)
        for file in self.files:
            path = composed(file)
            for form in {path, path.casefold()}:
                paths[form].append(file)
        return dict(paths)

    def same(self, path: str) -> str | None:
        """Return the file at a path, which may be in another Unicode normal form or case.

        macOS writes the names of files in another normal form than most programs write them into
        annotations, and Windows ignores case. If several files differ in nothing else, only the
        exact path counts.
        """
        if self.has(path):
            return path
        form = composed(path)
        for found in (self._by_path.get(form, []), self._by_path.get(form.casefold(), [])):
            equal = [file for file in found if composed(file) == form] or found
            if len(equal) == 1:
                return equal[0]
        return None

    def find(self, name: str, *, near: str = "", outside: str = "") -> str | None:
        """Return the file that an annotation names, or None if there is none or are several.

        The name may be a path of another machine, use backslashes, be encoded as a URL, or be in
        another Unicode normal form; its case may differ if no file has the same. If several files
        have the last part of the name, the one with the longest common end counts, then the one in
        the phase of the annotation: instances_val.json means val2017/1.jpg.

        Args:
            name: The name in the annotation.
            near: The annotation's own path: files beside it or below its folder are preferred.
            outside: A folder whose files do not count, if it is given.
        """
        for text in dict.fromkeys((name, unquote(name))):
            parts = [p for p in text.replace("\\", "/").split("/") if p not in {"", ".", ".."}]
            if not parts:
                continue
            name = composed(parts[-1])
            candidates = self._by_name.get(name, []) or self._by_name.get(name.casefold(), [])
            same_case = [c for c in candidates if composed(c).endswith(name)]
            candidates = same_case or candidates
            if outside:
                candidates = [c for c in candidates if not c.startswith(f"{outside}/")]
            if len(candidates) == 1:
                return candidates[0]
            if candidates:
                return self._closest(candidates, parts, near)
        return None

    @staticmethod
    def _closest(candidates: list[str], parts: list[str], near: str) -> str | None:
        folder = near.rpartition("/")[0].split("/") if near else []
        phase = phase_of(near)

        wanted = [composed(part) for part in parts]

        def score(file: str) -> tuple[int, bool, int, bool]:
            own, forms = file.split("/"), composed(file).split("/")
            end = 0
            while end < min(len(forms), len(wanted)) and forms[-1 - end] == wanted[-1 - end]:
                end += 1
            start = 0
            while start < min(len(own) - 1, len(folder)) and own[start] == folder[start]:
                start += 1
            has_phase = phase is not None and phase_of(file) is phase
            return end, has_phase, start, own[-1] == parts[-1]

        ranked = sorted(candidates, key=score, reverse=True)
        return ranked[0] if score(ranked[0]) > score(ranked[1]) else None


def lines_of(tree: Tree, file: str, *, limit: int) -> list[str]:
    """Return the lines of a text file of a delivery; it may start with a byte order mark.

    Raises:
        FindingsError: The file can't be read, has more than ``limit`` bytes, or is not UTF-8.
    """
    text = read_text(tree.path(file), file, limit=limit)
    return text.removeprefix("\ufeff").splitlines()


def is_litter(name: str) -> bool:
    """Return whether macOS or Windows made a file or folder of this name by itself."""
    folded = name.casefold()
    return folded in JUNK or folded == "__macosx" or name.startswith("._")


def suffix_of(file: str) -> str:
    """Return the suffix of a path in lower case, with its dot."""
    return _suffix(file).lower()


def without_suffix(file: str) -> str:
    """Return a path without the suffix of its last part."""
    suffix = _suffix(file)
    return file[: -len(suffix)] if suffix else file


def _suffix(file: str) -> str:
    """Return what pathlib calls the suffix, ten times as fast: every file needs it."""
    name = file[file.rfind("/") + 1 :]
    dot = name.rfind(".")
    return name[dot:] if 0 < dot < len(name) - 1 else ""


def phase_of(path: str) -> Phase | None:
    """Return the phase that a folder or file name of a path says, the last one first."""
    for part in reversed(path.split("/")):
        name = part.casefold()
        if name in _PHASES:
            return _PHASES[name]
        match = _PHASE_WORD.search(without_suffix(name))
        if match:
            return _PHASES[match[1]]
    return None
