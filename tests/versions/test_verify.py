"""Every blob of a version is asked for; what is missing or damaged is named, and put back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.errors import BlobError
from sceneset.storage.blobs import Blobs
from support.build import NAME, Outcome, Run, blob, dvc, git, images_of, snapshot, write_image
from support.servers import BUCKET, KEYS, S3, s3_server

DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture
def store(ready: Path) -> Path:
    return ready.parent / "store"


def spoil(path: Path, data: bytes | None) -> None:
    if data is None:
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_bytes(data)


def findings(outcome: Outcome) -> dict[str, str]:
    return {Path(p["file"]).name: p["code"] for p in outcome.json}


def test_a_whole_remote(ready: Path, sceneset: Run) -> None:
    before = snapshot(ready)
    for words in ((), ("--deep",)):
        outcome = sceneset("verify", *words, cwd=ready)
        assert outcome.code == 0, outcome.err
        assert "all 7 blobs" in outcome.err, "four images, one mask, two folders"
    assert snapshot(ready) == before


def test_missing_cut_and_damaged_blobs_are_named_and_put_back(
    ready: Path, store: Path, sceneset: Run
) -> None:
    images = images_of(ready, sceneset)
    good = snapshot(store)
    whole = blob(store, images["c"]).read_bytes()
    spoil(blob(store, images["a"]), None)
    spoil(blob(store, images["b"]), b"")
    spoil(blob(store, images["c"]), bytes(len(whole)))
    wrong = {"a.jpg": "blob-absent", "b.jpg": "blob-damaged"}
    shallow = sceneset("verify", "--json", cwd=ready)
    assert (shallow.code, findings(shallow)) == (1, wrong), "a size tells no more"
    deep = sceneset("verify", "--deep", "--json", cwd=ready)
    assert (deep.code, findings(deep)) == (1, wrong | {"c.jpg": "blob-damaged"})
    dvc(ready, "push")  # takes a folder as wholly there, once its list is
    [listing] = [p for p in store.rglob("*.dir") if b"train/a.jpg" in p.read_bytes()]
    listing.unlink()
    wrong |= {"c.jpg": "blob-damaged", "img_dir": "blob-absent"}
    assert findings(sceneset("verify", "--deep", "--json", cwd=ready)) == wrong
    outcome = sceneset("verify", "--deep", "--repair", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert sceneset("verify", "--deep", cwd=ready).code == 0
    assert snapshot(store) == good


def test_the_missing_object_that_push_does_not_see(
    ready: Path, store: Path, tmp_path: Path, sceneset: Run
) -> None:
    spoil(blob(store, images_of(ready, sceneset)["a"]), None)
    assert "up to date" in dvc(ready, "push").out, "the reason for --repair"
    clone = tmp_path / "home/clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    assert dvc(clone, "pull", check=False).code != 0
    said = sceneset("verify", cwd=ready)
    assert "--repair" in said.out
    assert sceneset("verify", "--repair", cwd=ready).code == 0
    # DVC remembers what it has failed to fetch for one more pull.
    dvc(clone, "pull", check=False)
    dvc(clone, "pull")
    assert (clone / DATA / "img_dir/train/a.jpg").exists()


def test_what_nobody_has_can_not_be_put_back(
    ready: Path, store: Path, tmp_path: Path, sceneset: Run
) -> None:
    spoil(blob(store, images_of(ready, sceneset)["a"]), None)
    clone = tmp_path / "home/clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    outcome = sceneset("verify", "--repair", "--json", cwd=clone)
    assert (outcome.code, findings(outcome)) == (1, {"a.jpg": "blob-absent"})
    assert "0 of 1" in outcome.err


def test_an_older_version_is_verified_by_itself(ready: Path, store: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    md5 = images_of(ready, sceneset)["a"]
    write_image(ready / DATA / "img_dir/train/a.jpg", 99)
    dvc(ready, "add", "--quiet", f"{DATA}/img_dir")
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Another picture")
    assert sceneset("verify", cwd=ready).code == 1, "not pushed yet"
    dvc(ready, "push")
    assert sceneset("verify", cwd=ready).code == 0
    spoil(blob(store, md5), None)
    assert sceneset("verify", cwd=ready).code == 0
    outcome = sceneset("verify", "--rev", "1.0.0", "--json", cwd=ready)
    assert (outcome.code, findings(outcome)) == (1, {"a.jpg": "blob-absent"})
    assert sceneset("verify", "--rev", "1.0.0", "--repair", cwd=ready).code == 0, "from the cache"


def test_a_remote_that_is_not_there(ready: Path, sceneset: Run) -> None:
    (ready.parent / "store").rename(ready.parent / "gone")
    outcome = sceneset("verify", cwd=ready)
    assert outcome.code == 1
    assert "no such folder" in outcome.err
    assert sceneset("verify", "--remote", "nobody", cwd=ready).code == 1


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    with s3_server(request.param, tmp_path / "s3") as server:
        yield server


@pytest.mark.parametrize("through", ["obstore", "s3fs"])
def test_s3(
    through: str, added: Path, s3: S3, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert sceneset("remote", f"s3://{BUCKET}/people", "--endpoint", s3.url, cwd=added).code == 0
    if through == "s3fs":  # an option that only DVC's own file system heeds
        dvc(added, "remote", "modify", "store", "read_timeout", "60")
    absent = sceneset("verify", "--json", cwd=added)
    assert (absent.code, len(absent.json)) == (1, 7)
    dvc(added, "push")
    assert sceneset("verify", "--deep", cwd=added).code == 0
    from sceneset.storage.blobs import Blobs
    from sceneset.storage.object_store import sizes

    blobs, md5 = Blobs(added), images_of(added, sceneset)["a"]
    assert type(blobs.store).__name__.startswith("S3" if through == "obstore" else "FileSystem")
    held = blobs.store.sizes_below(md5[:2])
    assert held[md5] == len(blobs.ask(md5)) == sizes(blobs.store, [md5, "0" * 32])[md5]
    blobs.put(md5, b"something else")
    outcome = sceneset("verify", "--json", cwd=added)
    assert (outcome.code, findings(outcome)) == (1, {"a.jpg": "blob-damaged"})
    blobs.delete(md5)
    blobs.store.delete(md5)  # twice is as good as once
    assert findings(sceneset("verify", "--json", cwd=added)) == {"a.jpg": "blob-absent"}
    assert sceneset("verify", "--repair", cwd=added).code == 0, "the working tree has it"
    assert sceneset("verify", "--deep", cwd=added).code == 0


def test_a_blob_that_the_disk_does_not_give(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = images_of(ready, sceneset)["a"]
    ask = Blobs.ask

    def asked(self: Blobs, wanted: str) -> bytes:
        if wanted == md5:
            raise BlobError("Input/output error")  # no disk fails when it is asked to
        return ask(self, wanted)

    monkeypatch.setattr(Blobs, "ask", asked)
    outcome = sceneset("verify", "--deep", "--json", cwd=ready)
    assert (outcome.code, findings(outcome)) == (1, {"a.jpg": "blob-unread"})
