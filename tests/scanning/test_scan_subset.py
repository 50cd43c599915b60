"""`sceneset scan`: the same rows from files, from the remote, and from many machines."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.scanning import measure_sample as measure
from sceneset.scanning import process_pool as processes
from sceneset.storage.dvc_digests import tracked
from support.build import NAME, Run, blob, dvc, write_image
from support.scans import DATA, SCAN, emptied, hashes
from support.servers import BUCKET, KEYS, s3_server

pytest.importorskip("distributed")


@pytest.mark.parametrize("many", [1, 2000])
def test_from_the_remote_without_a_checkout(
    many: int, ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_MANY", many)
    before = emptied(ready)
    done = sceneset("scan", "web", "--from-remote", cwd=ready)
    assert done.code == 0, done.err
    assert "4 samples are scanned, 4 of them anew" in done.err
    assert (ready / SCAN).read_bytes() == before
    assert not list((ready / DATA).glob("*/*/*.jpg"))
    kept = [path for path in (ready / ".dvc").glob("cache/files/md5/*/*") if path.suffix != ".dir"]
    assert not kept, "nothing but lists of files is kept"


def test_its_stage_need_not_run_after_it(ready: Path, sceneset: Run) -> None:
    lock = (ready / "dvc.lock").read_text()
    emptied(ready)
    assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
    assert (ready / "dvc.lock").read_text() == lock
    for text in (lock.replace("nfiles: 4", "nfiles: 5"), ""):
        (ready / "dvc.lock").write_text(text)
        assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
        told = dvc(ready, "repro", "--allow-missing", f"scan@{NAME}").out
        assert "up to date" in told
        assert "Running" not in told
    assert dvc(ready, "repro", "--allow-missing").code == 0
    assert sorted((ready / "dvc.lock").read_text()) == sorted(lock)


def test_from_files(ready: Path, sceneset: Run) -> None:
    before = (ready / SCAN).read_bytes()
    (ready / SCAN).unlink()
    assert sceneset("scan", "web", cwd=ready).code == 0
    assert (ready / SCAN).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--engine", "dask"), "add --from-remote"),
        (("--remote", "x"), "add --from-remote"),
        (("--from-remote", "--scheduler", "tcp://127.0.0.1:1"), "goes with --engine dask"),
        (("--from-remote", "--remote", "nowhere"), "no DVC remote nowhere"),
        (("--from-remote", "--engine", "dask", "--scheduler", "foo"), "tcp://HOST:8786"),
    ],
)
def test_wrong_use(words: tuple[str, ...], said: str, ready: Path, sceneset: Run) -> None:
    (ready / SCAN).unlink()
    done = sceneset("scan", "web", *words, cwd=ready)
    assert done.code in {1, 2}
    assert said in done.err


def test_from_s3(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("moto", tmp_path / "s3") as server:
        endpoint = ("--endpoint", server.url)
        dvc(ready, "remote", "remove", "store")
        assert sceneset("remote", f"s3://{BUCKET}/people", *endpoint, cwd=ready).code == 0
        dvc(ready, "push")
        before = emptied(ready)
        old = len(server.requests("GET"))
        assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
        assert (ready / SCAN).read_bytes() == before
        asked = [path for path in server.requests("GET")[old:] if "/files/md5/" in path]
        assert len(asked) <= 8 + 2 * 2, "each blob once, and the two lists of files"
        (ready / SCAN).unlink()
        assert sceneset("scan", "web", "--from-remote", "--engine", "dask", cwd=ready).code == 0
        assert (ready / SCAN).read_bytes() == before


@pytest.mark.parametrize("limit", ["max_bytes: 10", "min_side: 100", "max_pixels: 10"])
def test_limits_hold_for_rows_that_are_known(limit: str, ready: Path, sceneset: Run) -> None:
    params = ready / "params.yaml"
    name = limit.partition(":")[0]
    params.write_text(re.sub(rf"{name}: \d+", limit, params.read_text()))
    told = []
    for words in ((), ("--from-remote",)):
        done = sceneset("scan", "web", *words, cwd=ready)
        assert done.code == 1
        told.append(done.err)
    (ready / SCAN).unlink()
    told.append(sceneset("scan", "web", cwd=ready).err)
    assert told[0] == told[1] == told[2]
    assert "image-too-" in told[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [("gone", "blob-absent"), ("other", "blob-damaged"), ("listing", "blob-damaged")],
)
def test_what_the_remote_lacks_is_named_and_nothing_written(
    change: str, code: str, ready: Path, sceneset: Run
) -> None:
    [*_, (image, _)] = hashes(ready)
    emptied(ready)
    digest = tracked(ready / DATA / "img_dir.dvc", "").md5
    place = blob(ready.parent / "store", digest if change == "listing" else image)
    place.chmod(0o644)
    if change == "gone":
        place.unlink()
    else:
        place.write_bytes(b"[]")
    done = sceneset("scan", "web", "--from-remote", cwd=ready)
    assert done.code == 1
    assert f"[{code}]" in done.err
    assert ("img_dir.dvc" if change == "listing" else "img_dir/train/d.jpg") in done.err
    assert not (ready / SCAN).exists()


def test_a_damaged_image_on_the_remote_is_named(ready: Path, sceneset: Run) -> None:
    path = ready / DATA / "img_dir/train/a.jpg"
    path.chmod(0o644)
    path.unlink()
    path.write_bytes(b"\xff\xd8\xff none")
    dvc(ready, "add", "--quiet", f"{DATA}/img_dir")
    dvc(ready, "push")
    for words in ((), ("--engine", "dask")):
        done = sceneset("scan", "web", "--from-remote", *words, cwd=ready)
        assert done.code == 1
        assert f"{DATA}/img_dir/train/a.jpg" in done.err
        assert "[image-unreadable]" in done.err


def test_files_that_dvc_knows_are_not_read_again(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    before, plain = (ready / SCAN).read_bytes(), measure.first_bytes

    def counted(path: Path, *rest: object, **more: object) -> bytes:
        read.append(path.name)
        return plain(path, *rest, **more)

    monkeypatch.setattr(measure, "first_bytes", counted)
    assert sceneset("scan", "web", cwd=ready).code == 0
    assert read == []
    assert (ready / SCAN).read_bytes() == before
    write_image(ready / DATA / "img_dir/train/e.jpg", seed=9)
    shutil.copy(ready / DATA / "ann_dir/train/a.png", ready / DATA / "ann_dir/train/e.png")
    dvc(ready, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")
    assert sceneset("scan", "web", cwd=ready).code == 0
    assert sorted(read) == ["e.jpg", "e.png"]
    grown = (ready / SCAN).read_bytes()
    (ready / SCAN).unlink()
    assert sceneset("scan", "web", cwd=ready).code == 0
    assert (ready / SCAN).read_bytes() == grown


# A shell that started the tests in the background has told all below it to ignore Ctrl-C.
AS_IN_FRONT = """
import signal
from sceneset.cli.main import command
signal.signal(signal.SIGINT, signal.default_int_handler)
command()
"""


def test_ctrl_c_waits_for_no_blob(ready: Path) -> None:
    [*_, (image, _)] = hashes(ready)
    emptied(ready)
    place = blob(ready.parent / "store", image)
    place.unlink()
    os.mkfifo(place)
    process = subprocess.Popen(
        [sys.executable, "-c", AS_IN_FRONT, "scan", "web", "--from-remote"],
        cwd=ready,
        stderr=subprocess.PIPE,
        text=True,
    )
    writer = os.open(place, os.O_WRONLY)  # it has been opened, and is waited for
    try:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        os.close(writer)
    assert process.returncode == -signal.SIGINT
    assert said == "sceneset: stopped\n"
    assert not (ready / SCAN).exists()


def test_a_clone_without_images_is_told_once(ready: Path, sceneset: Run) -> None:
    emptied(ready)
    done = sceneset("scan", "web", cwd=ready)
    assert done.code == 1
    [said, count] = done.err.splitlines()
    assert "dvc pull" in said
    assert "--from-remote" in said
    assert count == "1 error"
