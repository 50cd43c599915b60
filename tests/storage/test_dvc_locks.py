"""What a killed DVC leaves in .dvc/tmp is repaired, and what a living one needs is left alone."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dvc.lock import make_lock

from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.finding import finding
from sceneset.storage.dvc import dvc, has_hard_link_locks
from sceneset.storage.dvc_locks import dvc_processes, exclude_dvc, repair_rwlock, rwlock_problem
from sceneset.storage.transaction import Command, Transaction
from support.build import NAME, Run
from support.build import dvc as run_dvc


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".dvc/tmp").mkdir(parents=True)
    return tmp_path


pytestmark = pytest.mark.real_processes


def rwlock(root: Path) -> Path:
    return root / ".dvc/tmp/rwlock"


@contextmanager
def living_dvc(root: Path, folder: Path) -> Iterator[int]:
    """Start a process that looks like a DVC command in ``folder``; yield its id."""
    program = root / "dvc"
    program.write_text("import sys; print('ready', flush=True); sys.stdin.read()")
    command = [sys.executable, str(program), "repro"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=folder, **streams) as process:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
        process.kill()


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\0", b'{"write": {"a"', b"[]", b'{"write": {"/x": {"pid": "1"}}}', b"\xff"],
)
def test_unreadable_rwlock_is_removed_when_no_dvc_runs(project: Path, content: bytes) -> None:
    rwlock(project).write_bytes(content)
    assert rwlock_problem(project)
    assert repair_rwlock(project)
    assert not rwlock(project).exists()
    assert not rwlock_problem(project)


def test_good_rwlock_is_kept_when_its_process_is_dead_or_not(project: Path) -> None:
    entries = {"write": {"/x": {"pid": dead_pid(), "cmd": "dvc repro"}}, "read": {}}
    rwlock(project).write_text(json.dumps(entries))
    assert not repair_rwlock(project)
    assert json.loads(rwlock(project).read_text()) == entries


def test_unreadable_rwlock_is_kept_when_a_dvc_works_in_the_project(project: Path) -> None:
    rwlock(project).write_bytes(b"")
    (project / "sub").mkdir()
    with living_dvc(project, project / "sub") as pid:
        assert [found for found, _ in dvc_processes(project)] == [pid]
        assert not repair_rwlock(project)
        assert rwlock(project).exists()
    assert repair_rwlock(project)


def test_unreadable_rwlock_is_kept_when_it_names_a_living_process(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with living_dvc(project, elsewhere) as pid:
        rwlock(project).write_text(f'{{"write": {{"/x": {{"pid": {pid}, "cmd')
        assert not repair_rwlock(project)
        assert rwlock(project).exists()
    assert repair_rwlock(project)


def test_unreadable_rwlock_is_kept_while_a_dvc_edits_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sceneset.storage.dvc_locks._EDIT_TIMEOUT", 0.2)
    rwlock(project).write_bytes(b"")
    with (project / ".dvc/tmp/rwlock.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        assert not repair_rwlock(project)
    assert repair_rwlock(project)


def test_rwlock_is_removed_when_another_program_has_the_number_of_a_killed_dvc(
    project: Path,
) -> None:
    entry = {"pid": os.getpid(), "cmd": "dvc repro"}
    rwlock(project).write_text(json.dumps({"write": {"/x": entry}}))
    assert not rwlock_problem(project)
    os.utime(rwlock(project), (1_000_000_000, 1_000_000_000))  # before this process started
    assert "another program" in rwlock_problem(project)
    assert repair_rwlock(project)


def test_dvc_command_works_again_when_a_killed_one_left_an_empty_rwlock(registry: Path) -> None:
    rwlock(registry).parent.mkdir(exist_ok=True)
    rwlock(registry).write_bytes(b"")
    (registry / "x.txt").write_text("x")
    dvc(registry, "add", "x.txt")
    assert (registry / "x.txt.dvc").is_file()


def test_exclude_dvc_holds_the_lock_that_dvc_takes(project: Path) -> None:
    lock = project / ".dvc/tmp/lock"
    with exclude_dvc(project), lock.open("r+") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock.open("r+") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(FindingsError) as caught, exclude_dvc(project, timeout=0.2):
            pass
    assert [found.code for found in caught.value.findings] == ["locked"]
    assert "doctor" in caught.value.findings[0].hint


@pytest.mark.parametrize(
    ("folder", "is_refused"),
    [("registry/cards", True), (f"Insta360SemanticSeg/{NAME}/img_dir", True), ("models", False)],
)
def test_change_is_refused_while_dvc_writes_files_of_the_registry(
    project: Path, folder: str, *, is_refused: bool
) -> None:
    with living_dvc(project, project) as pid:
        write_rwlock(project, folder, pid)
        if is_refused:
            with pytest.raises(FindingsError) as caught, begun(project):
                pass
            [found] = caught.value.findings
            assert found.code == "locked"
            assert found.message == f"`dvc repro` (process {pid}) is running here"
        else:
            with begun(project):
                pass
    with begun(project):  # the process has ended, and DVC has not removed its entry
        pass


def test_error_names_the_dvc_command_that_began_to_write_meanwhile(project: Path) -> None:
    missing = FindingsError([finding("file-missing", "there is no such file", file="x")])
    with living_dvc(project, project) as pid:

        def fail(*, meanwhile: bool) -> None:
            with begun(project):
                if meanwhile:
                    write_rwlock(project, "registry/cards", pid)
                raise missing

        with pytest.raises(FindingsError) as caught:
            fail(meanwhile=False)
        assert caught.value is missing
        with pytest.raises(FindingsError) as caught:
            fail(meanwhile=True)
        assert [found.code for found in caught.value.findings] == ["locked"]


def test_dvc_command_that_started_this_process_is_not_waited_for(project: Path) -> None:
    write_rwlock(project, "registry/cards", os.getppid())
    with begun(project):
        pass


def write_rwlock(root: Path, folder: str, pid: int) -> None:
    """Let a DVC command list a folder as written."""
    entry = {"pid": pid, "cmd": "dvc repro"}
    rwlock(root).write_text(json.dumps({"write": {str(root / folder): entry}, "read": {}}))


@contextmanager
def begun(root: Path) -> Iterator[None]:
    with Transaction.begin(Paths(root), Command.of("fix", "web")):
        yield


@pytest.fixture
def linked(registry: Path) -> Path:
    """A registry whose locks are hard links."""
    assert not has_hard_link_locks(registry)
    run_dvc(registry, "config", "core.hardlink_lock", "true")
    assert has_hard_link_locks(registry)
    return registry


def lock_files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".dvc/tmp").iterdir() if "lock" in path.name)


def test_exclude_dvc_holds_a_lock_of_hard_links_and_leaves_nothing(linked: Path) -> None:
    with exclude_dvc(linked, hard_links=True):
        refused = run_dvc(linked, "gc", "--workspace", "--force", check=False)
        assert refused.code != 0
        assert "Unable to acquire lock" in refused.err
    assert "lock" not in lock_files(linked)
    run_dvc(linked, "gc", "--workspace", "--force")
    lock = make_lock(str(linked / ".dvc/tmp/lock"), str(linked / ".dvc/tmp"), hardlink_lock=True)
    with lock, pytest.raises(FindingsError), exclude_dvc(linked, timeout=0.2, hard_links=True):
        pass
    with exclude_dvc(linked, timeout=0, hard_links=True):
        assert "lock" in lock_files(linked)


def test_exclude_dvc_takes_over_the_hard_link_of_a_killed_command(linked: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sceneset.storage.dvc_locks import exclude_dvc\n"
        "with exclude_dvc(Path(sys.argv[1]), hard_links=True):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(linked)], check=False)
    assert killed.returncode == -9
    assert "lock" in lock_files(linked)
    with exclude_dvc(linked, timeout=0, hard_links=True):
        pass
    run_dvc(linked, "gc", "--workspace", "--force")


@pytest.mark.faults
def test_fix_and_rwlock_repair_do_not_block_dvc_when_its_locks_are_hard_links(
    linked: Path, delivery: Path, sceneset: Run
) -> None:
    """A file that is no hard link would block DVC for ever."""
    outcome = sceneset("add", delivery, "--name", NAME, cwd=linked)
    assert outcome.code == 0, outcome.err
    rwlock(linked).write_bytes(b"")
    (linked / "x.txt").write_text("x")
    dvc(linked, "add", "x.txt")
    assert {"lock", "rwlock.lock"}.isdisjoint(lock_files(linked))
    run_dvc(linked, "repro")
