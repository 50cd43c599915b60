"""`sceneset init` lays out a registry that works, or nothing."""

from collections.abc import Callable
from pathlib import Path

from conftest import Outcome, dvc, git, snapshot

from sceneset.registry.scaffold import template

Run = Callable[..., Outcome]


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
