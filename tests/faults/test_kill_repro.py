"""Kill `dvc repro` and `init` at any time: the next run ends in the same state.

SCENESET_MOMENTS is the number of kills for each command.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from support.build import NAME, Run, dvc, git, snapshot
from support.states import enter_home, environment, leftovers
from support.waiting import wait_until

pytestmark = pytest.mark.real_processes

MOMENTS = int(os.environ.get("SCENESET_MOMENTS", "3"))


def kill_after(
    command: list[str], cwd: Path, home: Path, seconds: float, *, is_alone: bool = True
) -> None:
    """Start a command, kill it and wait until all processes that it has started have ended.

    Args:
        command: The command.
        cwd: Its working folder.
        home: The folder of all that it works with; its temporary files are in ``tmp`` there.
        seconds: When to kill it.
        is_alone: Kill it and not its children, as the system does when memory is short.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a process group of its own
    )
    time.sleep(seconds)  # not a wait: the time of the kill is what is tested
    if is_alone:
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert wait_until(lambda: not living_members(process.pid), 60)


def living_members(group: int) -> list[int]:
    """Return the processes of a group, without those that have ended and are not reaped."""
    found = []
    for process in psutil.process_iter(["status"]):
        with suppress(ProcessLookupError):
            is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if is_alive and os.getpgid(process.pid) == group:
                found.append(process.pid)
    return found


@pytest.fixture(scope="module")
def _before_repro(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    """A registry whose pipeline has not run."""
    root = Path(shutil.copytree(_added_registry, tmp_path_factory.mktemp("r") / "registry"))
    for name in ("stats", "cards", "reports"):
        shutil.rmtree(root / "registry" / name)
    (root / f"registry/scans/{NAME}.parquet").unlink()
    (root / "dvc.lock").unlink()
    return root


@pytest.mark.sweep
def test_repro_ends_in_the_same_state_when_it_is_killed_at_any_time(
    _before_repro: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path(shutil.copytree(_before_repro, tmp_path / "whole/registry", symlinks=True))
    started = time.monotonic()
    dvc(whole, "repro")
    seconds = time.monotonic() - started
    generator = random.Random(17)
    for number in range(MOMENTS):
        root = tmp_path / str(number) / "registry"
        shutil.copytree(_before_repro, root, symlinks=True)
        moment = generator.random()
        repro = [sys.executable, "-m", "dvc", "repro"]
        kill_after(repro, root, root.parent, moment * seconds, is_alone=bool(number % 2))
        enter_home(root.parent, monkeypatch)
        sceneset("doctor", "--fix", "--no-remote", cwd=root)
        dvc(root, "repro")
        assert snapshot(root) == snapshot(whole), f"killed after {moment:.0%} of its time"
        assert leftovers(root.parent) == []


def _state_of_init(home: Path) -> tuple[object, ...]:
    """Return all that `init mine` leaves in a folder; files of git's index hold times."""
    mine = home / "mine"
    commits, status = git(mine, "log", "--all", "--format=%T %s"), git(mine, "status", "--short")
    names = sorted(path.name for path in (*home.iterdir(), *mine.iterdir()) if path.name != "tmp")
    locks = [path.name for path in (mine / ".git").iterdir() if path.suffix == ".lock"]
    return snapshot(mine), names, commits, status, locks


@pytest.mark.sweep
@pytest.mark.parametrize("is_empty", [True, False])
def test_init_ends_in_the_same_state_when_it_is_killed_at_any_time(
    is_empty: bool, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "whole").mkdir()
    command = [sys.executable, "-m", "sceneset", "init", "mine"]
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path / "whole", check=True, capture_output=True)
    seconds = time.monotonic() - started
    generator = random.Random(18)
    for number in range(MOMENTS):
        home = tmp_path / str(number)
        (home / "mine" if is_empty else home).mkdir(parents=True)
        moment = generator.random()
        kill_after(command, home, home, moment * seconds, is_alone=bool(number % 2))
        outcome = sceneset("init", "mine", cwd=home)
        assert outcome.code == 0, (moment, outcome.err)
        assert _state_of_init(home) == _state_of_init(tmp_path / "whole"), f"at {moment:.0%}"
        assert leftovers(home, home / "mine") == []
