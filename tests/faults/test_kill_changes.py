"""Kill pull, release, forget and fix: the same command, run again, ends in the same state.

Compared byte for byte: files, branches and tags, and the blobs on the remote. The tests marked
"sweep" kill at random times; SCENESET_MOMENTS is their number for each command.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
from PIL import Image

from sceneset.storage.files import md5_of
from support.build import NAME, ROOT, dvc, git, snapshot

MOMENTS = int(os.environ.get("SCENESET_MOMENTS", "3"))
# Commits are equal only if they are made at the same time.
DATES = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000"}
COMMANDS = {
    "pull": ("pull", "ski", "--to", "../out"),
    "release": ("release", "1.1.0", "--notes", "第一版"),
    "forget": ("forget", "web/train/a", "--reason", "case 17", "--purge"),
    "fix": ("fix", "web", "--apply"),
}
_STAGING, _FINISH = "sceneset.storage.transaction", "sceneset.storage.transaction_finish"
_TRANSACTION_POINTS = (
    f"before {_STAGING} write_record 1",
    f"before {_FINISH} write_record 1",
    f"after {_FINISH} write_record 1",
    f"after {_FINISH} dvc 1",
    f"before {_FINISH} clear_record 1",
)
POINTS = [
    ("pull", "after pathlib Path.replace 4"),
    ("release", "after sceneset.versions.release _commit 1"),
    ("forget", f"after {_FINISH} Blobs.delete 1"),
    ("fix", f"before {_FINISH} _put 2"),
    *(
        pytest.param(name, point, marks=pytest.mark.sweep)
        for name, points in (
            ("pull", ("after pathlib Path.replace 1",)),
            ("release", ("before sceneset.versions.release _commit 1",)),
            (
                "forget",
                (
                    f"after {_STAGING} write_record 1",
                    f"before {_FINISH} _put 2",
                    *_TRANSACTION_POINTS,
                ),
            ),
            ("fix", (f"after {_STAGING} write_record 1", *_TRANSACTION_POINTS)),
        )
        for point in points
    ),
]
"""Points before or after a durable step; those that repeat the code of others are slow tests."""


class State(NamedTuple):
    """What a command leaves."""

    files: dict[str, dict[str, bytes]]
    """Files of the registry, the remote and the destination."""
    refs: str
    status: str


def start(root: Path, name: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "sceneset", *COMMANDS[name]]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=root, env={**os.environ, **DATES}, **streams)


def finish(root: Path, name: str) -> None:
    with start(root, name) as process:
        _, error = process.communicate()
    assert process.returncode == 0, error.decode()


def state_of(home: Path) -> State:
    root = home / "registry"
    here = str(home).encode()  # the record of a pull names the registry it came from
    files = {
        name: {path: data.replace(here, b"") for path, data in snapshot(home / name).items()}
        for name in ("registry", "store", "out")
    }
    words = ("for-each-ref", "--format=%(refname) %(objectname)")
    return State(files, git(root, *words), git(root, "status", "--porcelain"))


def damaged_blobs(home: Path) -> set[str]:
    """Return the names of blobs in the cache whose content has another hash."""
    return {
        path.name
        for path in (home / "registry/.dvc/cache/files/md5").rglob("*")
        if path.is_file()
        and not path.name.endswith(".part")
        and md5_of(path.read_bytes()) != (path.parent.name + path.name).removesuffix(".dir")
    }


def break_image(root: Path) -> None:
    """Give an image of the subset an error that `fix` can fix."""
    folder = root / f"Insta360SemanticSeg/{NAME}"
    path = folder / "img_dir/train/a.jpg"
    with Image.open(path) as image:
        gray = image.convert("L")
    path.unlink()
    gray.save(path)
    dvc(root, "add", "--quiet", str(folder / "img_dir"), str(folder / "ann_dir"))
    dvc(root, "repro", "--quiet")


Undisturbed = Callable[[str], tuple[Path, State, float]]


@pytest.fixture(scope="module")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path, _released_registry: Path
) -> Undisturbed:
    """Return, for a command: the state before it, the state after it, and its duration."""

    @cache
    def run(name: str) -> tuple[Path, State, float]:
        folder = tmp_path_factory.mktemp(name)
        source = _released_registry if name == "forget" else _ready_registry
        before = Path(shutil.copytree(source, folder / "before", symlinks=True))
        root = before / "registry"
        if name == "pull":
            shutil.rmtree(root / ".dvc/cache")
        elif name == "fix":
            break_image(root)
        after = Path(shutil.copytree(before, folder / "after", symlinks=True))
        start = time.monotonic()
        finish(after / "registry", name)
        duration = time.monotonic() - start
        return before, state_of(after), duration

    return run


def check_rerun(home: Path, name: str, complete: State, when: str) -> None:
    """Check what a killed command left, run it again, and compare the states."""
    assert not damaged_blobs(home), "a partial blob would be taken for a complete one"
    finish(home / "registry", name)
    state = state_of(home)
    for place, files in complete.files.items():
        assert state.files[place] == files, f"{place}, killed {when}"
    assert state[1:] == complete[1:], f"killed {when}"


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_command_ends_in_the_same_state_when_it_is_killed_at_a_durable_step(
    name: str, point: str, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    before, complete, _ = undisturbed(name)
    home = Path(shutil.copytree(before, tmp_path / "home", symlinks=True))
    program = ROOT / "tests/programs/kill_command.py"
    command = [sys.executable, str(program), point, *COMMANDS[name]]
    env = {**os.environ, **DATES}
    done = subprocess.run(command, cwd=home / "registry", env=env, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    check_rerun(home, name, complete, point)


@pytest.mark.sweep
@pytest.mark.parametrize("name", COMMANDS)
def test_command_ends_in_the_same_state_when_it_is_killed_at_any_time(
    name: str, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    before, complete, seconds = undisturbed(name)
    generator = random.Random(905)
    for number in range(MOMENTS):
        moment = generator.random()
        home = Path(shutil.copytree(before, tmp_path / str(number), symlinks=True))
        process = start(home / "registry", name)
        time.sleep(moment * seconds)  # not a wait: the time of the kill is what is tested
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.communicate()
        psutil.wait_procs(children, timeout=60)  # dvc and git end what they are doing
        check_rerun(home, name, complete, f"after {moment:.0%} of its time")
        shutil.rmtree(home)
