"""Tests of intervals and comparisons."""

import math

import numpy as np
import pyarrow as pa
import pytest

from sceneset.evaluation.bootstrap import Sources, estimate, sources_of
from sceneset.evaluation.comparison import compare, holm, moved_samples
from sceneset.evaluation.counts import Widths
from sceneset.evaluation.measures import Group, Terms

NO_WIDTHS = Widths((), ())
NAMES = (
    *("images", "pixels", "ignored", "truth", "predicted", "both"),
    *("positive", "missed", "alarmed", "sum image_iou", "number image_iou"),
)


def terms_from(ious: np.ndarray) -> Terms:
    """Return terms of images of 2,000 pixels whose masks have 1,000 pixels in their union."""
    both = np.rint(1000 * np.clip(ious, 0, 1))
    ones = np.ones(len(both))
    truth = 500 + both / 2
    columns = (ones, 2000 * ones, 0 * ones, truth, truth, both, ones, 0 * ones, 0 * ones)
    return Terms(NAMES, np.column_stack([*columns, both / 1000, ones]))


def everything(number: int) -> Group:
    return Group("all", "", np.arange(number))


def clips(number: int, frames: int, strata: int = 1) -> Sources:
    return Sources(np.repeat(np.arange(number), frames), np.arange(number) % strata)


def test_sources_are_compared_as_names_and_images_without_one_are_their_own():
    table = pa.table(
        {
            "source": ["Clip 7", "", "clip-7", "", "other"],
            "scenes": [["ski"], [], ["city", "ski"], ["city"], ["city", "bar"]],
        }
    )
    sources = sources_of(table)
    assert sources.of_row.tolist() == [0, 1, 0, 2, 3]
    # ski; none; city; bar (the first by name of two that are equally frequent)
    assert sources.stratum.tolist() == [3, 0, 2, 1]
    assert len(sources_of(table.slice(0, 0)).of_row) == 0


def test_intervals_hold_the_true_value_as_often_as_they_say():
    random = np.random.default_rng(11)
    rounds, number, frames, strata = 100, 30, 5, 3
    level_of = np.array([0.5, 0.7, 0.9])
    sources = clips(number, frames, strata)
    covered = narrow = 0
    for seed in range(rounds):
        clip = level_of[sources.stratum] + random.normal(0, 0.05, number)
        ious = np.repeat(clip, frames) + random.normal(0, 0.01, number * frames)
        terms = terms_from(ious)
        single = Sources(np.arange(len(ious)), sources.stratum[sources.of_row])
        for kind, units in (("clips", sources), ("frames", single)):
            [found] = estimate(
                terms, NO_WIDTHS, units, [everything(len(ious))], seed=seed, replicates=100
            )
            interval = found.measures["image_iou"]
            is_covered = interval.low <= level_of.mean() <= interval.high
            covered += is_covered and kind == "clips"
            narrow += is_covered and kind == "frames"
    assert 0.88 <= covered / rounds <= 0.99
    assert narrow / rounds < 0.7  # resampling frames promises too much


def test_strata_keep_their_number_of_sources():
    # Each stratum has one value only, so every resampling has the same mean.
    sources = clips(12, 1, 3)
    ious = np.array([0.2, 0.5, 0.8])[sources.stratum]
    [found] = estimate(terms_from(ious), NO_WIDTHS, sources, [everything(12)])
    assert found.sources == 12
    assert found.measures["image_iou"] == pytest.approx((0.5, 0.5, 0.5))
    flat = sources._replace(stratum=np.zeros(12, np.int64))
    [spread] = estimate(terms_from(ious), NO_WIDTHS, flat, [everything(12)])
    assert spread.measures["image_iou"].low < 0.4


def test_interval_of_a_group_does_not_depend_on_other_groups_and_is_repeatable():
    ious = np.random.default_rng(1).uniform(0.3, 1, 60)
    terms, sources = terms_from(ious), clips(20, 3, 2)
    groups = [everything(60), Group("scene", "ski", np.arange(0, 60, 2))]
    both = estimate(terms, NO_WIDTHS, sources, groups, replicates=100)
    [alone] = estimate(terms, NO_WIDTHS, sources, groups[1:], replicates=100)
    assert alone.measures["dataset_iou"] == both[1].measures["dataset_iou"]
    [other] = estimate(terms, NO_WIDTHS, sources, groups[1:], replicates=100, seed=1)
    assert alone.measures["dataset_iou"] != other.measures["dataset_iou"]


def test_resampling_in_parts_gives_the_same_kind_of_interval(monkeypatch):
    ious = np.random.default_rng(1).uniform(0.3, 1, 40)
    arguments = (terms_from(ious), NO_WIDTHS, clips(40, 1), [everything(40)])
    [whole] = estimate(*arguments)
    monkeypatch.setattr("sceneset.evaluation.bootstrap.AT_ONCE", 1000)
    [parts] = estimate(*arguments)
    assert parts.measures["image_iou"] == pytest.approx(whole.measures["image_iou"], abs=0.01)


def test_one_source_has_no_interval():
    [found] = estimate(terms_from(np.full(5, 0.5)), NO_WIDTHS, clips(1, 5), [everything(5)])
    value = found.measures["image_iou"]
    assert (value.value, found.sources) == (0.5, 1)
    assert math.isnan(value.low)
    assert math.isnan(value.high)


def test_sources_that_are_alone_in_their_scenes_have_no_interval():
    """Each resampling draws the same two clips: an interval of no width would look certain."""
    sources, groups = clips(2, 3, strata=2), [everything(6)]
    first, second = terms_from(np.linspace(0.2, 0.6, 6)), terms_from(np.linspace(0.5, 0.7, 6))
    [found] = estimate(first, NO_WIDTHS, sources, groups)
    assert found.sources == 2
    assert math.isnan(found.measures["dataset_iou"].low)
    [compared] = compare(first, second, NO_WIDTHS, sources=sources, groups=groups)
    difference = compared.measures["dataset_iou"]
    assert math.isnan(difference.low)
    assert math.isnan(difference.high)
    assert difference.p == pytest.approx(0.5, abs=0.05)  # two of four exchanges are as extreme
    [together] = estimate(first, NO_WIDTHS, clips(2, 3), groups)
    assert together.measures["dataset_iou"].low < together.measures["dataset_iou"].high


def test_comparison_is_paired_and_finds_a_small_difference_that_is_the_same_everywhere():
    random = np.random.default_rng(2)
    first = random.uniform(0.3, 0.95, 120)
    second = first + random.normal(0.01, 0.01, 120)
    terms, sources = [terms_from(ious) for ious in (first, second)], clips(40, 3)
    [found] = compare(*terms, NO_WIDTHS, sources=sources, groups=[everything(120)])
    difference = found.measures["dataset_iou"]
    assert difference.low > 0.005
    assert difference.high < 0.015
    assert difference.p < 0.01
    unpaired = estimate(terms[0], NO_WIDTHS, sources, [everything(120)])[0].measures["dataset_iou"]
    assert unpaired.low < difference.second < unpaired.high


def test_equal_runs_do_not_differ():
    terms = terms_from(np.random.default_rng(3).uniform(0, 1, 30))
    [found] = compare(
        terms, terms, NO_WIDTHS, sources=clips(30, 1), groups=[everything(30)], replicates=50
    )
    difference = found.measures["image_iou"]
    assert difference[2:] == (0, 0, 1)


def test_p_values_of_runs_that_do_not_differ_are_rarely_small():
    random = np.random.default_rng(4)
    small = 0
    for seed in range(100):
        clip = random.uniform(0.4, 0.9, 20)
        runs = [terms_from(np.repeat(clip + random.normal(0, 0.05, 20), 3)) for _ in range(2)]
        units = {"sources": clips(20, 3), "groups": [everything(60)]}
        [found] = compare(*runs, NO_WIDTHS, **units, seed=seed, replicates=100)
        small += found.measures["dataset_iou"].p <= 0.05
    assert small / 100 < 0.1


def test_holm_adjusts_for_the_number_of_comparisons():
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": math.nan, "e": 0.5})
    assert found.pop("d") != found.get("d")  # NaN stays
    assert found == pytest.approx({"a": 0.04, "c": 0.09, "b": 0.09, "e": 0.5})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_moved_samples_are_listed_with_the_largest_difference_first():
    first, second = np.array([0.5, 0.9, 0.2, 0.7]), np.array([0.55, 0.4, 0.9, 0.6])
    found = moved_samples(first, second, 0.1 - 1e-12)
    assert [moved.row for moved in found] == [2, 1, 3]
    assert found[0][1:] == (0.2, 0.9)
