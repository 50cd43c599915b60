"""A registry in a folder of a larger git repository, and in a bare repository."""

import json
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.errors import NoRegistryError, UnknownRevisionError, UsageError
from sceneset.paths import has_no_working_tree, split_repo
from support.build import NAME, Run, dvc, git, make_delivery
from support.policy import PROVENANCE


@pytest.fixture
def mono(tmp_path: Path, sceneset: Run) -> Path:
    """A repository with code and a registry in data/people, whose remote is inside the folder."""
    mono = tmp_path / "mono"
    mono.mkdir()
    git(mono, "init", "--quiet", "--initial-branch=main")
    (mono / "code").write_text("1\n")
    git(mono, "add", "code")
    git(mono, "commit", "--quiet", "--message", "Code")
    (mono / "mine").write_text("not to be committed by others\n")
    outcome = sceneset("init", "data/people", cwd=mono)
    assert outcome.code == 0, outcome.err
    assert f"part of the git repository {mono}" in outcome.err
    assert "URL//data/people" in outcome.err
    return mono


@pytest.fixture
def filled(mono: Path, tmp_path: Path, sceneset: Run) -> Path:
    root = mono / "data/people"
    (root / "blobs").mkdir()
    dvc(root, "remote", "add", "--default", "store", "blobs")
    delivery, entry = make_delivery(tmp_path / "delivery"), tmp_path / "entry.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n")
    outcome = sceneset("add", delivery, "--name", NAME, "--entry", entry, cwd=root)
    assert outcome.code == 0, outcome.err
    dvc(root, "repro")
    dvc(root, "push")
    (mono / "mine").unlink()
    git(mono, "add", "--all")
    git(mono, "commit", "--quiet", "--message", "A registry")
    return mono


def test_init_becomes_a_part_of_the_repository_around_it(mono: Path) -> None:
    root = mono / "data/people"
    assert not (root / ".git").exists()
    assert git(mono, "log", "--format=%s").split() == ["Code"], "nothing was committed"
    assert git(mono, "diff", "--cached", "--name-only") == "", "nothing was staged"
    workflow = (root / ".github/workflows/registry.yml").read_text()
    assert 'working-directory: "data/people"' in workflow
    assert 'paths: ["data/people/**"]' in workflow
    git(mono, "add", "--all")
    assert "data/people/params.yaml" in git(mono, "diff", "--cached", "--name-only")
    assert git(mono, "status", "--porcelain", "--ignored").count("data/people/.git/") == 0


def test_init_creates_its_own_repository_when_the_one_around_ignores_the_folder(
    tmp_path: Path, sceneset: Run
) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".gitignore").write_text("/scratch/\n")
    assert sceneset("init", "scratch/people", cwd=tmp_path).code == 0
    assert (tmp_path / "scratch/people/.git").is_dir()


def test_registry_in_a_folder_works_like_any_other(
    filled: Path, tmp_path: Path, sceneset: Run
) -> None:
    root = filled / "data/people"
    outcome = sceneset("release", "1.0.0", cwd=root)
    assert outcome.code == 0, outcome.err
    assert git(filled, "status", "--porcelain") == ""
    assert (root / "registry/versions/1.0.0.yaml").is_file()
    assert len(sceneset("lookup", "--rev", "1.0.0", "--json", cwd=root).json) == 3
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", f"file://{filled}", str(clone))
    dvc(clone / "data/people", "pull")
    assert sceneset("check", cwd=clone / "data/people").code == 0


def test_registry_in_a_folder_is_read_and_pulled_by_url(
    filled: Path, tmp_path: Path, sceneset: Run
) -> None:
    url = f"file://{filled}//data/people"
    assert len(sceneset("lookup", "--repo", url, "--json", cwd=tmp_path).json) == 3
    outcome = sceneset("pull", "ski", "--repo", url, "--to", "out", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "out" / NAME / "img_dir/train/a.jpg").is_file()
    with pytest.raises(NoRegistryError, match=f"use file://{filled}//data/people"):
        Registry.open(f"file://{filled}")
    with pytest.raises(NoRegistryError):
        Registry.open(f"file://{filled}//data")


@pytest.mark.parametrize("folder", ["../mono", "data/../data/people", ".git"])
def test_folder_of_a_repository_must_not_leave_it(folder: str, filled: Path) -> None:
    with pytest.raises(UsageError):
        Registry.open(f"file://{filled}//{folder}")


def test_two_registries_of_one_commit_are_not_mixed_up(
    filled: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("init", "data/cars", cwd=filled).code == 0
    git(filled, "add", "--all")
    git(filled, "commit", "--quiet", "--message", "A second registry")
    for folder, count in (("people", 3), ("cars", 0), ("people", 3)):
        url = f"file://{filled}//data/{folder}"
        assert len(sceneset("lookup", "--repo", url, "--json", cwd=tmp_path).json) == count


def test_bare_repository_is_read_by_its_path(
    filled: Path, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    for source, name, folder in ((ready, "people.git", ""), (filled, "mono.git", "//data/people")):
        git(tmp_path, "clone", "--quiet", "--bare", str(source), name)
        for repo in (f"{name}{folder}", f"{tmp_path}/{name}{folder}"):
            rows = sceneset("lookup", "--repo", repo, "--json", cwd=tmp_path).json
            assert len(rows) == 3
            rows = sceneset("lookup", "--repo", repo, "--rev", "main", "--json", cwd=tmp_path).json
            assert len(rows) == 3


def test_bare_repository_without_its_default_branch_is_read_with_a_revision(
    ready: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(ready), "people.git")
    git(tmp_path / "people.git", "symbolic-ref", "HEAD", "refs/heads/nothing")
    with pytest.raises(UnknownRevisionError, match=r"'nothing', which does not exist.*--rev main"):
        Registry.open(tmp_path / "people.git")
    assert len(Registry.open(tmp_path / "people.git", "main").lookup("ski")) == 4


@pytest.mark.parametrize(
    ("repo", "parts"),
    [
        ("https://host/a.git//data/people", ("https://host/a.git", "data/people")),
        ("https://host/a.git", ("https://host/a.git", "")),
        ("file:///srv/a//b/", ("file:///srv/a", "b")),
        ("git@host:team/a.git//b", ("git@host:team/a.git", "b")),
        ("/srv/a.git//b", ("/srv/a.git", "b")),
        (".", (".", "")),
    ],
)
def test_repository_and_folder_are_split_at_two_slashes(repo: str, parts: tuple[str, str]) -> None:
    assert split_repo(repo) == parts


def test_repo_is_refused_when_the_folder_does_not_exist(ready: Path, sceneset: Run) -> None:
    outcome = sceneset("lookup", "ski", "--repo", ready / "typo", cwd=ready)
    assert outcome.code == 2, "a folder above it is a registry, but not the one that was named"
    assert "there is no such folder" in outcome.err


def test_working_trees_are_told_from_bare_repositories(ready: Path) -> None:
    assert not has_no_working_tree(str(ready))
    assert not has_no_working_tree(str(ready / ".git"))
