"""Draw the shapes of an annotation into a mask of 0 (background), 1 (person) and 255 (ignore).

Each tool draws polygons in its own way, and the edges differ by up to 4 % IoU. A polygon is
therefore drawn by the library of the tool that made it.
"""

import io
import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

from sceneset.errors import UsageError
from sceneset.imaging import rle
from sceneset.imaging.shapes import Bitmap, Drawing, Polygon, Runs, Shape

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_MAX_POINTS = 1_000_000  # numbers in one polygon
_MAX_OUTSIDE = 2  # pixels that a polygon may reach beyond the image, as rounding does


def draw(drawing: Drawing, width: int, height: int) -> "Mask":
    """Return the mask of a drawing.

    Args:
        drawing: The shapes, in painting order.
        width: Width of the annotated picture in pixels.
        height: Height of the annotated picture in pixels.

    Returns:
        An array of height x width.

    Raises:
        ValueError: A shape is broken; the message says which and why.
    """
    mask = np.zeros((height, width), np.uint8)
    for number, shape in enumerate(drawing.shapes, 1):
        try:
            _paint(mask, shape)
        except ValueError as error:
            raise ValueError(f"shape {number} of {len(drawing.shapes)}: {error}") from None
    return mask


def _paint(mask: "Mask", shape: Shape) -> None:
    if isinstance(shape, Polygon):
        _paint_polygon(mask, shape)
        return
    height, width = mask.shape
    if isinstance(shape, Bitmap):
        inside = _bitmap(shape.data)
        left, top = shape.left, shape.top
    else:
        left, top, box_width, box_height = shape.box or (0, 0, width, height)
        if box_width < 0 or box_height < 0 or box_width * box_height > 4 * max(1, mask.size):
            raise ValueError(f"its box of {box_width} x {box_height} pixels does not fit the image")
        inside = _decoded(shape, box_width, box_height)
    # A box may reach beyond the frame, as tools allow; what is outside is cut off.
    cut = inside[max(0, -top) : height - top, max(0, -left) : width - left]
    if cut.size == 0 and inside.any():
        raise ValueError("it is outside of the image")
    target = mask[max(0, top) :, max(0, left) :][: cut.shape[0], : cut.shape[1]]
    target[cut] = shape.value


def _decoded(shape: Runs, width: int, height: int) -> "npt.NDArray[np.bool_]":
    counts = shape.counts
    if shape.codec == "coco":
        return rle.decode_coco(counts, width, height).astype(np.bool_)
    if isinstance(counts, str):
        raise ValueError("the RLE is a text where a list of numbers is expected")  # noqa: TRY004
    if shape.codec == "brush":
        return rle.decode_brush(counts, width, height) >= shape.threshold
    is_valued = shape.codec == "values"
    runs = tuple(counts)
    return rle.decode_row_major(runs, width, height, repeated=is_valued) >= shape.threshold


def _bitmap(data: bytes) -> "npt.NDArray[np.bool_]":
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
            if opened.mode in {"1", "L"} or (
                opened.mode == "P" and "transparency" not in opened.info
            ):
                return np.asarray(opened) > 0
            return np.asarray(opened.convert("RGBA").getchannel("A")) > 0
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise ValueError(f"its bitmap does not decode: {error}") from None


def _paint_polygon(mask: "Mask", polygon: Polygon) -> None:
    points = _checked_points(polygon, mask)
    if polygon.rasterizer == "pil":
        image = Image.fromarray(np.zeros_like(mask))
        pairs = list(zip(points[::2], points[1::2], strict=True))
        ImageDraw.Draw(image).polygon(pairs, outline=1, fill=1)
        mask[np.asarray(image) > 0] = polygon.value
    elif polygon.rasterizer == "cv2":
        ring = np.asarray(points, np.float64).reshape(-1, 2).astype(np.int32)  # truncated
        cv2.fillPoly(mask, [ring], polygon.value)
    else:
        mask[_coco_polygon(points, *mask.shape)] = polygon.value


def _coco_polygon(points: tuple[float, ...], height: int, width: int) -> "npt.NDArray[np.bool_]":
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise UsageError(
            "polygons of this format are drawn by pycocotools, which is not installed; install "
            "sceneset with the extra [coco]"
        ) from None
    runs = coco.frPyObjects([list(points)], height, width)
    return np.asarray(coco.decode(runs)[:, :, 0], np.bool_)


def _checked_points(polygon: Polygon, mask: "Mask") -> tuple[float, ...]:
    height, width = mask.shape
    points = polygon.points
    if len(points) % 2:
        raise ValueError("the polygon has an x without a y")
    if len(points) < 6:
        raise ValueError(f"the polygon has {len(points) // 2} points; it needs 3")
    if len(points) > _MAX_POINTS:
        raise ValueError(f"the polygon has more than {_MAX_POINTS // 2:,} points")
    if not all(map(math.isfinite, points)):
        raise ValueError("the polygon has a coordinate that is not a number")
    outside = max(0.0, -min(points), max(points[::2]) - width, max(points[1::2]) - height)
    if outside > _MAX_OUTSIDE:
        raise ValueError(
            f"the polygon reaches {outside:,.0f} pixels outside of the image of {width} x {height}"
        )
    return points
