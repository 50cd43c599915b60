"""Tiny detectors in ONNX that find the same boxes in every picture."""

from collections.abc import Sequence

import numpy as np

from support.models import _field, _ints, _node, _tensor, _value, onnx_model


def constant_detector(
    outputs: "Sequence[np.ndarray]",
    *,
    size: tuple[int, int] = (64, 64),
    licence: str = "",
) -> bytes:
    """Return a model whose outputs do not depend on the picture.

    Args:
        outputs: The outputs.
        size: Width and height of the input.
        licence: What its metadata say.
    """
    nodes = [_node("GlobalAveragePool", ["picture"], ["mean"])]
    tensors, values = [], []
    for number, output in enumerate(outputs):
        weights = np.zeros((output.size, 3, 1, 1), np.float32)
        tensors += [
            _tensor(f"w{number}", weights),
            _tensor(f"b{number}", output.reshape(-1).astype(np.float32)),
            _shape(f"s{number}", output.shape),
        ]
        one = _ints("kernel_shape", [1, 1])
        nodes.append(_node("Conv", ["mean", f"w{number}", f"b{number}"], [f"c{number}"], [one]))
        nodes.append(_node("Reshape", [f"c{number}", f"s{number}"], [f"out{number}"]))
        values.append(_value(f"out{number}", output.shape))
    inputs = [_value("picture", (1, 3, size[1], size[0]))]
    return onnx_model(nodes, tensors, inputs, values, {"license": licence} if licence else {})


def _shape(name: str, shape: Sequence[int]) -> bytes:
    values = np.array(shape, np.int64)
    return _field(1, len(shape)) + _field(2, 7) + _field(8, name) + _field(9, values.tobytes())


def yolo(boxes: Sequence[Sequence[float]], *, rows: int = 100) -> "np.ndarray":
    """Return the output of YOLO 8 with two classes.

    Args:
        boxes: Center, width and height, and the scores of both classes.
        rows: Number of boxes with those that are none.
    """
    found = np.zeros((1, 6, rows), np.float32)
    found[0, :, : len(boxes)] = np.array(boxes).T
    return found
