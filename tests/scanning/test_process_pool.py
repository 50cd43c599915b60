"""Scans in processes give the same rows in the same order, whichever process is killed."""

import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest

from sceneset.scanning import process_pool
from sceneset.scanning.measure_sample import Measured, Pair, measure_in_threads, measure_pair
from sceneset.scanning.process_pool import measure_files
from sceneset.scanning.worker_pool import measure_in_pool
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from support.build import ROOT, write_image, write_mask
from support.crashes import crash_on_pair_4, crash_once
from support.waiting import wait_until

LIMITS = Limits()


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Pair]:
    """Nine pairs with stems "0" to "8", which are measured by two processes in batches of two."""
    monkeypatch.setattr(process_pool, "_MIN_PAIRS", 1)
    monkeypatch.setattr(process_pool._ProcessWorkers, "batch_size", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    pairs = []
    for number in range(9):
        image, mask = tmp_path / f"{number}.jpg", tmp_path / f"{number}.png"
        write_image(image, seed=number)
        write_mask(mask)
        pairs.append(Pair(Phase.TRAIN, str(number), image, mask, tmp_path))
    return pairs


def stems(results: list[Measured]) -> list[str]:
    return [result.pair.stem for result in results]


def test_measure_files_gives_the_same_results_when_it_uses_processes(pairs: list[Pair]) -> None:
    pairs[3].image.write_bytes(b"\xff\xd8\xff none")
    by_threads = list(measure_in_threads(pairs, LIMITS))
    assert list(measure_files(pairs, LIMITS)) == by_threads
    assert [result.row is None for result in by_threads] == [n == 3 for n in range(9)]


def test_measure_files_reads_no_file_when_the_row_is_known(pairs: list[Pair]) -> None:
    [*_, last] = measure_in_threads(pairs, LIMITS)
    assert last.row
    known = {(last.row.image_md5, last.row.mask_md5, ".jpg"): last.row}
    pairs[-1] = pairs[-1]._replace(md5=(last.row.image_md5, last.row.mask_md5))
    pairs[-1].image.unlink()
    results = list(measure_files(pairs, LIMITS, known=known))
    assert results[-1].row == last.row
    assert all(result.row for result in results)


def test_measure_files_reports_only_the_crashing_pair_when_a_pair_kills_its_process(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_pool, "measure_file_batch", crash_on_pair_4)
    results = list(measure_files(pairs, LIMITS))
    assert stems(results) == list("012345678")
    assert stems([result for result in results if not result.row]) == ["4"]
    [found] = results[4].findings
    assert (found.file, found.stem, found.code) == ("4.jpg", "4", "image-unreadable")
    assert "crashes the process" in found.message


def test_measure_files_measures_every_pair_when_a_process_is_killed_once(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pairs[0].base / "flag").touch()
    monkeypatch.setattr(process_pool, "measure_file_batch", crash_once)
    assert list(measure_files(pairs, LIMITS)) == list(measure_in_threads(pairs, LIMITS))
    assert not (pairs[0].base / "flag").exists()


def test_measure_files_measures_a_pair_again_when_its_batch_of_one_crashed_once(
    pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    (pairs[0].base / "flag").touch()
    monkeypatch.setattr(process_pool, "measure_file_batch", crash_once)
    monkeypatch.setattr(process_pool._ProcessWorkers, "batch_size", 1)
    assert list(measure_files(pairs, LIMITS)) == list(measure_in_threads(pairs, LIMITS))
    assert not (pairs[0].base / "flag").exists()


class PoolThatFailsTogether:
    """A worker pool in which pair 4 makes all unfinished batches fail, as dask counts failures.

    Pairs 2 and 3 stay unfinished the first time that they are submitted.
    """

    batch_size, max_pending = 1, 4
    task_errors, pool_errors = (ChildProcessError,), (EOFError,)

    def __init__(self) -> None:
        self.unfinished: list[Future[list[Measured]]] = []
        self.submitted: list[str] = []

    def submit(self, batch: tuple[Pair, ...]) -> "Future[list[Measured]]":
        [pair], future = batch, Future[list[Measured]]()
        self.unfinished = [other for other in self.unfinished if not other.done()]
        if pair.stem == "4":
            for failed in (*self.unfinished, future):
                failed.set_exception(ChildProcessError())
        elif pair.stem in {"2", "3"} and pair.stem not in self.submitted:
            self.unfinished.append(future)
        else:
            future.set_result([measure_pair(pair, LIMITS)])
        self.submitted.append(pair.stem)
        return future


def test_measure_in_pool_measures_pairs_again_when_they_failed_beside_a_crashing_pair(
    pairs: list[Pair],
) -> None:
    pool = PoolThatFailsTogether()
    results = list(measure_in_pool(pool, pairs, LIMITS, {}, iter))
    assert stems(results) == list("012345678")
    assert stems([result for result in results if not result.row]) == ["4"]
    assert [pool.submitted.count(stem) for stem in "1234"] == [1, 2, 2, 2]


def test_measure_files_leaves_no_process_when_the_caller_stops_early(pairs: list[Pair]) -> None:
    before = set(children(os.getpid()))
    results = measure_files(pairs, LIMITS)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not set(children(os.getpid())) - before


def test_worker_processes_end_when_their_parent_is_killed(pairs: list[Pair]) -> None:
    program = ROOT / "tests/programs/scan_in_processes.py"
    parent = subprocess.Popen(
        [sys.executable, str(program), str(pairs[0].base)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout
    assert parent.stdin
    with parent.stdout, parent.stdin:
        assert parent.stdout.readline() == b"started\n"
        workers = children(parent.pid)
        assert len(workers) >= 2
        parent.kill()
        parent.wait()
    assert wait_until(lambda: not any(map(is_alive, workers)))


def children(parent: int) -> list[int]:
    """Return the process ids of a process's children, without multiprocessing's helper."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text().partition(" (")
            is_tracker = b"resource_tracker" in Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:  # the process has ended
            continue
        state, owner = rest.rpartition(") ")[2].split()[:2]
        if int(owner) == parent and state != "Z" and not is_tracker:
            found.append(int(number))
    return found


def is_alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
