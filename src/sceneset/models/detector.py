"""Decode the outputs of detectors into boxes of persons: YOLO, NanoDet and torchvision.

Which of them a model is, its outputs show by their shapes. Boxes are in the pixels of the model's
input. Sources: docs.ultralytics.com (exports), nanodet/model/head of github.com/RangiLyu/nanodet,
and pytorch.org (torchvision.models.detection).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.errors import UsageError
from sceneset.models.network import OutputError
from sceneset.models.preparation import Preparation

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

Outputs = Mapping[str, "Array"]

DECODERS = ("yolo", "yolo-objectness", "yolo-end-to-end", "nanodet", "torchvision")
"""yolo: 4 + classes values for each box (version 8 and later). yolo-objectness: 5 + classes values
(version 5 and 7). yolo-end-to-end: left, top, right, bottom, score and class (version 10, or with
suppression inside). nanodet: classes, and distributions of the four distances. torchvision: boxes,
labels and scores."""
_MAX_BOXES = 2000  # with the highest scores; more are not compared with each other
_OVERLAP = 0.5  # intersection over union from which the box with the lower score is dropped
_BINS = 8  # of NanoDet's distributions of distances
_STRIDES = (8, 16, 32, 64)


class Found(NamedTuple):
    """Boxes of persons, the highest score first."""

    sides: "Array"
    """Boxes x 4: left, top, right and bottom in pixels of the model's input."""
    scores: "Array"
    """From 0 to 1."""


def preparation_for(decoder: str) -> Preparation:
    """Return how pictures are usually prepared for models with a decoder."""
    if decoder == "nanodet":
        mean, std = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
        return Preparation(bgr=True, scale=1, mean=mean, std=std)
    return Preparation(letterbox=decoder.startswith("yolo"))


def recognized_decoder(outputs: Outputs, size: tuple[int, int]) -> str:
    """Return the decoder that fits the shapes of outputs.

    Args:
        outputs: The outputs for any picture.
        size: Width and height of the model's input.

    Raises:
        UsageError: None fits.
    """
    arrays = [_matrix(array) for array in outputs.values()]
    if len(arrays) >= 3 and any(a.shape[1] == 4 for a in arrays):  # also for no box
        return "torchvision"
    columns = sorted({a.shape[1] for a in arrays})
    if _nanodet_levels(sum(len(a) for a in arrays), size) and columns[-1] > 4 * _BINS:
        return "nanodet"
    if len(columns) == 2 and 4 * _BINS in columns:
        return "nanodet"
    if len(arrays) == 1 and next(iter(outputs.values())).ndim <= 3:  # no map of the picture
        rows, columns_of_one = arrays[0].shape
        if columns_of_one == 6:
            return "yolo-end-to-end"
        if 5 <= rows < columns_of_one:
            return "yolo"
        if 6 < columns_of_one < rows:
            return "yolo-objectness"
    shapes = ", ".join(" x ".join(map(str, array.shape)) for array in outputs.values())
    raise UsageError(
        f"the outputs of the detector ({shapes}) are of no kind that is recognized; say it with "
        f"--decoder {', '.join(DECODERS)}"
    )


def decode(
    outputs: Outputs, decoder: str, size: tuple[int, int], *, person: int | None, min_score: float
) -> Found:
    """Return the boxes of persons, without those that repeat a better one.

    Args:
        outputs: The outputs of the model, by name.
        decoder: One of DECODERS.
        size: Width and height of the model's input.
        person: The number of the class; None is 0, or 1 for torchvision.
        min_score: Boxes with a lower score are dropped.

    Raises:
        OutputError: The outputs have other shapes.
    """
    arrays = [_matrix(array) for array in outputs.values()]
    number = person if person is not None else int(decoder == "torchvision")
    if decoder == "torchvision":
        found = _torchvision(arrays, number)
    elif decoder == "nanodet":
        found = _nanodet(arrays, size, number)
    elif decoder == "yolo-end-to-end":
        [rows] = _with_columns(arrays, 6)
        found = _scored(rows[:, :4], rows[:, 4], rows[:, 5] == number)
    else:
        found = _yolo(arrays, number, has_objectness=decoder == "yolo-objectness")
    is_kept = found.scores >= max(min_score, 1e-6)
    sides, scores = found.sides[is_kept], np.minimum(found.scores[is_kept], 1)
    order = np.lexsort((*sides.T[::-1], -scores))[:_MAX_BOXES]
    kept = suppressed(sides[order])
    return Found(sides[order][kept], scores[order][kept])


def suppressed(sides: "Array") -> "npt.NDArray[np.int64]":
    """Return the positions of boxes that overlap no better one, by greedy suppression.

    Args:
        sides: Boxes x 4, the best one first.
    """
    areas = (sides[:, 2] - sides[:, 0]) * (sides[:, 3] - sides[:, 1])
    is_left = areas > 0
    kept = []
    for number in range(len(sides)):
        if not is_left[number]:
            continue
        kept.append(number)
        low = np.maximum(sides[number, :2], sides[:, :2])
        high = np.minimum(sides[number, 2:], sides[:, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        is_left &= shared <= _OVERLAP * (areas[number] + areas - shared)
    return np.array(kept, np.int64)


def _scored(
    sides: "npt.ArrayLike", scores: "npt.ArrayLike", is_person: "npt.NDArray[np.bool_]"
) -> Found:
    """Return boxes; those of other classes have the score 0."""
    scored = np.where(is_person, scores, 0)
    return Found(np.asarray(sides, np.float32), np.asarray(scored, np.float32))


def _matrix(array: "Array") -> "Array":
    """Return an output without its first axes of length 1, as rows and columns."""
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return array if array.ndim == 2 else array.reshape(len(array) if array.ndim else 1, -1)


def _with_columns(arrays: Sequence["Array"], columns: int) -> list["Array"]:
    if len(arrays) != 1 or arrays[0].shape[1] != columns:
        raise _other_shapes(arrays)
    return list(arrays)


def _other_shapes(arrays: Sequence["Array"]) -> OutputError:
    shapes = ", ".join(" x ".join(map(str, array.shape)) for array in arrays)
    return OutputError(f"the detector's outputs ({shapes}) do not fit its decoder")


def _yolo(arrays: Sequence["Array"], person: int, *, has_objectness: bool) -> Found:
    if len(arrays) != 1:
        raise _other_shapes(arrays)
    rows = arrays[0] if has_objectness else arrays[0].T
    first = 5 if has_objectness else 4
    if rows.shape[1] <= first + person:
        raise _other_shapes(arrays)
    scores = rows[:, first + person]
    if has_objectness:
        scores = np.asarray(scores * rows[:, 4], np.float32)
    is_best = rows[:, first:].argmax(axis=1) == person
    half = rows[:, 2:4] / 2
    sides = np.hstack([rows[:, :2] - half, rows[:, :2] + half])
    return _scored(sides, scores, is_best)


def _torchvision(arrays: Sequence["Array"], person: int) -> Found:
    boxes = [array for array in arrays if array.shape[1] == 4]
    others = [array.reshape(-1) for array in arrays if array.shape[1] != 4]
    if len(boxes) != 1 or len(others) < 2 or {len(o) for o in others} != {len(boxes[0])}:
        if len(boxes) == 1 and not len(boxes[0]):
            return Found(boxes[0], np.zeros(0, np.float32))
        raise _other_shapes(arrays)
    # Labels are whole numbers from 1 on, scores are fractions up to 1; one box may have both as 1.
    labels, scores = others[:2]
    if (labels != np.floor(labels)).any() or (scores > 1).any():
        labels, scores = scores, labels
    is_person = np.asarray(labels == person, np.bool_)
    return _scored(boxes[0], scores, is_person)


def _nanodet_levels(rows: int, size: tuple[int, int]) -> int:
    """Return the number of levels whose cells are so many rows; 0 if there is none."""
    for levels in (3, 4):
        cells = [-(-size[0] // s) * -(-size[1] // s) for s in _STRIDES[:levels]]
        if rows in {sum(cells), 2 * sum(cells)}:  # in one array, or in two for each level
            return levels
    return 0


def _nanodet(arrays: Sequence["Array"], size: tuple[int, int], person: int) -> Found:
    """Decode classes and distances; NanoDet-Plus has four levels, NanoDet three."""
    if len(arrays) == 1:
        rows = arrays[0]
        classes, distances = rows[:, : -4 * _BINS], rows[:, -4 * _BINS :]
    else:  # two arrays for each level
        parts = sorted(arrays, key=lambda array: -len(array))
        classes = _stacked(parts, _classes_of_levels(parts))
        distances = _stacked(parts, 4 * _BINS)
    levels = _nanodet_levels(len(classes), size)
    if not levels or len(classes) != len(distances) or classes.shape[1] <= person:
        raise _other_shapes(arrays)
    if classes.min(initial=0) < 0 or classes.max(initial=0) > 1:
        classes = np.asarray(1 / (1 + np.exp(-classes)), np.float32)
    centers, strides = _cells(size, levels)
    bins = distances.reshape(-1, 4, _BINS)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    lengths = weights @ np.arange(_BINS, dtype=np.float32) * strides[:, None]
    sides = np.hstack([centers - lengths[:, :2], centers + lengths[:, 2:]])
    is_best = classes.argmax(axis=1) == person
    return _scored(sides, classes[:, person], is_best)


def _stacked(parts: Sequence["Array"], columns: int) -> "Array":
    """Return the rows of all arrays with so many columns."""
    empty = np.zeros((0, columns), np.float32)
    return np.vstack([empty, *(array for array in parts if array.shape[1] == columns)])


def _classes_of_levels(parts: Sequence["Array"]) -> int:
    """Return the number of classes in the outputs of NanoDet's levels; 0 if it is not clear."""
    widths = {array.shape[1] for array in parts} - {4 * _BINS}
    return widths.pop() if len(widths) == 1 else 0


def _cells(size: tuple[int, int], levels: int) -> tuple["Array", "Array"]:
    """Return the center of each cell (cells x 2) and its stride, in pixels of the input."""
    shift = 0.5 if levels == 3 else 0.0  # NanoDet-Plus counts from the corner
    centers, strides = [], []
    for stride in _STRIDES[:levels]:
        columns, rows = -(-size[0] // stride), -(-size[1] // stride)
        y, x = np.mgrid[:rows, :columns]
        centers.append(np.stack([x.ravel(), y.ravel()], axis=1) * stride + shift * stride)
        strides.append(np.full(rows * columns, stride))
    return np.vstack(centers).astype(np.float32), np.hstack(strides).astype(np.float32)
