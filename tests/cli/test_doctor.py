"""`sceneset doctor` finds what is left in a registry, and repairs it only with --fix."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sceneset.api import Registry
from sceneset.edits.doctor import Trouble
from sceneset.errors import DvcError
from sceneset.storage.dvc import is_current
from sceneset.storage.locking import write_lock
from support.build import NAME, ROOT, Run, dvc, git, restore_older_gitignore, snapshot

SUBSET = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)


def diagnose(sceneset: Run, root: Path, *words: str) -> dict[str, dict[str, object]]:
    """Return what `doctor --json` prints, by check; compare the exit code with it."""
    outcome = sceneset("doctor", "--json", *words, cwd=root)
    found = {item["check"]: item for item in outcome.json}
    assert outcome.code == (1 if any(not item["fixed"] for item in found.values()) else 0)
    return found


def test_doctor_finds_nothing_in_a_good_registry(ready: Path, sceneset: Run) -> None:
    outcome = sceneset("doctor", cwd=ready)
    assert (outcome.code, outcome.out) == (0, "")
    assert "nothing is wrong" in outcome.err


def test_doctor_changes_nothing_without_fix(ready: Path, sceneset: Run) -> None:
    (ready / ".dvc/tmp/rwlock").write_bytes(b"")
    (ready / "registry/scans/.x.parquet.0123.part").touch()
    (ready / ".sceneset").mkdir(exist_ok=True)
    (ready / ".sceneset/index.sqlite").write_bytes(b"not a database at all")
    before = snapshot(ready)
    found = diagnose(sceneset, ready)
    assert found.keys() == {"rwlock", "index", "leftovers"}
    assert all(item["can_fix"] and not item["fixed"] for item in found.values())
    assert snapshot(ready) == before
    assert (ready / ".dvc/tmp/rwlock").read_bytes() == b""
    found = diagnose(sceneset, ready, "--fix")
    assert all(item["fixed"] for item in found.values())
    assert diagnose(sceneset, ready) == {}


def test_doctor_finishes_an_interrupted_change(ready: Path, sceneset: Run) -> None:
    program = ROOT / "tests/programs/kill_command.py"
    point = "after sceneset.storage.transaction write_record 1"
    words = ["forget", "web/train/a", "--reason", "case 1"]
    done = subprocess.run([sys.executable, str(program), point, *words], cwd=ready, check=False)
    assert done.returncode == -9
    found = diagnose(sceneset, ready, "--fix")
    assert found["transaction"]["fixed"]
    assert "finish" in str(found["transaction"]["repair"])
    stems = {sample["stem"] for sample in sceneset("lookup", "--samples", "--json", cwd=ready).json}
    assert stems == {"b", "c", "d"}


@pytest.mark.parametrize("is_committed", [True, False])
def test_doctor_repairs_a_half_merged_dvc_lock(
    is_committed: bool, ready: Path, sceneset: Run
) -> None:
    lock = ready / "dvc.lock"
    good = lock.read_text()
    lock.write_text(f"<<<<<<< HEAD\n{good}=======\n{good}>>>>>>> other\n")
    if is_committed:
        git(ready, "commit", "--quiet", "--all", "--message", "A bad merge")
    found = diagnose(sceneset, ready)
    assert (found["merge"]["file"], found["merge"]["can_fix"]) == ("dvc.lock", True)
    assert diagnose(sceneset, ready, "--fix")["merge"]["fixed"]
    assert "<<<<<<<" not in lock.read_text()
    assert "<<<<<<<" in (ready / ".sceneset/kept/dvc.lock").read_text()
    dvc(ready, "repro")
    assert diagnose(sceneset, ready) == {}


@pytest.mark.parametrize("place", [".sceneset", ".sceneset/kept", ".sceneset/kept/dvc.lock"])
def test_doctor_does_not_write_through_a_link_of_a_clone(
    place: str, ready: Path, sceneset: Run
) -> None:
    target = ready.parent / "target"
    target.mkdir()
    if place.endswith("lock"):
        target = target / "mine"
        target.write_text("mine")
    shutil.rmtree(ready / ".sceneset", ignore_errors=True)
    (ready / place).parent.mkdir(parents=True, exist_ok=True)
    (ready / place).symlink_to(target)
    (ready / "dvc.lock").write_text("<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    found = diagnose(sceneset, ready, "--fix", "--no-remote")
    assert not found["merge"]["fixed"]
    assert "is a symbolic link" in str(found["merge"]["error"])
    assert (ready / "dvc.lock").read_text().startswith("<<<<<<<")
    assert target.read_text() == "mine" if target.is_file() else not list(target.iterdir())


def test_doctor_does_not_obey_a_work_folder_that_git_tracks(ready: Path, sceneset: Run) -> None:
    (ready / ".sceneset/kept").mkdir(parents=True, exist_ok=True)
    (ready / ".sceneset/kept/dvc.lock").write_text("theirs")
    git(ready, "add", "--force", ".sceneset/kept/dvc.lock")
    (ready / "dvc.lock").write_text("<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    found = diagnose(sceneset, ready, "--fix", "--no-remote")
    assert "git tracks it" in str(found["merge"]["error"])
    assert (ready / ".sceneset/kept/dvc.lock").read_text() == "theirs"


def test_doctor_keeps_every_broken_dvc_lock(ready: Path, sceneset: Run) -> None:
    for number in range(2):
        (ready / "dvc.lock").write_text(f"<<<<<<< HEAD {number}\n=======\n>>>>>>> other\n")
        found = diagnose(sceneset, ready, "--fix", "--no-remote")["merge"]
        assert found["fixed"], found
    kept = sorted(path.read_text()[:14] for path in (ready / ".sceneset/kept").iterdir())
    assert kept == ["<<<<<<< HEAD 0", "<<<<<<< HEAD 1"]


def test_doctor_repairs_a_dvc_lock_that_dvc_can_not_use(ready: Path, sceneset: Run) -> None:
    (ready / "dvc.lock").write_text("schema: '2.0'\nstages: [scan]\n")
    assert diagnose(sceneset, ready, "--fix")["merge"]["fixed"]
    dvc(ready, "repro")
    assert diagnose(sceneset, ready) == {}


def test_doctor_leaves_young_files_in_the_cache_to_those_who_write_them(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull writes there without a lock."""
    part = ready / ".dvc/cache/files/md5/ab/.0123.0123456789ab.part"
    part.parent.mkdir(exist_ok=True)
    part.touch()
    assert diagnose(sceneset, ready, "--fix") == {}
    assert part.exists()
    now = time.time()
    monkeypatch.setattr("sceneset.storage.leftovers.time.time", lambda: now + 2 * 86400 + 60)
    found = diagnose(sceneset, ready)["leftovers"]
    assert "(2 days old)" in str(found["message"])
    assert diagnose(sceneset, ready, "--fix")["leftovers"]["fixed"]
    assert not part.exists()


def test_doctor_reports_a_configuration_that_can_not_be_read(ready: Path, sceneset: Run) -> None:
    (ready / ".dvc/config").write_text("[core\n")
    found = diagnose(sceneset, ready)
    assert {"dvc", "remote"} <= found.keys()


def test_doctor_leaves_conflicts_in_files_of_people_to_them(ready: Path, sceneset: Run) -> None:
    tags = ready / f"registry/tags/{NAME}.csv"
    text = tags.read_text()
    tags.write_text(f"{text}<<<<<<< HEAD\n=======\n>>>>>>> other\n")
    before = snapshot(ready)
    found = diagnose(sceneset, ready, "--fix")
    assert (found["merge"]["can_fix"], found["merge"]["fixed"]) == (False, False)
    assert snapshot(ready) == before


def test_doctor_writes_generated_files_again_when_they_were_edited(
    ready: Path, sceneset: Run
) -> None:
    before = snapshot(ready)
    (ready / "registry/stats/dataset.yaml").write_text("samples: 1\n")
    found = diagnose(sceneset, ready)
    assert "stats" in str(found["generated"]["message"])
    assert diagnose(sceneset, ready, "--fix")["generated"]["fixed"]
    assert snapshot(ready) == before


def test_doctor_names_files_that_git_ignores(ready: Path, sceneset: Run) -> None:
    restore_older_gitignore(ready)
    git(ready, "rm", "--quiet", "--cached", f"registry/tags/{NAME}.csv")
    (ready / ".git/info/exclude").write_text("*.csv\n")
    found = diagnose(sceneset, ready)
    assert found["ignored"]["file"] == f"registry/tags/{NAME}.csv"
    assert ".git/info/exclude:1 (*.csv)" in str(found["ignored"]["message"])


def test_doctor_reports_a_remote_that_is_missing_or_does_not_answer(
    registry: Path, ready: Path, sceneset: Run
) -> None:
    assert "no DVC remote" in str(diagnose(sceneset, registry)["remote"]["message"])
    (ready / "../store").resolve().rename(ready.parent / "moved")
    assert "remote" in diagnose(sceneset, ready)
    assert diagnose(sceneset, ready, "--no-remote") == {}


def test_doctor_says_what_is_running(ready: Path, sceneset: Run) -> None:
    program = ready.parent / "sceneset"
    program.write_text(
        "import sys; from pathlib import Path\n"
        "from sceneset.storage.locking import write_lock\n"
        "with write_lock(Path('.sceneset')):\n"
        "    print('locked', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, str(program), "scan", "web"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ready, **streams) as process:
        assert process.stdout.readline() == b"locked\n"
        found = diagnose(sceneset, ready)
        process.kill()
    assert f"`sceneset scan web` (process {process.pid})" in str(found["running"]["message"])


def test_errors_that_doctor_can_help_with_name_it(ready: Path, sceneset: Run) -> None:
    with write_lock(Registry(ready).paths.work):
        outcome = sceneset("forget", "web/train/a", "--reason", "x", cwd=ready)
    assert "sceneset doctor" in outcome.err
    (ready / "dvc.lock").write_text("<<<<<<< HEAD\n")
    with pytest.raises(DvcError, match="sceneset doctor"):
        is_current(ready, ["check"])


@pytest.mark.real_processes
def test_doctor_repairs_a_project_after_dvc_was_killed_while_it_edited_its_locks(
    added: Path, sceneset: Run
) -> None:
    """Kill a real `dvc repro` right after it has truncated the file."""
    program = added.parent / "killed.py"
    program.write_text(
        "import os, signal, sys\n"
        "import dvc.rwlock\n"
        "from dvc.cli import main\n"
        "dvc.rwlock.json.dump = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "main(['repro', '--force'])\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path}
    done = subprocess.run([sys.executable, str(program)], cwd=added, env=env, check=False)
    assert done.returncode == -9
    assert (added / ".dvc/tmp/rwlock").read_bytes() == b""
    assert dvc(added, "repro", check=False).code != 0
    assert diagnose(sceneset, added, "--fix", "--no-remote")["rwlock"]["fixed"]
    dvc(added, "repro")


def test_doctor_speaks_chinese_and_escapes_control_characters(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trouble(*_: object, **__: object) -> list[Trouble]:
        return [Trouble("merge", "a\x1b[2Jb", "holds conflict markers of git: a merge is not "
                        "finished", "delete it")]  # fmt: skip

    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    monkeypatch.setattr("sceneset.edits.doctor.examine", trouble)
    out = sceneset("doctor", cwd=ready).out
    assert out == "merge: a\\x1b[2Jb: 含有 git 的冲突标记：有一次合并没有完成\n    -> 删除它\n"
