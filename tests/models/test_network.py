"""A model runs on prepared pictures, and never gives values that are no numbers."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from sceneset.errors import ModelError, UsageError
from sceneset.models.model_file import Input, read_model
from sceneset.models.network import Network, OutputError
from sceneset.models.preparation import Preparation, prepare
from support.models import red_model, selfie_model

INPUT = Input("picture", 32, 24, channels_last=False)


def network(folder: Path, data: bytes, size: tuple[int, int] | None = None) -> Network:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return Network(read_model(path), size)


def half_red() -> "np.ndarray[Any, Any]":
    """Return a picture of 64 x 48 whose left half is red."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :32, 0] = 255
    return pixels


@pytest.mark.parametrize(
    ("shape", "size"),
    [((1, 3, 24, 32), None), ((1, 24, 32, 3), None), ((1, 3, "h", "w"), (32, 24))],
)
def test_run_finds_the_red_half_whatever_the_order_of_axes(
    tmp_path: Path, shape: tuple[int | str, ...], size: tuple[int, int] | None
) -> None:
    model = network(tmp_path, red_model(shape), size)
    blob, _ = prepare(half_red(), Preparation(), model.input)
    found = model.run(blob)
    assert list(found) == ["person"]
    person = found["person"].squeeze()
    assert person.shape == (24, 32)
    assert (person[:, :15] > 0.99).all()
    assert (person[:, 17:] < 0.01).all()


def test_run_gives_outputs_that_a_later_run_does_not_change(tmp_path: Path) -> None:
    model = network(tmp_path, red_model())
    first = model.run(np.ones(model.shape, np.float32))["person"]
    kept = first.copy()
    model.run(np.zeros(model.shape, np.float32))
    assert (first == kept).all()


def test_run_refuses_a_picture_of_another_shape(tmp_path: Path) -> None:
    model = network(tmp_path, red_model())
    with pytest.raises(OutputError, match="shape 1 x 24 x 32 x 3, the model takes 1 x 3 x 24 x 32"):
        model.run(np.zeros((1, 24, 32, 3), np.float32))


def test_run_refuses_outputs_that_are_no_number(tmp_path: Path) -> None:
    model = network(tmp_path, red_model(op="Log"))
    with pytest.raises(OutputError, match="'person' has 768 values that are no number"):
        model.run(np.zeros(model.shape, np.float32))


def test_network_names_the_file_when_opencv_can_not_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it was not installed
    with pytest.raises(ModelError, match=r"model\.onnx: the model can't be run by OpenCV") as error:
        network(tmp_path, red_model(op="Frobnicate"))
    assert "sceneset[onnx]" in str(error.value)
    assert "/modules/" not in str(error.value)


def test_network_names_the_file_when_no_library_can_run_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx: .* nor by onnxruntime: .*Frobnicate"):
        network(tmp_path, red_model(op="Frobnicate"))


def test_onnxruntime_gives_the_numbers_of_opencv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = network(tmp_path, red_model())

    def refuse(_data: object) -> None:
        raise cv2.error("an operator is missing")

    monkeypatch.setattr("cv2.dnn.readNetFromONNX", refuse)
    other = network(tmp_path, red_model())
    assert (model.library, other.library) == ("OpenCV", "onnxruntime")
    picture = np.random.default_rng(0).random(model.shape, np.float32)
    assert other.run(picture)["person"] == pytest.approx(model.run(picture)["person"], abs=1e-6)


def test_network_uses_onnxruntime_when_opencv_can_not_run_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Session:
        def __init__(self, data: bytes, options: Any, providers: list[str]) -> None:
            assert b"Frobnicate" in data
            assert options.intra_op_num_threads == options.inter_op_num_threads == 1
            assert providers == ["CPUExecutionProvider"]

        def get_inputs(self) -> list[Any]:
            return [type("Info", (), {"name": "picture", "type": "tensor(float16)"})]

        def get_outputs(self) -> list[Any]:
            return [type("Info", (), {"name": "person"})]

        def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
            assert names == ["person"]
            assert inputs["picture"].dtype == np.float16
            return [inputs["picture"][:, :1]]

    fake = ModuleType("onnxruntime")
    fake.SessionOptions = type("Options", (), {})  # type: ignore[attr-defined]
    fake.InferenceSession = Session  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    model = network(tmp_path, red_model(op="Frobnicate"))
    assert model.library == "onnxruntime"
    found = model.run(np.full(model.shape, 0.5, np.float32))["person"]
    assert (found.dtype, found.shape, float(found.max())) == (np.float32, (1, 1, 24, 32), 0.5)


@pytest.mark.faults
def test_selfie_segmentation_runs_and_sees_nobody_in_a_gray_picture() -> None:
    model = Network(read_model(selfie_model()))
    blob, _ = prepare(np.full((90, 120, 3), 128, np.uint8), Preparation(), model.input)
    [person] = model.run(blob).values()
    assert person.squeeze().shape == (256, 256)
    assert 0 <= person.min() <= person.max() < 0.5


def test_prepare_stretches_and_scales() -> None:
    blob, place = prepare(half_red(), Preparation(), INPUT)
    assert (blob.shape, blob.dtype) == ((1, 3, 24, 32), np.float32)
    assert blob[0, :, 0, 0].tolist() == [1, 0, 0]
    assert place.point(16, 12) == (32, 24)


def test_prepare_puts_a_letterbox_in_the_middle_and_back() -> None:
    how = Preparation(letterbox=True)
    blob, place = prepare(np.full((48, 48, 3), 255, np.uint8), how, INPUT)
    assert (place.left, place.top, place.width, place.height) == (4, 0, 24, 24)
    assert np.isclose(blob[0, 0, 0, [0, 3, 28, 31]], 114 / 255).all()
    assert (blob[0, :, :, 4:28] == 1).all()
    assert place.point(4, 0) == (0, 0)
    assert place.point(28, 24) == (48, 48)
    assert place.cut(blob[0, 0]).shape == (24, 24)
    assert (place.cut(blob[0, 0, ::2, ::2]) == 1).all()


def test_prepare_keeps_one_pixel_of_a_very_long_picture() -> None:
    blob, place = prepare(np.full((8, 8000, 3), 255, np.uint8), Preparation(letterbox=True), INPUT)
    assert (place.width, place.height) == (32, 1)
    assert place.cut(blob[0, 0]).shape == (1, 32)


def test_parse_reads_words_in_any_order() -> None:
    how = Preparation.parse("imagenet, BGR,letterbox,320x240")
    assert (how.bgr, how.letterbox, how.size) == (True, True, (320, 240))
    assert how.mean == (0.406, 0.456, 0.485)
    nanodet = "bgr,0-255,mean=103.53/116.28/123.675,std=57.375/57.12/58.395"
    assert Preparation.parse(nanodet).std == (57.375, 57.12, 58.395)
    assert Preparation.parse("mean=0.5,std=0.5") == Preparation(mean=(0.5,) * 3, std=(0.5,) * 3)
    assert Preparation.parse("", how) == how


@pytest.mark.parametrize(
    "word",
    ["hsv", "32", "0x0", "99999x99999", "mean=a/b/c", "mean=1/2", "std=0", "std=nan", "fill=999"],
)
def test_parse_refuses_other_words(word: str) -> None:
    with pytest.raises(UsageError, match="does not say how pictures are prepared"):
        Preparation.parse(word)
