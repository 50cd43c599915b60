"""`sceneset forget`: images leave the registry and can't be added again."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from sceneset.storage import transaction_finish
from support.build import (
    NAME,
    Run,
    blob,
    dvc,
    git,
    images_of,
    make_delivery,
    snapshot,
    write_image,
    write_mask,
)

DATA = f"Insta360SemanticSeg/{NAME}"
REASON = ("--reason", "case 17")


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A change")


def is_current(root: Path) -> bool:
    return dvc(root, "status", "--quiet", check=False).code == 0


@pytest.mark.parametrize("blobless", [False, True])
def test_forget_removes_an_image_from_all_derived_files(
    blobless: bool, released: Path, tmp_path: Path, sceneset: Run
) -> None:
    md5 = images_of(released, sceneset)["a"]
    root = released
    if blobless:
        root = tmp_path / "home/clone"
        git(released, "clone", "--quiet", str(released), str(root))
    pictures = root / ".sceneset/view.html"
    pictures.parent.mkdir(exist_ok=True)
    pictures.write_text("pictures of `sceneset view`")
    assert sceneset("serve", "--index", cwd=root).code == 0
    outcome = sceneset("forget", "web/train/a", *REASON, "--json", cwd=root)
    assert outcome.code == 0, outcome.err
    assert not pictures.exists()
    assert not (root / ".sceneset/index.db").exists()
    places = {(one["version"], one["stem"]) for one in outcome.json["found"]}
    assert places == {(None, "a"), ("1.0.0", "a")}
    assert sorted(images_of(root, sceneset)) == ["b", "c", "d"]
    assert (root / DATA / "split_dir/ski.txt").read_text() == "b\n"
    assert sceneset("check", "--json", cwd=root).json == []
    assert json.loads((root / "registry/manifest.json").read_text())["samples"] == 3
    assert md5 in (root / "registry/forgotten.yaml").read_text()
    if blobless:
        assert not (root / DATA / "img_dir").exists()
        dvc(root, "status", "--quiet", "check", "splits", "stats", "leakage", "manifest", "card")
    else:
        assert is_current(root), "the files of the data root, .dvc files and dvc.lock agree"
        assert not (root / DATA / "img_dir/train/a.jpg").exists()
        before = snapshot(root)
        dvc(root, "repro", "--force")
        assert snapshot(root) == before, "the scan stage gives the same bytes as forget"
    # Other clones get the change with plain git and DVC.
    commit(root)
    dvc(root, "push")
    git(root, "clone", "--quiet", str(root), str(tmp_path / "home/other"))
    dvc(tmp_path / "home/other", "pull")
    there = {p.name for p in (tmp_path / "home/other" / DATA / "img_dir/train").iterdir()}
    assert there == {"b.jpg", "c.jpg", "d.jpg"}


def test_forget_changes_nothing_when_it_is_a_dry_run(released: Path, sceneset: Run) -> None:
    before, store = snapshot(released), snapshot(released.parent / "store")
    words = ("forget", "web/train/a", *REASON, "--purge", "--dry-run")
    outcome = sceneset(*words, cwd=released)
    assert outcome.code == 0, outcome.err
    assert f"{NAME}/train/a" in outcome.out
    assert "1.0.0" in outcome.out
    assert (snapshot(released), snapshot(released.parent / "store")) == (before, store)
    assert sceneset(*words, "--json", cwd=released).json["changed"] is False


@pytest.mark.parametrize("form", ["file", "hash", "path", "name"])
def test_forget_finds_an_image_by_file_hash_path_and_name(
    form: str, released: Path, sceneset: Run
) -> None:
    image = released / DATA / "img_dir/train/b.jpg"
    md5 = images_of(released, sceneset)["b"]
    shutil.copy(image, released.parent / "mine.jpg")
    word = {
        "file": released.parent / "mine.jpg",
        "hash": md5,
        "path": f"{DATA}/img_dir/train/b.jpg",
        "name": f"{NAME}/train/b",
    }[form]
    outcome = sceneset("forget", word, *REASON, "--dry-run", "--json", cwd=released)
    assert [one["image"] for one in outcome.json["forgotten"]] == [md5], outcome.err


@pytest.mark.parametrize("word", ["web/train/nobody", "0" * 32, "what", "webb/train/a"])
def test_forget_changes_nothing_when_one_name_is_unknown(
    word: str, released: Path, sceneset: Run
) -> None:
    before = snapshot(released)
    outcome = sceneset("forget", "web/train/a", word, *REASON, cwd=released)
    assert outcome.code == 2
    assert word in outcome.err
    assert snapshot(released) == before, "the known sample is kept too"


def test_forget_lists_similar_images_and_removes_them_when_confirmed(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    name = NAME.replace("web", "more")
    delivery = make_delivery(tmp_path / "more", {"sea.txt": ["x", "y"]}, train=("x", "y"))
    write_image(delivery / "img_dir/train/x.jpg", 77)
    with Image.open(added / DATA / "img_dir/train/a.jpg") as image:
        image.resize((64, 48)).save(delivery / "img_dir/train/y.jpg", quality=70)
        write_mask(delivery / "ann_dir/train/y.png", (64, 48))
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mine.webp", quality=80)
    assert sceneset("add", delivery, "--name", name, cwd=added).code == 0
    outcome = sceneset("forget", "web/train/a", *REASON, "--dry-run", "--json", cwd=added).json
    assert [one["stem"] for one in outcome["near"]] == ["y"]
    # A file that is not a sample itself: mirrored and re-encoded.
    refused = sceneset("forget", tmp_path / "mine.webp", *REASON, cwd=added)
    assert refused.code == 2
    assert f"{name}/train/y" in refused.err
    assert f"{NAME}/train/a" in refused.err
    done = sceneset("forget", tmp_path / "mine.webp", *REASON, "--with-near", "--json", cwd=added)
    assert sorted(one["stem"] for one in done.json["found"]) == ["a", "y"]
    assert sorted(images_of(added, sceneset)) == ["b", "c", "d", "x"]
    assert len(done.json["forgotten"]) == 3, "the file itself gets a tombstone too"


def test_add_refuses_an_image_when_it_was_withdrawn(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    image = (added / DATA / "img_dir/train/a.jpg").read_bytes()
    assert sceneset("forget", "web/train/a", *REASON, cwd=added).code == 0
    delivery = make_delivery(
        tmp_path / "again", {"sea.txt": ["x", "y", "z"]}, train=("x", "y", "z")
    )
    for seed, stem in enumerate("xy", 70):
        write_image(delivery / f"img_dir/train/{stem}.jpg", seed)
    (delivery / "img_dir/train/x.jpg").write_bytes(image)
    with Image.open(delivery / "img_dir/train/x.jpg") as picture:
        picture.save(delivery / "img_dir/train/z.jpg", quality=50)
    before = snapshot(added)
    name = NAME.replace("web", "again")
    outcome = sceneset("add", delivery, "--name", name, "--json", cwd=added)
    assert outcome.code == 1
    codes = {(p["code"], p["stem"]) for p in outcome.json["problems"]}
    assert {("forgotten", "x"), ("forgotten-near", "z")} <= codes
    assert snapshot(added) == before
    words = ("add", delivery, "--name", name, "--quarantine", tmp_path / "left")
    assert sceneset(*words, cwd=added).code == 0
    assert "x" not in images_of(added, sceneset)
    # If it is added with DVC alone, the check reports it.
    (added / DATA / "img_dir/train/n.jpg").write_bytes(image)
    write_mask(added / DATA / "ann_dir/train/n.png")
    with (added / f"registry/tags/{NAME}.csv").open("a") as tags:
        tags.write("train,n,ski,single,,\n")
    dvc(added, "repro", check=False)
    assert "[forgotten]" in sceneset("check", cwd=added).out


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_pull_leaves_out_a_withdrawn_image_when_an_older_version_has_it(
    scheme: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    released = ready
    dvc(released, "remote", "modify", "store", "url", str(released.parent / "store"))
    commit(released)
    assert sceneset("release", "1.0.0", cwd=released).code == 0
    md5, to = images_of(released, sceneset)["a"], tmp_path / "out"
    words = ("pull", "ski", "--rev", "1.0.0", "--repo", f"{scheme}{released}", "--to", to, "--json")
    assert sceneset(*words, cwd=tmp_path).json["forgotten"] == 0
    assert (to / NAME / "img_dir/train/a.jpg").exists()
    done = sceneset("forget", md5, *REASON, "--purge", "--json", cwd=released)
    assert done.code == 0, done.err
    assert md5 in done.json["purged"]
    assert not blob(released.parent / "store", md5).exists()
    assert not (released / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).exists()
    commit(released)
    # The same pull deletes the image that it wrote before; a new pull never writes it.
    for target in (to, tmp_path / "new"):
        again = (*words[:-3], "--to", target, "--json")
        outcome = sceneset(*again, cwd=tmp_path)
        assert (outcome.code, outcome.json["forgotten"], outcome.json["bad"]) == (0, 1, {})
        assert not (target / NAME / "img_dir/train/a.jpg").exists()
        assert not (target / NAME / "ann_dir/train/a.png").exists()
        assert (target / NAME / "split_dir/ski.txt").read_text() == "b\n"
        assert json.loads((target / "sceneset.json").read_text())["forgotten"] == 1
    outcome = sceneset(*again[:-1], cwd=tmp_path)
    assert "1 withdrawn sample was left out" in outcome.err
    # The version still verifies: withdrawn blobs are not expected.
    assert sceneset("verify", "--rev", "1.0.0", "--deep", cwd=released).code == 0


def test_forget_keeps_a_mask_when_other_samples_have_the_same(
    released: Path, sceneset: Run
) -> None:
    mask = next(s["mask_md5"] for s in sceneset("lookup", "--samples", "--json", cwd=released).json)
    purged = sceneset("forget", "web/train/a", *REASON, "--purge", "--json", cwd=released).json[
        "purged"
    ]
    assert mask not in purged, "all four samples have the same mask"
    assert blob(released.parent / "store", mask).exists()
    words = ("forget", *(f"web/train/{stem}" for stem in "bcd"), *REASON, "--purge", "--json")
    assert mask in sceneset(*words, cwd=released).json["purged"]


def test_forget_updates_counts_and_deletes_empty_rows_of_the_scene_table(
    added: Path, sceneset: Run
) -> None:
    entry = added / f"registry/subsets/{NAME}.yaml"
    text = entry.read_text()
    assert "file: ski.txt" in text
    entry.write_text(text.replace("file: ski.txt", "file: ski.txt\n  images: 2"))
    dvc(added, "repro")
    assert sceneset("forget", "web/train/a", *REASON, cwd=added).code == 0
    assert "images: 1" in entry.read_text()
    assert sceneset("check", "--json", cwd=added).json == []
    assert sceneset("forget", "web/train/b", *REASON, cwd=added).code == 0
    assert "ski.txt" not in entry.read_text(), "mmsegmentation refuses an empty split file"
    assert not (added / DATA / "split_dir/ski.txt").exists()
    assert sceneset("check", "--json", cwd=added).json == []


def test_forget_removes_the_subset_when_its_last_sample_is_withdrawn(
    added: Path, sceneset: Run
) -> None:
    words = ("forget", *(f"web/train/{stem}" for stem in "abcd"), *REASON)
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 0, outcome.err
    assert sceneset("lookup", "--samples", "--json", cwd=added).json == []
    assert sceneset("check", "--json", cwd=added).json == []
    assert not (added / DATA).exists()
    assert is_current(added)
    left = [
        p for p in git(added, "ls-files", "--others", "--exclude-standard").split() if NAME in p
    ]
    assert left == []


def test_forget_does_not_overwrite_a_file_when_it_was_changed_after_an_interrupt(
    added: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    words = ("forget", "web/train/a", *REASON)
    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "_apply", interrupt)
        assert sceneset(*words, cwd=added).code == 130
    assert "unfinished-change" in sceneset("check", cwd=added).out
    tags = added / f"registry/tags/{NAME}.csv"
    mine = tags.read_text().replace("train,b,ski,single", "train,b,ski,multi")
    tags.write_text(mine)
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 1
    assert "unfinished-change" in outcome.err
    assert tags.read_text() == mine
    shutil.rmtree(added / ".sceneset/transaction")
    assert sceneset(*words, cwd=added).code == 0
    assert "train,b,ski,multi" in tags.read_text()


def test_forget_changes_nothing_when_the_remote_to_purge_is_unreachable(
    released: Path, sceneset: Run
) -> None:
    dvc(released, "remote", "modify", "store", "url", "s3://nowhere/people")
    dvc(released, "remote", "modify", "store", "endpointurl", "http://127.0.0.1:9")
    dvc(released, "remote", "modify", "store", "access_key_id", "x")
    dvc(released, "remote", "modify", "store", "secret_access_key", "y")
    before = snapshot(released)
    outcome = sceneset("forget", "web/train/a", *REASON, "--purge", cwd=released)
    assert outcome.code == 1
    assert "can't be reached" in outcome.err
    assert snapshot(released) == before
