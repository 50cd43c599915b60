"""Scans on dask: the same rows whoever dies, joins late or is another version."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.scanning import dask_pool as onmany
from sceneset.scanning.scan_subset import scan_remote
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import without_secrets
from support.build import NAME, Outcome, Run, dvc
from support.scans import DATA, SCAN, emptied, hashes

distributed = pytest.importorskip("distributed")


FAULTS = """
import os, signal, time
from pathlib import Path
from sceneset.imaging import facts as pixels
from sceneset.storage.files import md5_of

fault = Path(os.environ["FAULT"])
plain = getattr(pixels, "plain", pixels.image_facts)  # dask loads a preload more than once
pixels.plain = plain

def faulty(data, *rest, **options):
    what, md5 = fault.read_text().split()
    if md5_of(data) == md5 and what == "poison":
        os.kill(os.getpid(), signal.SIGKILL)
    if md5_of(data) == md5 and what == "once":
        fault.with_suffix(".new").write_text("never -")
        os.replace(fault.with_suffix(".new"), fault)  # another worker may be reading it
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "slow":
        Path(md5).touch()
        time.sleep(1)
    return plain(data, *rest, **options)

pixels.image_facts = faulty
"""


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start a scheduler and two workers as people do; yield its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    preload = folder / "faults.py"
    preload.write_text(FAULTS)
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
                [*dask, "worker", address, "--host", "127.0.0.1", "--no-dashboard", "--nworkers",
                 "2", "--nthreads", "1", "--preload", str(preload), "--death-timeout", "30",
                 "--local-directory", str(folder)],
                stdout=log, stderr=log, env=os.environ | {"FAULT": str(folder / "fault")},
            )
        )  # fmt: skip
        yield address, started[0]
    finally:
        for process in reversed(started):  # a worker says goodbye to its scheduler
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        log.close()


def asked_of_dask(
    root: Path, folder: Path, what: str, monkeypatch: pytest.MonkeyPatch, sceneset: Run
) -> Outcome:
    """Scan on a cluster whose workers have a fault."""
    monkeypatch.setattr(onmany._Cluster, "batch", 2)
    (folder / "fault").write_text(what)
    with cluster(folder) as (address, _):
        return sceneset(
            "scan", "web", "--from-remote", "--engine", "dask", "--scheduler", address, cwd=root
        )


def test_a_killed_worker_loses_nothing(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    [*_, (image, _)] = hashes(ready)
    before = emptied(ready)
    done = asked_of_dask(ready, tmp_path, f"once {image}", monkeypatch, sceneset)
    assert done.code == 0, done.err
    assert (tmp_path / "fault").read_text() == "never -", "a worker was killed"
    assert (ready / SCAN).read_bytes() == before


def test_a_poisonous_image_is_named_and_the_others_are_measured(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    [*_, (image, _)] = hashes(ready)
    emptied(ready)
    done = asked_of_dask(ready, tmp_path, f"poison {image}", monkeypatch, sceneset)
    assert done.code == 1
    [told] = [line for line in done.err.splitlines() if "[image-unreadable]" in line]
    assert f"{DATA}/img_dir/train/d.jpg" in told
    assert "kills every process" in told


def test_a_lost_scheduler_loses_nothing(
    ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(onmany._Cluster, "batch", 1)
    before = emptied(ready)
    (tmp_path / "fault").write_text(f"slow {tmp_path / 'begun'}")
    registry = Registry(ready)
    with cluster(tmp_path) as (address, scheduler):

        def shown(items, total):
            for item in items:
                if scheduler.poll() is None:
                    scheduler.send_signal(signal.SIGKILL)
                    scheduler.wait()
                yield item

        blobs = Blobs(ready)
        told = scan_remote(registry, NAME, blobs, shown, onmany.on_dask(blobs, address))
    assert told == []
    assert (ready / SCAN).read_bytes() == before
    assert "dask was lost" in capfd.readouterr().err


def test_workers_of_other_versions_are_refused(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied(ready)
    mine = onmany.versions()
    monkeypatch.setattr(onmany, "versions", lambda: mine | {"pillow": "0.1"})
    done = sceneset("scan", "web", "--from-remote", "--engine", "dask", cwd=ready)
    assert done.code == 1
    assert f"has pillow {mine['pillow']} (there 0.1)" in done.err
    assert not (ready / SCAN).exists()


WITHOUT = """
import sys
sys.modules["sceneset.scanning.dask_pool"] = None  # importing it fails
"""


def test_workers_without_the_package_are_told_of(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied(ready)
    monkeypatch.setattr(sys.modules[__name__], "FAULTS", WITHOUT)
    done = asked_of_dask(ready, tmp_path, "-", monkeypatch, sceneset)
    assert done.code == 1
    assert "can't run sceneset" in done.err
    assert "Traceback" not in done.err


def test_secrets_stay_here(ready: Path) -> None:
    for remote in ("other", "base"):
        dvc(ready, "remote", "add", remote, f"s3://bucket/{remote}")
        dvc(ready, "remote", "modify", "--local", remote, "secret_access_key", "SECRET")
    dvc(ready, "remote", "add", "above", "remote://base/folder")
    name, sent = Blobs(ready, "above").address()
    assert (name, set(sent)) == ("above", {"above", "base"})
    assert "SECRET" in str(sent)
    assert "SECRET" not in str(without_secrets(sent))


def test_a_cluster_that_grows_gets_more_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onmany, "_LOOK", -1)
    crew = onmany._Cluster.__new__(onmany._Cluster)
    crew.gone, crew._ahead, crew._looked = (OSError,), 1, 0.0
    assert crew.ahead == 1, "nobody is asked before there is something to measure"
    with (
        distributed.LocalCluster(
            1, threads_per_worker=1, dashboard_address=None, processes=False, protocol="inproc://"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        crew.client = client
        assert crew.ahead == 3
        cluster.scale(3)
        client.wait_for_workers(3)
        assert crew.ahead == 9


def test_a_scheduler_that_is_not_there(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onmany, "_PATIENCE", 1)
    emptied(ready)
    words = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    done = sceneset("scan", "web", "--from-remote", *words, cwd=ready)
    assert done.code in {1, 2}
    assert "tcp://127.0.0.1:9" in done.err
