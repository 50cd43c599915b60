"""Verify finds missing and damaged blobs on a remote; repair uploads them again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.errors import BlobError
from sceneset.storage.blobs import Blobs
from sceneset.storage.object_store import blob_sizes
from support.build import NAME, Outcome, Run, blob, dvc, git, images_of, snapshot, write_image
from support.servers import BUCKET, KEYS, S3, s3_server

DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture
def store(ready: Path) -> Path:
    return ready.parent / "store"


def replace_blob(path: Path, data: bytes | None) -> None:
    """Overwrite a blob, or delete it if ``data`` is None."""
    if data is None:
        path.unlink()
    else:
        path.chmod(0o644)
        path.write_bytes(data)


def codes_by_file(outcome: Outcome) -> dict[str, str]:
    return {Path(p["file"]).name: p["code"] for p in outcome.json}


def test_verify_reports_nothing_when_the_remote_is_complete(ready: Path, sceneset: Run) -> None:
    before = snapshot(ready)
    for words in ((), ("--deep",)):
        outcome = sceneset("verify", *words, cwd=ready)
        assert outcome.code == 0, outcome.err
        assert "7 blobs are on the remote" in outcome.err, (
            "four images, one mask, two folder listings"
        )
    assert snapshot(ready) == before


def test_verify_names_missing_and_damaged_blobs_and_repairs_them(
    ready: Path, store: Path, sceneset: Run
) -> None:
    images = images_of(ready, sceneset)
    good = snapshot(store)
    original = blob(store, images["c"]).read_bytes()
    replace_blob(blob(store, images["a"]), None)
    replace_blob(blob(store, images["b"]), b"")
    replace_blob(blob(store, images["c"]), bytes(len(original)))
    wrong = {"a.jpg": "blob-absent", "b.jpg": "blob-damaged"}
    shallow = sceneset("verify", "--json", cwd=ready)
    assert (shallow.code, codes_by_file(shallow)) == (1, wrong), "equal sizes hide the damage"
    deep = sceneset("verify", "--deep", "--json", cwd=ready)
    assert (deep.code, codes_by_file(deep)) == (1, wrong | {"c.jpg": "blob-damaged"})
    dvc(ready, "push")  # assumes that a folder is complete when its listing is there
    [listing] = [p for p in store.rglob("*.dir") if b"train/a.jpg" in p.read_bytes()]
    listing.unlink()
    wrong |= {"c.jpg": "blob-damaged", "img_dir": "blob-absent"}
    assert codes_by_file(sceneset("verify", "--deep", "--json", cwd=ready)) == wrong
    outcome = sceneset("verify", "--deep", "--repair", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert sceneset("verify", "--deep", cwd=ready).code == 0
    assert snapshot(store) == good


def test_repair_uploads_a_blob_that_dvc_push_does_not_miss(
    ready: Path, store: Path, tmp_path: Path, sceneset: Run
) -> None:
    replace_blob(blob(store, images_of(ready, sceneset)["a"]), None)
    assert "up to date" in dvc(ready, "push").out, "dvc push does not notice the missing blob"
    clone = tmp_path / "home/clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    assert dvc(clone, "pull", check=False).code != 0
    outcome = sceneset("verify", cwd=ready)
    assert "--repair" in outcome.out
    assert sceneset("verify", "--repair", cwd=ready).code == 0
    # DVC remembers for one more pull which blobs it failed to fetch.
    dvc(clone, "pull", check=False)
    dvc(clone, "pull")
    assert (clone / DATA / "img_dir/train/a.jpg").exists()


def test_repair_reports_a_blob_that_is_not_on_this_machine(
    ready: Path, store: Path, tmp_path: Path, sceneset: Run
) -> None:
    replace_blob(blob(store, images_of(ready, sceneset)["a"]), None)
    clone = tmp_path / "home/clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    outcome = sceneset("verify", "--repair", "--json", cwd=clone)
    assert (outcome.code, codes_by_file(outcome)) == (1, {"a.jpg": "blob-absent"})
    assert "0 of 1" in outcome.err


def test_verify_checks_only_the_blobs_of_the_given_version(
    ready: Path, store: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    md5 = images_of(ready, sceneset)["a"]
    write_image(ready / DATA / "img_dir/train/a.jpg", 99)
    dvc(ready, "add", "--quiet", f"{DATA}/img_dir")
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Change an image")
    assert sceneset("verify", cwd=ready).code == 1, "the new image is not pushed"
    dvc(ready, "push")
    assert sceneset("verify", cwd=ready).code == 0
    replace_blob(blob(store, md5), None)
    assert sceneset("verify", cwd=ready).code == 0
    outcome = sceneset("verify", "--rev", "1.0.0", "--json", cwd=ready)
    assert (outcome.code, codes_by_file(outcome)) == (1, {"a.jpg": "blob-absent"})
    assert sceneset("verify", "--rev", "1.0.0", "--repair", cwd=ready).code == 0, (
        "the cache has the old image"
    )


def test_verify_fails_when_the_remote_is_missing_or_unknown(ready: Path, sceneset: Run) -> None:
    (ready.parent / "store").rename(ready.parent / "moved")
    outcome = sceneset("verify", cwd=ready)
    assert outcome.code == 1
    assert "no such folder" in outcome.err
    assert sceneset("verify", "--remote", "unknown", cwd=ready).code == 1


@pytest.fixture(params=["moto", pytest.param("rclone", marks=pytest.mark.sweep)])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    with s3_server(request.param, tmp_path / "s3") as server:
        yield server


@pytest.mark.parametrize("through", ["obstore", pytest.param("s3fs", marks=pytest.mark.sweep)])
def test_verify_and_repair_work_on_s3(
    through: str, added: Path, s3: S3, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    assert sceneset("remote", f"s3://{BUCKET}/people", "--endpoint", s3.url, cwd=added).code == 0
    if through == "s3fs":  # an option that only DVC's own file system supports
        dvc(added, "remote", "modify", "store", "read_timeout", "60")
    absent = sceneset("verify", "--json", cwd=added)
    assert (absent.code, len(absent.json)) == (1, 7)
    dvc(added, "push")
    assert sceneset("verify", "--deep", cwd=added).code == 0
    blobs, md5 = Blobs(added), images_of(added, sceneset)["a"]
    assert type(blobs.store).__name__.startswith("S3" if through == "obstore" else "FileSystem")
    sizes_below = blobs.store.sizes_with_prefix(md5[:2])
    assert (
        sizes_below[md5]
        == len(blobs.download(md5))
        == blob_sizes(blobs.store, [md5, "0" * 32])[md5]
    )
    blobs.upload(md5, b"something else")
    outcome = sceneset("verify", "--json", cwd=added)
    assert (outcome.code, codes_by_file(outcome)) == (1, {"a.jpg": "blob-damaged"})
    blobs.delete(md5)
    blobs.store.delete(md5)  # deleting a missing blob is no error
    assert codes_by_file(sceneset("verify", "--json", cwd=added)) == {"a.jpg": "blob-absent"}
    assert sceneset("verify", "--repair", cwd=added).code == 0, "the working tree has the image"
    assert sceneset("verify", "--deep", cwd=added).code == 0


def test_verify_reports_a_blob_that_can_not_be_read(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    md5 = images_of(ready, sceneset)["a"]
    download = Blobs.download

    def failing(self: Blobs, requested: str) -> bytes:
        if requested == md5:
            raise BlobError("Input/output error")  # a disk error can't be caused here
        return download(self, requested)

    monkeypatch.setattr(Blobs, "download", failing)
    outcome = sceneset("verify", "--deep", "--json", cwd=ready)
    assert (outcome.code, codes_by_file(outcome)) == (1, {"a.jpg": "blob-unread"})
