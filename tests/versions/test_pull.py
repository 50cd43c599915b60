"""Pulls: the samples of a scene are written to a folder, verified, and no others."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.build import NAME, Run, blob, dvc, git, snapshot
from support.servers import BUCKET, KEYS, S3, s3_server

NOTHING_LEFT_OUT = {"forgotten": 0, "restricted": 0, "dropped": {}, "retired": {}}


@pytest.fixture
def pushed(ready: Path) -> Path:
    """A registry without a DVC cache; its four masks are one blob."""
    shutil.rmtree(ready / ".dvc/cache")
    return ready


@pytest.fixture
def store(pushed: Path) -> Path:
    """The folder of the remote."""
    return pushed.parent / "store"


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_pull_writes_exactly_the_samples_of_the_scene(
    pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    before = snapshot(pushed)
    to = tmp_path / "out"
    outcome = sceneset("pull", "滑雪", "--persons", "single", "--to", to, "--json", cwd=pushed)
    assert outcome.json == {"files": 4, "fetched": 3, "bad": {}} | NOTHING_LEFT_OUT
    data = pushed / "Insta360SemanticSeg"
    images = [f"{NAME}/img_dir/train/{stem}.jpg" for stem in "ab"]
    masks = [f"{NAME}/ann_dir/train/{stem}.png" for stem in "ab"]
    split = f"{NAME}/split_dir/ski.txt"
    assert files_below(to) == {"sceneset.json", split, *images, *masks}
    for path in (split, *images, *masks):
        assert (to / path).read_bytes() == (data / path).read_bytes()
    assert snapshot(pushed) == before
    assert json.loads((to / "sceneset.json").read_text())["complete"] is True


@pytest.mark.parametrize(
    ("option", "folder"), [("--masks-only", "ann_dir"), ("--images-only", "img_dir")]
)
def test_pull_writes_one_folder_when_only_masks_or_images_are_requested(
    option: str, folder: str, pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    outcome = sceneset("pull", "ski", option, "--to", tmp_path / "out", "--json", cwd=pushed)
    assert outcome.json["files"] == 4
    folders = {path.split("/")[1] for path in files_below(tmp_path / "out") if "/" in path}
    assert folders == {folder, "split_dir"}


@pytest.mark.parametrize("link", ["copy", "hard", "sym", "ref"])
def test_pull_links_files_as_requested(
    link: str, pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("pull", "ski", "--to", to, "--link", link, cwd=pushed).code == 0
    image = to / NAME / "img_dir/train/a.jpg"
    original = pushed / "Insta360SemanticSeg" / NAME / "img_dir/train/a.jpg"
    assert image.read_bytes() == original.read_bytes()
    assert image.is_symlink() == (link == "sym")
    assert (image.stat().st_nlink > 1) == (link == "hard")


def test_pull_continues_when_it_was_interrupted(
    pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("pull", "ski", "--to", tmp_path / "out", "--json")
    assert sceneset(*words, cwd=pushed).json["fetched"] == 5
    whole = snapshot(tmp_path / "out")
    record = tmp_path / "out/sceneset.json"
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    (tmp_path / "out" / NAME / "img_dir/train/a.jpg").unlink()
    (tmp_path / "out" / NAME / "img_dir/train/b.jpg").write_bytes(b"partial file")
    (tmp_path / "out" / NAME / "ann_dir/train/.c.png.part").write_bytes(b"left by a killed process")
    outcome = sceneset(*words, cwd=pushed)
    assert outcome.json == {"files": 8, "fetched": 0, "bad": {}} | NOTHING_LEFT_OUT
    (tmp_path / "out" / NAME / "ann_dir/train/.c.png.part").unlink(missing_ok=True)
    assert snapshot(tmp_path / "out") == whole


def test_pull_lists_bad_blobs_and_writes_the_others(
    pushed: Path, store: Path, tmp_path: Path, sceneset: Run
) -> None:
    samples = sceneset("lookup", "ski", "--samples", "--json", cwd=pushed).json
    hashes = {sample["stem"]: sample["image_md5"] for sample in samples}
    blob(store, hashes["a"]).chmod(0o644)
    blob(store, hashes["a"]).write_bytes(b"another image")
    blob(store, hashes["b"]).unlink()
    blob(store, hashes["c"]).chmod(0o644)
    blob(store, hashes["c"]).write_bytes(b"")
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", "--json", cwd=pushed)
    assert outcome.code == 1
    bad = {Path(path).stem: why for path, why in outcome.json["bad"].items()}
    assert sorted(bad) == ["a", "b", "c"]
    assert "damaged" in bad["a"]
    assert "has no blob" in bad["b"]
    assert "damaged" in bad["c"]
    written = {Path(p).name for p in files_below(tmp_path / "out") if "img_dir" in p}
    assert written == {"d.jpg"}
    assert json.loads((tmp_path / "out/sceneset.json").read_text())["complete"] is False


def test_pull_downloads_blobs_again_when_the_cache_is_damaged(
    pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("pull", "ski", "--to", tmp_path / "one", cwd=pushed).code == 0
    for path in (pushed / ".dvc/cache").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"damaged")
    outcome = sceneset("pull", "ski", "--to", tmp_path / "two", "--json", cwd=pushed)
    assert outcome.json == {"files": 8, "fetched": 5, "bad": {}} | NOTHING_LEFT_OUT


@pytest.mark.parametrize(
    "to",
    [
        f"Insta360SemanticSeg/{NAME}/img_dir/new",
        f"Insta360SemanticSeg/{NAME}/img_dir",
        "Insta360SemanticSeg",
        ".",
        ".dvc/cache/new",
        "../../used",
    ],
)
def test_pull_refuses_a_folder_in_use(to: str, pushed: Path, tmp_path: Path, sceneset: Run) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    outcome = sceneset("pull", "ski", "--to", to, cwd=pushed)
    assert outcome.code == 2
    assert "choose another folder" in outcome.err
    assert snapshot(tmp_path) == before


def test_pull_fails_when_there_is_no_remote(added: Path, tmp_path: Path, sceneset: Run) -> None:
    shutil.rmtree(added / ".dvc/cache")
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=added)
    assert outcome.code == 1
    assert "remote" in outcome.err


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[S3]:
    with s3_server("moto", tmp_path / "s3") as server:
        yield server


def test_pull_downloads_only_the_blobs_of_the_scene(
    added: Path, s3: S3, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    sceneset("remote", f"s3://{BUCKET}/people", "--endpoint", s3.url, cwd=added)
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    url, to = f"file://{added}", tmp_path / "out"
    assert sceneset("trust", url, cwd=tmp_path).code == 0
    before = len(s3.requests("GET"))
    words = ("pull", "ski", "--persons", "multi", "--repo", url, "--to", to, "--json")
    assert sceneset(*words, cwd=tmp_path).json == (
        {"files": 4, "fetched": 3, "bad": {}} | NOTHING_LEFT_OUT
    )
    objects = [path for path in s3.requests("GET")[before:] if "/files/md5/" in path]
    assert len(objects) == len(set(objects)) == 3
    heads = [path for path in s3.requests("HEAD") if "/files/md5/" in path]
    assert len(s3.requests("GET")[before:]) <= 3 + 4, heads


def test_pull_writes_nothing_when_no_sample_matches(ready, sceneset, tmp_path):
    done = sceneset("pull", "ski", "--phase", "test", "--to", tmp_path / "new", cwd=ready)
    assert done.code == 2
    assert "no sample matches" in done.err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("place", [NAME, f"{NAME}/img_dir", f"{NAME}/ann_dir/train"])
def test_pull_follows_no_link_in_a_half_finished_destination(
    place: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    to, outside = tmp_path / "out", tmp_path / "outside"
    words = ("pull", "ski", "--to", to)
    assert sceneset(*words, cwd=ready).code == 0
    record = to / "sceneset.json"
    record.write_text(record.read_text().replace('"complete": true', '"complete": false'))
    shutil.rmtree(to / place)
    outside.mkdir()
    (outside / ".x.part").write_text("mine")
    (to / place).symlink_to(outside)
    outcome = sceneset(*words, cwd=ready)
    assert outcome.code == 2
    assert f"{to / place} is a symbolic link" in outcome.err
    assert [path.name for path in outside.iterdir()] == [".x.part"]


def test_pull_replaces_a_link_to_a_file_and_keeps_its_target(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    to, mine = tmp_path / "out", tmp_path / "mine"
    words = ("pull", "ski", "--to", to)
    assert sceneset(*words, cwd=ready).code == 0
    mine.write_text("mine")
    image = to / NAME / "img_dir/train/a.jpg"
    good = image.read_bytes()
    for path in (image, image.with_name(".a.jpg.part")):
        path.unlink(missing_ok=True)
        path.symlink_to(mine)
    assert sceneset(*words, cwd=ready).code == 0
    assert mine.read_text() == "mine"
    assert (image.is_symlink(), image.read_bytes()) == (False, good)


@pytest.mark.parametrize(("folder", "is_ignored"), [("pulled", False), ("data/ski", True)])
def test_pull_warns_when_git_would_commit_the_folder(
    folder: str, is_ignored: bool, ready: Path, sceneset: Run
) -> None:
    outcome = sceneset("pull", "ski", "--to", folder, cwd=ready)
    assert outcome.code == 0, outcome.err
    assert ("git does not ignore" in outcome.err) is not is_ignored
    outcome = sceneset("pull", "ski", "--to", ready.parent / "outside", cwd=ready)
    assert "git does not ignore" not in outcome.err


def test_pull_names_the_working_tree_when_the_folder_holds_an_earlier_state_of_it(
    ready: Path, sceneset: Run
) -> None:
    to = ready.parent / "pulled"
    assert sceneset("pull", "ski", "--to", to, cwd=ready).code == 0
    record = json.loads((to / "sceneset.json").read_text())
    (to / "sceneset.json").write_text(json.dumps(record | {"digest": "0" * 32, "commit": None}))
    outcome = sceneset("pull", "ski", "--to", to, cwd=ready)
    assert outcome.code == 2
    assert "another state of the working tree" in outcome.err
