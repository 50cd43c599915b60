"""Two commands at once end as one after the other: real processes, stopped at given points."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from sceneset.storage.locking import write_lock
from support.build import NAME, ROOT, Run, dvc, git, make_delivery, snapshot
from support.waiting import wait_until

SUBSET = f"Insta360SemanticSeg/{NAME}"
SCAN = f"registry/scans/{NAME}.parquet"
_FINISH = "sceneset.storage.transaction_finish"


@pytest.fixture(scope="module")
def _fixable(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    """A registry with an image that `fix` can fix, and the same after `fix` and `dvc repro`."""
    home = tmp_path_factory.mktemp("fixable")
    root = Path(shutil.copytree(_added_registry, home / "before", symlinks=True))
    path = root / SUBSET / "img_dir/train/a.jpg"
    with Image.open(path) as image:
        gray = image.convert("L")
    path.unlink()
    gray.save(path)
    dvc(root, "add", "--quiet", f"{SUBSET}/img_dir", f"{SUBSET}/ann_dir")
    dvc(root, "repro", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "An image to fix")
    after = Path(shutil.copytree(root, home / "after", symlinks=True))
    command = [sys.executable, "-m", "sceneset", "fix", "web", "--apply"]
    subprocess.run(command, cwd=after, check=True, capture_output=True)
    dvc(after, "repro", "--quiet")
    return home


@pytest.fixture
def fixable(tmp_path: Path, _fixable: Path) -> Path:
    return Path(shutil.copytree(_fixable / "before", tmp_path / "registry", symlinks=True))


@contextmanager
def paused(root: Path, point: str, *words: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """Start a command that stops at a point; yield it and the file that lets it go on."""
    go = root.parent / "go"
    program = ROOT / "tests/programs/pause_command.py"
    command = [sys.executable, str(program), point, str(go), *words]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as process:
        reached = go.with_suffix(".reached")
        wait_until(lambda: reached.exists() or process.poll() is not None)
        assert reached.exists(), process.stderr.read() if process.stderr else ""
        try:
            yield process, go
        finally:
            go.touch()


def start_dvc(root: Path, *words: str) -> "subprocess.Popen[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    command = [sys.executable, "-m", "dvc", *words]
    env = {**os.environ, "PATH": path}
    return subprocess.Popen(command, cwd=root, env=env, text=True, **streams)


@pytest.mark.sweep
def test_dvc_does_not_see_a_subset_that_is_half_fixed(fixable: Path, _fixable: Path) -> None:
    before = snapshot(fixable)
    with paused(fixable, f"before {_FINISH} _put 2", "fix", "web", "--apply") as (fix, go):
        half = snapshot(fixable)
        assert half != before
        for words in (("repro",), ("add", f"{SUBSET}/img_dir"), ("checkout",)):
            outcome = dvc(fixable, *words, check=False)
            assert outcome.code != 0
            assert "Unable to acquire lock" in outcome.err
        assert snapshot(fixable) == half
        go.touch()
        _, error = fix.communicate()
    assert fix.returncode == 0, error
    dvc(fixable, "repro")
    assert snapshot(fixable) == snapshot(_fixable / "after")


def test_stage_waits_for_a_fix_or_refuses_in_one_line_when_it_is_reading(
    fixable: Path, _fixable: Path
) -> None:
    point = "before sceneset.storage.transaction finish 1"
    with paused(fixable, point, "fix", "web", "--apply") as (fix, go):
        repro = start_dvc(fixable, "repro", "--force", f"scan@{NAME}")
        wait_until(lambda: not (fixable / SCAN).exists())  # DVC deletes what a stage will write
        go.touch()
        _, error = fix.communicate()
    printed, _ = repro.communicate()
    # The fix derives files with DVC at its end, whose lock the waiting stage's DVC holds.
    assert repro.returncode == 0 or printed.count("[locked]") == 1, printed
    assert fix.returncode == 0 or "dvc repro" in error, error
    dvc(fixable, "repro")
    assert snapshot(fixable) == snapshot(_fixable / "after")


@pytest.mark.sweep
def test_stage_refuses_in_one_line_when_a_command_goes_on_working(fixable: Path) -> None:
    point = "before sceneset.storage.transaction finish 1"
    with paused(fixable, point, "fix", "web", "--apply") as (fix, go):
        outcome = dvc(fixable, "repro", "--force", f"scan@{NAME}", check=False)
        assert outcome.code != 0
        lines = [line for line in outcome.err.splitlines() if "[locked]" in line]
        assert len(lines) == 1, outcome.err
        assert "is writing here" in lines[0]
        go.touch()
        _, error = fix.communicate()
    assert fix.returncode == 0, error
    dvc(fixable, "repro")
    assert "Running stage" not in dvc(fixable, "repro").out


@pytest.mark.sweep
def test_stage_refuses_a_subset_of_which_a_killed_fix_has_replaced_half(
    fixable: Path, _fixable: Path
) -> None:
    program = ROOT / "tests/programs/kill_command.py"
    command = [sys.executable, str(program), f"before {_FINISH} _put 2", "fix", "web", "--apply"]
    assert subprocess.run(command, cwd=fixable, check=False).returncode == -9
    outcome = dvc(fixable, "repro", "--force", "--single-item", f"scan@{NAME}", check=False)
    assert outcome.code != 0
    assert "unfinished-change" in outcome.err
    command = [sys.executable, "-m", "sceneset", "fix", "web", "--apply"]
    done = subprocess.run(command, cwd=fixable, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    dvc(fixable, "repro")
    assert snapshot(fixable) == snapshot(_fixable / "after")


def test_command_waits_for_a_dvc_command_that_is_running(fixable: Path, sceneset: Run) -> None:
    """`dvc add` of another folder holds DVC's lock for seconds."""
    many = fixable / "many"
    make_delivery(many, train=[f"s{number}" for number in range(300)])
    adding = start_dvc(fixable, "add", "many")
    outcome = sceneset("fix", "web", "--apply", "--json", cwd=fixable)
    printed, _ = adding.communicate()
    assert (outcome.code, adding.returncode) == (0, 0), (outcome.err, printed)
    assert json.loads(outcome.out)


def test_two_runs_of_the_pipeline_do_not_exclude_each_other(added: Path) -> None:
    runs = [start_dvc(added, "repro", "--force", "--single-item", s) for s in ("stats", "check")]
    printed = [run.communicate()[0] for run in runs]
    for run, text in zip(runs, printed, strict=True):
        # DVC itself may refuse the second one: it holds its own lock between stages.
        is_refused = "Unable to acquire lock" in text or "is busy, it is being blocked" in text
        assert run.returncode == 0 or is_refused, text
        assert "[locked]" not in text


def test_fix_refuses_a_destination_that_another_fix_is_writing(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    folder, to = make_delivery(tmp_path / "delivery"), tmp_path / "fixed"
    words = ("fix", str(folder), "--to", str(to))
    point = "before sceneset.edits.fix_delivery copy_other_files 1"
    with paused(registry, point, *words) as (first, go):
        half = snapshot(tmp_path / ".fixed.part")
        assert half
        outcome = sceneset(*words, cwd=registry)
        assert outcome.code == 1
        assert "[locked]" in outcome.err
        assert snapshot(tmp_path / ".fixed.part") == half
        go.touch()
        _, error = first.communicate()
    assert first.returncode == 0, error
    assert {path.name for path in folder.rglob("*")} == {path.name for path in to.rglob("*")}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.sweep
@pytest.mark.parametrize("first", ["fix", "forget"])
@pytest.mark.parametrize("second", ["fix", "forget", "add", "repro"])
@pytest.mark.parametrize("point", ["sceneset.storage.transaction finish 1", f"{_FINISH} _put 2"])
def test_command_that_starts_and_ends_within_another_one_changes_nothing(
    first: str, second: str, point: str, fixable: Path, tmp_path: Path
) -> None:
    commands = pair_commands(tmp_path)
    with paused(fixable, f"before {point}", *commands[first][1:]) as (process, go):
        before = snapshot(fixable)
        done = run_python(fixable, *commands[second])
        assert process.poll() is None, "the first command is still in the middle"
        assert snapshot(fixable) == before
        if second != "repro":
            assert done.returncode == 1
            assert "[locked]" in done.stderr
        elif "_put" in point:
            assert "Unable to acquire lock" in done.stdout + done.stderr
        go.touch()
        _, error = process.communicate()
    assert process.returncode == 0, error
    assert_good_end(fixable, [commands[second]])


def pair_commands(folder: Path) -> dict[str, list[str]]:
    make_delivery(folder / "other", train=("x", "y"), splits={"total.txt": ("x", "y")})
    return {
        "fix": ["sceneset", "fix", "web", "--apply"],
        "forget": ["sceneset", "forget", "web/train/b", "--reason", "case 1"],
        "add": ["sceneset", "add", str(folder / "other"), "--name", NAME + "2"],
        "repro": ["dvc", "repro"],
    }


def run_python(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=root, env=env, check=False, capture_output=True, text=True)


def assert_good_end(root: Path, commands: list[list[str]]) -> None:
    """Run commands again, one after the other, and check that the registry is good then."""
    for command in commands:  # one that was refused is run again
        run_python(root, *command)
    dvc(root, "repro")
    assert "Running stage" not in dvc(root, "repro").out
    done = run_python(root, "sceneset", "check")
    assert done.returncode == 0, done.stdout
    parts = [p for p in root.rglob("*.part") if ".git/" not in str(p)]
    assert parts == []


@pytest.mark.parametrize("words", [("release", "2.0.0"), ("verify", "--repair"), ("scan", "web")])
def test_command_is_refused_and_changes_nothing_while_another_command_writes(
    words: tuple[str, ...], released: Path, sceneset: Run
) -> None:
    blob = next((released.parent / "store/files/md5").glob("*/*"))
    blob.unlink()  # for `verify` to repair
    before = snapshot(released.parent)
    with write_lock(released / ".sceneset"):
        outcome = sceneset(*words, cwd=released)
    assert outcome.code == 1
    assert "[locked]" in outcome.err
    after = snapshot(released.parent)
    assert {path: data for path, data in after.items() if before.get(path) != data} == {}
    assert before.keys() == after.keys()
