"""Decode the outputs of NanoDet: scores of classes and distributions of four distances.

Source: nanodet/model/head of github.com/RangiLyu/nanodet. The distance from a cell's center to a
side is the mean of a distribution over 8 or 11 bins, in strides of the cell's level.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sceneset.models.detector_outputs import (
    COCO_CLASSES,
    STRIDES,
    Found,
    number_of_cells,
    other_shapes,
    scored,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

_BINS = (8, 11)  # reg_max 7 and 10 in the configurations of its models
LEAST_COLUMNS = 4 * _BINS[0]
"""Of an output with distances."""


def levels_of(rows: int, size: tuple[int, int]) -> int:
    """Return the number of levels whose cells are so many rows; 0 if there is none."""
    for levels in (3, 4):
        cells = number_of_cells(size, levels)
        if rows in {cells, 2 * cells}:  # in one array, or in two for each level
            return levels
    return 0


def decode_nanodet(arrays: Sequence["Array"], size: tuple[int, int], person: int) -> Found:
    """Decode classes and distances; NanoDet-Plus has four levels, NanoDet three."""
    if len(arrays) == 1:
        columns = _distance_columns_of_one(arrays[0])
        classes, distances = arrays[0][:, :-columns], arrays[0][:, -columns:]
    else:  # two arrays for each level
        parts = sorted(arrays, key=lambda array: -len(array))
        columns, others = _distance_columns(parts)
        classes, distances = _stacked(parts, others), _stacked(parts, columns)
    levels = levels_of(len(classes), size)
    if not levels or len(classes) != len(distances) or classes.shape[1] <= person:
        raise other_shapes(arrays)
    if not _are_scores(classes):
        classes = np.asarray(1 / (1 + np.exp(-classes)), np.float32)
    centers, strides = _cells(size, levels)
    bins = distances.reshape(len(distances), 4, -1)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    lengths = weights @ np.arange(bins.shape[2], dtype=np.float32) * strides[:, None]
    sides = np.hstack([centers - lengths[:, :2], centers + lengths[:, 2:]])
    is_best = classes.argmax(axis=1) == person
    return scored(sides, classes[:, person], is_best)


def _stacked(parts: Sequence["Array"], columns: int) -> "Array":
    """Return the rows of all arrays with so many columns."""
    empty = np.zeros((0, columns), np.float32)
    return np.vstack([empty, *(array for array in parts if array.shape[1] == columns)])


def _distance_columns_of_one(rows: "Array") -> int:
    """Return the number of the last columns that are distances; the first ones are classes.

    The number of bins follows from the values, because any number of classes may come before:
    classes are scores from 0 to 1, distances before the softmax are not.
    """
    possible = [4 * bins for bins in _BINS if 4 * bins < rows.shape[1]]
    if not possible:
        raise other_shapes([rows])
    fitting = [columns for columns in possible if _are_scores(rows[:, :-columns])]
    of_coco = [columns for columns in possible if rows.shape[1] - columns == COCO_CLASSES]
    return (fitting or of_coco or possible)[0]


def _distance_columns(parts: Sequence["Array"]) -> tuple[int, int]:
    """Return the columns of the arrays of distances, and of those of classes.

    Raises:
        OutputError: It is not clear which are which.
    """
    widths = sorted({array.shape[1] for array in parts})
    possible = [width for width in widths if width % 4 == 0 and width > 4]
    if len(widths) != 2 or not possible:
        raise other_shapes(parts)
    possible.sort(key=lambda width: width // 4 not in _BINS)
    distances = next(
        (width for width in possible if not _are_scores(_stacked(parts, width))), possible[0]
    )
    widths.remove(distances)
    return distances, widths[0]


def _are_scores(values: "Array") -> bool:
    return bool(values.min(initial=0) >= 0 and values.max(initial=0) <= 1)


def _cells(size: tuple[int, int], levels: int) -> tuple["Array", "Array"]:
    """Return the center of each cell (cells x 2) and its stride, in pixels of the input."""
    shift = 0.5 if levels == 3 else 0.0  # NanoDet-Plus counts from the corner
    centers, strides = [], []
    for stride in STRIDES[:levels]:
        columns, rows = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.mgrid[:rows, :columns]
        centers.append(np.stack([x.ravel(), y.ravel()], axis=1) * stride + shift * stride)
        strides.append(np.full(rows * columns, stride))
    return np.vstack(centers).astype(np.float32), np.hstack(strides).astype(np.float32)
