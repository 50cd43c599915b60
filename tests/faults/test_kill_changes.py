"""kill -9 at random moments of a pull, a release and a forget; the rerun ends it.

SCENESET_MOMENTS=20 makes it twenty of each instead of three. What is there then is what an
undisturbed run leaves, byte for byte: files, branches and tags, and the blobs on the remote.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from support.build import git, snapshot

MOMENTS, GROUPS = int(os.environ.get("SCENESET_MOMENTS", "3")), 2
# Commits are the same only if they are made at the same time.
DATES = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
WORDS = {
    "pull": ("pull", "ski", "--to", "../out"),
    "release": ("release", "1.1.0", "--notes", "第一版"),
    "forget": ("forget", "web/train/a", "--reason", "case 17", "--purge"),
}


class End(NamedTuple):
    """What a run leaves."""

    files: dict[str, dict[str, bytes]]
    """Of registry, remote and destination."""
    refs: str
    status: str


def start(root: Path, name: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sceneset", *WORDS[name]]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=root, env={**os.environ, **DATES}, **quiet)


def finish(root: Path, name: str) -> None:
    with start(root, name) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def end_of(home: Path) -> End:
    root = home / "registry"
    here = str(home).encode()  # a pull's record names the registry it came from
    files = {
        name: {path: data.replace(here, b"") for path, data in snapshot(home / name).items()}
        for name in ("registry", "store", "out")
    }
    words = ("for-each-ref", "--format=%(refname) %(objectname)")
    return End(files, git(root, *words), git(root, "status", "--porcelain"))


def false_blobs(home: Path) -> set[str]:
    """Return the names of blobs in the cache that are not what their names say."""
    from sceneset.storage.files import md5_of

    return {
        path.name
        for path in (home / "registry/.dvc/cache/files/md5").rglob("*")
        if path.is_file()
        and not path.name.endswith(".part")
        and md5_of(path.read_bytes()) != (path.parent.name + path.name).removesuffix(".dir")
    }


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path, _released_registry: Path
) -> Callable[[str], tuple[Path, End, float]]:
    """Return, for a command: where it begins, what it leaves, and how long it takes."""

    @cache
    def run(name: str) -> tuple[Path, End, float]:
        folder = tmp_path_factory.mktemp(name)
        begin = _released_registry if name == "forget" else _ready_registry
        before = Path(shutil.copytree(begin, folder / "before", symlinks=True))
        root = before / "registry"
        if name == "pull":
            shutil.rmtree(root / ".dvc/cache")
        after = Path(shutil.copytree(before, folder / "after", symlinks=True))
        began = time.monotonic()
        finish(after / "registry", name)
        return before, end_of(after), time.monotonic() - began

    return run


def moments(group: int) -> list[float]:
    """Return a group's share of the moments, as parts of a whole run; the same each time."""
    chosen = random.Random(905)
    return [chosen.random() for _ in range(MOMENTS)][group::GROUPS]


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.parametrize("name", WORDS)
def test_killed_at_random(
    name: str,
    group: int,
    undisturbed: Callable[[str], tuple[Path, End, float]],
    tmp_path: Path,
) -> None:
    before, whole, seconds = undisturbed(name)
    for number, moment in enumerate(moments(group)):
        home = Path(shutil.copytree(before, tmp_path / str(number), symlinks=True))
        root = home / "registry"
        process = start(root, name)
        time.sleep(moment * seconds)
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        psutil.wait_procs(children, timeout=60)  # dvc and git end what they were at
        assert not false_blobs(home), "a half blob would be taken for a whole one"
        finish(root, name)
        end = end_of(home)
        for where, files in whole.files.items():
            assert end.files[where] == files, f"{where}, killed {moment:.2f} of the way"
        assert end[1:] == whole[1:], f"killed {moment:.2f} of the way"
        shutil.rmtree(home)
