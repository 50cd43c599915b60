"""Many pairs are measured by processes: the same rows in the same order, whoever is killed."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from sceneset.scanning import process_pool as processes
from sceneset.scanning.measure_sample import Measured, Pair, measure, measure_all
from sceneset.scanning.process_pool import measure_many
from sceneset.scanning.worker_pool import measured_by
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from support.build import ROOT, write_image, write_mask

LIMITS = Limits()


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    monkeypatch.setattr(processes, "_MANY", 1)
    monkeypatch.setattr(processes._Processes, "batch", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    made = []
    for number in range(9):
        image, mask = tmp_path / f"{number}.jpg", tmp_path / f"{number}.png"
        write_image(image, seed=number)
        write_mask(mask)
        made.append(Pair(Phase.TRAIN, str(number), image, mask, tmp_path))
    return made


def killed_by_4(batch: tuple[Pair, ...], limits: Limits) -> list[Measured]:
    """What a worker does in place of measure_batch."""
    if any(pair.stem == "4" for pair in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return [measure(pair, limits) for pair in batch]


def killed_once(batch: tuple[Pair, ...], limits: Limits) -> list[Measured]:
    if (flag := batch[0].base / "flag").exists():
        flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return [measure(pair, limits) for pair in batch]


def test_processes_and_threads_agree(pairs: list[Pair]) -> None:
    pairs[3].image.write_bytes(b"\xff\xd8\xff none")
    by_threads = list(measure_all(pairs, LIMITS))
    assert list(measure_many(pairs, LIMITS)) == by_threads
    assert [found.row is None for found in by_threads] == [n == 3 for n in range(9)]


def test_known_pairs_are_not_handed_on(pairs: list[Pair]) -> None:
    [*_, last] = measure_all(pairs, LIMITS)
    assert last.row
    known = {(last.row.image_md5, last.row.mask_md5, ".jpg"): last.row}
    pairs[-1] = pairs[-1]._replace(md5=(last.row.image_md5, last.row.mask_md5))
    pairs[-1].image.unlink()
    found = list(measure_many(pairs, LIMITS, known=known))
    assert found[-1].row == last.row
    assert all(one.row for one in found)


def test_a_pair_that_kills_is_named_and_the_others_are_measured(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "measure_batch", killed_by_4)
    found = list(measure_many(pairs, LIMITS))
    assert [one.pair.stem for one in found] == list("012345678")
    assert [one.pair.stem for one in found if not one.row] == ["4"]
    [told] = found[4].findings
    assert (told.file, told.stem, told.code) == ("4.jpg", "4", "image-unreadable")
    assert "kills every process" in told.message


def test_a_process_that_is_killed_loses_nothing(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pairs[0].base / "flag").touch()
    monkeypatch.setattr(processes, "measure_batch", killed_once)
    assert list(measure_many(pairs, LIMITS)) == list(measure_all(pairs, LIMITS))
    assert not (pairs[0].base / "flag").exists()


def test_a_pair_that_was_handed_out_alone_and_killed_once_is_measured(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pairs[0].base / "flag").touch()
    monkeypatch.setattr(processes, "measure_batch", killed_once)
    monkeypatch.setattr(processes._Processes, "batch", 1)
    assert list(measure_many(pairs, LIMITS)) == list(measure_all(pairs, LIMITS))
    assert not (pairs[0].base / "flag").exists()


class Pool:
    """Workers that die of pair 4, and with them what waits beside it, as dask counts it."""

    batch, ahead = 1, 4
    died, gone = (ChildProcessError,), (EOFError,)

    def __init__(self) -> None:
        self.waiting: list[Future[list[Measured]]] = []
        self.begun: list[str] = []

    def submit(self, batch: tuple[Pair, ...]) -> "Future[list[Measured]]":
        [pair], future = batch, Future[list[Measured]]()
        self.waiting = [one for one in self.waiting if not one.done()]
        if pair.stem == "4":
            for one in (*self.waiting, future):
                one.set_exception(ChildProcessError())
        elif pair.stem in {"2", "3"} and pair.stem not in self.begun:
            self.waiting.append(future)
        else:
            future.set_result([measure(pair, LIMITS)])
        self.begun.append(pair.stem)
        return future


def test_who_waited_beside_a_pair_that_kills_is_measured(pairs: list[Pair]) -> None:
    crew = Pool()
    found = list(measured_by(crew, pairs, LIMITS, {}, iter))
    assert [one.pair.stem for one in found] == list("012345678")
    assert [one.pair.stem for one in found if not one.row] == ["4"]
    assert [crew.begun.count(stem) for stem in "1234"] == [1, 2, 2, 2]


def test_who_stops_asking_leaves_no_process(pairs: list[Pair]) -> None:
    coming = measure_many(pairs, LIMITS)
    next(coming)
    coming.close()  # type: ignore[attr-defined]
    assert not children(os.getpid())


WAITER = """
import sys, time
from pathlib import Path
from sceneset.scanning import process_pool as processes
from sceneset.scanning.measure_sample import Pair
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase

if __name__ == "__main__":
    processes._MANY, base = 1, Path(sys.argv[1])
    pairs = [Pair(Phase.TRAIN, "0", base / "0.jpg", base / "0.png", base)] * 100
    for found in processes.measure_many(pairs, Limits()):
        print("begun", flush=True)
        time.sleep(60)
"""


def test_processes_end_with_a_parent_that_is_killed(pairs: list[Pair]) -> None:
    script = pairs[0].base / "waiter.py"
    script.write_text(WAITER)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(pairs[0].base)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout
    with parent.stdout:
        assert parent.stdout.readline() == b"begun\n"
        begun = children(parent.pid)
        assert len(begun) >= 2
        parent.kill()
        parent.wait()
    until = time.monotonic() + 30
    while time.monotonic() < until and any(map(alive, begun)):
        time.sleep(0.05)
    assert not [number for number in begun if alive(number)]


def children(parent: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text().partition(" (")
        except OSError:
            continue
        state, owner = rest.rpartition(") ")[2].split()[:2]
        is_tracker = b"resource_tracker" in Path(f"/proc/{number}/cmdline").read_bytes()
        if int(owner) == parent and state != "Z" and not is_tracker:
            found.append(int(number))
    return found


def alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
