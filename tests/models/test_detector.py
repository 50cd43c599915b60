"""Outputs of detectors are decoded into the boxes that they stand for."""

import numpy as np
import pytest

from sceneset.errors import UsageError
from sceneset.models.detector import DECODERS, decode, recognized_decoder, suppressed
from sceneset.models.network import OutputError
from support.detectors import yolo

SIZE = (64, 64)
BOX = [10.0, 12.0, 40.0, 60.0]  # left, top, right, bottom
CENTER = [25.0, 36.0, 30.0, 48.0]


def nanodet(levels: int, *, bins: int = 8, classes: int = 3) -> "np.ndarray":
    """Return an output with BOX in one cell: classes, and 4 times the bins of a distance."""
    cells = sum((64 // stride) ** 2 for stride in (8, 16, 32, 64)[:levels])
    rows = np.zeros((1, cells, classes + 4 * bins), np.float32)
    # The cell in row 1 and column 1 of the stride 16.
    cell, shift = 64 + 4 + 1, 8 if levels == 3 else 0
    rows[0, cell, 0] = 0.9
    center = 16 + shift
    for side, distance in enumerate((center - 10, center - 12, 40 - center, 60 - center)):
        low, share = divmod(distance / 16, 1)
        first = classes + bins * side
        rows[0, cell, first : first + bins] = -50
        rows[0, cell, first + int(low)] = np.log(max(1 - share, 1e-20))
        rows[0, cell, first + int(low) + 1] = np.log(max(share, 1e-20))
    return rows


def split(rows: "np.ndarray", classes: int = 3) -> dict[str, "np.ndarray"]:
    """Return the outputs of NanoDet with two arrays for each level."""
    found, start = {}, 0
    for stride in (8, 16, 32):
        end = start + (64 // stride) ** 2
        found[f"cls_{stride}"] = rows[:, start:end, :classes]
        found[f"dis_{stride}"] = rows[:, start:end, classes:]
        start = end
    return found


V5 = np.zeros((1, 100, 7), np.float32)
V5[0, 3] = [*CENTER, 0.9, 1.0, 0.2]
V6 = np.zeros((1, 84, 85), np.float32)  # one box for each cell, with an objectness of 1
V6[0, :, 4] = 1
V6[0, 3, :6] = [*CENTER, 1.0, 0.9]
ONE_CLASS = np.zeros((1, 3 * 84, 6), np.float32)
ONE_CLASS[0, 3] = [*CENTER, 0.9, 1.0]
END = np.zeros((1, 20, 6), np.float32)
END[0, :2] = [[*BOX, 0.9, 0], [1, 1, 9, 9, 0.8, 1]]
TORCH = {
    "boxes": np.array([BOX, [1, 1, 9, 9]], np.float32),
    "labels": np.array([1, 3], np.float32),
    "scores": np.array([0.9, 0.8], np.float32),
}
OUTPUTS = [
    pytest.param("yolo", {"o": yolo([[*CENTER, 0.9, 0.1], [9, 9, 5, 5, 0.1, 0.8]])}, id="yolo"),
    pytest.param("yolo-objectness", {"o": V5}, id="yolo 5"),
    pytest.param("yolo-objectness", {"o": V6}, id="yolo 6"),
    pytest.param("yolo-objectness", {"o": ONE_CLASS}, id="yolo 5 of one class"),
    pytest.param("yolo-end-to-end", {"o": END}, id="yolo 10"),
    pytest.param("nanodet", {"o": nanodet(4)}, id="nanodet plus"),
    pytest.param("nanodet", {"o": nanodet(3)}, id="nanodet"),
    pytest.param("nanodet", split(nanodet(3)), id="nanodet levels"),
    pytest.param("nanodet", {"o": nanodet(3, bins=11)}, id="nanodet of 11 bins"),
    pytest.param(
        "nanodet", split(nanodet(3, bins=11, classes=80), 80), id="nanodet levels of 11 bins"
    ),
    pytest.param(
        "nanodet", split(nanodet(3, bins=11, classes=32), 32), id="nanodet levels of 32 classes"
    ),
    pytest.param("nanodet", split(nanodet(3, classes=4), 4), id="nanodet levels of 4 classes"),
    pytest.param("torchvision", TORCH, id="torchvision"),
    pytest.param("torchvision", dict(reversed(TORCH.items())), id="torchvision reversed"),
]


@pytest.mark.parametrize(("decoder", "outputs"), OUTPUTS)
def test_decoder_is_recognized_and_finds_the_person(
    decoder: str, outputs: dict[str, "np.ndarray"]
) -> None:
    assert recognized_decoder(outputs, SIZE) == decoder
    found = decode(outputs, decoder, SIZE, person=None, min_score=0.5)
    assert found.sides.shape == (1, 4)
    assert found.sides[0] == pytest.approx(BOX, abs=0.01)
    assert found.scores[0] == pytest.approx(0.9, abs=0.001)
    assert len(decode(outputs, decoder, SIZE, person=None, min_score=0.95).sides) == 0


@pytest.mark.parametrize("bins", [8, 11])
def test_bins_follow_from_the_classes_of_coco_when_classes_are_no_scores(bins: int) -> None:
    rows = nanodet(3, bins=bins, classes=80)
    rows[..., :80] = np.where(rows[..., :80] > 0.5, np.log(9), -9)  # before the sigmoid
    for outputs in ({"o": rows}, split(rows, 80)):
        found = decode(outputs, "nanodet", SIZE, person=None, min_score=0.5)
        assert found.sides.tolist() == [pytest.approx(BOX, abs=0.01)]
        assert found.scores.tolist() == [pytest.approx(0.9, abs=0.001)]


def test_torchvision_without_a_box_is_recognized() -> None:
    outputs = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0), "scores": np.zeros(0)}
    arrays = {name: array.astype(np.float32) for name, array in outputs.items()}
    assert recognized_decoder(arrays, SIZE) == "torchvision"
    assert len(decode(arrays, "torchvision", SIZE, person=None, min_score=0.5).sides) == 0


def test_another_class_can_be_the_person() -> None:
    outputs = {"o": yolo([[*CENTER, 0.9, 0.1], [9, 9, 4, 4, 0.1, 0.8]])}
    found = decode(outputs, "yolo", SIZE, person=1, min_score=0.5)
    assert found.sides.tolist() == [[7, 7, 11, 11]]


def test_boxes_that_overlap_a_better_one_are_dropped() -> None:
    sides = np.array([BOX, [12, 12, 40, 60], [40, 12, 60, 60], [3, 3, 3, 9]], np.float32)
    assert suppressed(sides).tolist() == [0, 2]
    many = {"o": yolo([[*CENTER, 0.9, 0], [26, 36, 30, 48, 0.95, 0]])}
    found = decode(many, "yolo", SIZE, person=None, min_score=0.5)
    assert found.scores.tolist() == pytest.approx([0.95])


@pytest.mark.parametrize("decoder", DECODERS)
def test_outputs_of_another_shape_are_refused(decoder: str) -> None:
    for outputs in ({"a": np.zeros((1, 3))}, {"a": np.zeros((2, 2)), "b": np.zeros((5, 5))}):
        arrays = {name: array.astype(np.float32) for name, array in outputs.items()}
        with pytest.raises(OutputError, match="do not fit its decoder"):
            decode(arrays, decoder, SIZE, person=None, min_score=0.5)


@pytest.mark.parametrize("shape", [(1, 3), (1, 1, 64, 64), (1, 4)])
def test_outputs_of_no_detector_are_not_recognized(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="--decoder"):
        recognized_decoder({"o": np.zeros(shape, np.float32)}, SIZE)
