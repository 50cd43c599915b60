"""A model runs in other processes; one that crashes or never ends is reported by name."""

from pathlib import Path

import numpy as np
import pytest

from sceneset.errors import ModelError, WorkerError
from sceneset.models.model_file import read_model
from sceneset.models.model_pool import ModelPool
from sceneset.models.model_process import Failure
from support.crashes import share_of_red
from support.models import huge_model, red_model, selfie_model

pytestmark = pytest.mark.faults


def model_of(folder: Path, data: bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_map_gives_results_in_order_and_isolates_what_fails(tmp_path: Path, workers: int) -> None:
    model = read_model(model_of(tmp_path, red_model()))
    with ModelPool(model, workers=workers, timeout=5) as pool:
        found = list(pool.map(share_of_red, [0, 8, 13, 16, 14, 15, *[32] * 9]))
    assert pool.loaded.library == "OpenCV"
    assert found == [
        *(0.0, 0.25, Failure("the model crashes the process that runs it (signal 11)", True), 0.5),
        Failure("the model gives no result within 5 seconds", True),
        Failure("is empty"),
        *[1.0] * 9,
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (red_model(op="Frobnicate"), "can't be run by OpenCV"),
        (huge_model(), "can't be run by OpenCV: Failed to allocate"),
    ],
)
def test_pool_names_the_file_when_its_model_can_not_be_loaded(
    tmp_path: Path, data: bytes, reason: str
) -> None:
    path = model_of(tmp_path, data)
    with pytest.raises(ModelError, match=reason) as refused, ModelPool(read_model(path)):
        pytest.fail("it was loaded")
    assert str(refused.value).startswith(f"{path}: ")


def test_pool_names_the_file_when_it_changes_before_it_is_loaded(tmp_path: Path) -> None:
    path = model_of(tmp_path, red_model())
    pool = ModelPool(read_model(path), workers=1)
    path.write_bytes(red_model(bias=1.0))
    with pytest.raises(ModelError, match=r"model\.onnx: the model was changed"), pool:
        pytest.fail("it was loaded")


def test_map_raises_the_traceback_when_there_is_a_bug_in_the_work(tmp_path: Path) -> None:
    model = read_model(model_of(tmp_path, red_model()))
    with ModelPool(model, workers=1) as pool, pytest.raises(WorkerError, match="ValueError"):
        list(pool.map(share_of_red, ["no number"]))


def test_map_gives_up_when_every_picture_crashes_the_model(tmp_path: Path) -> None:
    model = read_model(model_of(tmp_path, red_model()))
    with (
        ModelPool(model, workers=2) as pool,
        pytest.raises(ModelError, match="fails on 20 pictures in a row"),
    ):
        list(pool.map(share_of_red, [13] * 100))


@pytest.mark.sweep
def test_pool_survives_damaged_models(tmp_path: Path) -> None:
    """Damage the middle of real files: an error names the file, and this process goes on."""
    rng = np.random.default_rng(1)
    refused = 0
    for name, data in (("m.onnx", red_model()), ("m.tflite", selfie_model().read_bytes())):
        for _ in range(20):
            changed = bytearray(data)
            for place in rng.integers(8, len(data), 12):
                changed[place] = rng.integers(256)
            path = tmp_path / name
            path.write_bytes(changed)
            try:
                with ModelPool(read_model(path), workers=1, timeout=20):
                    pass
            except ModelError as error:
                assert str(path) in str(error)  # noqa: PT017 - some of them can be loaded
                refused += 1
    assert refused > 5
