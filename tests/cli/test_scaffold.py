"""`sceneset init` lays out a registry that works, or nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.cli import scaffold
from sceneset.cli.scaffold import template
from sceneset.errors import DvcError
from support.build import NAME, Run, dvc, git, snapshot


def test_an_empty_registry_runs(registry: Path, sceneset: Run) -> None:
    dvc(registry, "repro")
    assert sceneset("check", cwd=registry).code == 0
    assert sceneset("lookup", "--json", cwd=registry).json == []
    assert len(sceneset("scenes", "--json", cwd=registry).json) == 15
    for path, text in template().items():
        assert (registry / path).read_text("utf-8") == text
    assert dvc(registry, "repro").out.count("Running stage") == 0


def test_it_works_in_a_git_repository_that_is_there(tmp_path: Path, sceneset: Run) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".git" / "description").write_text("mine")
    assert sceneset("init", folder, cwd=tmp_path).code == 0
    assert (folder / ".git" / "description").read_text() == "mine"
    assert (folder / ".dvc" / "config").is_file()


def test_a_folder_in_use_is_left_alone(tmp_path: Path, sceneset: Run) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    outcome = sceneset("init", "mine", cwd=tmp_path)
    assert outcome.code == 2
    assert "not an empty folder" in outcome.err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("there", ["missing", "empty", "git"])
def test_an_init_that_fails_leaves_nothing(
    there: str, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there != "missing":
        (tmp_path / "mine").mkdir()
    if there == "git":
        git(tmp_path / "mine", "init", "--quiet")
    before = sorted(tmp_path.rglob("*"))

    def refuses(*words: object) -> None:
        raise DvcError("dvc has refused")

    with monkeypatch.context() as patch:
        patch.setattr(scaffold, "dvc", refuses)
        outcome = sceneset("init", "mine", cwd=tmp_path)
    assert (outcome.code, "dvc has refused" in outcome.err) == (1, True)
    assert sorted(tmp_path.rglob("*")) == before
    if there == "git":
        assert sceneset("init", "mine", cwd=tmp_path).code == 0


def test_an_init_that_is_killed_leaves_what_nobody_takes_for_a_registry(
    tmp_path: Path, sceneset: Run
) -> None:
    """Killed before each of its files, after git and dvc have done their part."""
    script = """
import os, signal, sys
from pathlib import Path
from sceneset.cli import scaffold
write, left = scaffold.write_text, int(sys.argv[1])
def deadly(*words):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    write(*words)
scaffold.write_text, scaffold.dvc = deadly, lambda *_: None
scaffold.lay_out(Path(sys.argv[2]))
"""
    writes = len(template()) + 3
    for number in (1, writes // 2, writes):
        name = f"died{number}"
        words = [sys.executable, "-c", script, str(number), name]
        done = subprocess.run(words, cwd=tmp_path, check=False)
        assert done.returncode == -signal.SIGKILL
        half = snapshot(tmp_path / name)
        again = sceneset("init", name, cwd=tmp_path)
        assert again.code == (2 if half else 0)
        if half:
            assert "cut off" in again.err
            assert snapshot(tmp_path / name) == half
            told = sceneset("lookup", cwd=tmp_path / name)
            assert (told.code, "no registry" in told.err) == (2, True)


def test_a_git_that_refuses_is_shown(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(tmp_path / "template"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "file/below"))
    (tmp_path / "file").touch()
    outcome = sceneset("init", "mine", cwd=tmp_path)
    assert (outcome.code, "git init failed" in outcome.err) == (1, True)
    assert not (tmp_path / "mine").exists()


def test_what_operating_systems_drop_is_no_data(added: Path, sceneset: Run) -> None:
    """A Finder that shows a folder must not make its subset another version."""
    for path in ("img_dir/.DS_Store", "img_dir/train/Thumbs.db", "ann_dir/train/desktop.ini"):
        (added / "Insta360SemanticSeg" / NAME / path).write_bytes(b"junk")
    assert "Running stage" not in dvc(added, "repro").out
    dvc(added, "repro", "--single-item", "--force", f"scan@{NAME}")
    assert git(added, "status", "--porcelain", "--untracked-files=all") == ""
