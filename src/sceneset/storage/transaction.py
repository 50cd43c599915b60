"""Several files changed as one: prepared aside, marked ready, then put in place.

A kill at any line leaves the registry as it was, or a change that the next command finishes.
.sceneset/changing/ holds the new files and plan.json. Without the mark ``ready`` it is nothing;
with it, every step can be done again.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator

from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.schemas.base import Model
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.files import md5_of, replacing, sync_folder, write_text


def _inside(shown: str) -> str:
    path = PurePosixPath(shown)
    if path.is_absolute() or ".." in path.parts or "\0" in shown:
        raise ValueError(f"{shown!r} is outside of the registry")
    return shown


_Shown = Annotated[str, AfterValidator(_inside)]


class _Plan(Model):
    """plan.json."""

    before: dict[_Shown, str]
    """Hashes of the files as they were; "" where there was none."""
    gone: tuple[_Shown, ...]
    notes: dict[str, Any]


_DERIVED = {"dvc.lock"}  # `dvc repro` writes it after us, the same each time


class Redo:
    """A change of several files of a registry; all but ``is_ready`` need the write lock."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.folder = paths.work / "changing"
        self._new = self.folder / "new"
        self._plan = self.folder / "plan.json"
        self._ready = self.folder / "ready"
        self._applied = self.folder / "applied"

    @property
    def is_ready(self) -> bool:
        """Whether a change was prepared and is not finished."""
        return self._ready.exists()

    def prepare(
        self, new: Mapping[Path, bytes], gone: Iterable[Path], notes: dict[str, Any]
    ) -> None:
        """Write down the change: new contents of files, files to delete, and notes for later."""
        self.discard()
        shown = self.paths.shown
        before = {shown(path): _digest(path) for path in (*new, *gone)}
        for path, data in new.items():
            aside = self._new / shown(path)
            aside.parent.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(data)
            _sync(aside)
        plan = {"before": before, "gone": [shown(path) for path in gone], "notes": notes}
        write_text(self._plan, json.dumps(plan))
        self._ready.touch()
        sync_folder(self.folder)

    def apply(self) -> dict[str, Any]:
        """Put the prepared files in place, as often as it takes; return the notes.

        Raises:
            ProblemsFoundError: somebody has changed a file since; nothing more is written.
        """
        plan = self._read_plan()
        notes = plan.notes
        if self._applied.exists():  # what has changed since is somebody's work
            return notes
        new = {
            self.paths.root / aside.relative_to(self._new): aside
            for aside in sorted(self._new.rglob("*"))
            if aside.is_file()
        }
        gone = [self.paths.root / shown for shown in plan.gone]
        self._refuse_others_changes(plan.before, new)
        for path, aside in new.items():
            _sweep(path)
            with replacing(path) as part:
                part.write_bytes(aside.read_bytes())
        for path in gone:
            path.unlink(missing_ok=True)
            self._prune(path.parent)
        return notes

    def _read_plan(self) -> "_Plan":
        """Return the plan, or refuse one that is no longer what was written."""
        try:
            return _Plan.model_validate_json(self._plan.read_bytes())
        except (OSError, ValueError):
            fail(
                "unfinished-change",
                "can't be read: the disk or somebody has damaged it",
                file=self.paths.shown(self._plan),
                hint=f"look at `git status`, delete {self.paths.shown(self.folder)}, and "
                "begin again",
            )

    def mark_applied(self) -> None:
        """Note that every file is in place: from now on none is written or compared again."""
        self._applied.touch()
        sync_folder(self.folder)

    def _prune(self, folder: Path) -> None:
        """Take away a folder of the data root that has become empty, and those above it."""
        data = self.paths.root / DATA_ROOT
        while folder.is_relative_to(data) and folder != data:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:  # something is in it
                return
            folder = folder.parent

    def _refuse_others_changes(self, before: dict[str, str], new: Mapping[Path, Path]) -> None:
        changed = []
        for shown, digest in before.items():
            path = self.paths.root / shown
            now = _digest(path)
            aside = new.get(path)
            if shown not in _DERIVED and now not in {digest, _digest(aside) if aside else ""}:
                changed.append(shown)
        if changed:
            raise FindingsError(
                finding(
                    "unfinished-change",
                    "was changed after a forget or fix was cut off, which would write over it",
                    file=shown,
                    hint=f"delete {self.paths.shown(self.folder)} and begin again",
                )
                for shown in changed
            )

    def discard(self) -> None:
        """Forget the change: it is done, or never was."""
        self._ready.unlink(missing_ok=True)
        self._applied.unlink(missing_ok=True)
        if self.folder.exists():
            shutil.rmtree(self.folder)


def _sync(path: Path) -> None:
    """Make a file's content outlive a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _digest(path: Path) -> str:
    """Return the hash of a file, or "" where there is none."""
    try:
        return md5_of(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _sweep(path: Path) -> None:
    """Take away the halves of a file that a kill left beside it."""
    if path.parent.is_dir():
        for part in path.parent.glob(f".{path.name[:100]}.*.part"):
            part.unlink()


def unfinished_findings(paths: Paths) -> list[Finding]:
    """Report a change that was cut off; for commands, not for stages: git knows nothing of it."""
    redo = Redo(paths)
    if not redo.is_ready:
        return []
    return [
        finding(
            "unfinished-change",
            "a forget or fix was cut off, or is at work",
            file=paths.shown(redo.folder),
            hint="if none is at work, give the same command again: it ends the change first",
        )
    ]
