"""Blobs go to real S3 servers and come back; damage on the way is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import NAME, Outcome, dvc, git, make_delivery, snapshot
from servers import BUCKET, KEYS, S3, s3_server

DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture(params=["moto", "rclone"])
def s3(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[S3]:
    with s3_server(request.param, tmp_path / "s3") as server:
        yield server


@pytest.fixture
def pushed(added: Path, s3: S3, sceneset: Callable[..., Outcome]) -> Path:
    """A registry whose blobs are on the server, set up by the one documented command."""
    url = f"s3://{BUCKET}/people"
    outcome = sceneset("remote", url, "--endpoint", s3.url, cwd=added)
    assert outcome.code == 0, outcome.err
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push", env=KEYS)
    return added


def fresh_clone(root: Path, into: Path) -> Path:
    git(root, "clone", "--quiet", str(root), str(into))
    return into


def test_a_fresh_clone_pulls_the_same_bytes(pushed: Path, tmp_path: Path, s3: S3) -> None:
    clone = fresh_clone(pushed, tmp_path / "clone")
    assert not (clone / DATA / "img_dir").exists()
    dvc(clone, "pull", env=KEYS)
    assert snapshot(clone) == snapshot(pushed)
    assert dvc(clone, "repro").out.count("Running stage") == 0


def test_a_damaged_object_is_refused(pushed: Path, tmp_path: Path, s3: S3) -> None:
    if s3.folder is None:
        pytest.skip("moto keeps its objects in memory; rclone keeps them as files to damage")
    image = (pushed / DATA / "img_dir/train/a.jpg").read_bytes()
    [stored] = [
        path for path in s3.folder.rglob("*") if path.is_file() and path.read_bytes() == image
    ]
    stored.write_bytes(image[:-8] + b"damaged!")
    clone = fresh_clone(pushed, tmp_path / "clone")
    assert dvc(clone, "pull", check=False, env=KEYS).code != 0
    assert not (clone / DATA / "img_dir/train/a.jpg").exists()


def test_a_clone_without_blobs_adds_a_subset_and_fetches_none(
    pushed: Path, tmp_path: Path, s3: S3, sceneset: Callable[..., Outcome]
) -> None:
    clone = fresh_clone(pushed, tmp_path / "clone")
    before = snapshot(clone)
    for words in (("lookup", "ski", "--samples", "--json"), ("check",), ("show", "web")):
        assert sceneset(*words, cwd=clone).code == 0
    splits = f"splits@{NAME}"
    dvc(clone, "repro", "--single-item", "--force", "check", splits, "stats", "manifest", "card")
    assert snapshot(clone) == before, "every text stage gives the same bytes without a blob"
    text_stages = ("check", "splits", "stats", "manifest", "card")
    assert dvc(clone, "status", "--quiet", *text_stages, check=False).code == 0

    asked = len(s3.requests("GET")) if s3.folder is None else 0
    other = NAME.replace("web", "more")
    delivery = make_delivery(tmp_path / "more", train=("m", "n"), splits={"sea.txt": ("m", "n")})
    assert sceneset("add", delivery, "--name", other, cwd=clone).code == 0
    said = dvc(clone, "repro", "--allow-missing", env=KEYS).out
    assert f"Running stage 'scan@{other}'" in said
    assert f"Running stage 'scan@{NAME}'" not in said
    assert not (clone / DATA / "img_dir").exists()
    assert dvc(clone, "status", "--quiet", *text_stages, check=False).code == 0
    if s3.folder is None:
        assert s3.requests("GET")[asked:] == [], "nothing was fetched"
        dvc(clone, "push", env=KEYS)
        puts = [path for path in s3.requests("PUT") if "/files/md5/" in path]
        assert puts, "the log counts requests"
