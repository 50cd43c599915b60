"""Near pairs are exact: compared with comparing each with each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset.quality import hamming_search as near
from sceneset.quality.hamming_search import Hashes, Pairs, search

words = st.lists(st.integers(0, 2**64 - 1), max_size=40)


def each_with_each(left: Hashes, right: Hashes, bits: int) -> list[tuple[int, int, int]]:
    apart = np.bitwise_count(left[:, None] ^ right[None])
    ones, twos = np.nonzero(apart <= bits)
    return list(zip(ones.tolist(), twos.tolist(), apart[ones, twos].tolist(), strict=True))


def found(left: Hashes, right: Hashes, bits: int) -> list[tuple[int, int, int]]:
    rows: list[tuple[int, int, int]] = []

    def take(pairs: Pairs) -> None:
        rows.extend(zip(*(column.tolist() for column in pairs), strict=True))

    search(left, right, bits, take)
    return sorted(rows)


@settings(max_examples=60, deadline=None)
@given(words, words, st.integers(0, 11), st.randoms(use_true_random=False))
def test_few(left: list[int], right: list[int], bits: int, random) -> None:
    # Chance gives no near pairs among so few: make some, at every distance.
    for n, word in enumerate(left):
        flips = random.sample(range(64), n % 14)
        right = [*right, word ^ sum(1 << bit for bit in flips)]
    one, two = np.array(left, np.uint64), np.array(right, np.uint64)
    assert found(one, two, bits) == each_with_each(one, two, bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "_CHUNK", 1)  # through the bands
        assert found(one, two, bits) == each_with_each(one, two, bits)


@pytest.mark.parametrize("bits", [0, 8, 10])
def test_many_that_are_alike(bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_CHUNK", 1000)  # comparisons are cut into parts
    random = np.random.default_rng(8)
    base = random.integers(0, 1 << 64, 5, dtype=np.uint64)
    flips = [
        np.uint64(sum(1 << b for b in random.choice(64, n % 7, replace=False))) for n in range(600)
    ]
    words = np.array([base[n % 5] ^ flip for n, flip in enumerate(flips)], np.uint64)
    assert found(words, words[::2], bits) == each_with_each(words, words[::2], bits)
    assert found(words, words, bits) == each_with_each(words, words, bits)


def test_no_more_is_held_at_once_than_was_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "_CHUNK", 1000)
    monkeypatch.setattr(near, "_GIVEN", 500)
    words = np.arange(256, dtype=np.uint64)  # all within 8 bits of each other
    given: list[int] = []
    search(words, words, 8, lambda pairs: given.append(len(pairs.left)))
    assert sum(given) == 256 * 256
    assert max(given) <= 2000


def test_nothing() -> None:
    nothing, one = np.empty(0, np.uint64), np.zeros(1, np.uint64)
    assert found(nothing, one, 8) == found(one, nothing, 8) == []
    with pytest.raises(ValueError, match="at most 14"):
        search(one, one, 15, print)
