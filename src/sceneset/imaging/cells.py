"""Masks and maps on a coarse grid: means of cells, thin parts removed, the largest part."""

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Cells = npt.NDArray[np.bool_]
    Shares = npt.NDArray[np.float32]


class Part(NamedTuple):
    """A connected part of a grid (8-connected)."""

    share: float
    """Of the area of the whole grid."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom, from 0 to 1."""


def area_mean(pixels: "Cells", size: tuple[int, int]) -> "Shares":
    """Return the share of set pixels in each cell, rows x columns.

    Args:
        pixels: height x width.
        size: Number of columns and rows of the grid.
    """
    found = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(found, np.float32)


def opened(cells: "Cells", width: int) -> "Cells":
    """Return cells without what is narrower than a width in cells."""
    if width <= 1:
        return cells
    kernel = np.ones((width, width), np.uint8)
    # Beyond the border of the picture, a part goes on: a person cut by it is not thin there.
    padded = cv2.copyMakeBorder(
        cells.astype(np.uint8), *(width,) * 4, borderType=cv2.BORDER_REPLICATE
    )
    found = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)
    return np.asarray(found[width:-width, width:-width] > 0)


def largest_part(cells: "Cells", weights: "Shares") -> Part:
    """Return the part with the largest area; the first by rows if several have it.

    Args:
        cells: rows x columns.
        weights: The area of each cell that counts, 0 to 1.
    """
    count, labels = cv2.connectedComponents(cells.astype(np.uint8), connectivity=8)
    if count < 2:
        return Part(0.0, (0.0, 0.0, 0.0, 0.0))
    areas = np.bincount(labels.ravel(), weights.ravel().astype(np.float64), count)
    areas[0] = -1
    label = int(areas.argmax())
    rows, columns = np.nonzero(labels == label)
    height, width = cells.shape
    box = (
        columns.min() / width,
        rows.min() / height,
        (columns.max() + 1) / width,
        (rows.max() + 1) / height,
    )
    left, top, right, bottom = (round(float(side), 4) for side in box)
    return Part(float(areas[label]) / cells.size, (left, top, right, bottom))
