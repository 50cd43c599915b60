"""DVC pushes blobs to real S3 servers and pulls them; damaged objects are refused."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import open_store
from sceneset.storage.s3_store import S3ObjectStore
from sceneset.versions.verify import expected_blobs
from support.build import NAME, Outcome, dvc, git, snapshot
from support.servers import BUCKET, KEYS, S3, s3_server

DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    with s3_server(request.param, tmp_path / "s3") as server:
        yield server


@pytest.fixture
def pushed(
    added: Path, s3: S3, sceneset: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return a registry with its blobs on the server, set up by the documented command."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    url = f"s3://{BUCKET}/people"
    outcome = sceneset("remote", url, "--endpoint", s3.url, cwd=added)
    assert outcome.code == 0, outcome.err
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push", env=KEYS)
    return added


def fresh_clone(root: Path, into: Path) -> Path:
    git(root, "clone", "--quiet", str(root), str(into))
    return into


def test_dvc_pull_restores_the_same_bytes_in_a_fresh_clone(
    pushed: Path, tmp_path: Path, s3: S3
) -> None:
    clone = fresh_clone(pushed, tmp_path / "clone")
    assert not (clone / DATA / "img_dir").exists()
    dvc(clone, "pull", env=KEYS)
    assert snapshot(clone) == snapshot(pushed)
    assert dvc(clone, "repro").out.count("Running stage") == 0


@pytest.mark.parametrize("s3", ["rclone"], indirect=True)
def test_a_process_that_is_forked_after_a_request_reads_the_remote_too(
    pushed: Path, s3: S3
) -> None:
    blobs = Blobs(pushed)
    md5 = next(iter(expected_blobs(Catalog(pushed))))
    data = blobs.download(md5)
    child = multiprocessing.get_context("fork").Process(target=_compare, args=(pushed, md5, data))
    child.start()
    child.join(timeout=60)
    child.kill()  # only if it hangs
    child.join()
    assert child.exitcode == 0


def _compare(root: Path, md5: str, data: bytes) -> None:
    sys.exit(Blobs(root).download(md5) != data)


# rclone stores objects as files, so the one to damage can be found by its content.
@pytest.mark.parametrize("s3", ["rclone"], indirect=True)
def test_dvc_pull_refuses_an_object_when_it_is_damaged(
    pushed: Path, tmp_path: Path, s3: S3
) -> None:
    assert s3.folder is not None
    image = (pushed / DATA / "img_dir/train/a.jpg").read_bytes()
    [stored] = [
        path for path in s3.folder.rglob("*") if path.is_file() and path.read_bytes() == image
    ]
    stored.write_bytes(image[:-8] + b"damaged!")
    trusting, clone = (fresh_clone(pushed, tmp_path / name) for name in ("trusting", "clone"))
    dvc(trusting, "remote", "modify", "store", "verify", "false")
    dvc(trusting, "pull", env=KEYS)
    pulled = (trusting / DATA / "img_dir/train/a.jpg").read_bytes()
    assert pulled.endswith(b"damaged!"), "without the option `verify`, DVC does not detect damage"
    assert dvc(clone, "pull", check=False, env=KEYS).code != 0
    assert not (clone / DATA / "img_dir/train/a.jpg").exists()
    stored.write_bytes(b"")
    assert dvc(clone, "pull", check=False, env=KEYS).code != 0
    stored.write_bytes(image)
    # DVC remembers failed downloads for one more pull.
    dvc(clone, "pull", check=False, env=KEYS)
    dvc(clone, "pull", env=KEYS)
    assert snapshot(clone) == snapshot(pushed), "the refused objects left no files"


def test_store_of_amazon_is_opened_by_region_without_an_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    remotes = {"store": {"url": "s3://bucket/people", "region": "eu-central-1"}}
    store = open_store("store", remotes)
    assert isinstance(store, S3ObjectStore)
    assert store._store.config["region"] == "eu-central-1"
    assert "endpoint" not in store._store.config
