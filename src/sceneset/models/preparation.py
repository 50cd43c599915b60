"""How pictures are prepared for a model: size, order of channels, scale of values.

What a model was trained with is not in its file, so it is named in words, for example
``rgb,imagenet,letterbox``. A wrong order or scale gives results that are worse, and no error.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from sceneset.errors import UsageError
from sceneset.models.model_file import Input

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]
    Blob = npt.NDArray[np.float32]

Triple = tuple[float, float, float]

SCALES: dict[str, tuple[float, Triple, Triple]] = {
    "0-1": (1 / 255, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "-1-1": (1 / 127.5, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0)),
    "0-255": (1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "imagenet": (1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
"""Scales of values by name: factor, then mean to subtract and deviation to divide by, in the order
red, green, blue. imagenet has the numbers of torchvision."""
_WORDS = "rgb or bgr; stretch or letterbox; WIDTHxHEIGHT; a scale: " + ", ".join(SCALES)
_MAX_SIDE = 4096


class Preparation(NamedTuple):
    """How pictures are prepared. A value v of 0 to 255 becomes (v * scale - mean) / std."""

    bgr: bool = False
    """Whether the first channel is blue. Mean and std are in the order of the channels then."""
    letterbox: bool = False
    """Whether the picture keeps its proportions, in the middle of a frame; else it is stretched."""
    scale: float = 1 / 255
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    fill: int = 114
    """Value of the frame of a letterbox, 0 to 255. 114 is that of YOLO."""
    size: tuple[int, int] | None = None
    """Width and height for models that leave them open."""

    @classmethod
    def parse(cls, text: str, default: "Preparation | None" = None) -> "Preparation":
        """Return what words say, for example "bgr,imagenet,letterbox,320x240".

        Further words are ``mean=A/B/C``, ``std=A/B/C``, ``scale=A`` (mean and std are then those of
        scaled values in the order of the channels) and ``fill=N``.

        Raises:
            UsageError: A word is unknown.
        """
        found = default or cls()
        named = ""
        numbers: dict[str, Any] = {}
        for word in filter(None, (part.strip().lower() for part in text.split(","))):
            name, _, value = word.partition("=")
            if word in {"rgb", "bgr"}:
                found = found._replace(bgr=word == "bgr")
            elif word in {"stretch", "letterbox"}:
                found = found._replace(letterbox=word == "letterbox")
            elif word in SCALES:
                named = word
            elif value:
                numbers[name] = _number(name, value, word)
            else:
                found = found._replace(size=_size(word))
        if named:
            scale, mean, std = SCALES[named]
            if found.bgr:
                mean, std = mean[::-1], std[::-1]
            found = found._replace(scale=scale, mean=mean, std=std)
        return found._replace(**numbers)


def _number(name: str, value: str, word: str) -> "int | float | Triple":
    """Return what NAME=VALUE says."""
    try:
        numbers = [float(part) for part in value.split("/")]
    except ValueError:
        numbers = []
    is_finite = bool(numbers) and all(np.isfinite(numbers))
    if name in {"mean", "std"} and len(numbers) in {1, 3} and is_finite:
        if name == "mean" or 0 not in numbers:
            return numbers[0], numbers[len(numbers) // 2], numbers[-1]
    elif name == "scale" and len(numbers) == 1 and is_finite and numbers[0]:
        return numbers[0]
    elif name == "fill" and value.isascii() and value.isdigit() and int(value[:4]) <= 255:
        return int(value)
    raise UsageError(f"{word!r} does not say how pictures are prepared; use {_WORDS}")


def _size(word: str) -> tuple[int, int]:
    """Return the width and height that "320x240" means."""
    parts = word.split("x")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        width, height = int(parts[0][:6]), int(parts[1][:6])
        if min(width, height) >= 8 and max(width, height) <= _MAX_SIDE:
            return width, height
    raise UsageError(f"{word!r} does not say how pictures are prepared; use {_WORDS}")


class Placement(NamedTuple):
    """Where a picture is in the input of a model."""

    left: int
    top: int
    width: int
    """Of the picture in the input, in pixels."""
    height: int
    input_size: tuple[int, int]
    """Width and height of the input."""
    size: tuple[int, int]
    """Width and height of the picture itself, as shown."""

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the input as a point of the picture; it may be outside."""
        return (
            (x - self.left) * self.size[0] / self.width,
            (y - self.top) * self.size[1] / self.height,
        )

    def cut(self, values: "Blob") -> "Blob":
        """Return the part of a map of the whole input that covers the picture.

        Args:
            values: height x width; any size with the proportions of the input.
        """
        rows, columns = values.shape
        across, down = columns / self.input_size[0], rows / self.input_size[1]
        top, left = round(self.top * down), round(self.left * across)
        bottom = max(top + 1, round((self.top + self.height) * down))
        right = max(left + 1, round((self.left + self.width) * across))
        return values[top:bottom, left:right]


def prepare(pixels: "Pixels", how: Preparation, wanted: Input) -> "tuple[Blob, Placement]":
    """Return the input of a model, and where the picture is in it.

    Args:
        pixels: height x width x 3, RGB, as shown.
        how: What the model was trained with.
        wanted: The input that it takes.

    Returns:
        1 x 3 x height x width, or 1 x height x width x 3 where the model has its channels last.
    """
    height, width = pixels.shape[:2]
    inner = (wanted.width, wanted.height)
    if how.letterbox:
        share = min(wanted.width / width, wanted.height / height)
        inner = (
            min(wanted.width, max(1, round(width * share))),
            min(wanted.height, max(1, round(height * share))),
        )
    left, top = (wanted.width - inner[0]) // 2, (wanted.height - inner[1]) // 2
    smaller = inner[0] <= width and inner[1] <= height
    resized = cv2.resize(
        pixels, inner, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    )
    frame = np.full((wanted.height, wanted.width, 3), how.fill, np.uint8)
    frame[top : top + inner[1], left : left + inner[0]] = resized
    if how.bgr:
        frame = frame[:, :, ::-1]
    mean, std = np.array(how.mean, np.float32), np.array(how.std, np.float32)
    values: Blob = (frame.astype(np.float32) * np.float32(how.scale) - mean) / std
    if not wanted.channels_last:
        values = values.transpose(2, 0, 1)
    placement = Placement(left, top, *inner, (wanted.width, wanted.height), (width, height))
    return np.ascontiguousarray(values[np.newaxis], np.float32), placement
