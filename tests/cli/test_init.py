"""`sceneset init` ends with a commit, and its workflow installs sceneset from a known place."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sceneset.cli import surroundings
from sceneset.cli.surroundings import installed_from
from sceneset.storage.git_ignore import ignored_files
from support.build import ROOT, Run, git

SPEC = "git+https://example.com/sceneset@v1.2.0"
WORKFLOW = ".github/workflows/registry.yml"


def install_step(root: Path) -> dict[str, Any]:
    """Return the step of the workflow that installs sceneset."""
    workflow = yaml.safe_load((root / WORKFLOW).read_text("utf-8"))
    [step] = [s for s in workflow["jobs"]["review"]["steps"] if "pip install" in s.get("run", "")]
    return dict(step)


def test_init_commits_the_registry(tmp_path: Path, sceneset: Run) -> None:
    assert sceneset("init", "people", cwd=tmp_path).code == 0
    root = tmp_path / "people"
    assert git(root, "log", "--format=%s").splitlines() == ["Create the registry"]
    assert git(root, "status", "--porcelain") == ""
    listed = git(root, "ls-files").splitlines()
    assert {"params.yaml", "dvc.yaml", ".dvc/config", "registry/tags/.gitkeep"} <= set(listed)


def test_init_commits_files_that_the_user_ignores_elsewhere(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.yaml\n.git*\n")
    (tmp_path / "gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path}/ignore\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert sceneset("init", "people", cwd=tmp_path).code == 0
    assert {"params.yaml", ".gitattributes"} <= set(
        git(tmp_path / "people", "ls-files").splitlines()
    )


def test_git_keeps_files_of_a_new_registry_that_the_user_ignores_elsewhere(
    registry: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignore").write_text("*.csv\n*.lock\n*.txt\n*.dvc\nreports/\n.DS_Store\n")
    (tmp_path / "gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path}/ignore\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    subset = "Insta360SemanticSeg/x"
    kept = [
        *("dvc.lock", "registry/lineage/x.csv", "registry/reports/check.json"),
        *("registry/tags/x.csv", f"{subset}/img_dir.dvc", f"{subset}/split_dir/ski.txt"),
    ]
    left_out = ["registry/tags/.DS_Store", "registry/tags/x.csv.part", "notes.txt", "data/x.csv"]
    assert set(ignored_files(registry, [*kept, *left_out])) == set(left_out)


def test_init_says_how_to_commit_when_git_knows_no_name(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    monkeypatch.delenv("EMAIL", raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    outcome = sceneset("init", "people", cwd=tmp_path)
    assert outcome.code == 0
    assert "not committed" in outcome.err
    assert "git config --global user.name" in outcome.err
    assert "git add . && git commit" in outcome.err


def test_init_commits_nothing_when_the_repository_has_commits(
    tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "people").mkdir()
    git(tmp_path / "people", "init", "--quiet")
    git(tmp_path / "people", "commit", "--quiet", "--allow-empty", "--message", "Mine")
    outcome = sceneset("init", "people", cwd=tmp_path)
    assert (outcome.code, "has commits already" in outcome.err) == (0, True)
    assert git(tmp_path / "people", "log", "--format=%s").splitlines() == ["Mine"]


def test_init_writes_where_the_workflow_installs_from(tmp_path: Path, sceneset: Run) -> None:
    outcome = sceneset("init", "people", "--install", SPEC, cwd=tmp_path)
    assert (outcome.code, "SCENESET" in outcome.err) == (0, False)
    assert install_step(tmp_path / "people")["env"] == {"SCENESET": SPEC}


def run_step(step: dict[str, Any], folder: Path, spec: str) -> "subprocess.CompletedProcess[str]":
    """Run the install step with a pip that prints its arguments."""
    (folder / "pip").write_text("#!/bin/sh\nprintf '[%s]' \"$@\"\n")
    (folder / "pip").chmod(0o755)
    env = {"PATH": f"{folder}:/usr/bin:/bin", "SCENESET": spec}
    words = ["bash", "-e", "-c", step["run"]]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


def test_workflow_installs_only_from_a_place_and_otherwise_fails_loudly(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "installed_from", lambda: "")
    outcome = sceneset("init", "people", cwd=tmp_path)
    assert f"Set SCENESET in {WORKFLOW}" in outcome.err
    step = install_step(tmp_path / "people")
    assert step["env"] == {"SCENESET": ""}
    assert run_step(step, tmp_path, SPEC).stdout == f"[install][{SPEC}]"
    for spec in ("", "sceneset", "sceneset==0.2", "-r evil"):
        done = run_step(step, tmp_path, spec)
        assert (done.returncode, "::error::" in done.stdout) == (1, True)


@pytest.mark.parametrize(
    "spec", ["sceneset", "sceneset==0.2", "", "git+https://h/${{ x }}", "a\nb"]
)
def test_init_refuses_to_install_a_bare_name(spec: str, tmp_path: Path, sceneset: Run) -> None:
    outcome = sceneset("init", "people", "--install", spec, cwd=tmp_path)
    assert (outcome.code, "--install" in outcome.err) == (2, True)
    assert not (tmp_path / "people").exists()


@pytest.mark.parametrize(
    ("url", "vcs", "expected"),
    [
        ("https://example.com/sceneset", True, "git+https://example.com/sceneset@abc"),
        ("file:///srv/sceneset", True, ""),
        ("https://token@example.com/sceneset", True, ""),
        ("file:///srv/sceneset", False, ""),
    ],
)
def test_workflow_installs_from_the_git_url_that_the_program_was_installed_from(
    url: str, vcs: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = {"url": url} | ({"vcs_info": {"vcs": "git", "commit_id": "abc"}} if vcs else {})

    class Installed:
        @staticmethod
        def read_text(name: str) -> str:
            assert name == "direct_url.json"
            return json.dumps(record)

    monkeypatch.setattr(surroundings, "distribution", lambda _: Installed)
    assert installed_from() == expected


def test_no_text_installs_sceneset_by_a_bare_name() -> None:
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *(ROOT / "src").rglob("*.yml")]
    texts += [*(ROOT / "src").rglob("*.md"), *(ROOT / ".github").rglob("*.yml")]
    assert [path for path in texts if "pip install sceneset" in path.read_text("utf-8")] == []


def test_no_text_advises_a_command_that_deletes_what_other_branches_use() -> None:
    """`dvc gc --workspace` deletes blobs of other branches and versions, pushed or not."""
    texts = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("demo/**/*.sh")]
    texts += [path for path in (ROOT / "src").rglob("*") if path.suffix in {".py", ".md", ".yml"}]
    advice = [
        (path.name, line.strip())
        for path in texts
        for line in path.read_text("utf-8").splitlines()
        if "dvc gc" in line and "--all-branches --all-tags" not in line and "never" not in line
    ]
    assert advice == []
