"""Scans on dask give the same rows if workers crash, join late or have other versions."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from sceneset import Registry
from sceneset.scanning import dask_pool
from sceneset.scanning.scan_subset import scan_remote
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.remote_options import without_credentials
from support.build import NAME, ROOT, Outcome, Run, dvc
from support.scans import DATA, SCAN, content_hashes, remove_scan_and_files

distributed = pytest.importorskip("distributed")

FAULTS = ROOT / "tests/programs/dask_worker_faults.py"
WITHOUT_SCENESET = ROOT / "tests/programs/dask_worker_without_sceneset.py"


@contextmanager
def cluster(folder: Path, preload: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start a scheduler and two workers with dask's commands.

    Yields the scheduler's address and its process. The workers load ``preload`` at their start;
    FAULTS reads the file "fault" in ``folder``.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    dask = (sys.executable, "-m", "dask")
    here = ("--host", "127.0.0.1", "--no-dashboard")
    log = (folder / "dask.log").open("wb")
    started = [
        subprocess.Popen([*dask, "scheduler", *here, "--port", str(port)], stdout=log, stderr=log)
    ]
    try:
        started.append(
            subprocess.Popen(
                [*dask, "worker", address, *here, "--nworkers", "2", "--nthreads", "1",
                 "--preload", str(preload), "--death-timeout", "30",
                 "--local-directory", str(folder)],
                stdout=log, stderr=log, env=os.environ | {"FAULT": str(folder / "fault")},
            )
        )  # fmt: skip
        yield address, started[0]
    finally:
        for process in reversed(started):  # workers disconnect from a running scheduler
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()


def write_fault(folder: Path, text: str) -> None:
    """Change the fault of a running cluster's workers."""
    new = folder / "fault.new"
    new.write_text(text)
    new.replace(folder / "fault")


def scan_on_cluster(root: Path, folder: Path, preload: Path, sceneset: Run) -> Outcome:
    with cluster(folder, preload) as (address, _):
        return sceneset(
            "scan", "web", "--from-remote", "--engine", "dask", "--scheduler", address, cwd=root
        )


@pytest.mark.sweep
def test_dask_scan_gives_the_same_rows_when_a_worker_is_killed(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool._DaskWorkers, "batch_size", 2)
    [*_, (image, _)] = content_hashes(ready)
    before = remove_scan_and_files(ready)
    write_fault(tmp_path, f"crash-once {image}")
    done = scan_on_cluster(ready, tmp_path, FAULTS, sceneset)
    assert done.code == 0, done.err
    assert (tmp_path / "fault").read_text() == "none -", "no worker was killed"
    assert (ready / SCAN).read_bytes() == before


@pytest.mark.faults
def test_dask_scan_reports_only_the_crashing_image_when_it_kills_every_worker(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool._DaskWorkers, "batch_size", 2)
    [*_, (image, _)] = content_hashes(ready)
    remove_scan_and_files(ready)
    write_fault(tmp_path, f"crash {image}")
    done = scan_on_cluster(ready, tmp_path, FAULTS, sceneset)
    assert done.code == 1
    assert done.err.count("[image-unreadable]") == 1
    [line] = [line for line in done.err.splitlines() if "crashes the process" in line]
    assert f"{DATA}/img_dir/train/d.jpg" in line


@pytest.mark.faults
def test_dask_scan_continues_on_this_machine_when_the_scheduler_is_killed(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool._DaskWorkers, "batch_size", 1)
    [(first, _), *_] = content_hashes(ready)
    before = remove_scan_and_files(ready)
    write_fault(tmp_path, f"wait {first}")  # all other images are still unmeasured at the kill
    notices: list[str] = []
    with cluster(tmp_path, FAULTS) as (address, scheduler):

        def kill_scheduler_at_first_item(items, total, what):  # type: ignore[no-untyped-def]
            for item in items:
                if scheduler.poll() is None:
                    scheduler.send_signal(signal.SIGKILL)
                    scheduler.wait()
                yield item

        blobs = Blobs(ready)
        measure = dask_pool.dask_measure(blobs, address, notify=notices.append)
        try:
            scanned = scan_remote(
                Registry(ready), NAME, blobs, kill_scheduler_at_first_item, measure
            )
        finally:
            write_fault(tmp_path, "none -")
    assert scanned.findings == []
    assert (ready / SCAN).read_bytes() == before
    assert ["the dask cluster was lost" in notice for notice in notices] == [True]


def test_dask_worker_is_refused_when_its_versions_differ(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_scan_and_files(ready)
    installed = dask_pool.versions()
    monkeypatch.setattr(dask_pool, "versions", lambda: installed | {"pillow": "0.1"})
    done = sceneset("scan", "web", "--from-remote", "--engine", "dask", cwd=ready)
    assert done.code == 1
    assert f"has pillow {installed['pillow']} (this machine has 0.1)" in done.err
    assert not (ready / SCAN).exists()


def test_dask_scan_reports_workers_when_they_do_not_have_the_package(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    remove_scan_and_files(ready)
    done = scan_on_cluster(ready, tmp_path, WITHOUT_SCENESET, sceneset)
    assert done.code == 1
    assert "can't run sceneset" in done.err
    assert "Traceback" not in done.err


def test_remote_address_holds_no_credentials_when_it_is_sent_to_a_scheduler(ready: Path) -> None:
    for remote in ("other", "base"):
        dvc(ready, "remote", "add", remote, f"s3://bucket/{remote}")
        dvc(ready, "remote", "modify", "--local", remote, "secret_access_key", "SECRET")
    dvc(ready, "remote", "add", "above", "remote://base/folder")
    name, settings = Blobs(ready, "above").address()
    assert (name, set(settings)) == ("above", {"above", "base"})
    assert "SECRET" in str(settings)
    assert "SECRET" not in str(without_credentials(settings))


def test_dask_pool_submits_more_batches_when_the_cluster_grows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dask_pool, "_COUNT_SECONDS", -1)
    no_remote = SimpleNamespace(address=lambda: ("store", {}))
    with (
        distributed.LocalCluster(
            1, threads_per_worker=1, dashboard_address=None, processes=False, protocol="inproc://"
        ) as local,
        distributed.Client(local) as client,
    ):
        pool = dask_pool._DaskWorkers(lambda: client, no_remote, Limits())
        assert pool.max_pending == 1, "the cluster is not contacted before the first batch"
        assert pool.client is client
        assert pool.max_pending == 3
        local.scale(3)
        client.wait_for_workers(3)
        assert pool.max_pending == 9


def test_dask_scan_names_the_scheduler_when_it_cannot_be_reached(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_pool, "_CONNECT_SECONDS", 1)
    remove_scan_and_files(ready)
    words = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    done = sceneset("scan", "web", "--from-remote", *words, cwd=ready)
    assert done.code in {1, 2}
    assert "tcp://127.0.0.1:9" in done.err
