"""Faults during pulls: a remote that is unavailable or refuses access, a disk that fills up."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset.storage import blob_export as export
from sceneset.storage import s3_store
from support.build import NAME, ROOT, Run, dvc, git
from support.servers import BUCKET, KEYS, S3, s3_server

PROGRAMS = ROOT / "tests/programs"


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("rclone", tmp_path / "s3") as server:
        yield server


@pytest.fixture
def pushed(added: Path, s3: S3, sceneset: Run) -> Path:
    """A registry whose blobs are on the S3 server and not in the cache."""
    assert sceneset("remote", f"s3://{BUCKET}/people", "--endpoint", s3.url, cwd=added).code == 0
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    shutil.rmtree(added / ".dvc/cache")
    return added


# Options that make a remote unusable, and a part of the message for each.
FAULTS = {
    "unreachable": ({"endpointurl": "http://127.0.0.1:9"}, "can't be reached"),
    "wrong key": ({"access_key_id": "nobody", "secret_access_key": "x"}, "refuses"),
    "wrong secret": (
        {"access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "secret_access_key": "x"},
        "refuses",
    ),
    "no bucket": ({"url": "s3://nobody/people"}, "there is no such bucket"),
    "wrong profile": ({"profile": "nobody"}, "nobody"),
}


# s3fs does not distinguish a missing bucket from a missing blob.
@pytest.mark.parametrize(
    ("fault", "through"),
    [*((fault, "obstore") for fault in FAULTS), ("unreachable", "s3fs"), ("wrong secret", "s3fs")],
)
def test_pull_reports_an_unusable_remote_once(
    fault: str, through: str, pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    options, message = FAULTS[fault]
    for name, value in options.items():
        dvc(pushed, "remote", "modify", "store", name, value)
    if through == "s3fs":  # an option that only DVC's own file system supports
        dvc(pushed, "remote", "modify", "store", "connect_timeout", "5")
    to = tmp_path / "out"
    outcome = sceneset("pull", "ski", "--to", to, cwd=pushed)
    assert outcome.code == 1
    if through == "obstore":
        assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1, "one line, not one per file"
    assert not to.exists(), "nothing is written"


def test_pull_fails_when_there_are_no_credentials(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=pushed)
    assert outcome.code == 1
    assert "no credentials for S3" in outcome.err


def test_pull_can_be_repeated_when_the_remote_fails_half_way(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH", 2)
    get, requests = s3_store.S3ObjectStore.get, 0

    def failing(self: s3_store.S3ObjectStore, md5: str, limit: int | None = None) -> bytes:
        nonlocal requests
        requests += 1
        if requests > 3:
            raise OSError("connection reset")
        return get(self, md5, limit)

    monkeypatch.setattr(s3_store.S3ObjectStore, "get", failing)
    words = ("pull", "ski", "--to", tmp_path / "out", "--json")
    outcome = sceneset(*words, cwd=pushed)
    assert outcome.code == 1
    assert "connection reset" in outcome.err + outcome.out
    assert json.loads((tmp_path / "out/sceneset.json").read_text())["complete"] is False
    monkeypatch.setattr(s3_store.S3ObjectStore, "get", get)
    outcome = sceneset(*words, cwd=pushed)
    assert outcome.code == 0
    assert outcome.json["fetched"] == 5 - 3, "downloaded blobs are kept"


class _Usage(NamedTuple):
    free: int


def test_pull_writes_nothing_when_the_disk_is_too_small(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(100))
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=pushed)
    assert outcome.code == 1
    assert "[disk-full]" in outcome.err
    assert "100 are free" in outcome.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["cache", "out"])
def test_pull_leaves_no_partial_file_when_the_disk_fills_up(
    place: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("mount namespaces are not available")
    store = ready.parent / "store/files/md5"
    big = b"\xff" * 100_000
    image = ready / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    image.write_bytes(image.read_bytes() + big)  # bytes after the end of a JPEG are only a warning
    dvc(ready, "add", "--quiet", f"Insta360SemanticSeg/{NAME}/img_dir")
    dvc(ready, "repro", "--quiet")
    dvc(ready, "push", "--quiet")
    shutil.rmtree(ready / ".dvc/cache")
    to, copy = tmp_path / "out", tmp_path / "copy"
    for folder in (to, copy, ready / ".dvc/cache"):
        folder.mkdir()
    small = ready / ".dvc/cache" if place == "cache" else to
    limited = ["sh", PROGRAMS / "limited_disk.sh", small]
    program = [sys.executable, PROGRAMS / "ignore_disk_space.py"]
    words = [*unshare, *limited, *program]
    done = subprocess.run(
        [*map(str, words), "pull", "ski", "--to", str(to)],
        cwd=ready,
        env={**os.environ, "FULL_FOLDER": str(small), "COPY_TO": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    # No partial file is left, and the same command completes once there is space again.
    for path in copy.rglob("*.part"):
        pytest.fail(f"{path} is a partial file")
    for path in copy.rglob("*"):
        if place == "cache" and path.is_file():
            original = store / path.relative_to(copy / "files/md5")
            assert path.read_bytes() == original.read_bytes()
    outcome = sceneset("pull", "ski", "--to", to, cwd=ready)
    assert outcome.code == 0, outcome.err
    assert (to / NAME / "img_dir/train/a.jpg").read_bytes() == image.read_bytes()
