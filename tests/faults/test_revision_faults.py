"""Revisions in hostile or incomplete repositories: the user's files are not touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.catalog import tombstones
from sceneset.errors import GitError, UnknownRevisionError
from sceneset.storage.git import git_environment
from sceneset.versions.resolve import ARTIFACT
from support.build import NAME, Run, dvc, git, make_delivery, write_image


def sceneset_in(cwd: Path, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "sceneset", *words]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def url(repo: Path) -> str:
    return f"file://{repo}"


def test_lookup_ignores_git_variables_of_a_hook(released: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    git(mine, "init", "--quiet", "--initial-branch=main")
    git(mine, "commit", "--quiet", "--allow-empty", "--message", "mine")
    git(mine, "branch", "unpushed")
    own = {"GIT_DIR": str(mine / ".git"), "GIT_WORK_TREE": str(mine)}
    before = git(mine, "for-each-ref")
    for _ in range(2):  # the first lookup clones, the second one fetches
        done = sceneset_in(mine, "lookup", "ski", "--repo", url(released), "--stems", **own)
        assert (done.returncode, done.stdout.split()) == (0, ["a", "b", "c", "d"]), done.stderr
    assert git(mine, "for-each-ref") == before


def test_git_environment_drops_variables_that_name_a_repository(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = subprocess.run(
        ["git", "rev-parse", "--local-env-vars"], capture_output=True, text=True, check=True
    )
    for name in listed.stdout.split():
        monkeypatch.setenv(name, "x")
    kept = {name for name in listed.stdout.split() if name in git_environment()}
    assert all(name.startswith("GIT_CONFIG") for name in kept), "only settings are kept"


def test_registry_does_not_find_a_version_when_the_clone_is_shallow(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("forget", f"{NAME}/train/a", "--reason", "x", cwd=released).code == 0
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Without a")
    words = ("clone", "--quiet", "--depth=1", "--no-tags", url(released), str(tmp_path / "shallow"))
    git(tmp_path, *words)
    with pytest.raises(UnknownRevisionError, match="unshallow"):
        Registry.open(tmp_path / "shallow", rev="1.0.0")
    git(tmp_path / "shallow", "fetch", "--quiet", "--unshallow")
    found = Registry.open(tmp_path / "shallow", rev="1.0.0")
    assert [tag.stem for tag in found.tags(NAME)] == ["a", "b", "c", "d"]
    assert {sample.tag.stem for sample in found.lookup("ski")} == {"b", "c", "d"}


def test_lookup_does_not_follow_symbolic_links_of_a_foreign_repository(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    victim, tags = tmp_path / "victim", released / f"registry/tags/{NAME}.csv"
    victim.write_text(tags.read_text().replace("train,a,", "train,secret,"))
    assert "secret" in victim.read_text()
    tags.unlink()
    tags.symlink_to(victim)
    git(released, "commit", "--quiet", "--all", "--message", "Add a link")
    outcome = sceneset("lookup", "ski", "--repo", url(released), "--stems", cwd=tmp_path)
    assert outcome.code == 1
    assert "secret" not in outcome.out + outcome.err


def test_tombstones_on_branches_fails_when_a_git_object_is_missing(
    released: Path, monkeypatch: pytest.MonkeyPatch, sceneset: Run
) -> None:
    assert sceneset("forget", f"{NAME}/train/a", "--reason", "x", cwd=released).code == 0
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Without a")
    assert len(tombstones.tombstones_on_branches(released)) == 1
    oid = git(released, "rev-parse", f"HEAD:{tombstones.TOMBSTONES_FILE}").strip()
    (released / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(GitError):
        tombstones.tombstones_on_branches(released)


def test_lookup_follows_the_default_branch_of_the_origin(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("lookup", "ski", "--repo", url(released), "--stems")
    assert sceneset(*words, cwd=tmp_path).out.split() == ["a", "b", "c", "d"]
    git(released, "checkout", "--quiet", "-b", "trunk")
    tags = released / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,ski", "train,a,"))
    git(released, "commit", "--quiet", "--all", "--message", "Relabel")
    assert sceneset(*words, cwd=tmp_path).out.split() == ["b", "c", "d"]
    git(released, "branch", "--delete", "--force", "main")
    assert sceneset(*words, cwd=tmp_path).out.split() == ["b", "c", "d"]


def test_registry_opens_a_revision_when_its_folder_name_is_a_glob_pattern(
    released: Path, tmp_path: Path
) -> None:
    root = tmp_path / "one"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    (root / "data[1]*").mkdir()
    for part in ("registry", "params.yaml", "dvc.yaml", "Insta360SemanticSeg"):
        subprocess.run(["cp", "-r", str(released / part), str(root / "data[1]*")], check=True)
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Add a registry in a folder")
    found = Registry.open(root / "data[1]*", rev="main").lookup("ski")
    assert {sample.tag.stem for sample in found} == {"a", "b", "c", "d"}


def test_purge_keeps_shared_masks_when_the_clone_is_behind_its_origin(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    behind = tmp_path / "behind"
    git(tmp_path, "clone", "--quiet", str(released), str(behind))
    folder = released.parent / "store"
    store = f'[core]\n    remote = store\n[remote "store"]\n    url = {folder}\n'
    (behind / ".dvc/config.local").write_text(store)
    # The origin adds a subset whose masks are the same blob as all others.
    delivery = make_delivery(tmp_path / "more", train=("x", "y"), splits={})
    for seed, stem in enumerate("xy", 77):
        write_image(delivery / f"img_dir/train/{stem}.jpg", seed)
    other = "CustomSeg_Person_20240116_more"
    assert sceneset("add", delivery, "--name", other, cwd=released).code == 0
    dvc(released, "repro")
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "More")
    dvc(released, "push")
    samples = [f"{NAME}/train/{stem}" for stem in "abcd"]
    outcome = sceneset("forget", *samples, "--reason", "x", "--purge", cwd=behind)
    assert outcome.code == 0, outcome.err
    assert sceneset("verify", "--json", cwd=released).json, "the images are deleted"
    missing = {Path(p["file"]).suffix for p in sceneset("verify", "--json", cwd=released).json}
    assert missing == {".jpg"}, "the mask that other samples need is kept"


def test_purge_keeps_masks_when_the_origin_can_not_be_fetched(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(released, "remote", "add", "origin", str(tmp_path / "missing"))
    samples = [f"{NAME}/train/{stem}" for stem in "abcd"]
    words = ("forget", *samples, "--reason", "x", "--purge", "--dry-run", "--json")
    found = sceneset(*words, cwd=released).json
    assert "origin can't be fetched" in found["masks_kept"]
    assert len(found["purged"]) == 4, "only the images"


def test_forget_works_when_the_scan_of_a_version_can_not_be_read(
    released: Path, sceneset: Run
) -> None:
    scan = released / f"registry/scans/{NAME}.parquet"
    good = scan.read_bytes()
    scan.write_bytes(b"of another format")
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Add an old state")
    git(released, "tag", "--force", "--annotate", "--message", "1", f"{ARTIFACT}@v1.0.0")
    scan.write_bytes(good)
    git(released, "commit", "--quiet", "--all", "--message", "Restore the scan")
    found = sceneset("check", "--json", cwd=released)
    assert (found.code, [p["code"] for p in found.json]) == (0, ["version-unread"])
    outcome = sceneset("forget", f"{NAME}/train/a", "--reason", "x", cwd=released)
    assert outcome.code == 0, outcome.err
    assert "not searched: can't read the scan of" in outcome.err
