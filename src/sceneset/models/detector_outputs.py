"""The outputs of a detector as matrices, and what is found in them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.models.network import OutputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

COCO_CLASSES = 80
STRIDES = (8, 16, 32, 64)
"""Pixels of the input from one cell to the next, for each level of a model; many have three."""


class Found(NamedTuple):
    """Boxes of persons, the highest score first."""

    sides: "Array"
    """Boxes x 4: left, top, right and bottom in pixels of the model's input."""
    scores: "Array"
    """From 0 to 1."""


def scored(
    sides: "npt.ArrayLike", scores: "npt.ArrayLike", is_person: "npt.NDArray[np.bool_]"
) -> Found:
    """Return boxes; those of other classes have the score 0."""
    values = np.where(is_person, scores, 0)
    return Found(np.asarray(sides, np.float32), np.asarray(values, np.float32))


def matrix(array: "Array") -> "Array":
    """Return an output without its first axes of length 1, as rows and columns."""
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        return array
    rows = len(array) if array.ndim else 1
    return array.reshape(rows, array.size // rows if rows else 1)  # -1 fails for no rows


def other_shapes(arrays: Sequence["Array"]) -> OutputError:
    """Return the error that outputs have other shapes than their decoder expects."""
    shapes = ", ".join(" x ".join(map(str, array.shape)) for array in arrays)
    return OutputError(f"the detector's outputs ({shapes}) do not fit its decoder")


def number_of_cells(size: tuple[int, int], levels: int) -> int:
    """Return the number of cells on the first levels together, for an input of width and height."""
    return sum(-(-size[0] // s) * -(-size[1] // s) for s in STRIDES[:levels])
