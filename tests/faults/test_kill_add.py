"""kill -9 at any step of an add: nothing is lost, and the same command gets to the same end."""

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
from sceneset.edits import ingest as add
from sceneset.edits.ingest import refuse_taken_name
from sceneset.edits.unfinished_add import Journal, unfinished_findings
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.storage.locking import writing
from support.build import NAME, Run, dvc, git, make_delivery, snapshot

QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

# Imports everything once, then forks for every line "ROOT DELIVERY NAME N": the child adds, and
# dies before the N-th call that changes the disk, or the N-th one inside dvc if N is negative.
MORTAL = """
import os, shutil, signal, subprocess, sys
from pathlib import Path
import dvc.cli, dvc.repo, dvc.commands.add
from sceneset.cli import main as cli
from sceneset.delivery import read as delivery
from sceneset.imaging import facts as pixels
from sceneset.storage import dvc as remote
from sceneset.catalog import scan_table as scanfile
import pyarrow.parquet

def child(root, folder, name, last):
    inside, calls = False, {True: 0, False: 0}
    def deadly(call):
        def wrapped(*args, **options):
            calls[inside] += 1
            if calls[inside] == abs(last) and inside is (last < 0):
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)
        return wrapped
    def dvc_here(command, **options):
        nonlocal inside
        if command[1:3] != ("-m", "dvc"):
            return run(command, **options)
        inside = True
        code = dvc.cli.main(list(command[3:]))
        inside = False
        return subprocess.CompletedProcess(command, code, "", "")
    for where, what in [(os, "mkdir"), (os, "rename"), (os, "replace"), (os, "unlink"),
                        (os, "rmdir"), (os, "link"), (shutil, "copyfile"), (Path, "touch")]:
        setattr(where, what, deadly(getattr(where, what)))
    run = subprocess.run
    remote.subprocess.run = deadly(dvc_here)
    os.chdir(root)
    return cli.main(["add", folder, "--name", name])

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what commands say is not asked for

# One whole add, so that every child finds loaded what it needs.
cli.main(["init", "warm"])
os.chdir("warm")
cli.main(["add", sys.argv[1], "--name", "CustomSeg_Person_20240101_warm"])
dvc.cli.main(["add", "--quiet", "README.md"])

for line in sys.stdin:
    *words, last = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if not pid:
        code = 99
        try:
            code = child(*words, int(last))
        finally:
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), file=answers, flush=True)
"""


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., int]]:
    """Add a delivery in a process that dies at a given step (0: never); return its exit code."""
    folder = tmp_path_factory.mktemp("mortal")
    command = [sys.executable, "-c", MORTAL, make_delivery(folder / "delivery")]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=folder, text=True, **streams) as zygote:
        talk, answers = zygote.stdin, zygote.stdout
        assert talk is not None
        assert answers is not None

        def run(root: Path, delivery: Path, last: int = 0) -> int:
            talk.write(f"{root}\t{delivery}\t{NAME}\t{last}\n")
            talk.flush()
            return int(answers.readline())

        yield run


def status(root: Path) -> str:
    return git(root, "status", "--porcelain", "--untracked-files=all")


def fresh(template: Path, target: Path) -> Path:
    return Path(shutil.copytree(template, target, symlinks=True))


@pytest.mark.parametrize("direction", [1, -1], ids=["own", "dvc"])
def test_killed_at_every_step(
    direction: int, registry: Path, mortal: Callable[..., int], tmp_path: Path
) -> None:
    delivery = make_delivery(tmp_path / "delivery", {"ski.txt": ["a"]}, train=("a",), val=("b",))
    good = fresh(registry, tmp_path / "good")
    assert mortal(good, delivery) == 0
    whole, whole_status = snapshot(good), status(good)
    source, before = snapshot(delivery), snapshot(registry)
    # dvc makes many more steps than we do, and they are its own affair: a sample will do.
    stride = 1 if direction > 0 else 6
    deaths = 0
    for step in range(1, 1000, stride):
        root = fresh(registry, tmp_path / f"died{step}")
        code = mortal(root, delivery, direction * step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        deaths += 1
        if NAME in (root / "params.yaml").read_text():
            assert snapshot(root) == whole, f"listed before it was whole, step {step}"
            again = Registry.open(root)
            with writing(again.paths.work):
                add.take_back(again)  # as the next add does
        else:
            left = {path: data for path, data in snapshot(root).items() if path not in before}
            assert {**before, **left} == snapshot(root), "an add only makes new files"
            if left:
                assert unfinished_findings(Paths(root)), f"nobody tells of it, step {step}"
            assert mortal(root, delivery) == 0, f"step {step}"
        assert snapshot(root) == whole, f"step {step}"
        assert status(root) == whole_status
        assert not list((root / ".sceneset/adding").iterdir())
        shutil.rmtree(root)
    assert deaths >= (25 if direction > 0 else 5), "the killer reached every step"
    assert snapshot(delivery) == source


def test_killed_at_any_moment(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    """As a person or the kernel does it: the whole command, dvc in a process of its own."""
    delivery = make_delivery(tmp_path / "big", train=[f"s{n:03}" for n in range(60)])
    words = [sys.executable, "-m", "sceneset", "add", delivery, "--name", NAME]
    good = fresh(registry, tmp_path / "good")
    begun = time.monotonic()
    subprocess.run(words, cwd=good, check=True, capture_output=True)
    lasts, whole = time.monotonic() - begun, snapshot(good)
    for part in (0.4, 0.6, 0.75, 0.9):
        root = fresh(registry, tmp_path / f"part{part}")
        with suppress(subprocess.TimeoutExpired):  # run() kills then
            subprocess.run(words, cwd=root, check=False, timeout=part * lasts, **QUIET)
        wait_until_free(root)
        if NAME not in (root / "params.yaml").read_text():
            outcome = sceneset("add", delivery, "--name", NAME, cwd=root)
            assert outcome.code == 0, outcome.err
        assert snapshot(root) == whole
        assert status(root) == status(good)
        shutil.rmtree(root)


def wait_until_free(root: Path) -> None:
    """Wait for the dvc that a killed add has started; it ends by itself."""
    (root / ".sceneset").mkdir(exist_ok=True)
    with (root / ".sceneset/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_a_dvc_that_outlives_its_add_keeps_the_next_one_out(
    registry: Path, delivery: Path, sceneset: Run, tmp_path: Path
) -> None:
    """Nobody may take back a folder that a dvc is still working in."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # Stands in for a dvc that takes long: it ends when somebody has written to the pipe.
    script = f"""
import os, subprocess, sys
from sceneset.cli import main as cli
from sceneset.storage import dvc as remote
def slow(command, *, pass_fds, **options):
    waits = "open(%r).read()" % {str(fifo)!r}
    subprocess.Popen([sys.executable, "-c", waits], pass_fds=pass_fds,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.kill(os.getpid(), 9)
remote.subprocess.run = slow
cli.main(["add", {str(delivery)!r}, "--name", {NAME!r}])
"""
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, cwd=registry, capture_output=True, check=False)
    try:
        assert done.returncode == -signal.SIGKILL
        placed = snapshot(registry)
        refused = sceneset("add", delivery, "--name", NAME, cwd=registry)
        assert refused.code == 1
        assert "another sceneset command" in refused.err
        assert "wait" in refused.err
        assert snapshot(registry) == placed
        told = sceneset("check", cwd=registry)
        assert (told.code, NAME in told.out, "unfinished-add" in told.out) == (1, True, True)
    finally:
        fifo.write_text("go on")
    wait_until_free(registry)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert "unfinished" not in sceneset("check", cwd=registry).out


def test_two_adds_at_once(registry: Path, delivery: Path, sceneset: Run) -> None:
    before = snapshot(registry)
    with writing(registry / ".sceneset"):
        outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "another sceneset command" in outcome.err
    assert "wait" in outcome.err
    assert snapshot(registry) == before
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0


def test_what_another_add_listed_meanwhile_is_left_alone(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking pixels takes long: what was read before the lock is held may be old by then."""
    other = NAME.replace("web", "other")
    stale = Registry.open(registry)
    assert stale.names == ()
    assert sceneset("add", delivery, "--name", other, cwd=registry).code == 0
    left = registry / f".sceneset/adding/{other}/placed"  # by an add that died after it listed it
    left.parent.mkdir(parents=True)
    left.touch()
    with_other = snapshot(registry)
    monkeypatch.setattr(Registry, "open", lambda *_: stale)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert with_other.keys() <= snapshot(registry).keys()
    assert Registry(registry).names == (other, NAME)
    assert not list((registry / ".sceneset/adding").iterdir())


@pytest.mark.parametrize("failing", ["add_folders", "write_scan", "write_text"])
def test_a_step_that_fails_is_rolled_back(
    failing: str, registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(registry)

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(add, failing, fails)
        outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "No space left" in outcome.err
    assert snapshot(registry) == before
    assert status(registry) == ""
    assert not list((registry / ".sceneset/adding").iterdir())


def test_a_rollback_takes_back_what_dvc_has_staged(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    dvc(registry, "config", "core.autostage", "true")
    git(registry, "commit", "--quiet", "--all", "--message", "Stage of itself")
    staged = []

    def fails(*_: object, **__: object) -> None:
        staged.append(status(registry))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(add, "write_scan", fails)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 1
    assert "A  " in staged[0]
    assert status(registry) == ""


def test_a_dvc_that_fails_is_shown_and_rolled_back(
    registry: Path, delivery: Path, sceneset: Run
) -> None:
    before = snapshot(registry)
    # A file where dvc wants a folder: nobody can write there, root neither.
    cache = registry / ".dvc/cache"
    shutil.rmtree(cache, ignore_errors=True)
    cache.write_text("in the way")
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "dvc add failed" in outcome.err
    cache.unlink()
    assert snapshot(registry) == before
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    assert dvc(registry, "status", "-q", f"Insta360SemanticSeg/{NAME}/img_dir.dvc").code == 0


def test_stopped_by_the_keyboard(
    registry: Path, delivery: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(registry)

    def stops(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(add, "add_folders", stops)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 130
    assert snapshot(registry) == before


@pytest.mark.parametrize(
    "place",
    [
        f"Insta360SemanticSeg/{NAME}/notes.txt",
        f"registry/subsets/{NAME}.yaml",
        f"registry/tags/{NAME}.csv",
        f"registry/scans/{NAME}.parquet",
    ],
)
@pytest.mark.parametrize("journal", ["none", "building", "marked"])
def test_somebody_elses_files_are_never_touched(
    place: str, journal: str, registry: Path, delivery: Path, sceneset: Run
) -> None:
    """Also where an add of that name was cut off before it had put anything there."""
    begun = Journal(Paths(registry), NAME)
    if journal != "none":
        begun.subset.mkdir(parents=True)
    if journal == "marked":
        (begun.folder / "placed").touch()
    mine = registry / place
    mine.parent.mkdir(parents=True, exist_ok=True)
    mine.write_text("mine")
    before = snapshot(registry)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 1
    assert "subset-exists" in outcome.err
    assert snapshot(registry) == before
    # Another delivery takes back the journal, and nothing that is not the journal's.
    registered = Registry.open(registry)
    with writing(registered.paths.work):
        add.take_back(registered)
    assert snapshot(registry) == before
    assert not begun.folder.exists()


def test_a_link_to_nowhere_is_somebody_elses_too(registry: Path) -> None:
    (registry / f"registry/tags/{NAME}.csv").symlink_to("nowhere")
    with pytest.raises(FindingsError, match="stands here"):
        refuse_taken_name(Registry(registry), NAME)


def test_a_journal_of_a_listed_subset_is_just_removed(
    added: Path, delivery: Path, sceneset: Run
) -> None:
    left = added / f".sceneset/adding/{NAME}/placed"
    left.parent.mkdir(parents=True)
    left.touch()
    before = snapshot(added)
    assert "unfinished" not in sceneset("check", cwd=added).out
    other = NAME.replace("web", "other")
    assert sceneset("add", delivery, "--name", other, cwd=added).code == 0
    after = snapshot(added)
    assert {path for path, data in before.items() if after.get(path) != data} == {"params.yaml"}
    assert not list((added / ".sceneset/adding").iterdir())
