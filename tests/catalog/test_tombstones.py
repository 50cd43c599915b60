"""Withdrawals count on whatever branch they are, and are never taken for none when unreadable."""

import shutil
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.catalog.tombstones import (
    TOMBSTONES_FILE,
    lost_tombstone_findings,
    tombstones_on_branches,
)
from sceneset.errors import FindingsError, GitError
from sceneset.storage import git_trees
from sceneset.versions.mirror import updated_mirror
from support.build import NAME, Run, blob, dvc, git, images_of

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


def commit(root: Path, message: str = "A change") -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def test_a_withdrawn_picture_is_not_served_nor_expected_when_a_version_has_it_in_another_file(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    md5 = images_of(released, sceneset)["a"]
    assert sceneset("forget", f"{NAME}/train/a", *REASON, cwd=released).code == 0
    file = released / TOMBSTONES_FILE
    file.write_text(file.read_text().replace(md5, "ab" * 16))  # only the picture is the same
    commit(released)
    blob(released.parent / "store", md5).unlink()
    to = tmp_path / "out"
    outcome = sceneset("pull", "ski", "--rev", "1.0.0", "--to", to, "--json", cwd=released)
    assert (outcome.code, outcome.json["forgotten"], outcome.json["bad"]) == (0, 1, {})
    assert not (to / NAME / "img_dir/train/a.jpg").exists()
    assert (to / NAME / "split_dir/ski.txt").read_text() == "b\n"
    assert sceneset("verify", "--rev", "1.0.0", cwd=released).code == 0


def test_lookup_of_a_version_leaves_out_withdrawn_samples(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("forget", f"{NAME}/train/a", *REASON, cwd=released).code == 0
    commit(released)
    for repo in (str(released), f"file://{released}"):
        words = ("lookup", "ski", "--repo", repo, "--rev", "1.0.0")
        assert sceneset(*words, "--stems", cwd=tmp_path).out.split() == ["b", "c", "d"]
        paths = sceneset(*words, "--paths", cwd=tmp_path).out.split()
        assert [Path(path).stem for path in paths] == ["b", "c", "d"]
        samples = sceneset(*words, "--samples", "--json", cwd=tmp_path).json
        assert [sample["stem"] for sample in samples] == ["b", "c", "d"]


def merge_with_ours(root: Path, sceneset: Run) -> tuple[str, str]:
    """Merge a branch that withdraws an image, but keep only the own file of tombstones."""
    dropped = withdraw(root, sceneset, "theirs", "b")
    kept = withdraw(root, sceneset, "mine", "a")
    git(root, "checkout", "--quiet", "mine")
    git(root, "merge", "--quiet", "--strategy=ours", "--message", "Merge", "theirs")
    git(root, "branch", "--quiet", "-D", "theirs")
    git(root, "branch", "--quiet", "--force", "main", "mine")
    dvc(root, "checkout", "--quiet", check=False)
    assert dropped not in (root / TOMBSTONES_FILE).read_text()
    return kept, dropped


def test_a_withdrawal_counts_and_is_reported_when_a_merge_dropped_it(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    kept, dropped = merge_with_ours(released, sceneset)
    assert tombstones_on_branches(released).keys() == {kept, dropped}
    words = ("pull", "ski", "--rev", "1.0.0", "--to", tmp_path / "out", "--json")
    assert sceneset(*words, cwd=released).json["forgotten"] == 2
    [found] = lost_tombstone_findings(released)
    assert found.code == "tombstone-lost"
    assert dropped in found.message
    assert sceneset("check", cwd=released).code == 1
    assert "[tombstone-lost]" in sceneset("release", "2.0.0", cwd=released).err
    # The hint names the command that shows the rows.
    command = found.hint.split("`")[1].split()
    rows = git(released, *command[1:])
    file = released / TOMBSTONES_FILE
    file.write_text(file.read_text() + rows[rows.index("- image") :])
    assert lost_tombstone_findings(released) == []
    commit(released)
    assert lost_tombstone_findings(released) == []


def test_a_withdrawal_is_taken_back_by_a_commit_that_removes_it(
    released: Path, sceneset: Run
) -> None:
    md5 = withdraw(released, sceneset, "proposal")
    git(released, "merge", "--quiet", "proposal")
    git(released, "tag", "with-the-withdrawal")
    git(released, "branch", "--quiet", "-D", "proposal")
    (released / TOMBSTONES_FILE).write_text("forgotten: []\n")
    assert lost_tombstone_findings(released) == []  # before the commit
    assert tombstones_on_branches(released).keys() == {md5}
    commit(released, "Take it back")
    assert tombstones_on_branches(released) == {}
    assert lost_tombstone_findings(released) == []


def test_a_withdrawal_counts_when_only_a_tag_or_another_remote_has_it(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    tagged = withdraw(released, sceneset, "proposal", "a")
    git(released, "tag", "proposed", "proposal")
    git(released, "branch", "--quiet", "-D", "proposal")
    assert tombstones_on_branches(released).keys() == {tagged}
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(released), str(other))
    shutil.rmtree(other / ".dvc/cache", ignore_errors=True)
    fetched = withdraw(other, sceneset, "elsewhere", "b")
    git(released, "remote", "add", "colleague", str(other))
    git(released, "fetch", "--quiet", "colleague")
    assert tombstones_on_branches(released).keys() == {tagged, fetched}


def test_a_withdrawal_counts_when_the_registry_was_moved_within_its_repository(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    names = git(released, "ls-tree", "--name-only", "HEAD").split()
    (released / 'other "data"').mkdir()
    for name in names:
        git(released, "mv", name, f'other "data"/{name}')
    git(released, "commit", "--quiet", "--message", "Move")
    moved = released / 'other "data"'
    file = moved / TOMBSTONES_FILE
    md5 = "ab" * 16
    row = f"- image: {md5}\n  phash: {'1f' * 8}\n  phash_mirror: {'3f' * 8}\n  reason: case 17\n"
    file.write_text(f"forgotten:\n{row}")
    commit(released, "Withdraw")
    # A version of before the move is read in its own folder.
    assert Registry.open(f"file://{released}", rev="1.0.0").tombstones.keys() == {md5}


def test_withdrawals_of_a_partial_clone_are_fetched_together(released: Path, sceneset: Run) -> None:
    first = withdraw(released, sceneset, "one", "a")
    second = withdraw(released, sceneset, "two", "b")
    git(released, "config", "uploadpack.allowFilter", "true")
    git(released, "config", "uploadpack.allowAnySHA1InWant", "true")
    clone = updated_mirror(f"file://{released}")
    listing = ("rev-list", "--objects", "--all", "--missing=print")
    assert "?" in git(clone, *listing, "--", TOMBSTONES_FILE)
    git_trees.fetch_missing(clone, ["--all"], TOMBSTONES_FILE)
    assert "?" not in git(clone, *listing, "--", TOMBSTONES_FILE)
    assert tombstones_on_branches(clone).keys() == {first, second}
