"""The search finds exactly the pairs that comparing every pair finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sceneset.quality import hamming_search
from sceneset.quality.hamming_search import Hashes, Pairs, search

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=40)


def brute_force(left: Hashes, right: Hashes, bits: int) -> list[tuple[int, int, int]]:
    """Return (left, right, distance) of every pair within ``bits`` by comparing all pairs."""
    distance = np.bitwise_count(left[:, None] ^ right[None])
    ones, others = np.nonzero(distance <= bits)
    return list(zip(ones.tolist(), others.tolist(), distance[ones, others].tolist(), strict=True))


def searched(left: Hashes, right: Hashes, bits: int) -> list[tuple[int, int, int]]:
    """Return the same from ``search``."""
    rows: list[tuple[int, int, int]] = []

    def collect(pairs: Pairs) -> None:
        rows.extend(zip(*(column.tolist() for column in pairs), strict=True))

    search(left, right, bits, collect)
    return sorted(rows)


@settings(max_examples=60, deadline=None)
@given(HASHES, HASHES, st.integers(0, 11), st.randoms(use_true_random=False))
def test_search_equals_brute_force_when_hashes_are_few(
    left: list[int], right: list[int], bits: int, random
) -> None:
    # Random hashes are almost never close: add some at every distance.
    for n, word in enumerate(left):
        flips = random.sample(range(64), n % 14)
        right = [*right, word ^ sum(1 << bit for bit in flips)]
    one, other = np.array(left, np.uint64), np.array(right, np.uint64)
    assert searched(one, other, bits) == brute_force(one, other, bits)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hamming_search, "_CHUNK", 1)  # use the bands, not a direct comparison
        assert searched(one, other, bits) == brute_force(one, other, bits)


@pytest.mark.parametrize("bits", [0, 8, 10])
def test_search_equals_brute_force_when_many_hashes_are_close(
    bits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hamming_search, "_CHUNK", 1000)  # compare in several chunks
    random = np.random.default_rng(8)
    base = random.integers(0, 1 << 64, 5, dtype=np.uint64)
    flips = [
        np.uint64(sum(1 << b for b in random.choice(64, n % 7, replace=False))) for n in range(600)
    ]
    words = np.array([base[n % 5] ^ flip for n, flip in enumerate(flips)], np.uint64)
    assert searched(words, words[::2], bits) == brute_force(words, words[::2], bits)
    assert searched(words, words, bits) == brute_force(words, words, bits)


def test_search_passes_pairs_in_bounded_batches_when_all_hashes_are_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hamming_search, "_CHUNK", 1000)
    monkeypatch.setattr(hamming_search, "_BATCH", 500)
    words = np.arange(256, dtype=np.uint64)  # all within 8 bits of each other
    sizes: list[int] = []
    search(words, words, 8, lambda pairs: sizes.append(len(pairs.left)))
    assert sum(sizes) == 256 * 256
    assert max(sizes) <= 2000


def test_search_finds_nothing_when_one_side_is_empty() -> None:
    empty, one = np.empty(0, np.uint64), np.zeros(1, np.uint64)
    assert searched(empty, one, 8) == searched(one, empty, 8) == []


def test_search_raises_when_the_distance_is_too_large() -> None:
    one = np.zeros(1, np.uint64)
    with pytest.raises(ValueError, match="at most 14"):
        search(one, one, 15, print)
