"""Measures of agreement, computed from the counts of pairs of masks.

Each sample adds a vector of terms, and every measure is a function of sums of terms. So a measure
of any group, or of any resampling of it, costs one sum.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.evaluation.counts import Counts, Widths

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Rows = npt.NDArray[np.int64]


class Empty(StrEnum):
    """What an image without a person adds to the mean of images.

    If only one of the two masks has a person, its value is 0, except with ``POSITIVE``.
    """

    ONE = "one"
    """If both masks are empty, the value is 1."""
    ZERO = "zero"
    """If both masks are empty, the value is 0."""
    SKIP = "skip"
    """If both masks are empty, the image is left out. Which images count depends on the
    predictions, so two runs can't be compared by their means."""
    POSITIVE = "positive"
    """All images whose true mask is empty are left out."""


SIZES = ((0.01, "below 1 %"), (0.05, "1 to 5 %"), (0.2, "5 to 20 %"), (np.inf, "20 % and more"))
"""Groups by the share of person pixels in the true mask: upper bound and name."""
NO_PERSON = "no person"
NONE = "none"
"""The group of samples without a scene, or with an unknown number of persons."""
GROUPINGS = ("scene", "persons", "phase", "subset", "size")


class Group(NamedTuple):
    """Some rows of a table of counts."""

    kind: str
    """One of GROUPINGS, or "all"."""
    name: str
    rows: "Rows"


class Terms(NamedTuple):
    """What each compared sample adds to the sums."""

    names: tuple[str, ...]
    matrix: "Numbers"
    """Samples x names."""

    def sums(self, rows: "Rows | None" = None) -> "Numbers":
        """Return the sums over all or some samples."""
        matrix = self.matrix if rows is None else self.matrix[rows]
        total: Numbers = matrix.sum(axis=0)
        return total


def terms_of(counts: Counts, empty: Empty) -> Terms:
    """Return the terms of all compared samples, in the order of ``counts.compared``."""
    table, widths = counts.compared, counts.widths
    columns = {name: _numbers(table, name) for name in widths.columns()}
    truth, predicted = columns["truth"], columns["predicted"]
    terms = {
        "images": np.ones(len(table)),
        "pixels": _numbers(table, "width") * _numbers(table, "height") - columns["ignored"],
        **columns,
        "positive": (truth > 0).astype(np.float64),
        "missed": ((truth > 0) & (predicted == 0)).astype(np.float64),
        "alarmed": ((truth == 0) & (predicted > 0)).astype(np.float64),
    }
    for name, (values, is_counted) in image_values(counts, empty).items():
        terms[f"sum {name}"] = np.where(is_counted, values, 0)
        terms[f"number {name}"] = is_counted.astype(np.float64)
    return Terms(tuple(terms), np.column_stack([*terms.values()]))


def _numbers(table: "pa.Table", name: str) -> "Numbers":
    found: Numbers = table[name].to_numpy().astype(np.float64)
    return found


def image_values(counts: Counts, empty: Empty) -> "dict[str, tuple[Numbers, Flags]]":
    """Return the value of each compared image, and whether it counts, by measure.

    A boundary measure is 1 if neither mask has a boundary.
    """
    table, widths = counts.compared, counts.widths
    columns = {name: _numbers(table, name) for name in widths.columns()}
    truth, predicted = columns["truth"], columns["predicted"]
    is_empty = (truth == 0) & (predicted == 0)
    is_counted = np.ones(len(table), np.bool_)
    if empty is Empty.SKIP:
        is_counted = ~is_empty
    elif empty is Empty.POSITIVE:
        is_counted = truth > 0

    def checked(values: "Numbers") -> "tuple[Numbers, Flags]":
        if empty is Empty.ZERO:
            values = np.where(is_empty, 0.0, values)
        return values, is_counted

    both = columns["both"]
    found = {"image_iou": checked(_ratio(both, truth + predicted - both, 1.0))}
    for ratio in widths.bands:
        first, second, shared = (
            columns[f"band_{name}_{ratio:g}"] for name in ("truth", "predicted", "both")
        )
        found[f"image_boundary_iou_{ratio:g}"] = checked(
            _ratio(shared, first + second - shared, 1.0)
        )
    for ratio in widths.radii:
        precision, recall = _edge_rates(columns, ratio)
        is_none = np.isnan(precision) & np.isnan(recall)
        values = np.where(is_none, 1.0, np.nan_to_num(_f_measure(precision, recall)))
        found[f"image_boundary_f_{ratio:g}"] = checked(values)
    return found


def _edge_rates(columns: "dict[str, Numbers]", ratio: float) -> "tuple[Numbers, Numbers]":
    """Return precision and recall of outlines; NaN where there is no outline."""
    names = ("predicted_matched", "predicted", "truth_matched", "truth")
    hits, predicted, found, truth = (columns[f"edge_{name}_{ratio:g}"] for name in names)
    return _ratio(hits, predicted), _ratio(found, truth)


def _f_measure(precision: "Numbers", recall: "Numbers") -> "Numbers":
    """Return the harmonic mean; 0 if both are 0, and NaN if one is not defined."""
    total = precision + recall
    return np.where(total == 0, 0.0, 2 * precision * recall / np.where(total == 0, 1.0, total))


def _ratio(numerator: "Numbers", denominator: "Numbers", otherwise: float = np.nan) -> "Numbers":
    is_zero = denominator == 0
    return np.where(is_zero, otherwise, numerator / np.where(is_zero, 1.0, denominator))


def measures_of(terms: Terms, sums: "Numbers", widths: Widths) -> "dict[str, Numbers]":
    """Return all measures of sums of terms.

    Args:
        terms: Names the terms.
        sums: Any number of sums, ... x terms.
        widths: Of the boundary measures.

    Returns:
        An array (...) for each measure; NaN where it is not defined.
    """
    place = {name: number for number, name in enumerate(terms.names)}
    of = {name: sums[..., number] for name, number in place.items()}
    truth, predicted, both = of["truth"], of["predicted"], of["both"]
    found = {
        "dataset_iou": _ratio(both, truth + predicted - both),
        "accuracy": _ratio(of["pixels"] - truth - predicted + 2 * both, of["pixels"]),
        "precision": _ratio(both, predicted),
        "recall": _ratio(both, truth),
    }
    for ratio in widths.bands:
        first, second, shared = (
            of[f"band_{name}_{ratio:g}"] for name in ("truth", "predicted", "both")
        )
        found[f"dataset_boundary_iou_{ratio:g}"] = _ratio(shared, first + second - shared)
    for ratio in widths.radii:
        found[f"dataset_boundary_f_{ratio:g}"] = _f_measure(*_edge_rates(of, ratio))
    for name in (name.removeprefix("sum ") for name in terms.names if name.startswith("sum ")):
        found[name] = _ratio(of[f"sum {name}"], of[f"number {name}"])
    found["miss_rate"] = _ratio(of["missed"], of["positive"])
    found["false_alarm_rate"] = _ratio(of["alarmed"], of["images"] - of["positive"])
    return {name: found[name] for name in measure_names(widths)}


def measure_names(widths: Widths) -> list[str]:
    """Return the names of all measures, the most important first."""
    return [
        *("dataset_iou", "image_iou"),
        *(f"{what}_boundary_iou_{r:g}" for r in widths.bands for what in ("dataset", "image")),
        *(f"{what}_boundary_f_{r:g}" for r in widths.radii for what in ("dataset", "image")),
        *("precision", "recall", "accuracy", "miss_rate", "false_alarm_rate"),
    ]


def groups_of(table: "pa.Table") -> list[Group]:
    """Return the groups of compared samples by scene, persons, phase, subset and size of person.

    A sample with several scenes is in the group of each. ``phase`` and ``persons`` are in their
    usual order, sizes ascend, other groups are sorted by name.
    """
    groups = []
    for kind in GROUPINGS:
        places: dict[str, list[int]] = {}
        for row, own in enumerate(_names(table, kind)):
            for name in own:
                places.setdefault(name, []).append(row)
        order = _ORDERS.get(kind, ())
        ranks = {name: number for number, name in enumerate(order)}
        names = sorted(places, key=lambda name: (ranks.get(name, len(ranks)), name))
        groups += [Group(kind, name, np.array(places[name], np.int64)) for name in names]
    return groups


_ORDERS = {
    "phase": ("train", "val", "test"),
    "persons": ("single", "multi", "mixed", NONE),
    "size": (NO_PERSON, *(name for _, name in SIZES)),
}


def _names(table: "pa.Table", kind: str) -> "list[tuple[str, ...]]":
    """Return the names of the groups that each row is in."""
    if kind == "scene":
        return [tuple(dict.fromkeys(scenes)) or (NONE,) for scenes in table["scenes"].to_pylist()]
    if kind == "size":
        pixels = _numbers(table, "width") * _numbers(table, "height") - _numbers(table, "ignored")
        truth = _numbers(table, "truth")
        share = _ratio(truth, pixels, 0.0)
        bounds = np.array([bound for bound, _ in SIZES])
        numbers = np.searchsorted(bounds, share, side="right")
        return [
            (SIZES[number][1] if person else NO_PERSON,)
            for number, person in zip(numbers.tolist(), truth.tolist(), strict=True)
        ]
    return [(name or NONE,) for name in table[kind].to_pylist()]
