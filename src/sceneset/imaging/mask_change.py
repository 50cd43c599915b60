"""Draw what changed between two masks of a sample: before, after, and the changed pixels.

Pixels that became a person are filled, pixels that are no person any more are hatched, so that the
two differ without their colors too. A small change is drawn at least one pixel large, and the area
around all changes is known, so that a page can enlarge it.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from sceneset.errors import UndecodableError
from sceneset.imaging.decode import Size, Small, decode_mask, decode_small, fitted
from sceneset.imaging.encode import indexed_png
from sceneset.imaging.overlay import Overlay, paint, turned
from sceneset.schemas.params import Limits

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Area = npt.NDArray[np.bool_]

_VISIBLE = 26
"""Of 255: a pixel of a small picture is marked if a tenth of it changed. With a third of it, as for
masks, an outline that moved by a pixel would not be visible."""


class Mark(IntEnum):
    """What changed at a pixel."""

    NOTHING = 0
    ADDED = 1
    """Is a person now."""
    REMOVED = 2
    REMOVED_STRIPE = 3
    """Was a person."""
    IGNORED = 4
    IGNORED_STRIPE = 5
    """Is ignored (255) before or after, and not both."""
    OTHER = 6
    """Changed between other values."""


MARKS = {
    Mark.NOTHING: (0, 0, 0, 0),
    Mark.ADDED: (0, 200, 83, 205),
    Mark.REMOVED: (230, 0, 120, 110),
    Mark.REMOVED_STRIPE: (230, 0, 120, 245),
    Mark.IGNORED: (255, 140, 0, 110),
    Mark.IGNORED_STRIPE: (255, 140, 0, 245),
    Mark.OTHER: (120, 80, 255, 220),
}
"""Red, green, blue and alpha, 0 to 255."""


class Side(NamedTuple):
    """The files of a sample before or after a change."""

    image: bytes
    suffix: str
    """Of the image, ".jpg" or ".png"."""
    mask: bytes | None
    """None if it is not available; ``problem`` says why."""
    problem: str = ""


class Counts(NamedTuple):
    """Numbers of changed pixels of a mask."""

    added: int
    removed: int
    ignored: int
    other: int
    pixels: int
    """All pixels of the mask."""


class Box(NamedTuple):
    """The area around all changes, as shares of the width and height of the picture."""

    left: float
    top: float
    width: float
    height: float


class MaskChange(NamedTuple):
    """A sample before and after a change."""

    before: Overlay
    after: Overlay
    """Has the same photo (``is``) if the image did not change."""
    marks: "Pixels | None" = None
    """height x width of the photo after, numbers of ``Mark``; None if the masks can't be
    compared."""
    counts: Counts | None = None
    box: Box | None = None
    problem: str = ""
    """Why there are no marks, if both masks are there."""

    def marks_png(self) -> bytes:
        """Return the marks as a PNG file that is transparent elsewhere; b"" without marks."""
        return b"" if self.marks is None else indexed_png(self.marks, [MARKS[m] for m in Mark])


def draw_change(old: Side, new: Side, side: int, limits: Limits) -> MaskChange:
    """Return small pictures of a sample before and after a change.

    Args:
        old: The files before the change.
        new: The files after it.
        side: Length of the longer side in pixels; smaller images keep their size.
        limits: Largest and smallest sizes accepted.

    Raises:
        UndecodableError: An image has another format, is damaged, or exceeds the limits. If a mask
            can't be drawn, the ``problem`` of its side says why.
    """
    after = _Decoded.of(new, side, limits)
    before = _Decoded.of(old, side, limits, after if old.image == new.image else None)
    first, second = before.values, after.values
    pictures = MaskChange(before.overlay(side), after.overlay(side))
    if first is None or second is None:
        return pictures
    if first.shape != second.shape:
        sizes = (f"{shape[1]} x {shape[0]}" for shape in (first.shape, second.shape))
        return pictures._replace(problem=f"the size changed from {' to '.join(sizes)}")
    if before.small.orientation != after.small.orientation:
        return pictures._replace(problem="the orientation of the image changed")
    marks, counts = _marks(first, second, fitted(after.small.size, side))
    marks = turned(marks, after.small.orientation)
    return pictures._replace(marks=marks, counts=counts, box=_box(marks))


class _Decoded(NamedTuple):
    small: Small
    photo: "Pixels"
    values: "Pixels | None"
    problem: str

    @classmethod
    def of(
        cls, files: Side, side: int, limits: Limits, same: "_Decoded | None" = None
    ) -> "_Decoded":
        """Decode an image and its mask; ``same`` has the image decoded already."""
        if same:
            small, photo = same.small, same.photo
        else:
            small = decode_small(files.image, files.suffix, side, limits)
            resized = small.image.resize(fitted(small.size, side), Image.Resampling.BOX)
            photo = turned(np.asarray(resized), small.orientation)
        if files.mask is None:
            return cls(small, photo, None, files.problem)
        try:
            values = decode_mask(files.mask, limits)
        except UndecodableError as error:
            return cls(small, photo, None, error.message)
        height, width = values.shape
        if (width, height) != small.size:
            image = f"{small.size[0]} x {small.size[1]}"
            return cls(small, photo, None, f"is {width} x {height}, its image {image}")
        return cls(small, photo, values, "")

    def overlay(self, side: int) -> Overlay:
        """Return the picture with its mask."""
        if self.values is None:
            return Overlay(self.photo, None, self.problem)
        painted = paint(self.values, fitted(self.small.size, side))
        return Overlay(self.photo, turned(painted, self.small.orientation))


def _marks(old: "Pixels", new: "Pixels", size: Size) -> "tuple[Pixels, Counts]":
    """Return the marks of two masks in ``size``, and the numbers of changed pixels."""
    changed = old != new
    ignored = changed & ((old == 255) | (new == 255))
    added = changed & ~ignored & (new == 1)
    removed = changed & ~ignored & (old == 1)
    other = changed & ~ignored & ~added & ~removed
    drawn = np.zeros((size[1], size[0]), np.uint8)
    rows, columns = np.indices(drawn.shape, np.int32, sparse=True)
    is_stripe = (rows + columns) % 6 < 3
    areas = (other, ignored, removed, added)
    fills = (Mark.OTHER, Mark.IGNORED, Mark.REMOVED, Mark.ADDED)
    stripes = (Mark.OTHER, Mark.IGNORED_STRIPE, Mark.REMOVED_STRIPE, Mark.ADDED)
    shares = [_shares(area, size) for area in areas]
    most = np.max(shares, axis=0)
    for share, fill, stripe in zip(shares, fills, stripes, strict=True):
        limit = min(_VISIBLE, int(share.max())) or 1  # a tiny change is visible too
        area = (share >= limit) & (share == most)
        drawn[area] = fill
        drawn[area & is_stripe] = stripe
    counts = Counts(
        int(np.count_nonzero(added)),
        int(np.count_nonzero(removed)),
        int(np.count_nonzero(ignored)),
        int(np.count_nonzero(other)),
        old.size,
    )
    return drawn, counts


def _shares(area: "Area", size: Size) -> "Pixels":
    """Return which part of each pixel of a smaller picture an area covers, 0 to 255."""
    plane = area.view(np.uint8) * np.uint8(255)
    if (area.shape[1], area.shape[0]) == size or not area.any():
        return plane if (area.shape[1], area.shape[0]) == size else np.zeros(size[::-1], np.uint8)
    small = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))
    if not small.any():  # less than 1/255 of a pixel
        row, column = (int(places[0]) for places in np.nonzero(area))
        small = small.copy()
        small[row * size[1] // area.shape[0], column * size[0] // area.shape[1]] = 1
    return small


def _box(marks: "Pixels") -> Box | None:
    if not marks.any():
        return None
    height, width = marks.shape
    rows, columns = np.flatnonzero(marks.any(axis=1)), np.flatnonzero(marks.any(axis=0))
    (top, bottom), (left, right) = (
        (int(places[0]), int(places[-1]) + 1) for places in (rows, columns)
    )
    return Box(left / width, top / height, (right - left) / width, (bottom - top) / height)
