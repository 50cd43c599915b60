"""Blobs go to real S3 servers and come back; damage on the way is refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.build import NAME, Outcome, dvc, git, snapshot
from support.servers import BUCKET, KEYS, S3, s3_server

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


# rclone keeps its objects as files: the one to damage is found by its bytes.
@pytest.mark.parametrize("s3", ["rclone"], indirect=True)
def test_a_damaged_object_is_refused(pushed: Path, tmp_path: Path, s3: S3) -> None:
    assert s3.folder is not None
    image = (pushed / DATA / "img_dir/train/a.jpg").read_bytes()
    [stored] = [
        path for path in s3.folder.rglob("*") if path.is_file() and path.read_bytes() == image
    ]
    stored.write_bytes(image[:-8] + b"damaged!")
    trusting, clone = (fresh_clone(pushed, tmp_path / name) for name in ("trusting", "clone"))
    dvc(trusting, "remote", "modify", "store", "verify", "false")
    dvc(trusting, "pull", env=KEYS)
    got = (trusting / DATA / "img_dir/train/a.jpg").read_bytes()
    assert got.endswith(b"damaged!"), "without verify DVC notices nothing: the reason for it"
    assert dvc(clone, "pull", check=False, env=KEYS).code != 0
    assert not (clone / DATA / "img_dir/train/a.jpg").exists()
    stored.write_bytes(b"")
    assert dvc(clone, "pull", check=False, env=KEYS).code != 0
    stored.write_bytes(image)
    # DVC remembers what it has failed to fetch for one more pull.
    dvc(clone, "pull", check=False, env=KEYS)
    dvc(clone, "pull", env=KEYS)
    assert snapshot(clone) == snapshot(pushed), "what was refused left nothing behind"
