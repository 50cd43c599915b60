"""Boxes, and why a box or an image was not cropped."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sceneset.schemas.crop import Sides


class Reason(StrEnum):
    """Why a box or an image gives no crop; the value is the code in JSON and CSV."""

    # Errors of the input.
    BROKEN = "box-broken"
    OUTSIDE = "box-outside"
    OTHER_SIZE = "size-differs"
    UNCLEAR = "frame-unclear"
    AMBIGUOUS = "name-ambiguous"
    UNREADABLE = "image-unreadable"
    DELIVERY = "sample-broken"
    # What the document or the options leave out.
    OVERLAP = "people-overlap"
    CLOSE = "people-close"
    CONNECTED = "people-connected"
    FRAMES = "frames-overlap"
    MANY = "too-many-boxes"
    SMALL = "box-small"
    LOW = "score-low"
    TWICE = "box-twice"
    CROWD = "crowd"
    EMPTY = "no-person"
    PART = "person-outside"
    OTHERS = "others-in-crop"
    NOT_A_BOX = "not-a-box"
    UNKNOWN = "image-unknown"
    NO_BOX = "no-box"
    WITHDRAWN = "withdrawn"
    RESTRICTED = "restricted"


ERRORS = frozenset(
    {
        *(Reason.BROKEN, Reason.OUTSIDE, Reason.OTHER_SIZE, Reason.UNCLEAR, Reason.AMBIGUOUS),
        *(Reason.UNREADABLE, Reason.DELIVERY),
    }
)
"""Reasons that are errors of the input. The others are what a crop set does not hold."""


class Refusal(NamedTuple):
    """A box or an image that gives no crop."""

    reason: Reason
    image: str
    """The sample as phase/stem, or the name in the file of boxes if no sample has it."""
    place: str
    """Where the box is, for example "boxes.json (annotation 7)"; "" for a whole image."""
    detail: str


class Detection(NamedTuple):
    """A box as its file gives it."""

    image: str
    """Name of the image in the file; a path with or without the suffix."""
    sides: Sides
    score: float | None
    place: str
    is_crowd: bool = False
    """Whether the box is around several people who are not counted."""
    is_relative: bool = False
    """Whether the sides are shares of width and height."""
    size: tuple[int, int] | None = None
    """Width and height of the picture in which the box is, if the file gives them."""
    fits: str = ""
    """"shown" if the box fits the picture as shown, whatever the options say; "" if they decide."""


@dataclass
class Boxes:
    """All boxes of persons in a file, or found by a detector."""

    about: str
    """What the record of crops says: the file and its hash, or the detector."""
    detections: list[Detection] = field(default_factory=list)
    images: dict[str, None] = field(default_factory=dict)
    """Names of all images that the file lists, also of those without a box."""
    refused: list[Refusal] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    """Number of boxes of each other class, by its name."""


class Rules(NamedTuple):
    """What is cut, and what is refused; see ``CropParams``."""

    grow: float
    max_iou: float
    min_gap: int
    min_side: int
    min_score: float
    max_overlap: float
    """Frames of one original that share more than this part of the smaller one are refused."""
    refuse_others: bool = False
    """Refuse crops that show pixels of other people, instead of setting them to ignore."""
    boxes_as: str | None = None
    """"stored" or "shown": which pixels the boxes of images with an EXIF orientation fit."""
    jpeg_quality: int | None = None
    """Write JPEG files of this quality (1 to 100) instead of PNG."""
