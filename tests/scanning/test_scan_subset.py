"""`sceneset scan` gives the same rows from files, from the remote and from a dask cluster."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.scanning import measure_sample, process_pool
from sceneset.storage.dvc_digests import read_dvc_file
from support.build import NAME, ROOT, Run, blob, dvc, write_image
from support.scans import DATA, SCAN, content_hashes, remove_scan_and_files
from support.servers import BUCKET, KEYS, s3_server

pytest.importorskip("distributed")


@pytest.mark.parametrize("min_pairs", [1, 2000], ids=["processes", "threads"])
def test_remote_scan_gives_the_same_rows_when_no_file_is_checked_out(
    min_pairs: int, ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_pool, "_MIN_PAIRS", min_pairs)
    before = remove_scan_and_files(ready)
    done = sceneset("scan", "web", "--from-remote", cwd=ready)
    assert done.code == 0, done.err
    assert "4 samples in the scan, 4 measured now" in done.err
    assert (ready / SCAN).read_bytes() == before
    assert not list((ready / DATA).glob("*/*/*.jpg"))
    cached = (ready / ".dvc").glob("cache/files/md5/*/*")
    blobs = [path for path in cached if path.suffix != ".dir"]
    assert not blobs, "only the listings of folders are cached"


def test_repro_does_not_run_the_scan_stage_when_a_remote_scan_has_run(
    ready: Path, sceneset: Run
) -> None:
    lock = (ready / "dvc.lock").read_text()
    remove_scan_and_files(ready)
    assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
    assert (ready / "dvc.lock").read_text() == lock
    for text in (lock.replace("nfiles: 4", "nfiles: 5"), ""):
        (ready / "dvc.lock").write_text(text)
        assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
        output = dvc(ready, "repro", "--allow-missing", f"scan@{NAME}").out
        assert "up to date" in output
        assert "Running" not in output
    assert dvc(ready, "repro", "--allow-missing").code == 0
    assert sorted((ready / "dvc.lock").read_text()) == sorted(lock)


def test_local_scan_gives_the_same_rows_when_the_scan_was_deleted(
    ready: Path, sceneset: Run
) -> None:
    before = (ready / SCAN).read_bytes()
    (ready / SCAN).unlink()
    assert sceneset("scan", "web", cwd=ready).code == 0
    assert (ready / SCAN).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--engine", "dask"), "can only be used with --from-remote"),
        (("--remote", "x"), "can only be used with --from-remote"),
        (
            ("--from-remote", "--scheduler", "tcp://127.0.0.1:1"),
            "can only be used with --engine dask",
        ),
        (("--from-remote", "--remote", "nowhere"), "no DVC remote nowhere"),
        (("--from-remote", "--engine", "dask", "--scheduler", "foo"), "tcp://HOST:8786"),
    ],
)
def test_scan_explains_the_right_use_when_options_do_not_fit(
    words: tuple[str, ...], message: str, ready: Path, sceneset: Run
) -> None:
    (ready / SCAN).unlink()
    done = sceneset("scan", "web", *words, cwd=ready)
    assert done.code in {1, 2}
    assert message in done.err


def test_remote_scan_downloads_each_blob_once_when_the_remote_is_s3(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("moto", tmp_path / "s3") as server:
        endpoint = ("--endpoint", server.url)
        dvc(ready, "remote", "remove", "store")
        assert sceneset("remote", f"s3://{BUCKET}/people", *endpoint, cwd=ready).code == 0
        dvc(ready, "push")
        before = remove_scan_and_files(ready)
        requests_before = len(server.requests("GET"))
        assert sceneset("scan", "web", "--from-remote", cwd=ready).code == 0
        assert (ready / SCAN).read_bytes() == before
        requests = server.requests("GET")[requests_before:]
        downloads = [path for path in requests if "/files/md5/" in path]
        assert len(downloads) <= 8 + 2 * 2, "each blob once, and the listings of two folders"
        (ready / SCAN).unlink()
        assert sceneset("scan", "web", "--from-remote", "--engine", "dask", cwd=ready).code == 0
        assert (ready / SCAN).read_bytes() == before


@pytest.mark.parametrize("limit", ["max_bytes: 10", "min_side: 100", "max_pixels: 10"])
def test_scan_fails_when_limits_shrink_below_known_rows(
    limit: str, ready: Path, sceneset: Run
) -> None:
    params = ready / "params.yaml"
    name = limit.partition(":")[0]
    params.write_text(re.sub(rf"{name}: \d+", limit, params.read_text()))
    errors = []
    for words in ((), ("--from-remote",)):
        done = sceneset("scan", "web", *words, cwd=ready)
        assert done.code == 1
        errors.append(done.err)
    (ready / SCAN).unlink()
    errors.append(sceneset("scan", "web", cwd=ready).err)
    assert errors[0] == errors[1] == errors[2]
    assert "image-too-" in errors[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [("deleted", "blob-absent"), ("damaged", "blob-damaged"), ("listing", "blob-damaged")],
)
def test_remote_scan_names_the_file_and_writes_nothing_when_a_blob_is_bad(
    change: str, code: str, ready: Path, sceneset: Run
) -> None:
    [*_, (image, _)] = content_hashes(ready)
    remove_scan_and_files(ready)
    digest = read_dvc_file(ready / DATA / "img_dir.dvc", "").md5
    path = blob(ready.parent / "store", digest if change == "listing" else image)
    path.chmod(0o644)
    if change == "deleted":
        path.unlink()
    else:
        path.write_bytes(b"[]")
    done = sceneset("scan", "web", "--from-remote", cwd=ready)
    assert done.code == 1
    assert f"[{code}]" in done.err
    assert ("img_dir.dvc" if change == "listing" else "img_dir/train/d.jpg") in done.err
    assert not (ready / SCAN).exists()


def test_remote_scan_names_the_image_when_it_is_unreadable(ready: Path, sceneset: Run) -> None:
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


def test_local_scan_reads_only_new_files_when_dvc_knows_the_others(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    before, plain = (ready / SCAN).read_bytes(), measure_sample.first_bytes

    def counted(path: Path, *rest: object, **more: object) -> bytes:
        read.append(path.name)
        return plain(path, *rest, **more)

    monkeypatch.setattr(measure_sample, "first_bytes", counted)
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


def test_remote_scan_stops_at_ctrl_c_when_a_blob_never_arrives(ready: Path) -> None:
    [*_, (image, _)] = content_hashes(ready)
    remove_scan_and_files(ready)
    path = blob(ready.parent / "store", image)
    path.unlink()
    os.mkfifo(path)
    process = subprocess.Popen(
        [
            sys.executable,
            str(ROOT / "tests/programs/cli_in_foreground.py"),
            "scan",
            "web",
            "--from-remote",
        ],
        cwd=ready,
        stderr=subprocess.PIPE,
        text=True,
    )
    writer = os.open(path, os.O_WRONLY)  # returns when the scan has opened the pipe to read it
    try:
        process.send_signal(signal.SIGINT)
        output = process.communicate(timeout=60)[1]
    finally:
        process.kill()
        os.close(writer)
    assert process.returncode == -signal.SIGINT
    assert output == "sceneset: interrupted\n"
    assert not (ready / SCAN).exists()


def test_local_scan_reports_one_error_when_the_subset_was_not_pulled(
    ready: Path, sceneset: Run
) -> None:
    remove_scan_and_files(ready)
    done = sceneset("scan", "web", "--all", cwd=ready)
    assert done.code == 1
    [line, count] = done.err.splitlines()
    assert "dvc pull" in line
    assert "--from-remote" in line
    assert count == "1 error"
