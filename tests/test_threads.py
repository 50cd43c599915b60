"""Tests of calls in threads."""

import threading

import pytest

from sceneset.threads import map_in_threads


def test_results_keep_the_order_of_the_items():
    first_may_end = threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert first_may_end.wait(30)
        if number == 3:
            first_may_end.set()
        return number * number

    assert list(map_in_threads(call, range(100), workers=2)) == [n * n for n in range(100)]


def test_nothing_is_called_without_items():
    assert list(map_in_threads(pytest.fail, [])) == []


def test_items_are_drawn_only_a_few_ahead_of_the_results():
    drawn = []

    def items():
        for number in range(1000):
            drawn.append(number)
            yield number

    results = map_in_threads(str, items(), workers=2)
    assert not drawn
    for number in range(50):
        assert next(results) == str(number)
        assert len(drawn) <= number + 2 + 8 * 2
    results.close()
    assert len(drawn) < 100


def test_the_first_exception_ends_all_calls():
    called = []

    def call(number: int) -> int:
        called.append(number)
        if number == 1:
            raise ValueError("1 is broken")
        return number

    results = map_in_threads(call, range(1000), workers=1)
    assert next(results) == 0
    with pytest.raises(ValueError, match="1 is broken"):
        next(results)
    assert len(called) < 20


def test_a_caller_who_stops_ends_all_calls():
    called = []
    is_stopped = threading.Event()

    def call(number: int) -> int:
        called.append(number)
        if number:
            assert is_stopped.wait(30)
        return number

    results = map_in_threads(call, range(1000), workers=1)
    assert next(results) == 0
    threading.Timer(0.2, is_stopped.set).start()
    results.close()  # waits for the call that runs
    assert called in ([0], [0, 1])
