"""The header of a model's file is read and checked before any library loads it."""

import hashlib
import os
from pathlib import Path

import pytest

from sceneset.errors import ModelError
from sceneset.models.model_file import Input, read_model, reread_model
from support.models import external_model, red_model, selfie_model


def written(folder: Path, data: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_read_model_gives_digest_licence_and_input(tmp_path: Path) -> None:
    data = red_model(metadata={"author": "x", "license": " AGPL-3.0\n"})
    model = read_model(written(tmp_path, data))
    assert model.record() == {
        "file": "model.onnx",
        "format": "onnx",
        "sha256": hashlib.sha256(data).hexdigest(),
        "license": "AGPL-3.0",
    }
    assert model.input() == Input("picture", 32, 24, channels_last=False)


def test_read_model_prefers_the_licence_of_the_user(tmp_path: Path) -> None:
    path = written(tmp_path, red_model(metadata={"license": "AGPL-3.0"}))
    assert read_model(path, "MIT").licence == "MIT"


def test_input_has_channels_last_when_the_model_does(tmp_path: Path) -> None:
    model = read_model(written(tmp_path, red_model((1, 24, 32, 3))))
    assert model.input() == Input("picture", 32, 24, channels_last=True)


def test_input_takes_a_size_when_the_model_leaves_it_open(tmp_path: Path) -> None:
    model = read_model(written(tmp_path, red_model(("n", 3, "h", "w"))))
    assert model.input((64, 48)) == Input("picture", 64, 48, channels_last=False)
    with pytest.raises(ModelError, match="leaves the size of its input open"):
        model.input()


@pytest.mark.parametrize(
    ("shape", "size", "reason"),
    [
        ((1, 3, 24, 32), (32, 32), "takes pictures of 32 x 24 pixels, not 32 x 32"),
        ((2, 3, 24, 32), None, "takes 2 x 3 x 24 x 32; it must take one picture"),
        ((1, 4, 24, 32), None, "takes 1 x 4 x 24 x 32; it must take one picture"),
        ((1, 3, 24, 8192), None, "more than 4,096 pixels on a side"),
    ],
)
def test_input_is_refused_when_it_is_no_picture_of_this_size(
    tmp_path: Path,
    shape: tuple[int, ...],
    size: tuple[int, int] | None,
    reason: str,
) -> None:
    path = written(tmp_path, red_model(shape))
    with pytest.raises(ModelError, match=reason) as refused:
        read_model(path).input(size)
    assert str(refused.value).startswith(f"{path}: the model ")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it has no graph"),
        (b"hello world" * 9, "begins no field"),
        (red_model()[:150], "is truncated"),
        (b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "is truncated"),
        (b"\x80" * 100, "is truncated"),
        (external_model(), "keeps its weights in other files"),
        (b"\0\0\0\0TFL3", "is not a TFLite model"),
        (b"\xff\xff\xff\xffTFL3" + b"\xff" * 99, "is not a TFLite model"),
    ],
)
def test_read_model_refuses_a_file_that_is_no_model(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = written(tmp_path, data)
    with pytest.raises(ModelError, match=reason) as refused:
        read_model(path)
    assert str(path) in str(refused.value)


def test_read_model_refuses_a_graph_that_is_nested_too_deeply(tmp_path: Path) -> None:
    graph = b""
    for _ in range(100):  # a graph in an attribute of a node
        for key in (b"\x32", b"\x2a", b"\x0a"):
            graph = key + _length(len(graph)) + graph
    path = written(tmp_path, b"\x3a" + _length(len(graph)) + graph)
    with pytest.raises(ModelError, match="nested too deeply"):
        read_model(path)


def _length(number: int) -> bytes:
    return bytes([number & 127 | 128, number >> 7 & 127])


def test_read_model_refuses_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    for name, reason in (("pipe.onnx", "regular"), ("none.onnx", "no such file")):
        with pytest.raises(ModelError, match=reason):
            read_model(tmp_path / name)
    with pytest.raises(ModelError, match="is neither an"):
        read_model(written(tmp_path, red_model(), "model.pt"))


def test_reread_model_refuses_a_file_that_changed(tmp_path: Path) -> None:
    path = written(tmp_path, red_model())
    model = read_model(path)
    assert reread_model(model) == red_model()
    path.write_bytes(red_model(bias=1.0))
    with pytest.raises(ModelError, match="was changed while it was used"):
        reread_model(model)


@pytest.mark.faults
def test_read_model_reads_the_input_of_a_real_tflite_file() -> None:
    model = read_model(selfie_model())
    assert (model.format, model.licence) == ("tflite", "")
    assert model.input() == Input("input_1", 256, 256, channels_last=True)


@pytest.mark.faults
def test_read_model_never_fails_otherwise_when_a_tflite_file_is_damaged(tmp_path: Path) -> None:
    data = selfie_model().read_bytes()
    refused = 0
    for number in range(0, 400, 2):  # the tables are at both ends of the file
        place = number if number < 200 else len(data) - 40 * (number - 199)
        changed = data[:place] + b"\xff\x7f" + data[place + 2 :]
        try:
            read_model(written(tmp_path, changed, "model.tflite"))
        except ModelError:
            refused += 1
    assert refused > 10
