"""Faults around `sceneset forget` and `pull`: other commands go on, and nothing is lost."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.catalog.tombstones import read_tombstones
from sceneset.errors import DvcError
from sceneset.storage import transaction_finish
from sceneset.storage.blobs import Blobs
from support.build import NAME, Run, blob, dvc, images_of, snapshot, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
REASON = ("--reason", "case 17")
SAMPLES = [f"{NAME}/train/{stem}" for stem in "abcd"]


def test_forget_purges_masks_too_when_images_are_purged_by_hash_later(
    ready: Path, sceneset: Run
) -> None:
    store = ready.parent / "store"
    images = images_of(ready, sceneset)
    outcome = sceneset("forget", *SAMPLES, *REASON, cwd=ready)
    assert outcome.code == 0, outcome.err
    [hint] = [line for line in outcome.err.splitlines() if "--purge" in line]
    hashes = hint.split("sceneset forget ")[1].split(" --reason")[0].split()
    assert sorted(hashes) == sorted(images.values())
    masks = {md5 for tombstone in read_tombstones(ready).values() for md5 in tombstone.masks}
    assert len(masks) == 1
    upper = [md5.upper() for md5 in hashes]
    assert sceneset("forget", *upper, *REASON, "--purge", cwd=ready).code == 0
    assert not [md5 for md5 in {*hashes, *masks} if blob(store, md5).exists()]


def test_forget_changes_the_registry_when_the_remote_refuses_to_delete(
    released: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Blobs, md5: str) -> None:
        raise DvcError("the remote refuses: 403")

    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "delete", refuse)
        outcome = sceneset("forget", SAMPLES[0], *REASON, "--purge", cwd=released)
    assert outcome.code == 1
    assert "the change is made, but the blobs could not be deleted" in outcome.err
    assert sceneset("check", cwd=released).code == 0
    assert sceneset("forget", SAMPLES[1], *REASON, cwd=released).code == 0, "other commands go on"
    assert sceneset("forget", SAMPLES[0], *REASON, "--purge", cwd=released).code == 0
    assert dvc(released, "status", "-q", check=False).code == 0


@pytest.mark.parametrize("remote", [None, "store"])
def test_interrupted_purge_is_finished_on_the_remote_it_was_started_for(
    remote: str | None, released: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    store, other = released.parent / "store", released.parent / "other"
    shutil.copytree(store, other)
    md5 = images_of(released, sceneset)["a"]
    words = ("forget", SAMPLES[0], *REASON, "--purge")
    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "_apply", interrupt)
        options = ("--remote", remote) if remote else ()
        assert sceneset(*words, *options, cwd=released).code == 130
    dvc(released, "remote", "add", "--default", "other", str(other))
    outcome = sceneset(*words, "--remote", "other", cwd=released)
    assert not blob(store, md5).exists(), outcome.err
    assert "an interrupted" in outcome.err, "it is not the same command"
    assert sceneset("forget", md5, *REASON, "--purge", "--remote", "other", cwd=released).code == 0
    assert not blob(other, md5).exists()


def test_forget_changes_the_registry_when_an_older_error_stops_the_pipeline(
    added: Path, sceneset: Run
) -> None:
    entry = added / f"registry/subsets/{NAME}.yaml"
    good = entry.read_text()
    entry.write_text(good.replace("file: ski.txt", "file: ski.txt\n  images: 9"))
    outcome = sceneset("forget", SAMPLES[0], *REASON, cwd=added)
    assert outcome.code == 1
    assert "the change is made, but the derived files are out of date" in outcome.err
    assert not (added / DATA / "img_dir/train/a.jpg").exists()
    entry.write_text(good)
    assert sceneset("forget", SAMPLES[1], *REASON, cwd=added).code == 0
    assert dvc(added, "status", "-q", check=False).code == 0
    assert len(read_tombstones(added)) == 2


@pytest.mark.parametrize("reason", ["", " ", "a\tb", "a\nb", "x" * 201, "\udcff"])
def test_forget_changes_nothing_when_the_reason_is_not_one_line_of_text(
    reason: str, added: Path, sceneset: Run
) -> None:
    before = snapshot(added)
    assert sceneset("forget", SAMPLES[0], "--reason", reason, cwd=added).code == 2
    assert snapshot(added) == before


def test_forget_changes_nothing_when_a_file_differs_from_the_scan(
    added: Path, sceneset: Run
) -> None:
    mask = added / DATA / "ann_dir/train/a.png"
    mask.unlink()
    write_mask(mask, ignore=True)
    before = snapshot(added)
    outcome = sceneset("forget", SAMPLES[0], *REASON, cwd=added)
    assert outcome.code == 1
    assert "differs from the file that was scanned, and would be deleted" in outcome.err
    assert snapshot(added) == before


def test_forget_asks_for_a_commit_when_only_old_versions_have_the_image(
    released: Path, sceneset: Run
) -> None:
    assert sceneset("forget", SAMPLES[0], *REASON, cwd=released).code == 0
    tombstones = released / "registry/forgotten.yaml"
    tombstones.write_text("forgotten: []\n")
    outcome = sceneset("forget", SAMPLES[0], *REASON, cwd=released)
    assert outcome.code == 0
    assert "git commit" in outcome.err


def test_pull_deletes_a_split_file_when_all_its_samples_are_withdrawn(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("pull", "ski", "--persons", "single", "--rev", "1.0.0", "--to", tmp_path / "out")
    assert sceneset(*words, cwd=released).code == 0
    split_file = tmp_path / f"out/{NAME}/split_dir/ski.txt"
    assert split_file.read_text() == "a\nb\n"
    assert sceneset("forget", *SAMPLES[:2], *REASON, cwd=released).code == 0
    assert sceneset(*words, cwd=released).code == 0
    assert not split_file.exists()
    assert not list((tmp_path / "out").rglob("*.jpg"))


def test_pull_succeeds_when_many_processes_pull_into_one_folder(
    released: Path, tmp_path: Path
) -> None:
    shutil.rmtree(released / ".dvc/cache")
    command = [sys.executable, "-m", "sceneset", "pull", "ski"]
    command += ["--to", str(tmp_path / "out")]
    env = {**os.environ}
    processes = [
        subprocess.Popen(command, cwd=released, env=env, stderr=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, errors
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 4


@pytest.mark.parametrize(
    "where", [f"{DATA}/img_dir/train", "registry/new", "Insta360SemanticSeg/x"]
)
def test_pull_is_refused_when_the_destination_is_a_folder_of_the_registry(
    where: str, released: Path, sceneset: Run
) -> None:
    assert sceneset("pull", "ski", "--to", released / where, cwd=released).code == 2
    link = released.parent / "link"
    link.symlink_to(released / DATA)
    assert sceneset("pull", "ski", "--to", link / "img_dir/new", cwd=released).code == 2
