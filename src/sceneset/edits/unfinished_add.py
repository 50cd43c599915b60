"""What an add that was cut off leaves behind: what of it is its own, and how it is taken back.

While a subset is added, .sceneset/adding/<name>/ stands. The copies wait in its folder subset/;
the mark ``placed`` is set just before they are renamed into the data root. So whoever finds the
mark and no subset/ knows that everything of that name in the registry was made by the add; in
all other cases nothing was, and what stands there is somebody else's.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.errors import fail
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import md5_of, sync_folder, write_text
from sceneset.storage.git import is_committed, unstage


class Journal:
    """The journal of one add; all but ``placed`` need the write lock."""

    def __init__(self, paths: Paths, name: str) -> None:
        self.paths, self.name = paths, name
        self.folder = _all(paths) / name
        self.subset = self.folder / "subset"
        """Where copies are built, outside of what anybody reads."""
        self._mark = self.folder / "placed"
        self._own = self.folder / "own.json"

    @property
    def placed(self) -> bool:
        """Whether what stands in the registry under this name was made by the add."""
        return self._mark.exists() and not self.subset.exists()

    def begin(self, texts: Mapping[Path, str]) -> None:
        """Say that an add of this name is at work, which is to write these texts."""
        self.subset.mkdir(parents=True)
        own = {self.paths.shown(path): md5_of(text.encode()) for path, text in texts.items()}
        write_text(self._own, json.dumps(own))
        sync_folder(self.folder.parent)

    def place(self) -> Path:
        """Rename the copies into the data root; return the subset's folder."""
        folder = self.paths.subset(self.name)
        folder.parent.mkdir(exist_ok=True)
        self._mark.touch()
        sync_folder(self.folder)
        self.subset.rename(folder)
        sync_folder(folder.parent)
        return folder

    def end(self) -> None:
        """Forget the add: its subset is listed, or nothing of it is left."""
        # First the mark: cut off below, the journal must not claim what is no longer its own.
        self._mark.unlink(missing_ok=True)
        shutil.rmtree(self.folder)

    def undo(self) -> None:
        """Take back all that the add made, and only that."""
        if self.placed:
            self._spare_what_people_made()
            for path in self._made():
                path.unlink(missing_ok=True)
            folder = self.paths.subset(self.name)
            if folder.exists():
                unstage(self.paths.root, folder)
                folder.rename(self.subset)  # at once: no half a folder is left if this is cut off
        self.end()

    def _spare_what_people_made(self) -> None:
        """Put texts that are not as the add wrote them out of the way, into .sceneset/kept.

        Raises:
            ProblemsFoundError: they are committed: people made the subset theirs.
        """
        try:
            own = json.loads(self._own.read_text("utf-8"))
        except (OSError, ValueError):
            own = {}
        for path in (self.paths.entry(self.name), self.paths.tags(self.name)):
            shown = self.paths.shown(path)
            if is_committed(self.paths.root, path):
                fail(
                    "unfinished-add",
                    "is committed, though its add was cut off before params.yaml listed the subset",
                    subset=self.name,
                    file=shown,
                    hint="list it under subsets in params.yaml, or `git rm` its files; "
                    "then add again",
                )
            if path.exists() and md5_of(path.read_bytes()) != own.get(shown):
                kept = self.paths.work / "kept"
                kept.mkdir(exist_ok=True)
                free = (kept / f"{n}-{path.name}" for n in count(1))
                path.replace(next(place for place in free if not place.exists()))

    def _made(self) -> Iterator[Path]:
        """Yield the files an add writes beside the subset's folder, half-written ones too."""
        paths = self.paths
        own = (paths.entry(self.name), paths.tags(self.name), paths.scan(self.name))
        yield from own
        for path in (*own, paths.params):
            start = f".{path.name[:100]}."
            yield from (
                part
                for part in path.parent.glob(".*.part")
                if part.name.startswith(start) and part.is_file()
            )


def _all(paths: Paths) -> Path:
    return paths.work / "adding"


def _journals(paths: Paths) -> list[Journal]:
    folder = _all(paths)
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [Journal(paths, path.name) for path in found if path.is_dir()]


def unfinished(catalog: Catalog) -> list[str]:
    """Return the names of subsets whose add was cut off before they were listed, or is at work."""
    names = [journal.name for journal in _journals(catalog.paths)]
    return [name for name in names if name not in catalog.params.subsets]


def unfinished_findings(paths: Paths) -> list[Finding]:
    """Report adds that were cut off; for commands, not for stages: git knows nothing of them."""
    return [
        finding(
            "unfinished-add",
            "its add was cut off, or is at work",
            subset=name,
            file=paths.shown(_all(paths) / name),
            hint="if none is at work, run the same `sceneset add` again; any add first takes back "
            "what is half done",
        )
        for name in unfinished(Catalog(paths.root))
    ]


def take_back(catalog: Catalog) -> list[str]:
    """Undo every add that was cut off before its subset was listed; return their names.

    Call it with the lock held: a journal then belongs to nobody who is alive. Texts that people
    changed since are kept in .sceneset/kept.

    Raises:
        ProblemsFoundError: people have committed what an add left behind; it is not touched.
    """
    cut_off = set(unfinished(catalog))
    for journal in _journals(catalog.paths):
        if journal.name in cut_off:
            journal.undo()
        else:
            journal.end()
    return sorted(cut_off)
