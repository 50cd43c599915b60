"""`sceneset init` creates a working registry, or nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.cli import scaffold
from sceneset.cli.new_folder import new_folder
from sceneset.cli.scaffold import template
from sceneset.errors import DvcError
from support.build import NAME, ROOT, Run, dvc, git, snapshot
from support.policy import with_default_rules


def test_new_registry_passes_all_stages_and_checks(registry: Path, sceneset: Run) -> None:
    dvc(registry, "repro")
    assert sceneset("check", cwd=registry).code == 0
    assert sceneset("lookup", "--json", cwd=registry).json == []
    assert len(sceneset("scenes", "--json", cwd=registry).json) == 15
    for path, text in template().items():
        expected = with_default_rules(text) if path == "params.yaml" else text
        assert (registry / path).read_text("utf-8") == expected
    assert dvc(registry, "repro").out.count("Running stage") == 0


def test_init_keeps_an_existing_git_repository(tmp_path: Path, sceneset: Run) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".git" / "description").write_text("mine")
    assert sceneset("init", folder, cwd=tmp_path).code == 0
    assert (folder / ".git" / "description").read_text() == "mine"
    assert (folder / ".dvc" / "config").is_file()


def test_init_refuses_and_changes_nothing_when_the_folder_has_files(
    tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    outcome = sceneset("init", "mine", cwd=tmp_path)
    assert outcome.code == 2
    assert "not an empty folder" in outcome.err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("before_init", ["missing", "empty", "git"])
def test_init_removes_everything_it_created_when_dvc_fails(
    before_init: str, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before_init != "missing":
        (tmp_path / "mine").mkdir()
    if before_init == "git":
        git(tmp_path / "mine", "init", "--quiet")
    before = sorted(tmp_path.rglob("*"))

    def failing_dvc(*words: object) -> None:
        raise DvcError("dvc failed")

    with monkeypatch.context() as patch:
        patch.setattr(scaffold, "dvc", failing_dvc)
        outcome = sceneset("init", "mine", cwd=tmp_path)
    assert (outcome.code, "dvc failed" in outcome.err) == (1, True)
    assert sorted(tmp_path.rglob("*")) == before
    if before_init == "git":
        assert sceneset("init", "mine", cwd=tmp_path).code == 0


KILL_POINTS = {
    "before sceneset.cli.scaffold write_text 1": "missing",
    "before sceneset.cli.scaffold write_text 9": "git",
    "after sceneset.cli.scaffold _fill 1": "empty",
    "before pathlib Path.rename 1": "missing",
    "after pathlib Path.rename 1": "git",
    "after pathlib Path.rename 4": "empty",
    "before sceneset.cli.new_folder _delete 1": "git",
    "after sceneset.cli.new_folder _delete 1": "empty",
}
"""Where `init` is killed, and what the folder is before in the short run of the tests."""


@pytest.mark.parametrize(
    ("point", "before"),
    [
        pytest.param(
            point, before, marks=pytest.mark.sweep if before != short else pytest.mark.faults
        )
        for point, short in KILL_POINTS.items()
        for before in ("missing", "empty", "git")
    ],
)
def test_init_is_completed_by_the_next_run_when_it_is_killed(
    point: str, before: str, tmp_path: Path, sceneset: Run
) -> None:
    if before != "missing":
        (tmp_path / "killed/mine").mkdir(parents=True)
    if before == "git":
        git(tmp_path / "killed/mine", "init", "--quiet")
    (tmp_path / "killed").mkdir(exist_ok=True)
    (tmp_path / "whole").mkdir()
    program = ROOT / "tests/programs/kill_command.py"
    command = [sys.executable, str(program), point, "init", "mine"]
    done = subprocess.run(command, cwd=tmp_path / "killed", check=False, capture_output=True)
    if before == "missing" and point.endswith("4"):
        assert done.returncode == 0  # a new folder appears with one rename
        return
    assert done.returncode == -signal.SIGKILL, done.stderr
    again = sceneset("init", "mine", cwd=tmp_path / "killed")
    assert again.code == 0, again.err
    assert sceneset("init", "mine", cwd=tmp_path / "whole").code == 0
    assert snapshot(tmp_path / "killed/mine") == snapshot(tmp_path / "whole/mine")
    left = list((tmp_path / "killed").rglob("*.part"))
    assert left == []
    assert (tmp_path / "killed/mine/Insta360SemanticSeg").is_dir()
    assert sceneset("check", cwd=tmp_path / "killed/mine").code == 0


@pytest.mark.faults
def test_init_keeps_files_that_people_put_into_the_folder_of_a_killed_run(
    tmp_path: Path, sceneset: Run
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    program = ROOT / "tests/programs/kill_command.py"
    point = "after pathlib Path.rename 2"
    command = [sys.executable, str(program), point, "init", "mine"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    (folder / "notes.txt").write_text("mine")
    refused = sceneset("init", "mine", cwd=tmp_path)
    assert (refused.code, "notes.txt" in refused.err) == (2, True)
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    assert sceneset("init", "mine", cwd=tmp_path).code == 0


def test_init_refuses_while_another_init_fills_the_same_folder(
    tmp_path: Path, sceneset: Run
) -> None:
    with new_folder(tmp_path / "mine", last="params.yaml") as content:
        assert content is not None
        refused = sceneset("init", "mine", cwd=tmp_path)
        assert (refused.code, "another command is creating" in refused.err) == (2, True)
        (content / "params.yaml").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_init_shows_the_message_of_git_when_git_fails(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "file/below"))
    (tmp_path / "file").touch()
    outcome = sceneset("init", "mine", cwd=tmp_path)
    assert (outcome.code, "git init failed" in outcome.err) == (1, True)
    assert not (tmp_path / "mine").exists()


def test_files_of_operating_systems_do_not_change_a_subset(added: Path, sceneset: Run) -> None:
    """A file manager that opens a folder must not cause a new version of its subset."""
    for path in ("img_dir/.DS_Store", "img_dir/train/Thumbs.db", "ann_dir/train/desktop.ini"):
        (added / "Insta360SemanticSeg" / NAME / path).write_bytes(b"junk")
    assert "Running stage" not in dvc(added, "repro").out
    dvc(added, "repro", "--single-item", "--force", f"scan@{NAME}")
    assert git(added, "status", "--porcelain", "--untracked-files=all") == ""


def test_git_ignores_caches_and_output_folders_in_a_new_registry(registry: Path) -> None:
    for path in (".sceneset/index", "build/small/x.jpg", "data/ski/x.jpg", ".DS_Store", ".venv/x"):
        assert git(registry, "check-ignore", path).strip() == path
