"""What can go wrong on the way: a remote that is away or refuses, a disk that fills up."""

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
from sceneset.storage import object_store as stores
from support.build import NAME, Run, dvc, git
from support.servers import BUCKET, KEYS, S3, s3_server


@pytest.fixture
def s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("rclone", tmp_path / "s3") as server:
        yield server


@pytest.fixture
def pushed(added: Path, s3: S3, sceneset: Run) -> Path:
    """A registry whose blobs are on the server, and nowhere else."""
    assert sceneset("remote", f"s3://{BUCKET}/people", "--endpoint", s3.url, cwd=added).code == 0
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    shutil.rmtree(added / ".dvc/cache")
    return added


# The options of a remote, and what is said when it can't be used with them.
FAULTS = {
    "away": ({"endpointurl": "http://127.0.0.1:9"}, "can't be reached"),
    "wrong key": ({"access_key_id": "nobody", "secret_access_key": "x"}, "refuses"),
    "wrong secret": (
        {"access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "secret_access_key": "x"},
        "refuses",
    ),
    "no bucket": ({"url": "s3://nobody/people"}, "there is no such bucket"),
    "wrong profile": ({"profile": "nobody"}, "nobody"),
}


# s3fs can't tell a bucket that is not there from a blob that is not.
@pytest.mark.parametrize(
    ("fault", "through"),
    [*((fault, "obstore") for fault in FAULTS), ("away", "s3fs"), ("wrong secret", "s3fs")],
)
def test_a_remote_that_can_not_be_used_is_told_once(
    fault: str, through: str, pushed: Path, tmp_path: Path, sceneset: Run
) -> None:
    options, said = FAULTS[fault]
    for name, value in options.items():
        dvc(pushed, "remote", "modify", "store", name, value)
    if through == "s3fs":  # an option that only DVC's own file system heeds
        dvc(pushed, "remote", "modify", "store", "connect_timeout", "5")
    to = tmp_path / "out"
    outcome = sceneset("pull", "ski", "--to", to, cwd=pushed)
    assert outcome.code == 1
    if through == "obstore":
        assert said in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1, "not once a file"
    assert not to.exists(), "nothing half-written"


def test_no_credentials(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=pushed)
    assert outcome.code == 1
    assert "no credentials for S3" in outcome.err


def test_a_remote_that_goes_away_half_way(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH", 2)
    get, asked = stores.S3ObjectStore.get, 0

    def failing(self: stores.S3ObjectStore, md5: str, limit: int | None = None) -> bytes:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise OSError("connection reset")
        return get(self, md5, limit)

    monkeypatch.setattr(stores.S3ObjectStore, "get", failing)
    words = ("pull", "ski", "--to", tmp_path / "out", "--json")
    outcome = sceneset(*words, cwd=pushed)
    assert outcome.code == 1
    assert "connection reset" in outcome.err + outcome.out
    assert json.loads((tmp_path / "out/sceneset.json").read_text())["complete"] is False
    monkeypatch.setattr(stores.S3ObjectStore, "get", get)
    outcome = sceneset(*words, cwd=pushed)
    assert outcome.code == 0
    assert outcome.json["fetched"] == 5 - 3, "what had come is kept"


class _Usage(NamedTuple):
    free: int


def test_a_disk_without_the_room_is_seen_before(
    pushed: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export.shutil, "disk_usage", lambda _: _Usage(100))
    outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=pushed)
    assert outcome.code == 1
    assert "[disk-full]" in outcome.err
    assert "100 are free" in outcome.err
    assert not (tmp_path / "out").exists()


# In a mount namespace of its own, where one folder is a file system of 64 kB.
FULL = """
set -e
mount -t tmpfs -o size=64k tmpfs "$1"
shift
status=0; "$@" || status=$?
cp -r "$KEEP"/. "$OUT"
exit $status
"""
BLIND = "import shutil, sys; from sceneset.cli import main as cli; \
shutil.disk_usage = lambda p: type('U', (), {'free': 1 << 40}); sys.exit(cli.main())"


@pytest.mark.parametrize("place", ["cache", "out"])
def test_a_disk_that_fills_up(place: str, ready: Path, tmp_path: Path, sceneset: Run) -> None:
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*unshare, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount namespace")
    store = ready.parent / "store/files/md5"
    big = b"\xff" * 100_000
    image = ready / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    image.write_bytes(image.read_bytes() + big)  # what follows a JPEG's end is let be
    dvc(ready, "add", "--quiet", f"Insta360SemanticSeg/{NAME}/img_dir")
    dvc(ready, "repro", "--quiet")
    dvc(ready, "push", "--quiet")
    shutil.rmtree(ready / ".dvc/cache")
    to, left = tmp_path / "out", tmp_path / "left"
    for folder in (to, left, ready / ".dvc/cache"):
        folder.mkdir()
    small = ready / ".dvc/cache" if place == "cache" else to
    words = [*unshare, "sh", "-c", FULL, "sh", small, sys.executable, "-c", BLIND]
    done = subprocess.run(
        [*map(str, words), "pull", "ski", "--to", str(to)],
        cwd=ready,
        env={**os.environ, "KEEP": str(small), "OUT": str(left)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "No space left on device" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    # Nothing half-written is there, and with room again the same command ends it.
    for path in left.rglob("*.part"):
        pytest.fail(f"{path} was left")
    for path in left.rglob("*"):
        if place == "cache" and path.is_file():
            whole = store / path.relative_to(left / "files/md5")
            assert path.read_bytes() == whole.read_bytes()
    outcome = sceneset("pull", "ski", "--to", to, cwd=ready)
    assert outcome.code == 0, outcome.err
    assert (to / NAME / "img_dir/train/a.jpg").read_bytes() == image.read_bytes()
