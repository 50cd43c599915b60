"""Forgetting and pulling where something goes wrong beside it: nobody is stuck, nothing is lost."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.catalog.tombstones import in_folder
from sceneset.errors import DvcError
from sceneset.storage.blobs import Blobs
from support.build import NAME, Run, blob, dvc, images_of, snapshot, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
WHY = ("--reason", "case 17")
ALL = [f"{NAME}/train/{stem}" for stem in "abcd"]


def test_a_later_purge_by_hash_takes_masks_too(ready: Path, sceneset: Run) -> None:
    store = ready.parent / "store"
    images = images_of(ready, sceneset)
    outcome = sceneset("forget", *ALL, *WHY, cwd=ready)
    assert outcome.code == 0, outcome.err
    [said] = [line for line in outcome.err.splitlines() if "--purge" in line]
    hashes = said.split("sceneset forget ")[1].split(" --reason")[0].split()
    assert sorted(hashes) == sorted(images.values())
    masks = {md5 for stone in in_folder(ready).values() for md5 in stone.masks}
    assert len(masks) == 1
    upper = [md5.upper() for md5 in hashes]
    assert sceneset("forget", *upper, *WHY, "--purge", cwd=ready).code == 0
    assert not [md5 for md5 in {*hashes, *masks} if blob(store, md5).exists()]


def test_a_remote_that_lets_nobody_delete(
    released: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Blobs, md5: str) -> None:
        raise DvcError("the remote refuses: 403")

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "delete", refused)
        outcome = sceneset("forget", ALL[0], *WHY, "--purge", cwd=released)
    assert outcome.code == 1
    assert "the change is made, but blobs could not be deleted" in outcome.err
    assert sceneset("check", cwd=released).code == 0
    assert sceneset("forget", ALL[1], *WHY, cwd=released).code == 0, "others go on"
    assert sceneset("forget", ALL[0], *WHY, "--purge", cwd=released).code == 0
    assert dvc(released, "status", "-q", check=False).code == 0


def test_a_finding_that_was_there_before_keeps_nobody_from_withdrawing(
    added: Path, sceneset: Run
) -> None:
    entry = added / f"registry/subsets/{NAME}.yaml"
    good = entry.read_text()
    entry.write_text(good.replace("file: ski.txt", "file: ski.txt\n  images: 9"))
    outcome = sceneset("forget", ALL[0], *WHY, cwd=added)
    assert outcome.code == 1
    assert "the change is made, but what is derived is not made" in outcome.err
    assert not (added / DATA / "img_dir/train/a.jpg").exists()
    entry.write_text(good)
    assert sceneset("forget", ALL[1], *WHY, cwd=added).code == 0
    assert dvc(added, "status", "-q", check=False).code == 0
    assert len(in_folder(added)) == 2


@pytest.mark.parametrize("reason", ["", " ", "a\tb", "a\nb", "x" * 201, "\udcff"])
def test_reasons_that_can_t_be_kept(reason: str, added: Path, sceneset: Run) -> None:
    before = snapshot(added)
    assert sceneset("forget", ALL[0], "--reason", reason, cwd=added).code == 2
    assert snapshot(added) == before


def test_somebody_s_new_picture_is_not_deleted(added: Path, sceneset: Run) -> None:
    mask = added / DATA / "ann_dir/train/a.png"
    mask.unlink()
    write_mask(mask, ignore=True)
    before = snapshot(added)
    outcome = sceneset("forget", ALL[0], *WHY, cwd=added)
    assert outcome.code == 1
    assert "is another file than was scanned, and would be deleted" in outcome.err
    assert snapshot(added) == before


def test_what_only_old_versions_have_is_to_be_committed_too(released: Path, sceneset: Run) -> None:
    assert sceneset("forget", ALL[0], *WHY, cwd=released).code == 0
    stones = released / "registry/forgotten.yaml"
    stones.write_text("forgotten: []\n")
    outcome = sceneset("forget", ALL[0], *WHY, cwd=released)
    assert outcome.code == 0
    assert "git commit" in outcome.err


def test_a_pull_again_leaves_no_row_of_withdrawn_samples(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("pull", "ski", "--persons", "single", "--rev", "1.0.0", "--to", tmp_path / "out")
    assert sceneset(*words, cwd=released).code == 0
    row = tmp_path / f"out/{NAME}/split_dir/ski.txt"
    assert row.read_text() == "a\nb\n"
    assert sceneset("forget", *ALL[:2], *WHY, cwd=released).code == 0
    assert sceneset(*words, cwd=released).code == 0
    assert not row.exists()
    assert not list((tmp_path / "out").rglob("*.jpg"))


def test_many_pull_into_one_folder(released: Path, tmp_path: Path) -> None:
    shutil.rmtree(released / ".dvc/cache")
    command = [sys.executable, "-m", "sceneset", "pull", "ski"]
    command += ["--to", str(tmp_path / "out")]
    env = {**os.environ}
    ranks = [
        subprocess.Popen(command, cwd=released, env=env, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    said = [rank.communicate()[1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0] * 6, said
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 4


@pytest.mark.parametrize(
    "where", [f"{DATA}/img_dir/train", "registry/new", "Insta360SemanticSeg/x"]
)
def test_no_pull_into_a_registry_s_own_folders(where: str, released: Path, sceneset: Run) -> None:
    assert sceneset("pull", "ski", "--to", released / where, cwd=released).code == 2
    link = released.parent / "link"
    link.symlink_to(released / DATA)
    assert sceneset("pull", "ski", "--to", link / "img_dir/new", cwd=released).code == 2
