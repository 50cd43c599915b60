"""Run a model with OpenCV, or with onnxruntime where OpenCV can't.

The results are the same whatever the number of cores: a model runs in one thread, and several
pictures run in several processes (see ``model_pool``).
"""

import re
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from sceneset.errors import SceneSetError
from sceneset.models.model_file import Input, ModelFile, reread_model

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

MAX_VALUES = 1 << 26
"""Most numbers of one output of a model."""
_MAX_REASON = 200  # characters of the message of a library


class OutputError(SceneSetError):
    """A model gave no usable output for a picture; the message says why."""


class Runner(Protocol):
    """A library that has a model loaded."""

    def __call__(self, blob: "Array") -> "dict[str, Any]":
        """Return the outputs by name."""


class Network:
    """A model that is loaded in this process. Call it in one thread at a time."""

    def __init__(self, model: ModelFile, size: tuple[int, int] | None = None) -> None:
        """Load a model and run it once on an empty picture.

        Args:
            model: The model.
            size: Width and height of the input for a model that leaves them open.

        Raises:
            ModelError: The file changed, no library can run it, or it does not take a picture.
        """
        self.model = model
        self.input: Input = model.input(size)
        self.library = "OpenCV"
        wanted = self.input
        # OpenCV feeds all TFLite models with the channels first.
        self._channels_last = wanted.channels_last and model.format == "onnx"
        if not self._channels_last:
            self.input = wanted._replace(channels_last=False)
        data = reread_model(model)
        empty = np.zeros(self.shape, np.float32)
        cv2.setNumThreads(1)
        try:
            self._run: Runner = _OpenCV(data, model.format)
            self._run(empty)
        except (cv2.error, MemoryError) as error:
            self._run = self._other_library(data, empty, _reason(error))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array that the model takes."""
        height, width = self.input.height, self.input.width
        return (1, height, width, 3) if self._channels_last else (1, 3, height, width)

    def _other_library(self, data: bytes, empty: "Array", reason: str) -> Runner:
        """Return onnxruntime with the model loaded, because OpenCV can't run it."""
        if self.model.format != "onnx":
            raise self.model.error(f"can't be run by OpenCV: {reason}")
        try:
            import onnxruntime  # noqa: F401
        except ImportError:
            raise self.model.error(
                f"can't be run by OpenCV: {reason}. If onnxruntime can run it: "
                "pip install 'sceneset[onnx]'"
            ) from None
        self.library = "onnxruntime"
        try:
            runner = _OnnxRuntime(data)
            runner(empty)
        except Exception as error:  # noqa: BLE001 - its exceptions have no common base class
            raise self.model.error(
                f"can't be run by OpenCV: {reason}; nor by onnxruntime: {_reason(error)}"
            ) from None
        return runner

    def run(self, blob: "Array") -> "dict[str, Array]":
        """Return the outputs of the model for one picture, by name, in the model's order.

        Args:
            blob: What ``prepare`` returns for ``input``.

        Raises:
            OutputError: The input has a wrong shape, the library fails, or an output has values
                that are no numbers or is too large.
        """
        if blob.shape != self.shape or blob.dtype != np.float32:
            given, taken = (" x ".join(map(str, shape)) for shape in (blob.shape, self.shape))
            raise OutputError(f"the picture has the shape {given}, the model takes {taken}")
        try:
            found = self._run(blob)
        except Exception as error:  # noqa: BLE001 - the libraries have no common base class
            raise OutputError(f"the model fails: {_reason(error)}") from None
        outputs = {name: np.asarray(values) for name, values in found.items()}
        for name, values in outputs.items():
            _check(name, values)
        # OpenCV uses the memory of its outputs again.
        return {name: np.array(values, np.float32) for name, values in outputs.items()}


def _check(name: str, values: "npt.NDArray[Any]") -> None:
    if values.size > MAX_VALUES:
        raise OutputError(f"the model's output {name!r} has more than {MAX_VALUES:,} values")
    if values.dtype.kind not in "fiub":
        raise OutputError(f"the model's output {name!r} holds no numbers")
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        number = int(values.size - np.count_nonzero(finite))
        raise OutputError(f"the model's output {name!r} has {number:,} values that are no number")


class _OpenCV:
    """A model in OpenCV."""

    def __init__(self, data: bytes, kind: str) -> None:
        read = cv2.dnn.readNetFromTFLite if kind == "tflite" else cv2.dnn.readNetFromONNX
        self._net = read(np.frombuffer(data, np.uint8))
        self._names = list(self._net.getUnconnectedOutLayersNames())

    def __call__(self, blob: "Array") -> "dict[str, Any]":
        self._net.setInput(blob)
        found = self._net.forward(self._names)
        return dict(zip(self._names, found, strict=True))


class _OnnxRuntime:
    """A model in onnxruntime."""

    def __init__(self, data: bytes) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )
        [first] = self._session.get_inputs()
        self._name = first.name
        self._type = np.float16 if "float16" in first.type else np.float32
        self._outputs = [output.name for output in self._session.get_outputs()]

    def __call__(self, blob: "Array") -> "dict[str, Any]":
        found = self._session.run(self._outputs, {self._name: blob.astype(self._type)})
        return dict(zip(self._outputs, found, strict=True))


def _reason(error: BaseException) -> str:
    """Return the message of a library on one line, without the places in its source."""
    if isinstance(error, MemoryError):
        return "it needs more memory than is available"
    text = " ".join(str(getattr(error, "err", "") or error).replace("> ", " ").split())
    text = re.sub(r"OpenCV\S* \S+: error: \([^)]*\) ", "", text).strip()
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}..."
