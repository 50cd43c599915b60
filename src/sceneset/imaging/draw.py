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
from sceneset.imaging.shapes import Bitmap, Broken, Drawing, Figure, Polygon, Runs, Shape

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_MAX_POINTS = 1_000_000  # numbers in one polygon
_MAX_RELATIVE = 1.5  # larger fractions are pixels or percent
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
    if not drawing.is_relative and all(map(_is_column_major, drawing.shapes)):
        columns = np.zeros(width * height, np.uint8)
        mask = columns.reshape(width, height).T
    else:
        columns, mask = None, np.zeros((height, width), np.uint8)
    for number, shape in enumerate(drawing.shapes, 1):
        try:
            if columns is not None:
                _paint_runs(columns, mask, shape)
            elif drawing.is_relative and isinstance(shape, Polygon):
                _paint(mask, _in_pixels(shape, width, height))
            else:
                _paint(mask, shape)
        except ValueError as error:
            raise ValueError(f"shape {number} of {len(drawing.shapes)}: {error}") from None
    # OpenCV transposes by blocks, twice as fast as NumPy copies columns into rows.
    return mask if columns is None else np.asarray(cv2.transpose(mask.T), np.uint8)


def _is_column_major(shape: Shape) -> bool:
    """Return whether a shape can be painted as runs of columns, which is ten times as fast."""
    if isinstance(shape, Polygon):
        return shape.rasterizer == "coco" and not shape.rings
    return isinstance(shape, Runs) and shape.codec == "coco" and shape.threshold == 1


def _paint_runs(columns: "Mask", mask: "Mask", shape: Shape) -> None:
    """Paint a shape into a mask whose columns follow each other in ``columns``."""
    height, width = mask.shape
    if isinstance(shape, Polygon):
        counts: rle.Counts = _coco_runs(_checked_points(shape.points, mask), height, width)
    elif isinstance(shape, Runs) and shape.box in {None, (0, 0, width, height)}:
        counts = shape.counts
    else:
        _paint(mask, shape)
        return
    ends = np.cumsum(rle.checked_coco_runs(counts, width, height)).tolist()
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        columns[start:end] = shape.value


def _in_pixels(polygon: Polygon, width: int, height: int) -> Polygon:
    def scaled(points: tuple[float, ...]) -> tuple[float, ...]:
        if max(points, default=0) > _MAX_RELATIVE:
            raise ValueError(
                f"the polygon has the coordinate {max(points):,.6g}, but coordinates are fractions "
                "of width and height, from 0 to 1"
            )
        return tuple(v * (height if i % 2 else width) for i, v in enumerate(points))

    return polygon._replace(
        points=scaled(polygon.points), rings=tuple(scaled(ring) for ring in polygon.rings)
    )


def _paint(mask: "Mask", shape: Shape) -> None:
    if isinstance(shape, Broken):
        raise ValueError(shape.message)  # noqa: TRY004 - a fault of the annotation
    if isinstance(shape, Polygon):
        _paint_polygon(mask, shape)
        return
    if isinstance(shape, Figure):
        _paint_figure(mask, shape)
        return
    height, width = mask.shape
    if isinstance(shape, Bitmap):
        inside = _bitmap(shape.data, 4 * max(1, mask.size))
        left, top = shape.left, shape.top
    else:
        left, top, box_width, box_height = shape.box or (0, 0, width, height)
        if box_width < 0 or box_height < 0 or box_width * box_height > 4 * max(1, mask.size):
            raise ValueError(f"its box of {box_width} x {box_height} pixels does not fit the image")
        if shape.codec == "coco" and (box_width, box_height) != (width, height):
            raise ValueError(
                f"the RLE is of {box_width} x {box_height} pixels, the image of {width} x {height}"
            )
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


def _bitmap(data: bytes, max_pixels: int) -> "npt.NDArray[np.bool_]":
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
            if opened.width * opened.height > max_pixels:
                size = f"{opened.width} x {opened.height}"
                raise ValueError(f"{size} pixels do not fit the image")  # noqa: TRY301
            if opened.mode in {"1", "L"} or (
                opened.mode == "P" and "transparency" not in opened.info
            ):
                return np.asarray(opened) > 0
            return np.asarray(opened.convert("RGBA").getchannel("A")) > 0
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise ValueError(f"its bitmap does not decode: {error}") from None


def _paint_polygon(mask: "Mask", polygon: Polygon) -> None:
    first, *more = (_checked_points(ring, mask) for ring in (polygon.points, *polygon.rings))
    if polygon.rasterizer == "evenodd":
        limits = np.array(mask.shape[::-1]) - 1
        rings = [np.rint(_ring(points)).clip(0, limits) for points in (first, *more)]
        region = np.zeros(mask.shape, np.uint8)
        cv2.fillPoly(region, [ring.astype(np.int32) for ring in rings], 1)
        mask[region > 0] = polygon.value
        return
    inside = _region(first, polygon.rasterizer, mask)
    for hole in more:
        inside &= ~_region(hole, polygon.rasterizer, mask)
    mask[inside] = polygon.value


def _region(points: tuple[float, ...], rasterizer: str, mask: "Mask") -> "npt.NDArray[np.bool_]":
    if rasterizer == "coco":
        return _coco_polygon(points, *mask.shape)
    if rasterizer == "pil":
        image = Image.fromarray(np.zeros_like(mask))
        pairs = list(zip(points[::2], points[1::2], strict=True))
        ImageDraw.Draw(image).polygon(pairs, outline=1, fill=1)
        return np.asarray(image) > 0
    region = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(region, [_ring(points).astype(np.int32)], 1)  # truncated
    return region > 0


def _ring(points: tuple[float, ...]) -> "npt.NDArray[np.float64]":
    return np.asarray(points, np.float64).reshape(-1, 2)


def _paint_figure(mask: "Mask", figure: Figure) -> None:
    points = _checked_points(figure.points, mask, least=2, name=figure.kind)
    if figure.kind != "line" and len(points) != 4:
        raise ValueError(f"the {figure.kind} has {len(points) // 2} points; it needs 2")
    image = Image.fromarray(np.zeros_like(mask))
    drawer = ImageDraw.Draw(image)
    if figure.kind == "line":
        pairs = list(zip(points[::2], points[1::2], strict=True))
        drawer.line(pairs, fill=1, width=figure.width)
    else:
        x, y, other_x, other_y = points
        if figure.kind == "circle":
            radius = math.hypot(x - other_x, y - other_y)
            drawer.ellipse([x - radius, y - radius, x + radius, y + radius], outline=1, fill=1)
        else:
            box = [min(x, other_x), min(y, other_y), max(x, other_x), max(y, other_y)]
            drawer.rectangle(box, outline=1, fill=1)
    mask[np.asarray(image) > 0] = figure.value


def _coco_polygon(points: tuple[float, ...], height: int, width: int) -> "npt.NDArray[np.bool_]":
    return rle.decode_coco(_coco_runs(points, height, width), width, height).astype(np.bool_)


def _coco_runs(points: tuple[float, ...], height: int, width: int) -> bytes:
    """Return the compressed RLE of a polygon."""
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise UsageError(
            "polygons of this format are drawn by pycocotools, which is not installed; install "
            "sceneset with the extra [coco]"
        ) from None
    counts: bytes = coco.frPyObjects([list(points)], height, width)[0]["counts"]
    return counts


def _checked_points(
    points: tuple[float, ...], mask: "Mask", *, least: int = 3, name: str = "polygon"
) -> tuple[float, ...]:
    height, width = mask.shape
    if len(points) % 2:
        raise ValueError(f"the {name} has an x without a y")
    if len(points) < 2 * least:
        raise ValueError(f"the {name} has {len(points) // 2} points; it needs {least}")
    if len(points) > _MAX_POINTS:
        raise ValueError(f"the {name} has more than {_MAX_POINTS // 2:,} points")
    if not all(map(math.isfinite, points)):
        raise ValueError(f"the {name} has a coordinate that is not a number")
    outside = max(0.0, -min(points), max(points[::2]) - width, max(points[1::2]) - height)
    if outside > _MAX_OUTSIDE:
        raise ValueError(
            f"the {name} reaches {outside:,.0f} pixels outside of the image of {width} x {height}"
        )
    return points
