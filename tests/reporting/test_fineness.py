"""Intervals of fineness: exact values, resampled sources, and pairs of one size."""

import numpy as np
import pyarrow as pa
import pytest

from sceneset.reporting import fineness_intervals
from sceneset.reporting.fineness import PARTS, Values
from sceneset.reporting.fineness_intervals import Group, finer_share, median
from sceneset.reporting.fineness_report import report_of


def group_of(values: np.ndarray, sources: np.ndarray | None = None, size: int = 9) -> Group:
    sources = np.arange(len(values)) if sources is None else sources
    return Group(np.asarray(values, float), sources, np.full(len(values), size))


def joined(*groups: Group) -> Group:
    values, sources, sizes = zip(*groups, strict=True)
    starts = np.cumsum([0, *[group.source_count for group in groups[:-1]]])
    return Group(
        np.concatenate(values),
        np.concatenate([one + start for one, start in zip(sources, starts, strict=True)]),
        np.concatenate(sizes),
    )


def drawn(seed: int, size: int, mean: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 1, size)


def test_finer_share_counts_all_pairs_and_ties_half() -> None:
    first, second = (np.random.default_rng(seed).integers(0, 9, 40) for seed in (1, 2))
    pairs = [(a > b) + 0.5 * (a == b) for a in first.tolist() for b in second.tolist()]
    assert finer_share(group_of(first), group_of(second)).value == pytest.approx(np.mean(pairs))
    ones = group_of(np.ones(5))
    assert finer_share(ones, ones) == (0.5, 0.5, 0.5)
    assert finer_share(group_of(drawn(1, 30, 9)), group_of(drawn(2, 30))) == (1, 1, 1)


def test_median_is_that_of_numpy() -> None:
    for size in (1, 2, 9, 1000):
        values = drawn(size, size)
        assert median(group_of(values)).value == np.median(values)
    low_high = median(group_of(drawn(3, 1000)))[1:]
    assert low_high == pytest.approx((-0.08, 0.08), abs=0.08)


@pytest.mark.parametrize("sizes", [(30, 40), (200, 100)])
def test_intervals_cover_the_truth_as_often_as_they_say(
    sizes: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fineness_intervals, "REPLICATES", 200)
    truth = 0.7602  # normal(1, 1) above normal(0, 1): Phi(1 / sqrt 2)
    shares, medians = [], []
    for seed in range(40):
        first, second = group_of(drawn(seed, sizes[0], 1)), group_of(drawn(seed + 99, sizes[1]))
        shares.append(finer_share(first, second))
        medians.append(median(first))
    assert 34 <= sum(one.low <= truth <= one.high for one in shares) <= 40
    assert 34 <= sum(one.low <= 1 <= one.high for one in medians) <= 40


def test_intervals_are_wider_when_frames_share_a_source() -> None:
    values = np.repeat(drawn(5, 20, 1), 30) + drawn(6, 600) / 50
    other = group_of(drawn(7, 600))
    frames = finer_share(group_of(values), other)
    clips = finer_share(group_of(values, np.repeat(np.arange(20), 30)), other)
    assert clips.value == frames.value
    assert clips.high - clips.low > 2 * (frames.high - frames.low)


def test_more_sources_than_are_resampled_give_about_the_same_interval(monkeypatch) -> None:
    monkeypatch.setattr(fineness_intervals, "REPLICATES", 300)
    first, second = group_of(drawn(1, 900, 0.3)), group_of(drawn(2, 900))
    monkeypatch.setattr(fineness_intervals, "_UNITS", 128)
    grouped = finer_share(first, second), median(first)
    monkeypatch.setattr(fineness_intervals, "_UNITS", 1 << 20)
    monkeypatch.setattr(fineness_intervals, "_BINS", 1 << 20)
    full = finer_share(first, second), median(first)
    for one, other in zip(grouped, full, strict=True):
        assert one.value == other.value
        assert tuple(one) == pytest.approx(tuple(other), abs=0.04)


def test_same_size_compares_only_persons_of_one_size() -> None:
    """Each class has no difference; large persons are finer, and one side has more of them."""
    small, large = (
        (lambda seed, n: group_of(drawn(seed, n), size=8)),
        (lambda seed, n: group_of(drawn(seed, n, 4), size=14)),
    )
    first = joined(small(1, 30), large(2, 300))
    second = joined(small(3, 300), large(4, 30))
    assert finer_share(first, second).value > 0.8
    same = finer_share(first, second, same_size=True)
    assert same.low < 0.5 < same.high
    nothing = finer_share(small(1, 9), large(2, 9), same_size=True)
    assert np.isnan(nothing).all()


def test_a_single_source_has_no_interval() -> None:
    clip = group_of(drawn(1, 9), np.zeros(9, int))
    assert np.isnan(median(clip)[1:]).all()
    assert np.isnan(finer_share(clip, group_of(drawn(2, 9)))[1:]).all()
    assert np.isnan(median(group_of(np.zeros(0))).value)


def test_equal_groups_give_equal_intervals() -> None:
    first, second = group_of(drawn(1, 500)), group_of(drawn(2, 500))
    assert finer_share(first, second) == finer_share(first, second)


def values_of(subset: str, fineness: list[float], sources: list[str], scenes: str = "s") -> Values:
    number = len(fineness)
    return Values(
        subset,
        pa.table({"phase": ["train"] * number, "stem": [f"i{n}" for n in range(number)]}),
        np.array(fineness),
        {part: np.array(fineness) for part in PARTS},
        np.full(number, 9),
        sources,
        [frozenset(scenes)] * number,
        selected=number,
    )


def test_report_counts_a_source_of_two_subsets_once_and_ranks_all_samples() -> None:
    subsets = [
        values_of("a", [3, 1, 2], ["clip", "clip", ""], "st"),
        values_of("b", [1, 9], ["clip", ""], "s"),
        values_of("c", [], []),
    ]
    reference = values_of("r", [2, 4], ["", ""])
    report = report_of(subsets, reference, by=["scene"], scenes={"t": 0, "s": 1}, worst=3)
    shown = [(row.kind, row.name, row.samples, row.sources) for row in report.groups]
    assert shown == [
        ("all", "", 5, 3),
        ("scene", "t", 3, 2),
        ("scene", "s", 5, 3),
        ("reference", "r", 2, 2),
    ]
    assert report.groups[0].finer.value == (0.5 + 1 + 2) / 10
    assert report.groups[1].fineness.value == 2
    assert report.groups[-1].finer is None
    worst = [("a", "train", "i1"), ("b", "train", "i0"), ("a", "train", "i2")]
    assert [sample.key for sample in report.worst] == worst
