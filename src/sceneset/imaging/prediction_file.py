"""Read predicted masks: pictures and NumPy arrays of class numbers or probabilities.

What the values mean is decided for each file, and only where there is no doubt. A mask is never
resized, and colours are never turned into gray.
"""

import io
import zipfile
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from sceneset.errors import SceneSetError, UndecodableError
from sceneset.imaging.decode import decode_mask
from sceneset.imaging.mask_values import is_soft
from sceneset.imaging.png_length import check_length
from sceneset.imaging.segments import has_png_end
from sceneset.schemas.params import Limits

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Array = npt.NDArray[Any]

SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".npy", ".npz")
"""Kinds of files that are read. JPEG is not, because it changes values."""

_MAX_HEADER = 4096  # bytes of a NumPy file before the values; a simple array has 128


class Values(StrEnum):
    """What the values of predictions mean."""

    AUTO = "auto"
    CLASSES = "0/1"
    """1 is person, every other number is another class."""
    BINARY = "0/255"
    PROBABILITY = "probability"
    """From 0 to 1; whole numbers from 0 to 255 or 65,535."""


class Reading(NamedTuple):
    """How predictions are read."""

    values: Values = Values.AUTO
    threshold: float | None = None
    """A pixel is person from this probability on; None: 0.5, and only files that are surely
    probabilities are read so."""

    @property
    def level(self) -> float:
        """The threshold, or 0.5."""
        return 0.5 if self.threshold is None else self.threshold


class Predicted(NamedTuple):
    """A predicted mask."""

    mask: "Mask"
    """height x width: 1 is person, 0 is not; 255 in masks of other versions is ignored."""
    values: str
    """What the values of the file mean: "empty", "0/1", "0/255" or "probability (8 bits)"."""


class PredictionError(SceneSetError):
    """A prediction can't be used: the kind of problem, and one sentence."""

    def __init__(self, problem: str, detail: str) -> None:
        super().__init__(detail)
        self.problem, self.detail = problem, detail


def read_prediction(data: bytes, suffix: str, reading: Reading, limits: Limits) -> Predicted:
    """Return the mask in a file.

    Args:
        data: The bytes of the file.
        suffix: One of SUFFIXES.
        reading: What values mean.
        limits: Largest pictures accepted.

    Raises:
        PredictionError: The file does not decode, has colours, or its values are not clear.
    """
    if not data:
        raise PredictionError("unreadable", "is empty, it has 0 bytes")
    if suffix == ".npy":
        return interpreted(_numpy_array(data, limits), reading)
    if suffix == ".npz":
        return interpreted(_zipped_array(data, limits), reading)
    is_plain = data[:8] == b"\x89PNG\r\n\x1a\n" and data[24:26] == b"\x08\x00"  # 8 bits, gray
    try:
        if suffix == ".png" and is_plain:
            return interpreted(decode_mask(data, limits), reading)
        return interpreted(_picture(data, limits), reading)
    except UndecodableError as error:
        raise PredictionError("unreadable", error.message) from None


def _picture(data: bytes, limits: Limits) -> "Array":
    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "BMP", "TIFF"]) as opened:
            _check_size(opened.width * opened.height, limits)
            if opened.format == "PNG":
                _check_png(data)
            return _channel(opened)
    except PredictionError:
        raise
    except UnidentifiedImageError:
        text = "is no PNG, BMP or TIFF file, or its header is damaged"
        if data[:2] == b"\xff\xd8":
            text = "is a JPEG file, which changes the values of masks; write PNG"
        raise PredictionError("unreadable", text) from None
    except Image.DecompressionBombError:
        raise _too_large(limits) from None
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise PredictionError("unreadable", f"does not decode: {error}") from None


def _check_png(data: bytes) -> None:
    """Check the checksums and the length of a PNG: Pillow reads missing pixels as black.

    Raises:
        Exception: The file is damaged.
    """
    if not has_png_end(data):
        raise PredictionError("unreadable", "is truncated: its end is missing")
    with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
        opened.verify()
    check_length(data)


def _channel(opened: Image.Image) -> "Array":
    """Return the one channel of a picture.

    Raises:
        PredictionError: Its channels differ, or it is transparent.
    """
    if opened.mode == "1":
        return np.asarray(opened.convert("L")) > 0  # its own bytes are 0 and 255
    array = np.asarray(opened)
    if opened.mode in {"RGBA", "LA"}:
        if (array[..., -1] != 255).any():
            raise PredictionError(
                "colours", "is transparent in parts; write one channel, without alpha"
            )
        array = array[..., :-1]
    if array.ndim == 3:
        if (array != array[..., :1]).any():
            raise PredictionError(
                "colours",
                "has colors: its channels differ; write class numbers or probabilities into one "
                "channel",
            )
        array = array[..., 0]
    return array


def interpreted(array: "Array", reading: Reading) -> Predicted:
    """Return the mask that an array of height x width means; it may use the array's memory.

    Raises:
        PredictionError: The meaning is not clear.
    """
    if array.dtype == np.bool_:
        mask = (array.view(np.uint8) != 0).view(np.uint8)
        return Predicted(mask, "0/1" if mask.any() else "empty")
    if array.dtype.kind == "f":
        return _from_floats(array, reading)
    if array.dtype.kind not in "iu":
        raise PredictionError(
            "values-unclear", f"has values of the type {array.dtype}; write numbers"
        )
    low = int(array.min(initial=0)) if array.dtype.kind == "i" else 0
    high = int(array.max(initial=0))
    if low < 0 or high > 65_535:
        raise PredictionError(
            "values-unclear",
            f"has values from {low} to {high}; write 0 and 1, or probabilities from 0 to 255",
        )
    return _from_integers(array, high, reading)


def _from_integers(array: "Array", high: int, reading: Reading) -> Predicted:
    if reading.values is Values.CLASSES:
        return Predicted((array == 1).view(np.uint8), "0/1" if high else "empty")
    if reading.values is Values.PROBABILITY:
        return _from_levels(array, high, reading)
    if high == 0 or (high == 1 and reading.values is Values.AUTO):
        return Predicted(array.astype(np.uint8, copy=False), "0/1" if high else "empty")
    if high in {255, 65_535} and (binary := _binary(array, high)) is not None:
        return Predicted(binary, "0/255")
    if reading.values is Values.BINARY:
        raise PredictionError("values-unclear", f"has other values than 0 and 255, up to {high}")
    used = np.flatnonzero(np.bincount(array.ravel()))
    if reading.threshold is None and not is_soft(used[(used > 1) & (used != high)].tolist()):
        shown = ", ".join(map(str, used[:6])) + (", ..." if len(used) > 6 else "")
        raise PredictionError(
            "values-unclear",
            f"has the values {shown}; say what they mean with --values 0/1 (1 is person) or "
            "--values probability",
        )
    return _from_levels(array, high, reading)


def _binary(array: "Array", high: int) -> "Mask | None":
    """Return whether each value is ``high``, as 0 and 1; None if a value is neither that nor 0."""
    if array.dtype != np.uint8:
        person = array == high
        is_binary = np.count_nonzero(array) == np.count_nonzero(person)
        return person.view(np.uint8) if is_binary else None
    if not array.flags.writeable:
        array = array.copy()
    array += 1  # 255 becomes 0, and 0 becomes 1; new memory would take longer than this
    if int(array.max(initial=0)) > 1:
        array -= 1
        return None
    array ^= 1
    return array


def _from_levels(array: "Array", high: int, reading: Reading) -> Predicted:
    """Return the mask of whole numbers that stand for probabilities."""
    full = 65_535 if array.dtype == np.uint16 or high > 255 else 255
    if full > 255 >= high and reading.values is not Values.PROBABILITY:
        raise PredictionError(
            "values-unclear",
            f"has 16 bits and values up to {high} only; say that they are probabilities of 16 bits "
            "with --values probability, or write 8 bits",
        )
    # The smallest level whose probability is at least the threshold.
    least = int(np.ceil(round(reading.level * full, 6)))
    return Predicted(
        (array >= least).view(np.uint8), f"probability ({16 if full > 255 else 8} bits)"
    )


def _from_floats(array: "Array", reading: Reading) -> Predicted:
    if not (finite := np.isfinite(array)).all():
        number = int(array.size - np.count_nonzero(finite))
        raise PredictionError("not-a-number", f"has {number:,} pixels that are no number")
    low, high = float(array.min(initial=0)), float(array.max(initial=0))
    if high in {1.0, 255.0} and np.count_nonzero(array) == np.count_nonzero(array == high):
        return Predicted((array == high).view(np.uint8), "0/1" if high == 1 else "0/255")
    if low < 0 or high > 1:
        raise PredictionError(
            "values-unclear",
            f"has values from {low:g} to {high:g}, which are no probabilities; write them from 0 "
            "to 1",
        )
    return Predicted((array >= reading.level).view(np.uint8), "probability (float)")


def _numpy_array(data: bytes, limits: Limits) -> "Array":
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = np.lib.format.read_array_header_1_0
        if version != (1, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, _ = read(file)
    except ValueError as error:
        raise PredictionError("unreadable", f"is not a NumPy array: {error}") from None
    sides = [side for side in shape if side != 1] if len(shape) > 2 else list(shape)
    if len(sides) != 2:
        text = " x ".join(map(str, shape)) or "no dimension"
        raise PredictionError("wrong-shape", f"has an array of {text}; write one of height x width")
    _check_size(sides[0] * sides[1], limits)
    try:
        file.seek(0)
        return np.asarray(np.load(file, allow_pickle=False)).reshape(sides)
    except Exception as error:  # noqa: BLE001 - a broken array raises exceptions of many types
        raise PredictionError("unreadable", f"is not a NumPy array: {error}") from None


def _zipped_array(data: bytes, limits: Limits) -> "Array":
    largest = 8 * limits.max_pixels + _MAX_HEADER
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members)
            _check_size((members[0].file_size - _MAX_HEADER) // 8, limits)
            with archive.open(members[0]) as member:
                content = member.read(largest)
    except PredictionError:
        raise
    except Exception as error:  # noqa: BLE001 - a broken archive raises exceptions of many types
        raise PredictionError("unreadable", f"is not a NumPy archive: {error}") from None
    return _numpy_array(content, limits)


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    if len(members) != 1:
        raise PredictionError("wrong-shape", f"holds {len(members)} arrays; it must hold one")


def _check_size(pixels: int, limits: Limits) -> None:
    if pixels > limits.max_pixels:
        raise _too_large(limits)


def _too_large(limits: Limits) -> PredictionError:
    return PredictionError("unreadable", f"has more than {limits.max_pixels:,} pixels")
