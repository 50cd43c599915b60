"""Git commands of sceneset run no program that a repository configures."""

import os
import subprocess
from pathlib import Path

import pytest

from sceneset.errors import GitError
from sceneset.storage.git import git as run
from sceneset.storage.git import output_lines, run_git, without_filters
from sceneset.storage.git_ignore import ignored_files
from support.build import Run, git


def planted(path: Path, trace: Path, *, code: int = 0) -> str:
    """Write a program that leaves a trace, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho ran >> {trace}\ncat\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


HOOKS = (
    *("post-checkout", "pre-commit", "post-commit", "reference-transaction", "post-index-change"),
    *("commit-msg", "post-rewrite", "pre-auto-gc", "post-merge"),
)


@pytest.fixture
def trace(ready: Path, tmp_path: Path) -> Path:
    """Plant failing hooks and other programs in a registry; return the file that they write."""
    trace, tools = tmp_path / "trace", tmp_path / "tools"
    for name in HOOKS:
        planted(ready / ".git/hooks" / name, trace, code=1)
    for option in ("core.fsmonitor", "core.pager", "diff.external", "filter.evil.smudge"):
        git(ready, "config", option, planted(tools / option, trace))
    git(ready, "config", "filter.evil.clean", planted(tools / "clean", trace))
    git(ready, "config", "filter.evil.required", "true")
    (ready / ".git/info").mkdir(exist_ok=True)
    (ready / ".git/info/attributes").write_text("params.yaml filter=evil\n")
    trace.unlink(missing_ok=True)
    return trace


def test_reading_a_revision_runs_nothing_that_the_repository_configures(
    ready: Path, trace: Path, sceneset: Run
) -> None:
    outcome = sceneset("lookup", "ski", "--rev", "HEAD", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert not trace.exists()


def test_release_runs_no_hook_and_succeeds_although_all_hooks_fail(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    trace = tmp_path / "trace"
    for name in HOOKS:
        planted(ready / ".git/hooks" / name, trace, code=1)
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert not trace.exists()
    assert (ready / "registry/versions/1.0.0.yaml").is_file()


def test_planted_hooks_would_run_without_the_options(ready: Path, trace: Path) -> None:
    """Without this, the tests above could pass because the plants are broken."""
    run_git(ready, "checkout", "--quiet", "HEAD", "--", "dvc.yaml")
    assert not trace.exists()
    assert "ran" not in run(ready, "status", "--porcelain")
    subprocess.run(["git", "checkout", "HEAD"], cwd=ready, capture_output=True, check=False)
    assert trace.exists()


def test_without_filters_switches_off_every_driver(ready: Path, trace: Path) -> None:
    (ready / "params.yaml").unlink()
    words = ("checkout", "HEAD", "--", "params.yaml")
    run(ready, *words, env=without_filters(ready))
    assert not trace.exists()
    assert "subsets:" in (ready / "params.yaml").read_text()


def test_ext_urls_are_refused(ready: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    run_git(ready, "ls-remote", f"ext::sh -c 'echo ran > {trace}'")
    assert not trace.exists()


def test_ignored_files_name_the_file_and_the_line_that_decides(registry: Path) -> None:
    (registry / ".git/info/exclude").write_text("# mine\n*.csv\n!kept.csv\n")
    found = ignored_files(registry, ["a.csv", "kept.csv", "b.txt", "滑 雪/#1, 2.csv"])
    assert set(found) == {"a.csv", "滑 雪/#1, 2.csv"}
    assert str(found["a.csv"]) == ".git/info/exclude:2 (*.csv)"


def test_ignored_files_are_empty_outside_of_a_repository(tmp_path: Path) -> None:
    assert ignored_files(tmp_path, ["a.csv"]) == {}


def test_a_bare_repository_fetches_nothing_by_its_own_configuration(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(ready, "config", "uploadpack.allowFilter", "true")
    git(ready, "config", "uploadpack.allowAnySHA1InWant", "true")
    bare, trace = tmp_path / "people.git", tmp_path / "trace"
    words = ("clone", "--quiet", "--bare", "--filter=blob:none", f"file://{ready}", str(bare))
    git(tmp_path, *words)
    program = tmp_path / "upload-pack"
    program.write_text(f"#!/bin/sh\necho ran >> {trace}\nexit 1\n")
    program.chmod(0o755)
    git(bare, "config", "remote.origin.uploadpack", str(program))
    git(bare, "config", "protocol.allow", "always")
    outcome = sceneset("lookup", "--repo", bare, cwd=tmp_path)
    assert outcome.code == 1
    assert "not allowed" in outcome.err
    assert not trace.exists()
    subprocess.run(["git", "cat-file", "-p", "HEAD:params.yaml"], cwd=bare, check=False)
    assert trace.exists(), "git alone would have run it"


def test_output_lines_end_only_at_line_feeds() -> None:
    assert output_lines("a\u2028b\n\u3000c d\n\n") == ["a\u2028b", "\u3000c d"]


def test_a_missing_identity_is_reported_with_the_commands_that_set_it(registry: Path) -> None:
    tree = run(registry, "mktree")
    environment = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    unknown = {"GIT_AUTHOR_NAME": "", "GIT_COMMITTER_NAME": ""}
    with pytest.raises(GitError, match=r"git config --global user\.name"):
        run(registry, "commit-tree", tree.strip(), "-m", "x", env=environment | unknown)
