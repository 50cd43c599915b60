"""A folder whose list of files is in no cache: what `doctor` advises brings the folder back."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from support.build import NAME, Run, blob, dvc, git, snapshot, write_image

FOLDER = f"Insta360SemanticSeg/{NAME}/img_dir"


def recorded(root: Path) -> str:
    """Return the hash in the .dvc file of the folder."""
    return str(yaml.safe_load((root / f"{FOLDER}.dvc").read_text("utf-8"))["outs"][0]["md5"])


def lose_list(root: Path) -> None:
    """Delete the list of the folder's files from the cache and the remote."""
    for store in (root / ".dvc/cache", root.parent / "store"):
        blob(store, recorded(root)).unlink()


def record_another_folder(root: Path) -> None:
    """Make the .dvc file record a folder that nobody has, as an interrupted DVC did."""
    path = root / f"{FOLDER}.dvc"
    path.write_text(path.read_text("utf-8").replace(recorded(root), "0" * 32 + ".dir"), "utf-8")


def checkout_deletes_the_folder(root: Path) -> bool:
    assert dvc(root, "checkout", check=False).code != 0
    return not (root / FOLDER).exists()


def listing_trouble(sceneset: Run, root: Path, *words: str) -> dict:
    """Return what `doctor --json` says of the list, or {}."""
    found = sceneset("doctor", "--json", *words, cwd=root).json
    return next((item for item in found if item["check"] == "listing"), {})


def run_advice(root: Path, advice: str, *, first: str, last: str) -> None:
    """Run the commands that stand in a text, from one to another one."""
    commands = re.findall(r"`(dvc [^`]+)`", advice)
    assert first in commands[0]
    assert last in commands[-1]
    for command in commands:
        _, *words = shlex.split(command)
        dvc(root, *words)


@pytest.mark.parametrize("is_deleted", [False, True])
def test_doctor_writes_a_lost_list_again_from_the_scan(
    is_deleted: bool, ready: Path, sceneset: Run
) -> None:
    before = snapshot(ready)
    lose_list(ready)
    if is_deleted:
        assert checkout_deletes_the_folder(ready)
    found = listing_trouble(sceneset, ready)
    assert (found["file"], found["can_fix"]) == (f"{FOLDER}.dvc", True)
    assert listing_trouble(sceneset, ready, "--fix")["fixed"]
    dvc(ready, "checkout", f"{FOLDER}.dvc")
    assert snapshot(ready) == before
    assert sceneset("doctor", cwd=ready).code == 0
    assert sceneset("verify", "--repair", cwd=ready).code == 0
    shutil.rmtree(ready / ".dvc/cache")
    dvc(ready, "pull")
    assert snapshot(ready) == before


@pytest.mark.parametrize("is_changed", [False, True])
def test_folder_that_the_scan_does_not_describe_is_added_again(
    is_changed: bool, ready: Path, sceneset: Run
) -> None:
    if is_changed:
        write_image(ready / FOLDER / "train/a.jpg", 77)
    record_another_folder(ready)
    before = snapshot(ready / FOLDER)
    found = listing_trouble(sceneset, ready, "--fix")
    assert (found["can_fix"], found["fixed"]) == (False, False)
    run_advice(ready, found["repair"], first=f"dvc add {FOLDER}", last="dvc checkout")
    assert snapshot(ready / FOLDER) == before, "checkout after add keeps the files"
    assert sceneset("doctor", cwd=ready).code == 0
    assert sceneset("check", cwd=ready).code == 0
    assert (git(ready, "status", "--porcelain") == "") is not is_changed


def test_folder_that_is_gone_comes_back_with_an_older_dvc_file(ready: Path, sceneset: Run) -> None:
    before = snapshot(ready)
    record_another_folder(ready)
    assert checkout_deletes_the_folder(ready)
    found = listing_trouble(sceneset, ready)
    assert not found["can_fix"]
    assert f"restore an older commit's {FOLDER}.dvc with git" in found["repair"]
    scanned = sceneset("scan", NAME, cwd=ready)
    assert scanned.code == 1
    assert "`sceneset doctor` says why" in scanned.err
    git(ready, "checkout", "HEAD", "--", f"{FOLDER}.dvc")
    dvc(ready, "checkout", f"{FOLDER}.dvc")
    assert snapshot(ready) == before
    assert listing_trouble(sceneset, ready) == {}


def test_clone_is_told_of_lists_that_the_remote_lacks_and_of_no_others(
    ready: Path, sceneset: Run
) -> None:
    clone = ready.parent / "clone"
    git(ready.parent, "clone", "--quiet", str(ready), str(clone))
    assert listing_trouble(sceneset, clone) == {}, "`dvc pull` gets the lists"
    blob(ready.parent / "store", recorded(ready)).unlink()
    assert listing_trouble(sceneset, ready) == {}, "the cache has the list"
    assert listing_trouble(sceneset, clone, "--no-remote") == {}
    found = listing_trouble(sceneset, clone)
    assert not found["can_fix"]
    assert "run `dvc push` where the files are" in found["repair"]
    assert "`sceneset verify --repair` there" in found["repair"]
    dvc(ready, "push")
    assert sceneset("verify", "--repair", cwd=ready).code == 0
    dvc(clone, "pull")
    assert (clone / FOLDER / "train/a.jpg").is_file()


def test_list_is_not_written_before_the_cache_has_its_files(added: Path, sceneset: Run) -> None:
    """DVC takes it that a cache or remote with a list has all files of it."""
    md5 = recorded(added)
    blob(added / ".dvc/cache", md5).unlink()
    image = (added / FOLDER / "train/a.jpg").read_bytes()
    for path in (added / ".dvc/cache/files/md5").rglob("*"):
        if path.is_file() and path.read_bytes() == image:
            path.unlink()
    found = listing_trouble(sceneset, added)
    assert not found["can_fix"], "there is no remote, and one image is not in the cache"
    run_advice(added, found["repair"], first=f"dvc add {FOLDER}", last="dvc checkout")
    assert recorded(added) == md5
    assert listing_trouble(sceneset, added) == {}
