"""Trace the outlines of a mask as polygons, and find out what these polygons lose."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Ring = npt.NDArray[np.int32]

_MAX_LAYERS = 16


def centre_rings(inside: "Mask") -> "list[Ring]":
    """Return the outer outline of each part of a mask, through the centres of its edge pixels.

    Filled by cv2.fillPoly, the rings give the mask with its holes filled, exactly. Parts inside of
    holes have no ring of their own.

    Args:
        inside: height x width, not 0 inside.

    Returns:
        For each part an array of at least three points, x and y; points of a thin part repeat.
    """
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return [_at_least_three(contour[:, 0].astype(np.int32)) for contour in contours]


def edge_rings(inside: "Mask") -> "list[Ring]":
    """Return the outer outline of each part of a mask, along the edges of its pixels.

    A pixel covers x to x + 1. By COCO's rule, which takes the pixels whose centres are inside, the
    rings give the mask with its holes filled.

    Args:
        inside: height x width, not 0 inside.
    """
    left, top, width, height = cv2.boundingRect(inside)
    if not width:
        return []
    cut = inside[top : top + height, left : left + width]
    # Each pixel becomes 2 x 2, so that the outline through centres tells left from right.
    doubled = cut.repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    offset = np.array([left, top], np.int32)
    return [_corners((contour[:, 0].astype(np.int32) + 1) // 2) + offset for contour in contours]


def filled(inside: "Mask") -> "Mask":
    """Return a mask with its holes filled, as the rings of both kinds give it."""
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    out = np.zeros_like(inside)
    for contour in contours:  # one by one: fillPoly leaves out what two contours enclose
        cv2.fillPoly(out, [contour], 1)
    return out


def _at_least_three(points: "Ring") -> "Ring":
    return points if len(points) >= 3 else points[np.array([0, len(points) - 1, 0])]


def _corners(points: "Ring") -> "Ring":
    """Return a closed ring without repeated points and without points within straight lines."""
    points = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
    before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
    is_corner = before[:, 0] * after[:, 1] != before[:, 1] * after[:, 0]
    corners: Ring = points[is_corner]
    return corners


def painted_layers(inside: "Mask") -> "tuple[list[tuple[list[list[list[int]]], bool]], Mask]":
    """Return layers of polygons that are painted in order: inside, holes, parts in holes...

    Pillow's ImageDraw draws them, with outline and fill.

    Args:
        inside: height x width, 1 inside, 0 outside.

    Returns:
        The layers, each with the points of its polygons and whether they are inside; and the mask
        as it is drawn, which may differ from ``inside`` where parts touch each other's corners.
    """
    layers: list[tuple[list[list[list[int]]], bool]] = []
    image = Image.fromarray(np.zeros_like(inside))
    canvas = ImageDraw.Draw(image)
    value = 1
    for _ in range(_MAX_LAYERS):
        drawn = np.asarray(image)
        # All pixels that still have to become ``value``.
        open_pixels = ((inside == value) & (drawn != value)).astype(np.uint8)
        if not open_pixels.any():
            break
        rings = [ring.tolist() for ring in centre_rings(open_pixels)]
        for ring in rings:
            canvas.polygon([tuple(point) for point in ring], fill=value, outline=value)
        layers.append((rings, value == 1))
        value = 1 - value
    return layers, np.asarray(image)
