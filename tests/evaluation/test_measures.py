"""Tests of the measures."""

import math

import numpy as np
import pytest

from sceneset.evaluation.counts import Counts, Facts, Row, Widths, count_pair, table_of
from sceneset.evaluation.measures import (
    Empty,
    groups_of,
    image_values,
    measure_names,
    measures_of,
    terms_of,
)
from sceneset.imaging.mask_agreement import PackedMask

WIDTHS = Widths((0.02, 0.1), (0.05,))
SIZE = (32, 24)


def box(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((SIZE[1], SIZE[0]), np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


EMPTY = box(0, 0, 0, 0)
PAIRS = (  # true and predicted mask
    (box(4, 4, 20, 20), box(8, 4, 24, 20)),
    (box(4, 4, 8, 8), EMPTY),
    (EMPTY, box(4, 4, 8, 8)),
    (EMPTY, EMPTY),
    (box(0, 0, 32, 24), box(0, 0, 32, 24)),
)


def counts_of(pairs, **facts) -> Counts:
    rows = []
    for number, (truth, predicted) in enumerate(pairs):
        default = Facts("s", "val", f"{number:03}", ("ski",), None, "", *SIZE, "0f" * 16)
        changed = {name: values[number] for name, values in facts.items()}
        rows.append(
            Row(
                default._replace(**changed),
                count_pair(PackedMask.of(truth), PackedMask.of(predicted), WIDTHS),
            )
        )
    return table_of(rows, WIDTHS, {})


def measured(pairs, empty: Empty = Empty.ONE) -> dict[str, float]:
    counts = counts_of(pairs)
    terms = terms_of(counts, empty)
    return {name: float(v) for name, v in measures_of(terms, terms.sums(), WIDTHS).items()}


def test_measures_are_those_of_all_pixels_and_of_single_images():
    truth, predicted = (np.stack(masks).astype(bool) for masks in zip(*PAIRS, strict=True))
    both = (truth & predicted).sum()
    found = measured(PAIRS)
    assert list(found) == measure_names(WIDTHS)
    assert found["dataset_iou"] == both / (truth | predicted).sum()
    assert found["precision"] == both / predicted.sum()
    assert found["recall"] == both / truth.sum()
    assert found["accuracy"] == (truth == predicted).mean()
    assert found["image_iou"] == pytest.approx((192 / 320 + 0 + 0 + 1 + 1) / 5)
    assert found["miss_rate"] == 1 / 3
    assert found["false_alarm_rate"] == 1 / 2


@pytest.mark.parametrize(
    ("empty", "expected"),
    [
        (Empty.ONE, (0.6 + 0 + 0 + 1 + 1) / 5),
        (Empty.ZERO, (0.6 + 0 + 0 + 0 + 1) / 5),
        (Empty.SKIP, (0.6 + 0 + 0 + 1) / 4),
        (Empty.POSITIVE, (0.6 + 0 + 1) / 3),
    ],
)
def test_convention_decides_what_empty_images_add_to_the_mean_only(empty, expected):
    found, default = measured(PAIRS, empty), measured(PAIRS)
    assert found["image_iou"] == pytest.approx(expected)
    same = [name for name in found if not name.startswith("image_")]
    assert [found[name] for name in same] == [default[name] for name in same]


def test_conventions_change_which_of_two_runs_is_better():
    truth = [box(4, 4, 20, 20), EMPTY]
    careful = [box(4, 4, 12, 20), EMPTY]  # half of the person, nothing on the empty image
    eager = [box(4, 4, 20, 20), box(0, 0, 2, 2)]
    one, two = (list(zip(truth, run, strict=True)) for run in (careful, eager))
    assert measured(one)["image_iou"] > measured(two)["image_iou"]
    empty = Empty.POSITIVE
    assert measured(one, empty)["image_iou"] < measured(two, empty)["image_iou"]
    assert measured(two)["false_alarm_rate"] == 1


def test_boundary_measures_follow_their_papers():
    truth, predicted = PAIRS[0]
    found = measured([PAIRS[0]])
    # d = round(0.02 x 40) = 1 pixel: a frame of 16 x 16 minus 14 x 14 for each.
    frame = [mask.astype(bool) for mask in (truth, predicted)]
    frame[0][5:19, 5:19] = frame[1][5:19, 9:23] = False
    union = (frame[0] | frame[1]).sum()
    assert found["dataset_boundary_iou_0.02"] == (frame[0] & frame[1]).sum() / union
    assert found["image_boundary_iou_0.02"] == found["dataset_boundary_iou_0.02"]
    counts = counts_of([PAIRS[0]]).table.to_pylist()[0]
    precision = counts["edge_predicted_matched_0.05"] / counts["edge_predicted_0.05"]
    recall = counts["edge_truth_matched_0.05"] / counts["edge_truth_0.05"]
    expected = 2 * precision * recall / (precision + recall)
    assert found["image_boundary_f_0.05"] == found["dataset_boundary_f_0.05"] == expected


def test_image_without_outline_in_both_masks_has_boundary_f_1_and_else_0():
    values, is_counted = image_values(counts_of(PAIRS), Empty.ONE)["image_boundary_f_0.05"]
    assert values[1:].tolist() == [0, 0, 1, 1]  # missed, false alarm, empty, whole picture
    assert is_counted.all()


def test_measures_without_anything_to_divide_by_are_not_defined():
    found = measured([(EMPTY, EMPTY)])
    assert math.isnan(found["dataset_iou"])
    assert math.isnan(found["miss_rate"])
    assert found["image_iou"] == 1
    assert found["false_alarm_rate"] == 0
    assert all(math.isnan(value) for value in measured([]).values())


def test_ignored_pixels_are_not_counted():
    truth, predicted = PAIRS[0]
    cut = truth.copy()
    cut[:, 16:] = 255
    found = measured([(cut, predicted)])
    assert found["dataset_iou"] == pytest.approx(8 * 16 / (12 * 16))
    assert found["accuracy"] == pytest.approx(1 - 4 * 16 / (16 * 24))


def test_groups_have_each_sample_with_several_scenes_in_each():
    counts = counts_of(
        PAIRS,
        scenes=[("ski", "city"), (), ("city",), ("ski",), ("ski", "ski")],
        persons=["multi", "single", None, "mixed", "single"],
        phase=["test", "train", "val", "val", "train"],
        subset=["b", "a", "a", "a", "a"],
    )
    groups = {(group.kind, group.name): group.rows.tolist() for group in groups_of(counts.compared)}
    assert groups == {
        ("scene", "city"): [0, 2],
        ("scene", "none"): [1],
        ("scene", "ski"): [0, 3, 4],
        ("persons", "single"): [1, 4],
        ("persons", "multi"): [0],
        ("persons", "mixed"): [3],
        ("persons", "none"): [2],
        ("phase", "train"): [1, 4],
        ("phase", "val"): [2, 3],
        ("phase", "test"): [0],
        ("subset", "a"): [1, 2, 3, 4],
        ("subset", "b"): [0],
        ("size", "no person"): [2, 3],
        ("size", "1 to 5 %"): [1],
        ("size", "20 % and more"): [0, 4],
    }
    order = [name for kind, name in groups if kind == "size"]
    assert order == ["no person", "1 to 5 %", "20 % and more"]


def test_share_at_the_bound_of_two_sizes_is_in_the_larger_one():
    truth = box(0, 0, 32, 1)
    truth[20:] = 255  # 32 of 640 pixels, 5 %
    [group] = [g for g in groups_of(counts_of([(truth, EMPTY)]).compared) if g.kind == "size"]
    assert group.name == "5 to 20 %"
