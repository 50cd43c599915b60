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
    """How the tool draws it: "coco" (pycocotools), "pil" (labelme), "cv2" (YOLO, Supervisely) or
    "evenodd" (V7: all rings at once, the points rounded)."""
    value: int = PERSON
    instance: int = 0
    rings: tuple[tuple[float, ...], ...] = ()
    """Holes; for "evenodd", further rings, whose inside is filled by the even-odd rule."""


class Figure(NamedTuple):
    """A figure that labelme draws by Pillow."""

    points: tuple[float, ...]
    """x and y by turns. A circle has its center and a point of its edge."""
    kind: str
    """"rectangle", "circle" or "line"."""
    value: int = PERSON
    instance: int = 0
    width: int = 0
    """Width of a line in pixels."""


class Broken(NamedTuple):
    """A shape that a format can't read; drawing it fails with the message."""

    message: str


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


Shape = Polygon | Figure | Runs | Bitmap | Broken


@dataclass(frozen=True, slots=True)
class Drawing:
    """A mask that is given as shapes."""

    shapes: tuple[Shape, ...]
    """In painting order: later shapes cover earlier ones. The background is 0."""
    size: tuple[int, int] | None = None
    """Width and height of the annotated picture, if the annotation says so."""
    is_relative: bool = False
    """Whether the points of polygons are fractions of width and height."""
