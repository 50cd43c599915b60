"""`sceneset scan`: the same rows from files, from the remote, and from many machines."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import NAME, Outcome, blob, dvc, write_image
from servers import BUCKET, KEYS, s3_server

from sceneset.registry import measure, onmany, processes
from sceneset.registry.blobs import Blobs
from sceneset.registry.catalog import Registry
from sceneset.registry.digests import tracked
from sceneset.registry.remote import without_secrets
from sceneset.registry.scanning import scan_remote

distributed = pytest.importorskip("distributed")

Run = Callable[..., Outcome]
DATA = f"Insta360SemanticSeg/{NAME}"
SCAN = f"registry/scans/{NAME}.parquet"


def emptied(root: Path) -> bytes:
    """Take away the scan and every image and mask; return the scan as it was."""
    before = (root / SCAN).read_bytes()
    (root / SCAN).unlink()
    for folder in ("img_dir", "ann_dir"):
        shutil.rmtree(root / DATA / folder)
    shutil.rmtree(root / ".dvc/cache")
    return before


def hashes(root: Path) -> list[tuple[str, str]]:
    table = Registry(root).scan(NAME, ("image_md5", "mask_md5"))
    columns = (table[name].to_pylist() for name in table.column_names)
    return [(image.hex(), mask.hex()) for image, mask in zip(*columns, strict=True)]


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


FAULTS = """
import os, signal, time
from pathlib import Path
from sceneset.registry import pixels
from sceneset.registry.files import md5_of

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


def test_workers_without_the_package_are_told_of(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    emptied(ready)
    monkeypatch.setattr(sys.modules[__name__], "FAULTS", WITHOUT)
    done = asked_of_dask(ready, tmp_path, "-", monkeypatch, sceneset)
    assert done.code == 1
    assert "can't run sceneset" in done.err
    assert "Traceback" not in done.err


WITHOUT = """
import sys
sys.modules["sceneset.registry.onmany"] = None  # importing it fails
"""


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


# A shell that started the tests in the background has told all below it to ignore Ctrl-C.
AS_IN_FRONT = """
import signal
from sceneset.registry.cli import command
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


def test_a_scheduler_that_is_not_there(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onmany, "_PATIENCE", 1)
    emptied(ready)
    words = ("--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    done = sceneset("scan", "web", "--from-remote", *words, cwd=ready)
    assert done.code in {1, 2}
    assert "tcp://127.0.0.1:9" in done.err


def test_a_clone_without_images_is_told_once(ready: Path, sceneset: Run) -> None:
    emptied(ready)
    done = sceneset("scan", "web", cwd=ready)
    assert done.code == 1
    [said, count] = done.err.splitlines()
    assert "dvc pull" in said
    assert "--from-remote" in said
    assert count == "1 error"
