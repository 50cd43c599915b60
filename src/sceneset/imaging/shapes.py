"""Shapes of annotations, from which a mask is drawn."""

from dataclasses import dataclass
from typing import NamedTuple

BACKGROUND, PERSON, IGNORE = 0, 1, 255
"""Values of masks."""


class Polygon(NamedTuple):
    """The area inside of a ring of points."""

    points: tuple[float, ...]
    """x and y by turns, in pixels of the annotated picture."""
    rasterizer: str
    """How the tool draws it: "coco" (pycocotools), "pil" (labelme) or "cv2" (YOLO)."""
    value: int = PERSON
    instance: int = 0


class Runs(NamedTuple):
    """A mask as run lengths."""

    counts: "str | bytes | tuple[int, ...]"
    codec: str
    """"coco": column-major; "rows": row-major; "brush": Label Studio; "values": pairs of V7."""
    box: tuple[int, int, int, int] | None = None
    """Left, top, width, height of the area that the runs describe; None for the whole picture."""
    value: int = PERSON
    instance: int = 0
    threshold: int = 1
    """Smallest decoded value that is inside."""


class Bitmap(NamedTuple):
    """A mask as an encoded image that covers a part of the picture."""

    data: bytes
    """A PNG file."""
    left: int
    top: int
    value: int = PERSON
    instance: int = 0


Shape = Polygon | Runs | Bitmap


@dataclass(frozen=True, slots=True)
class Drawing:
    """A mask that is given as shapes."""

    shapes: tuple[Shape, ...]
    """In painting order: later shapes cover earlier ones. The background is 0."""
    size: tuple[int, int] | None = None
    """Width and height of the annotated picture, if the annotation says so."""
