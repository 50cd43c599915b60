"""The order of an epoch: complete, weighted, divided evenly, and the same on every machine."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sceneset.torch.order import epoch_order, shard

COUNTS = st.integers(0, 200)
SEEDS = st.integers(-(2**63), 2**63)
GOLDEN = [[7, 5, 0, 2, 3, 1, 6, 4], [2, 3, 0, 7, 4, 6, 1, 5]]


@given(COUNTS, SEEDS, st.integers(0, 10**6))
def test_epoch_draws_each_sample_of_weight_1_once(count, seed, epoch):
    order = epoch_order(np.ones(count), seed, epoch)
    assert sorted(order) == list(range(count))
    assert list(epoch_order(np.ones(count), seed, epoch)) == list(order)


def test_order_stays_the_same_between_versions():
    assert epoch_order(np.ones(8), 7, 0).tolist() == GOLDEN[0]
    assert epoch_order(np.ones(8), 7, 1).tolist() == GOLDEN[1]


def test_order_differs_between_seeds_and_epochs_and_is_even():
    orders = {
        tuple(epoch_order(np.ones(6), seed, epoch)) for seed in range(20) for epoch in range(20)
    }
    assert len(orders) > 200  # 400 draws of 720 permutations: 306 are expected
    firsts = np.bincount([epoch_order(np.ones(5), 1, epoch)[0] for epoch in range(2000)])
    assert firsts.min() > 320
    assert firsts.max() < 480


@given(st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 2.5]), min_size=1, max_size=80), SEEDS)
def test_epoch_draws_samples_by_their_weight(weights, seed):
    weights = np.asarray(weights)
    lengths = set()
    for epoch in (0, 1):
        order = epoch_order(weights, seed, epoch)
        lengths.add(len(order))
        times = np.bincount(order, minlength=len(weights))
        assert (times >= np.floor(weights)).all()
        assert (times <= np.ceil(weights)).all()
        for weight in set(weights):
            members = weights == weight
            assert abs(times[members].sum() - weight * members.sum()) <= 0.5
    assert len(lengths) == 1


def test_fractions_draw_other_samples_in_other_epochs():
    weights = np.full(100, 0.25)
    drawn = [set(epoch_order(weights, 0, epoch)) for epoch in range(40)]
    assert {len(some) for some in drawn} == {25}
    assert len(set.union(*drawn)) == 100


def test_order_without_shuffling_is_sorted():
    assert epoch_order(np.asarray([1.0, 2.0, 1.0]), 5, 3, shuffle=False).tolist() == [0, 1, 1, 2]


@pytest.mark.parametrize("drop_last", [False, True])
@given(count=st.integers(1, 60), world=st.integers(1, 9))
def test_shards_have_one_length_and_cover_the_epoch(drop_last, count, world):
    order = epoch_order(np.ones(count), 3, 0)
    parts = [shard(order, rank, world, drop_last=drop_last) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    drawn = np.concatenate(parts)
    assert len(drawn) - count in range(1 - world, 1) if drop_last else range(world)
    if drop_last:
        assert len(set(drawn)) == len(drawn)
    else:
        assert set(drawn) == set(range(count))
