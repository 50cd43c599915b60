"""What a command leaves: the state of a registry and all around it, and leftovers of killed ones.

A *home* is a folder with a registry in ``registry``, its remote in ``store``, temporary files in
``tmp`` and whatever commands write beside them.
"""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset.storage.dvc_locks import rwlock_problem
from sceneset.storage.files import md5_of
from support.build import git, snapshot

# Commits are equal only if they are made at the same time.
DATES = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
_BLOB = re.compile(r"[0-9a-f]{30}(\.dir)?")
_LOCKS = ("lock", "used.lock", "config.lock", "quarantine.lock", "index.lock")
_PICTURES = ("pictures.db", "pictures.db-wal", "pictures.db-shm")
_PERMANENT = {*_LOCKS, "index.sqlite", *_PICTURES}
"""Files of .sceneset that stay: locks are free when nobody holds them, the others are caches."""


class State(NamedTuple):
    """What a command leaves."""

    files: dict[str, bytes]
    """All files of the home, but git's own, DVC's cache and temporary ones."""
    cache: frozenset[str]
    """The blobs in DVC's cache."""
    refs: str
    status: str


def state_of(home: Path) -> State:
    """Return the state of a home; paths in files are shortened, so that homes can be compared."""
    root = home / "registry"
    here = str(home).encode()
    files = {
        f"{folder.name}/{path}": data.replace(here, b"")
        for folder in home.iterdir()
        if folder.is_dir() and folder.name != "tmp"
        for path, data in snapshot(folder).items()
    }
    words = ("for-each-ref", "--format=%(refname) %(objectname)")
    refs, status = git(root, *words), git(root, "status", "--porcelain")
    return State(files, frozenset(path.name for path in _cached(root)), refs, status)


def differences(state: State, other: State) -> list[str]:
    """Return what differs between two states, for the message of a test that fails."""
    names = state.files.keys() | other.files.keys()
    found = [name for name in sorted(names) if state.files.get(name) != other.files.get(name)]
    found += [f"cache: {name}" for name in sorted(state.cache ^ other.cache)]
    lines = set((state.refs + state.status).splitlines())
    return found + sorted(lines ^ set((other.refs + other.status).splitlines()))


def environment(home: Path) -> dict[str, str]:
    """Return the environment of commands in a home, with this Python first on PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    temporary = home / "tmp"
    temporary.mkdir(exist_ok=True)
    return {**os.environ, **DATES, "PATH": path, "TMPDIR": str(temporary)}


def enter_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commands in this process use the environment of a home."""
    for name, value in environment(home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", None)


def leftovers(home: Path, registry: Path | None = None) -> list[Path]:
    """Return what killed commands have left in a home that should be gone after the next one."""
    root = registry or home / "registry"
    found = [
        path
        for path in home.rglob(".*")
        if path.name.endswith((".part", ".lock", ".tmp")) and ".git" not in path.parts
    ]
    found += (path for path in _entries(root / ".git") if path.suffix == ".lock")
    work = root / ".sceneset"
    found += (path for path in _entries(work) if path.name not in {*_PERMANENT, "kept"})
    # `doctor --fix` keeps a broken dvc.lock for people, and says so.
    found += (path for path in _entries(work / "kept") if not path.name.endswith("dvc.lock"))
    found += (path for path in _cached(root) if not _BLOB.fullmatch(path.name))
    found += _entries(home / "tmp")
    # DVC keeps entries of processes that have ended, and removes one when it is in its way.
    if rwlock_problem(root):
        found.append(root / ".dvc/tmp/rwlock")
    return sorted(set(found))


def damaged_blobs(home: Path) -> list[str]:
    """Return the names of blobs in the cache whose content has another hash."""
    return [
        path.name
        for path in _cached(home / "registry")
        if _BLOB.fullmatch(path.name)
        and md5_of(path.read_bytes()) != (path.parent.name + path.name).removesuffix(".dir")
    ]


def _cached(root: Path) -> list[Path]:
    return [path for path in (root / ".dvc/cache/files/md5").rglob("*") if path.is_file()]


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
