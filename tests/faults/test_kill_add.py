"""Kill `sceneset add` at any step: nothing is lost, and the same command ends in the same state."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.edits import ingest
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction import Command, Transaction, recover
from sceneset.storage.transaction_record import Record, write_record
from sceneset.storage.transaction_rollback import unfinished_findings, unplaced_folder
from support.build import NAME, ROOT, Run, dvc, git, make_delivery, snapshot

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
PROGRAMS = ROOT / "tests/programs"
OTHER = NAME.replace("web", "other")
DATA = f"Insta360SemanticSeg/{NAME}"
_STAGING, _FINISH = "sceneset.storage.transaction", "sceneset.storage.transaction_finish"
POINTS = {
    "before the record is created": f"before {_STAGING} write_record 1",
    "after the record is created": f"after {_STAGING} write_record 1",
    "while files are copied": "before sceneset.edits.ingest copy_file 2",
    "before the folder is placed": "before pathlib Path.rename 1",
    "after the folder is placed": "after pathlib Path.rename 1",
    "after dvc add": "after sceneset.edits.ingest add_folders 1",
    "before the record is ready": f"before {_STAGING} write_record 2",
    "after the record is ready": f"after {_STAGING} write_record 2",
    "after the first text is written": f"after {_FINISH} _put 1",
    "before params.yaml is written": f"before {_FINISH} _put 4",
    "after params.yaml is written": f"after {_FINISH} _put 4",
    "before the record is deleted": f"before {_FINISH} clear_record 1",
}
Add = Callable[..., int]


@pytest.fixture(scope="module")
def mortal_add(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Add]:
    """Add a delivery in a process that is killed at a point; return its exit code."""
    folder = tmp_path_factory.mktemp("mortal")
    command = [sys.executable, PROGRAMS / "kill_add.py", make_delivery(folder / "delivery")]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, text=True, **streams) as server:

        def run(root: Path, delivery: Path, point: str = "never") -> int:
            assert server.stdin
            assert server.stdout
            server.stdin.write(f"{root}\t{delivery}\t{NAME}\t{point}\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield run


class Trial:
    """An add that is killed at a point, and run again."""

    def __init__(self, registry: Path, folder: Path, add: Add) -> None:
        self.registry, self.folder, self.add = registry, folder, add
        self.delivery = make_delivery(
            folder / "delivery", {"ski.txt": ["a"]}, train=("a",), val=("b",)
        )
        good = copy_tree(registry, folder / "good")
        assert add(good, self.delivery) == 0
        self.complete, self.complete_status = snapshot(good), status(good)
        self.before, self.source = snapshot(registry), snapshot(self.delivery)

    def run(self, point: str) -> bool:
        """Kill an add at a point and check everything; return False if the point was not met."""
        root = self.folder / "killed"
        shutil.rmtree(root, ignore_errors=True)
        copy_tree(self.registry, root)
        code = self.add(root, self.delivery, point)
        if code == 0:
            return False
        assert code == -signal.SIGKILL
        if NAME in (root / "params.yaml").read_text():
            assert snapshot(root) == self.complete, f"listed before it was complete, {point}"
            with write_lock(root / ".sceneset") as lock:
                recover(Paths(root), lock)  # as the next command does
        else:
            new = {k: data for k, data in snapshot(root).items() if k not in self.before}
            assert {**self.before, **new} == snapshot(root), "an add changes no other file"
            if new:
                assert unfinished_findings(Paths(root)), f"not reported, {point}"
            assert self.add(root, self.delivery) == 0, point
        assert snapshot(root) == self.complete, point
        assert status(root) == self.complete_status
        assert not (root / ".sceneset/transaction").exists()
        assert snapshot(self.delivery) == self.source
        return True


@pytest.fixture(scope="module")
def trial(
    tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path, mortal_add: Add
) -> Trial:
    return Trial(_empty_registry, tmp_path_factory.mktemp("trial"), mortal_add)


def status(root: Path) -> str:
    return git(root, "status", "--porcelain", "--untracked-files=all")


def copy_tree(template: Path, target: Path) -> Path:
    return Path(shutil.copytree(template, target, symlinks=True))


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS.keys())
def test_add_ends_in_the_same_state_when_it_is_killed(point: str, trial: Trial) -> None:
    assert trial.run(point), "the point is reached"


@pytest.mark.sweep
@pytest.mark.parametrize("where", ["own", "dvc"])
def test_add_ends_in_the_same_state_when_it_is_killed_at_every_step(
    where: str, trial: Trial
) -> None:
    # dvc takes many more steps than sceneset, and they are its own affair: some of them will do.
    steps = range(1, 1000, 1 if where == "own" else 6)
    kills = next(count for count, step in enumerate(steps) if not trial.run(f"{where} {step}"))
    assert kills >= (25 if where == "own" else 5), "every step is reached"


@pytest.mark.sweep
def test_add_ends_in_the_same_state_when_the_whole_command_is_killed_at_any_time(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    """Like a kill by a user or the kernel: here dvc is a process of its own, and goes on."""
    delivery = make_delivery(tmp_path / "big", train=[f"s{n:03}" for n in range(60)])
    command = [sys.executable, "-m", "sceneset", "add", delivery, "--name", NAME]
    good = copy_tree(registry, tmp_path / "good")
    start = time.monotonic()
    subprocess.run(command, cwd=good, check=True, capture_output=True)
    duration, complete = time.monotonic() - start, snapshot(good)
    for part in (0.4, 0.6, 0.75, 0.9):
        root = copy_tree(registry, tmp_path / f"part{part}")
        with suppress(subprocess.TimeoutExpired):  # run() kills then
            subprocess.run(command, cwd=root, check=False, timeout=part * duration, **QUIET)
        wait_for_lock(root)
        if NAME not in (root / "params.yaml").read_text():
            outcome = sceneset("add", delivery, "--name", NAME, cwd=root)
            assert outcome.code == 0, outcome.err
        assert snapshot(root) == complete
        assert status(root) == status(good)
        shutil.rmtree(root)


def wait_for_lock(root: Path) -> None:
    """Wait for the dvc that a killed add has started; it ends by itself."""
    (root / ".sceneset").mkdir(exist_ok=True)
    with (root / ".sceneset/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_add_is_refused_while_the_dvc_of_a_killed_add_is_running(
    registry: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    """A folder that dvc still works in must not be rolled back."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, PROGRAMS / "add_with_slow_dvc.py", pipe, delivery, NAME]
    done = subprocess.run(command, cwd=registry, capture_output=True, check=False)
    try:
        assert done.returncode == -signal.SIGKILL
        before = snapshot(registry)
        refused = sceneset("add", delivery, "--name", NAME, cwd=registry)
        assert refused.code == 1
        assert "another sceneset command" in refused.err
        assert "wait" in refused.err
        assert snapshot(registry) == before
        check = sceneset("check", cwd=registry)
        assert check.code == 1
        assert NAME in check.out
        assert "unfinished-add" in check.out
    finally:
        # Opened for reading too: this does not wait for a reader if none was started.
        end = os.open(pipe, os.O_RDWR)
        os.write(end, b"go on")
        os.close(end)
    wait_for_lock(registry)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert "unfinished" not in sceneset("check", cwd=registry).out


def test_add_is_refused_while_another_command_writes(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    before = snapshot(registry)
    with write_lock(registry / ".sceneset"):
        outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "another sceneset command" in outcome.err
    assert "wait" in outcome.err
    assert snapshot(registry) == before
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0


def test_add_keeps_a_subset_that_was_added_while_it_checked_the_delivery(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking pixels takes long: what was read before the lock is held may be outdated."""
    outdated = Registry.open(registry)
    assert outdated.names == ()
    assert sceneset("add", delivery, "--name", OTHER, cwd=registry).code == 0
    # The other add was killed after it had listed its subset.
    interrupt_add(registry, OTHER)
    with_other = snapshot(registry)
    monkeypatch.setattr(Registry, "open", lambda *_: outdated)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert with_other.keys() <= snapshot(registry).keys()
    assert Registry(registry).names == (OTHER, NAME)
    assert not (registry / ".sceneset/transaction").exists()


def interrupt_add(root: Path, name: str) -> Path:
    """Write the record of an interrupted add; return where its folder would wait to be placed."""
    paths = Paths(root)
    folder = f"Insta360SemanticSeg/{name}"
    write_record(paths, Record(command=Command.of("add", subset=name), folders=(folder,)))
    return unplaced_folder(paths, 0)


def raise_disk_full(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "failing"),
    [(ingest, "_copy_files"), (ingest, "add_folders"), (ingest, "encode_scan"),
     (Transaction, "write"), (Transaction, "commit")],
)  # fmt: skip
def test_add_is_rolled_back_when_a_step_fails(
    owner: object,
    failing: str,
    registry: Path,
    delivery: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = snapshot(registry)
    with monkeypatch.context() as patch:
        patch.setattr(owner, failing, raise_disk_full)
        outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "No space left" in outcome.err
    assert snapshot(registry) == before
    assert status(registry) == ""
    assert not (registry / ".sceneset/transaction").exists()


def test_add_unstages_what_dvc_has_staged_when_it_is_rolled_back(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dvc(registry, "config", "core.autostage", "true")
    git(registry, "commit", "--quiet", "--all", "--message", "Stage automatically")
    staged = []

    def record_and_fail(*_: object, **__: object) -> None:
        staged.append(status(registry))
        raise_disk_full()

    monkeypatch.setattr(ingest, "encode_scan", record_and_fail)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 1
    assert "A  " in staged[0]
    assert status(registry) == ""


def test_add_shows_the_error_of_dvc_when_it_is_rolled_back(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    before = snapshot(registry)
    # A file where dvc needs a folder: not even root can write there.
    cache = registry / ".dvc/cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.write_text("not a folder")
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "dvc add failed" in outcome.err
    cache.unlink()
    assert snapshot(registry) == before
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert dvc(registry, "status", "-q", f"{DATA}/img_dir.dvc").code == 0


def test_add_is_rolled_back_when_the_user_interrupts_it(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(registry)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest, "add_folders", interrupt)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 130
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    "place",
    [
        f"{DATA}/notes.txt",
        f"registry/subsets/{NAME}.yaml",
        f"registry/tags/{NAME}.csv",
        f"registry/scans/{NAME}.parquet",
    ],
)
@pytest.mark.parametrize("is_interrupted", [False, True], ids=["new add", "interrupted add"])
def test_add_never_touches_files_of_others_with_its_name(
    place: str, is_interrupted: bool, registry: Path, delivery: Path, sceneset: Run
) -> None:
    """Also if an add of that name was interrupted before it put anything there."""
    if is_interrupted:
        interrupt_add(registry, NAME).mkdir(parents=True)
    file = registry / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    before = snapshot(registry)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "subset-exists" in outcome.err
    assert snapshot(registry) == before
    with write_lock(registry / ".sceneset") as lock:
        recover(Paths(registry), lock)  # as an add of another subset does
    assert snapshot(registry) == before
    assert not (registry / ".sceneset/transaction").exists()


def test_add_refuses_its_name_when_a_dangling_link_has_it(registry: Path) -> None:
    (registry / f"registry/tags/{NAME}.csv").symlink_to("nowhere")
    with pytest.raises(FindingsError, match="exists"):
        ingest.refuse_taken_name(Registry(registry), NAME)


def test_add_only_deletes_the_record_of_an_interrupted_add_whose_subset_is_listed(
    added: Path, delivery: Path, sceneset: Run
) -> None:
    interrupt_add(added, NAME)
    before = snapshot(added)
    assert "unfinished" not in sceneset("check", cwd=added).out
    assert sceneset("add", delivery, "--name", OTHER, cwd=added).code == 0
    after = snapshot(added)
    assert {path for path, data in before.items() if after.get(path) != data} == {"params.yaml"}
    assert not (added / ".sceneset/transaction").exists()
