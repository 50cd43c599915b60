"""Where a model is worst, for plans."""

import datetime as dt

import pytest

from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.evaluation.plan_results import plan_results
from sceneset.reporting.plan import make_plan
from sceneset.reporting.plan_reader import read_plan_samples
from support.build import NAME
from support.tabular import Drawn, counts_of, many, write_registry

DAY = dt.date(2026, 1, 5)


def plan_of(root, counts, *scenes):
    catalog = Catalog(root)
    query = resolve_query(catalog, scenes)
    samples = read_plan_samples(catalog, query, left_out=(), day=DAY)
    results = plan_results(samples, counts)
    targets = catalog.params.targets
    return make_plan(catalog, query, samples, targets=targets, day=DAY, results=results)


def cell_of(plan, scene):
    [cell] = [one for one in plan.cells if one.scene == scene]
    return cell


def test_scenes_whose_interval_is_below_all_samples_are_worst(registry):
    samples = [
        *many(20, "a", scenes="ski", phase="val"),
        *many(20, "b", scenes="city", phase="val"),
        *many(20, "c", scenes="sea;city", phase="val"),
    ]
    ious = [0.5] * 20 + [0.9] * 20 + [0.8] * 20
    plan = plan_of(write_registry(registry, samples), counts_of(samples, ious))
    assert plan.results.whole.iou == pytest.approx(44 / 60)
    assert (plan.results.unknown, plan.results.held_out) == (0, True)
    ski = cell_of(plan, "ski")
    assert (ski.result.images, ski.result.sources) == (20, 20)
    assert ski.result.low == ski.result.iou == ski.result.high == 0.5
    assert plan.cells[0] is ski
    assert ski.reasons[0].text.en == "evaluation: IoU 0.500 (0.500-0.500), all samples 0.733"
    city = cell_of(plan, "city")  # of the samples of the counts, 40 are in city
    assert (city.result.images, city.result.iou) == (40, pytest.approx(0.85))
    assert "worst" not in {reason.kind for reason in city.reasons}
    assert plan.as_json()["cells"][0]["evaluation"]["iou"] == 0.5


def test_few_sources_and_wide_intervals_are_not_sure(registry):
    samples = [
        *(Drawn(f"a{n:02}", "ski", phase="val", source=f"clip {n % 2}") for n in range(30)),
        *many(30, "b", scenes="city", phase="val"),
        *many(30, "c", scenes="sea", phase="val"),
    ]
    ious = [0.8] * 30 + [0.1, 1.0] * 15 + [0.8] * 30
    plan = plan_of(write_registry(registry, samples), counts_of(samples, ious))
    unsure = {one.scene for one in plan.cells if "unsure" in {r.kind for r in one.reasons}}
    assert unsure == {"ski", "city"}
    [text] = [one.text.en for one in cell_of(plan, "ski").reasons if one.kind == "unsure"]
    assert text == "evaluation: IoU 0.800 (0.800-0.800) from 2 sources only"


def test_training_samples_are_left_out_if_others_were_evaluated(registry):
    samples = [*many(12, "a"), *many(12, "b", phase="val")]
    root = write_registry(registry, samples)
    plan = plan_of(root, counts_of(samples, [1.0] * 12 + [0.5] * 12))
    assert (plan.results.whole.iou, plan.results.whole.images) == (0.5, 12)
    only = plan_of(root, counts_of(samples[:12], [1.0] * 12))
    assert (only.results.whole.iou, only.results.held_out) == (1.0, False)


def test_samples_of_another_version_are_counted_and_left_out(registry):
    samples = many(12, phase="val")
    root = write_registry(registry, samples)
    gone = [Drawn(f"gone{n}", phase="val") for n in range(3)]
    refused = Drawn("a000", phase="val")
    counts = counts_of([*gone, *samples[1:], refused], [0.1] * 3 + [0.9] * 11 + [None])
    plan = plan_of(root, counts)
    assert (plan.results.unknown, plan.results.whole.images) == (3, 11)
    assert plan.results.whole.iou == pytest.approx(0.9)
    other = plan_of(root, counts_of(samples, [0.9] * 12, subset=f"{NAME}2"))
    assert (other.results.unknown, other.results.whole, other.results.cells) == (12, None, {})
    assert other.as_json()["evaluation"]["all"] is None


def test_an_evaluation_without_a_compared_sample_has_no_result(registry):
    samples = many(2, phase="val")
    plan = plan_of(write_registry(registry, samples), counts_of(samples, [None, None]))
    assert (plan.results.whole, plan.results.unknown) == (None, 0)
