"""Outlines of masks as SVG paths, to be drawn over a picture of any size.

The coordinates are those of the image as shown, scaled so that its longer side has ``SPAN`` units.
All arithmetic that decides a point is on integers: equal masks give equal paths.
"""

from typing import TYPE_CHECKING

import cv2
import numpy as np

from sceneset.imaging.decode import Size, fitted
from sceneset.imaging.overlay import covered, turned
from sceneset.storage.picture_store import Outline

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

SPAN = 960
"""Units of the longer side."""
GRID = 16
"""Cells of a side of ``Outline.grid``."""

_TOLERANCE = 1.2  # units between an outline and its simplified path
_MAX_PATH = 12_000  # characters; masks of noise would have paths of megabytes
_MAX_PARTS = 1_000
_SPANS = (SPAN, SPAN // 2, SPAN // 4)  # coarser drawings of masks with too many corners


def outline_of(values: "Pixels", orientation: int = 1) -> Outline:
    """Return the outlines of a mask.

    Args:
        values: The values of the mask as stored, height x width.
        orientation: The EXIF orientation of its image, 1 to 8.
    """
    shown = turned(values, orientation)
    height, width = shown.shape
    scale = SPAN / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    areas = (shown == 1, shown == 255, (shown > 1) & (shown < 255))
    cells = cv2.resize(
        areas[0].view(np.uint8) * np.uint8(255), (GRID, GRID), interpolation=cv2.INTER_AREA
    )
    person, ignored, other = (_path_of(area, size) for area in areas)
    return Outline(*size, person, ignored, other, cells.tobytes())


def _path_of(area: "npt.NDArray[np.bool_]", size: Size) -> str:
    if not area.any():
        return ""
    full = (area.shape[1], area.shape[0])
    for span in _SPANS:
        drawn = fitted(full, min(span, max(full)))
        found = _contours_of(covered(area, drawn))
        is_last = span == _SPANS[-1]
        if len(found) > _MAX_PARTS and not is_last:
            continue
        scale = (size[0] / drawn[0], size[1] / drawn[1])
        path = "".join(_part(contour, scale) for contour in found[:_MAX_PARTS])
        if len(path) <= _MAX_PATH or is_last:
            break
    # Only whole contours are kept: a path that ends within one would fill another area.
    return path if len(path) <= _MAX_PATH else path[: path.rindex("z", 0, _MAX_PATH) + 1]


def _contours_of(area: "npt.NDArray[np.bool_]") -> "list[npt.NDArray[np.int32]]":
    """Return the outlines of an area and of its holes, the largest first, at twice the size.

    At twice the size, the outermost pixel centers are a quarter of a pixel from the border.
    """
    doubled = cv2.resize(area.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    found, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    contours = [np.asarray(contour, np.int32) for contour in found]
    return sorted(contours, key=cv2.contourArea, reverse=True)


def _part(contour: "npt.NDArray[np.int32]", scale: tuple[float, float]) -> str:
    """Return the path of one outline; ``scale`` is units per pixel."""
    points = cv2.approxPolyDP(contour, 2 * _TOLERANCE / max(scale), closed=True)
    if len(points) < 3:
        left, top, width, height = cv2.boundingRect(contour)
        right, bottom = left + width, top + height
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.int32)
    units = np.rint((points.reshape(-1, 2) + 0.5) * np.array(scale) / 2).astype(np.int64)
    steps = np.diff(units, axis=0)
    lines = " ".join(f"{x}{y:+d}" for x, y in steps.tolist() if x or y)
    return f"M{units[0, 0]} {units[0, 1]}l{lines or '1+1'}z"
