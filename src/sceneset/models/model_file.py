"""A model in a file of the user: its format, digest, licence and input, checked before it is run.

Nothing here loads a library in C++. What the header says is compared with what is fed to the model,
because libraries compute something for inputs of a wrong shape, too.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import FindingsError, ModelError
from sceneset.models.onnx_header import read_onnx_header
from sceneset.models.tensor import BrokenHeaderError, Header, Tensor
from sceneset.models.tflite_header import is_tflite, read_tflite_header
from sceneset.storage.files import read_bytes

MAX_BYTES = 1 << 30
"""Largest file of a model that is read."""
MAX_SIDE = 4096
"""Largest side of a model's input in pixels."""

_MAX_LICENCE = 200  # characters that are kept
_SUFFIXES = (".onnx", ".tflite")


class Input(NamedTuple):
    """The picture that a model takes."""

    name: str
    width: int
    height: int
    channels_last: bool
    """Whether the model has the axes height, width, channels instead of channels first."""


class ModelFile(NamedTuple):
    """A model that is to be run. It can be sent to other processes."""

    path: Path
    format: str
    """"onnx" or "tflite"."""
    sha256: str
    size: int
    """In bytes."""
    licence: str
    """What the user or the file's metadata say; "" if it is unknown."""
    inputs: tuple[Tensor, ...]

    def record(self) -> dict[str, str]:
        """Return what is noted with results: the name of the file, its digest and licence."""
        return {
            "file": self.path.name,
            "format": self.format,
            "sha256": self.sha256,
            "license": self.licence,
        }

    def input(self, size: tuple[int, int] | None = None) -> Input:
        """Return the picture that the model takes.

        Args:
            size: Width and height for a model that leaves them open.

        Raises:
            ModelError: It takes something else than one RGB picture of fractions, its size is not
                known, or it has another size than the given one.
        """
        if len(self.inputs) != 1:
            names = ", ".join(repr(one.name) for one in self.inputs[:5])
            raise self.error(f"takes {len(self.inputs)} inputs ({names}); it must take one picture")
        [tensor] = self.inputs
        shape = tensor.shape
        if len(shape) != 4 or shape[0] not in {1, None} or 3 not in {shape[1], shape[3]}:
            raise self.error(
                f"takes {tensor.shape_text}; it must take one picture of three channels, "
                "1 x 3 x height x width"
            )
        if not tensor.is_float:
            raise self.error("takes whole numbers; it must take fractions (float32)")
        channels_last = shape[1] != 3
        height, width = shape[1:3] if channels_last else shape[2:]
        if size is None and (height is None or width is None):
            raise self.error("leaves the size of its input open; give it, for example 256x256")
        if size is not None and (width not in {None, size[0]} or height not in {None, size[1]}):
            raise self.error(
                f"takes pictures of {width or '?'} x {height or '?'} pixels, "
                f"not {size[0]} x {size[1]}"
            )
        width, height = (width or (size or (0, 0))[0]), (height or (size or (0, 0))[1])
        if max(width, height) > MAX_SIDE:
            raise self.error(f"takes pictures of more than {MAX_SIDE:,} pixels on a side")
        return Input(tensor.name, width, height, channels_last)

    def error(self, reason: str) -> ModelError:
        """Return the error that the model can't be used; the message names the file."""
        return ModelError(f"{self.path}: the model {reason}")


def read_model(path: Path, licence: str = "") -> ModelFile:
    """Return a model after checking its header.

    Args:
        path: An .onnx or .tflite file.
        licence: Its licence; "" takes what the file's metadata say.

    Raises:
        ModelError: The file is missing, too large, or no such model.
    """
    data = read_model_bytes(path)
    try:
        kind = _format_of(data, path)
        header = _header_of(data, kind)
    except BrokenHeaderError as error:
        raise ModelError(f"{path}: the model {error}") from None
    words = " ".join((licence or header.licence).split())
    return ModelFile(
        path,
        kind,
        hashlib.sha256(data).hexdigest(),
        len(data),
        words[:_MAX_LICENCE],
        header.inputs,
    )


def read_model_bytes(path: Path) -> bytes:
    """Return the bytes of a model's file.

    Raises:
        ModelError: The file is missing, too large, or can't be read.
    """
    try:
        return read_bytes(path, str(path), limit=MAX_BYTES)
    except FindingsError as error:
        raise ModelError(f"{path}: {error.findings[0].message}") from None


def reread_model(model: ModelFile) -> bytes:
    """Return the bytes of a model that was read before.

    Raises:
        ModelError: The file can't be read now, or it changed.
    """
    data = read_model_bytes(model.path)
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise model.error("was changed while it was used; run the command again")
    return data


def _format_of(data: bytes, path: Path) -> str:
    if is_tflite(data):
        return "tflite"
    if path.suffix.lower() not in _SUFFIXES:
        raise BrokenHeaderError("is neither an .onnx nor a .tflite file; convert it to ONNX")
    return path.suffix.lower().removeprefix(".")


def _header_of(data: bytes, kind: str) -> Header:
    return read_tflite_header(data) if kind == "tflite" else read_onnx_header(data)
