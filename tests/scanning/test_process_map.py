"""Calls in processes give the same results in the same order, whichever process is killed."""

import os

import pytest

from sceneset.scanning import process_map
from sceneset.scanning.process_map import map_on_all_cores
from support.crashes import double


@pytest.fixture(autouse=True)
def few_items_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_map, "_MIN_ITEMS", 9)
    monkeypatch.setattr(process_map, "_BATCH", 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def refused(number: int) -> int:
    return -number


def test_only_the_item_that_kills_its_process_is_lost():
    found = list(map_on_all_cores(double, iter(range(9)), 9, refused))
    assert found == [0, 2, 4, 6, -4, 10, 12, 14, 16]


def test_few_items_are_computed_in_this_process():
    pids = map_on_all_cores(lambda _: os.getpid(), range(8), 8, refused)
    assert set(pids) == {os.getpid()}


def test_remaining_items_are_computed_in_this_process_when_the_pool_is_lost(monkeypatch):
    def lost(*_: object) -> None:
        raise RuntimeError("the pool was stopped")

    monkeypatch.setattr(process_map.ProcessPool, "schedule", lost)
    found = list(map_on_all_cores(refused, iter(range(9)), 9, double))
    assert found == [-number for number in range(9)]


def test_items_are_drawn_only_a_few_batches_ahead_of_the_results(monkeypatch):
    monkeypatch.setattr(process_map, "_MIN_ITEMS", 1)
    drawn: list[int] = []

    def items():
        for number in range(10, 200):
            drawn.append(number)
            yield number

    results = map_on_all_cores(double, items(), 190, refused)
    assert next(results) == 20
    assert len(drawn) <= 2 * 3 * 2
    results.close()
