"""Decode the outputs of detectors into boxes of persons: YOLO, NanoDet and torchvision.

Which of them a model is, its outputs show by their shapes. Boxes are in the pixels of the model's
input. Sources: docs.ultralytics.com (exports), nanodet/model/head of github.com/RangiLyu/nanodet,
and pytorch.org (torchvision.models.detection).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sceneset.errors import UsageError
from sceneset.models.detector_outputs import (
    COCO_CLASSES,
    Found,
    matrix,
    number_of_cells,
    other_shapes,
    scored,
)
from sceneset.models.nanodet import LEAST_COLUMNS, decode_nanodet, levels_of
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


def preparation_for(decoder: str) -> Preparation:
    """Return how pictures are usually prepared for models with a decoder.

    NanoDet's demos keep the proportions of a picture, in a black frame, also for models that were
    trained without (NanoDet-Plus).
    """
    if decoder == "nanodet":
        mean, std = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
        return Preparation(bgr=True, letterbox=True, scale=1, mean=mean, std=std, fill=0)
    return Preparation(letterbox=decoder.startswith("yolo"))


def recognized_decoder(outputs: Outputs, size: tuple[int, int]) -> str:
    """Return the decoder that fits the shapes of outputs.

    Args:
        outputs: The outputs for any picture.
        size: Width and height of the model's input.

    Raises:
        UsageError: None fits.
    """
    arrays = [matrix(array) for array in outputs.values()]
    columns = sorted({a.shape[1] for a in arrays})
    if len(arrays) == 1 and _is_anchored(arrays[0], size):
        return "yolo-objectness"
    if levels_of(sum(len(a) for a in arrays), size) and columns[-1] >= LEAST_COLUMNS:
        return "nanodet"
    if len(arrays) >= 3 and any(a.shape[1] == 4 for a in arrays):  # also for no box
        return "torchvision"
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
    arrays = [matrix(array) for array in outputs.values()]
    number = person if person is not None else int(decoder == "torchvision")
    if decoder == "torchvision":
        found = _torchvision(arrays, number)
    elif decoder == "nanodet":
        found = decode_nanodet(arrays, size, number)
    elif decoder == "yolo-end-to-end":
        [rows] = _with_columns(arrays, 6)
        found = scored(rows[:, :4], rows[:, 4], rows[:, 5] == number)
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


def _with_columns(arrays: Sequence["Array"], columns: int) -> list["Array"]:
    if len(arrays) != 1 or arrays[0].shape[1] != columns:
        raise other_shapes(arrays)
    return list(arrays)


def _yolo(arrays: Sequence["Array"], person: int, *, has_objectness: bool) -> Found:
    if len(arrays) != 1:
        raise other_shapes(arrays)
    rows = arrays[0] if has_objectness else arrays[0].T
    first = 5 if has_objectness else 4
    if rows.shape[1] <= first + person:
        raise other_shapes(arrays)
    scores = rows[:, first + person]
    if has_objectness:
        scores = np.asarray(scores * rows[:, 4], np.float32)
    is_best = rows[:, first:].argmax(axis=1) == person
    half = rows[:, 2:4] / 2
    sides = np.hstack([rows[:, :2] - half, rows[:, :2] + half])
    return scored(sides, scores, is_best)


def _torchvision(arrays: Sequence["Array"], person: int) -> Found:
    boxes = [array for array in arrays if array.shape[1] == 4]
    others = [array.reshape(-1) for array in arrays if array.shape[1] != 4]
    if len(boxes) != 1 or len(others) < 2 or {len(o) for o in others} != {len(boxes[0])}:
        if len(boxes) == 1 and not len(boxes[0]):
            return Found(boxes[0], np.zeros(0, np.float32))
        raise other_shapes(arrays)
    # Labels are whole numbers from 1 on, scores are fractions up to 1; one box may have both as 1.
    labels, scores = others[:2]
    if (labels != np.floor(labels)).any() or (scores > 1).any():
        labels, scores = scores, labels
    is_person = np.asarray(labels == person, np.bool_)
    return scored(boxes[0], scores, is_person)


def _is_anchored(rows: "Array", size: tuple[int, int]) -> bool:
    """Return whether rows are boxes of YOLO with an objectness, by the number of cells.

    Without that number, models of one class would be taken for end-to-end ones, which also have six
    columns, and models with one box for each cell (version 6) for NanoDet.
    """
    count, columns = (int(side) for side in rows.shape)
    cells = {number_of_cells(size, levels) for levels in (3, 4)}
    if count in {3 * number for number in cells}:  # three boxes for each cell
        return columns > 5
    return count in cells and (5 < columns < LEAST_COLUMNS or columns == 5 + COCO_CLASSES)
