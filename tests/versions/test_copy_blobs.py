"""Mirror copies what another remote misses, once, verified, and nothing that is withdrawn."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, DvcError
from sceneset.progress import no_progress
from sceneset.storage.blobs import Blobs
from sceneset.versions import copy_blobs as module
from sceneset.versions.copy_blobs import copy_blobs, needed_blobs
from support.build import Run, blob, dvc, git, images_of, snapshot
from support.servers import BUCKET, KEYS, s3_server


@pytest.fixture
def backup(released: Path) -> Path:
    """The empty second remote of a registry, which has a version."""
    folder = released.parent / "backup"
    folder.mkdir()
    dvc(released, "remote", "add", "backup", "../backup")
    git(released, "commit", "--quiet", "--all", "--message", "A backup")
    return folder


def without_cache(root: Path) -> None:
    """Empty DVC's cache, so that blobs are read from the remote."""
    for path in (root / ".dvc/cache/files/md5").rglob("*"):
        if path.is_file():
            path.unlink()


def test_mirror_copies_all_blobs_of_a_version_and_a_clone_can_pull_them(
    released: Path, backup: Path, sceneset: Run
) -> None:
    without_cache(released)
    outcome = sceneset("mirror", "backup", "--rev", "latest", cwd=released)
    assert outcome.code == 0, outcome.err
    assert "8 blobs copied to backup" in outcome.err, "images, mask, listings and the table"
    store = released.parent / "store"
    assert snapshot(backup) == snapshot(store)
    again = sceneset("mirror", "backup", "--all-versions", "--json", cwd=released).json
    assert (again["copied"], again["present"], again["findings"]) == (0, 8, [])
    clone = released.parent / "clone"
    git(released, "clone", "--quiet", str(released), str(clone))
    store.rename(released.parent / "away")
    dvc(clone, "pull", "--quiet", "--remote", "backup")


def test_mirror_continues_and_copies_only_what_is_missing_or_damaged(
    released: Path, backup: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sceneset("mirror", "backup", cwd=released).code == 0
    good, images = snapshot(backup), images_of(released, sceneset)
    blob(backup, images["a"]).unlink()
    blob(backup, images["b"]).write_bytes(b"half")
    written: list[str] = []
    upload = Blobs.upload

    def counting(self: Blobs, md5: str, data: bytes) -> None:
        written.append(md5)
        upload(self, md5, data)

    monkeypatch.setattr(Blobs, "upload", counting)
    done = sceneset("mirror", "backup", "--json", cwd=released).json
    assert (done["copied"], sorted(written)) == (2, sorted([images["a"], images["b"]]))
    assert snapshot(backup) == good


@pytest.mark.faults
def test_mirror_reports_blobs_that_the_source_lost_or_damaged_and_copies_the_others(
    released: Path, backup: Path, sceneset: Run
) -> None:
    without_cache(released)
    images, store = images_of(released, sceneset), released.parent / "store"
    blob(store, images["a"]).unlink()
    damaged = blob(store, images["b"])
    damaged.write_bytes(bytes(damaged.stat().st_size))
    outcome = sceneset("mirror", "backup", "--json", cwd=released)
    found = {Path(one["file"]).name: one["code"] for one in outcome.json["findings"]}
    assert (outcome.code, found) == (1, {"a.jpg": "blob-absent", "b.jpg": "blob-damaged"})
    assert outcome.json["copied"] == 6
    assert not blob(backup, images["b"]).exists()


@pytest.mark.faults
def test_mirror_ends_when_the_source_can_not_be_read(
    released: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_cache(released)
    calls: list[str] = []

    def failing(_: Blobs, md5: str) -> bytes:
        calls.append(md5)
        raise BlobError("the server has sent nothing for too long")

    monkeypatch.setattr(Blobs, "download", failing)
    monkeypatch.setattr(module, "_MAX_UNREAD", 0)
    with pytest.raises(DvcError, match="can't be read: the server has sent nothing"):
        copy_blobs(
            [Catalog(released)], Blobs(released), Blobs(released, "backup"), progress=no_progress
        )


@pytest.mark.faults
def test_mirror_copies_nothing_withdrawn_even_if_it_is_withdrawn_meanwhile(
    released: Path, backup: Path, sceneset: Run
) -> None:
    images = images_of(released, sceneset)
    assert sceneset("forget", "web/train/a", "--reason", "asked", cwd=released).code == 0
    state = Catalog(released)
    assert images["a"] not in needed_blobs([state])
    assert sceneset("mirror", "backup", "--rev", "1.0.0", "--json", cwd=released).code == 0
    assert not blob(backup, images["a"]).exists()

    def forget_meanwhile(items: Iterable[int], _: int, __: str) -> Iterator[int]:
        yield from items
        assert sceneset("forget", "web/train/b", "--reason", "asked", cwd=released).code == 0

    blob(backup, images["b"]).unlink()
    done = copy_blobs(
        [state], Blobs(released), Blobs(released, "backup"), progress=forget_meanwhile
    )
    assert done.deleted >= 1
    assert not blob(backup, images["b"]).exists()
    assert blob(backup, images["c"]).exists()


@pytest.mark.faults
def test_mirror_on_s3_asks_for_each_blob_at_most_once(
    released: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    without_cache(released)
    with s3_server("moto", tmp_path / "s3") as s3:
        for name in ("first", "second"):
            dvc(released, "remote", "add", name, f"s3://{BUCKET}/{name}")
            dvc(released, "remote", "modify", name, "endpointurl", s3.url)
        assert sceneset("mirror", "first", cwd=released).code == 0
        outcome = sceneset("mirror", "second", "--from", "first", "--json", cwd=released)
        assert (outcome.code, outcome.json["copied"]) == (0, 8)
        for method in ("GET", "PUT"):
            asked = Counter(s3.requests(method))
            counts = [n for path, n in asked.items() if "/files/md5/" in path and "?" not in path]
            assert len(counts) >= 6, "the two listings of folders are known without reading them"
            assert set(counts) == {1}, method
        assert sceneset("verify", "--remotes", "first", "second", cwd=released).code == 0


def test_verify_compares_two_remotes(released: Path, backup: Path, sceneset: Run) -> None:
    images, words = images_of(released, sceneset), ("verify", "--remotes", "store", "backup")
    assert sceneset("mirror", "backup", cwd=released).code == 0
    outcome = sceneset(*words, cwd=released)
    assert (outcome.code, "8 blobs are on both remotes" in outcome.err) == (0, True), outcome.err
    blob(backup, images["a"]).unlink()
    blob(released.parent / "store", images["b"]).unlink()
    for store in (backup, released.parent / "store"):
        blob(store, images["c"]).unlink()
    blob(backup, images["d"]).write_bytes(b"half")
    outcome = sceneset(*words, "--json", cwd=released)
    found = {Path(one["file"]).name: (one["message"], one["hint"]) for one in outcome.json}
    assert (outcome.code, sorted(found)) == (1, ["a.jpg", "b.jpg", "c.jpg", "d.jpg"])
    assert found["a.jpg"] == (
        f"its blob {images['a']} is not on backup, but on store",
        "run `sceneset mirror backup --from store`",
    )
    assert found["b.jpg"][1] == "run `sceneset mirror store --from backup`"
    assert "is neither on store nor on backup" in found["c.jpg"][0]
    assert "is damaged on backup, but not on store" in found["d.jpg"][0]


def test_mirror_refuses_the_same_remote_and_unknown_ones(released: Path, sceneset: Run) -> None:
    for words in (("store",), ("STORE",), ("other", "--from", "other")):
        assert sceneset("mirror", *words, cwd=released).code in {1, 2}, words
    assert sceneset("verify", "--remotes", "store", "store", cwd=released).code == 2
