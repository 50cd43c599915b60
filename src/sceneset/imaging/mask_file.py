"""Read mask files of any kind: pictures, NumPy arrays and MATLAB files."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from sceneset.errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

_MAX_BYTES = 1 << 30


class Values(NamedTuple):
    """The content of a mask file."""

    array: "npt.NDArray[np.generic]"
    """Whole numbers of height x width, or colours of height x width x 3."""
    scale: int
    """The value that stands for 1.0 in a soft mask; 0 if the values can't be levels."""


def read_values(path: Path, max_pixels: int) -> Values:
    """Return the values of a mask file.

    Args:
        path: A picture, a NumPy file (.npy) or a MATLAB file (.mat).
        max_pixels: The largest picture to decode.

    Raises:
        ValueError: The file does not decode.
        UsageError: A library that the file needs is not installed.
    """
    suffix = path.suffix.lower()
    if suffix in {".npy", ".mat"}:
        array = _numpy_array(path) if suffix == ".npy" else _matlab_array(path)
        if array.ndim != 2 or array.size > max_pixels:
            raise ValueError(f"holds an array of shape {array.shape}, not height x width")
        return _from_numbers(array)
    try:
        with Image.open(path) as opened:
            is_too_large = opened.width * opened.height > max_pixels
            values = None if is_too_large else _from_picture(opened)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise ValueError(f"does not decode: {str(error) or type(error).__name__}") from None
    if values is None:
        raise ValueError(f"has more than {max_pixels:,} pixels")
    return values


def read_colour_ids(path: Path, max_pixels: int) -> "npt.NDArray[np.uint32]":
    """Return R + 256 G + 65,536 B of each pixel of a picture (height x width).

    Args:
        path: A picture in colours, or with a palette.
        max_pixels: The largest picture to decode.

    Raises:
        ValueError: The file does not decode, or has no colours.
    """
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > max_pixels:
                raise ValueError(f"has more than {max_pixels:,} pixels")  # noqa: TRY301
            if opened.mode not in {"RGB", "RGBA", "P"}:
                raise ValueError(f"is a picture of mode {opened.mode}, not of colors")  # noqa: TRY301
            colours = np.asarray(opened.convert("RGB"), np.uint32)
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise exceptions of many types
        raise ValueError(f"does not decode: {str(error) or type(error).__name__}") from None
    ids: npt.NDArray[np.uint32] = colours @ np.array([1, 256, 65_536], np.uint32)
    return ids


def read_palette(path: Path) -> list[tuple[int, int, int]] | None:
    """Return the colours of a picture's palette; None if it has none or does not open."""
    try:
        with Image.open(path) as opened:
            flat = opened.getpalette("RGB") if opened.mode == "P" else None
    except Exception:  # noqa: BLE001 - decoders raise exceptions of many types
        return None
    if not flat:
        return None
    return list(zip(flat[::3], flat[1::3], flat[2::3], strict=False))


def _from_picture(opened: Image.Image) -> Values:
    if opened.mode == "P":
        return Values(np.asarray(opened), 0)
    if opened.mode in {"RGBA", "LA", "PA"}:
        alpha = np.asarray(opened.getchannel("A"))
        if (alpha != 255).any():
            return Values(alpha, 255)
        opened = opened.convert("L" if opened.mode == "LA" else "RGB")
    array = np.asarray(opened)
    if array.dtype == np.bool_:
        return Values(array.astype(np.uint8), 0)
    if array.ndim == 3:
        if (array != array[..., :1]).any():
            return Values(array[..., :3], 0)
        array = array[..., 0]
    return _from_numbers(array)


def _from_numbers(array: "npt.NDArray[np.generic]") -> Values:
    if array.dtype == np.bool_:
        return Values(array.astype(np.uint8), 0)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or array.min() < 0:
            raise ValueError("holds numbers below 0, or no numbers")
        if array.max() <= 1 and (array % 1).any():
            return Values(np.rint(array * 65_535).astype(np.uint16), 65_535)
        if (array % 1).any():
            raise ValueError("holds fractions above 1")
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu" or array.min(initial=0) < 0 or array.max(initial=0) > 65_535:
        raise ValueError("holds values outside 0 to 65,535")
    return Values(array, 65_535 if array.max(initial=0) > 255 else 255)


def _numpy_array(path: Path) -> "npt.NDArray[np.generic]":
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        return np.asarray(array)
    except Exception as error:  # noqa: BLE001 - a broken header raises exceptions of many types
        raise ValueError(f"is not a NumPy array: {error}") from None


def holds_mask(path: Path) -> bool:
    """Return whether a NumPy or MATLAB file may hold a mask: an array of height x width.

    Only the header is read. A file that can't be read counts as a mask, so that it is reported.
    """
    try:
        if path.suffix.lower() == ".npy":
            return len(np.load(path, mmap_mode="r", allow_pickle=False).shape) == 2
        from scipy.io import whosmat

        return any(
            len(shape) == 2 and min(shape) > 1 and kind not in {"cell", "struct", "char"}
            for _, shape, kind in whosmat(path)
        )
    except Exception:  # noqa: BLE001 - a broken file raises exceptions of many types
        return True


def _matlab_array(path: Path) -> "npt.NDArray[np.generic]":
    try:
        from scipy.io import loadmat
    except ImportError:
        raise UsageError(
            f"{path.name}: MATLAB files are read by SciPy, which is not installed; install "
            "sceneset with the extra [mat]"
        ) from None
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError("is larger than 1 GiB")
    try:
        content = loadmat(io.BytesIO(path.read_bytes()))
    except Exception as error:  # noqa: BLE001 - a broken file raises exceptions of many types
        raise ValueError(f"is not a MATLAB file: {error}") from None
    arrays = [
        value
        for name, value in content.items()
        if not name.startswith("__")
        and isinstance(value, np.ndarray)
        and value.dtype.kind in "biuf"
        and value.ndim == 2
        and min(value.shape) > 1
    ]
    if len(arrays) != 1:
        raise ValueError(f"holds {len(arrays)} arrays of height x width; it must hold one")
    return arrays[0]
