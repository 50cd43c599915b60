"""Withdrawals count on whatever branch they are, and are never taken for none when unreadable."""

import shutil
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.catalog.tombstones import TOMBSTONES_FILE, tombstones_on_branches
from sceneset.errors import FindingsError, GitError
from sceneset.storage import git_trees
from support.build import NAME, Run, dvc, git, images_of

REASON = ("--reason", "case 17")


def withdraw(root: Path, sceneset: Run, branch: str, stem: str = "a") -> str:
    """Withdraw an image on a new branch, go back, and return the hash of the image."""
    md5 = images_of(root, sceneset)[stem]
    git(root, "checkout", "--quiet", "-b", branch)
    assert sceneset("forget", f"{NAME}/train/{stem}", *REASON, cwd=root).code == 0
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Withdraw")
    git(root, "checkout", "--quiet", "-")
    dvc(root, "checkout", "--quiet", check=False)  # a clone has no blobs
    return md5


@pytest.mark.parametrize("rev", [(), ("--rev", "1.0.0")], ids=["working tree", "version"])
def test_pull_leaves_out_an_image_when_any_branch_withdraws_it(
    rev: tuple[str, ...], released: Path, tmp_path: Path, sceneset: Run
) -> None:
    withdraw(released, sceneset, "proposal")
    assert "proposal" not in git(released, "branch", "--show-current")
    outcome = sceneset("pull", "ski", *rev, "--to", tmp_path / "out", "--json", cwd=released)
    assert (outcome.code, outcome.json["forgotten"]) == (0, 1), outcome.err
    assert not (tmp_path / f"out/{NAME}/img_dir/train/a.jpg").exists()
    assert (tmp_path / f"out/{NAME}/img_dir/train/b.jpg").exists()


def test_withdrawals_of_local_branches_and_of_origin_are_united(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    first = withdraw(released, sceneset, "one", "a")
    second = withdraw(released, sceneset, "two", "b")
    clone = tmp_path / "home/clone"
    git(released, "clone", "--quiet", str(released), str(clone))
    assert tombstones_on_branches(clone).keys() == {first, second}
    third = withdraw(clone, sceneset, "three", "c")
    assert tombstones_on_branches(clone).keys() == {first, second, third}
    assert Registry(clone).tombstones.keys() == {first, second, third}


def test_withdrawals_are_found_when_head_of_a_bare_repository_points_nowhere(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=nothing", str(bare))
    git(released, "push", "--quiet", str(bare), "HEAD:refs/heads/data", "--tags")
    md5 = images_of(released, sceneset)["a"]
    assert sceneset("forget", f"{NAME}/train/a", *REASON, cwd=released).code == 0
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Withdraw")
    git(released, "push", "--quiet", str(bare), "HEAD:refs/heads/data")
    assert Registry.open(f"file://{bare}", rev="1.0.0").tombstones.keys() == {md5}


def test_reading_withdrawals_fails_when_a_repository_has_no_branch(
    released: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=nothing", str(bare))
    git(released, "push", "--quiet", str(bare), "--tags")
    with pytest.raises(GitError, match="has no branch"):
        tombstones_on_branches(bare)


def test_reading_withdrawals_fails_when_an_object_of_any_branch_is_missing(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    withdraw(released, sceneset, "proposal")
    for name in ("proposal", "proposal^{tree}", "proposal:registry", f"proposal:{TOMBSTONES_FILE}"):
        copy = Path(shutil.copytree(released, tmp_path / "copy", symlinks=True))
        oid = git(copy, "rev-parse", name).strip()
        (copy / ".git/objects" / oid[:2] / oid[2:]).unlink()
        with pytest.raises(GitError, match="withdrawals of"):
            tombstones_on_branches(copy)
        outcome = sceneset("pull", "ski", "--rev", "1.0.0", "--to", tmp_path / "out", cwd=copy)
        assert outcome.code == 1, name
        assert "withdrawn images could come back" in outcome.err
        assert not (tmp_path / "out").exists()
        shutil.rmtree(copy)


def test_reading_withdrawals_fails_when_the_file_of_a_branch_is_broken(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(released, "checkout", "--quiet", "-b", "odd")
    (released / TOMBSTONES_FILE).write_text("forgotten: 1\n")
    git(released, "commit", "--quiet", "--all", "--message", "Break it")
    git(released, "checkout", "--quiet", "-")
    with pytest.raises(FindingsError) as error:
        tombstones_on_branches(released)
    assert error.value.findings[0].file == f"odd:{TOMBSTONES_FILE}"
    assert sceneset("pull", "ski", "--to", tmp_path / "out", cwd=released).code == 1
    assert not (tmp_path / "out").exists()


def test_branches_without_the_file_have_no_withdrawals(released: Path) -> None:
    git(released, "checkout", "--quiet", "--orphan", "pages")
    git(released, "rm", "--quiet", "-r", "--cached", ".")
    git(released, "commit", "--quiet", "--allow-empty", "--message", "Pages")
    assert tombstones_on_branches(released) == {}


def test_each_git_object_is_read_once_whatever_the_number_of_branches(
    released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(300):
        git(released, "update-ref", f"refs/heads/b{number}", "HEAD")
    calls = []
    run = git_trees.run_git

    def count(repo: Path, *words: str, **options: str) -> object:
        calls.append(options["stdin"].split())
        return run(repo, *words, **options)

    monkeypatch.setattr(git_trees, "run_git", count)
    tombstones_on_branches(released)
    assert [len(oids) for oids in calls] == [1, 1, 1, 1], "commit, two trees, one file"
