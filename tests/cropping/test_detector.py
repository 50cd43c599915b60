"""`sceneset crop --detector`: boxes of the user's own model."""

import csv
from pathlib import Path

import pytest

from support.build import Run
from support.detectors import constant_detector, yolo
from support.people import draw_original, make_originals

CROPS = "CustomSeg_Person_20240116_crops"
ONE = (80, 60, 240, 180)
# The picture of 320 x 240 is in the middle of 64 x 64: a fifth of it, 8 pixels below the top.
IN_MODEL = [32.0, 32.0, 32.0, 24.0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "person.onnx"
    path.write_bytes(constant_detector([yolo([[*IN_MODEL, 0.9, 0.1]])], licence="Apache-2.0"))
    return path


def record(folder: Path) -> list[dict[str, str]]:
    with (folder / "crops.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def run(sceneset: Run, cwd: Path, source: Path, model: Path, *words: object) -> object:
    return sceneset("crop", source, "--detector", model, "--name", CROPS, *words, cwd=cwd)


def test_detector_finds_boxes_and_is_recorded(
    registry: Path, tmp_path: Path, model: Path, sceneset: Run
) -> None:
    source = make_originals(tmp_path / "originals", {"train/a": [ONE]})
    outcome = run(sceneset, registry, source, model, "--to", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    [row] = record(tmp_path / "out")
    assert row["box"] == "80.00 60.00 240.00 180.00"
    assert row["score"] == "0.9"
    assert row["boxes"].startswith("person.onnx sha256:")
    assert row["boxes"].endswith("(Apache-2.0; yolo)")


def test_detector_sees_pictures_as_they_are_shown(
    registry: Path, tmp_path: Path, model: Path, sceneset: Run
) -> None:
    folder = tmp_path / "turned"
    size = (240, 320)  # as stored: orientation 8 shows it as 320 x 240
    stored = (60, 80, 180, 240)
    paths = (folder / "img_dir/train/a.jpg", folder / "ann_dir/train/a.png")
    draw_original(*paths, [stored], seed=3, size=size, orientation=8)
    outcome = run(sceneset, registry, folder, model, "--to", tmp_path / "out", "--grow", "0")
    assert outcome.code == 0, outcome.err
    [row] = record(tmp_path / "out")
    assert row["frame"] == "60 80 180 240"
    assert row["orientation"] == "8"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--detector", "m.onnx", "--boxes", "b.json"), "give the boxes with --boxes FILE, or"),
        ((), "give the boxes with --boxes FILE, or"),
        (("--boxes", "b.json", "--prepare", "bgr"), "add --detector FILE"),
        (("--detector", "none.onnx"), "none.onnx"),
    ],
)
def test_options_must_fit_together(
    words: tuple[str, ...], message: str, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    source = make_originals(tmp_path / "originals", {"train/a": [ONE]})
    outcome = sceneset("crop", source, "--name", CROPS, *words, cwd=registry)
    assert outcome.code == 2
    assert message in outcome.err


def test_broken_model_and_unknown_outputs_are_wrong_use(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    source = make_originals(tmp_path / "originals", {"train/a": [ONE]})
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model")
    outcome = run(sceneset, registry, source, broken)
    assert outcome.code == 2
    assert "broken.onnx" in outcome.err
    odd = tmp_path / "odd.onnx"
    odd.write_bytes(constant_detector([yolo([])[:, :3, :3]]))
    outcome = run(sceneset, registry, source, odd)
    assert outcome.code == 2
    assert "--decoder" in outcome.err


def test_decoder_that_does_not_fit_is_one_error_and_not_one_for_each_image(
    registry: Path, tmp_path: Path, model: Path, sceneset: Run
) -> None:
    source = make_originals(tmp_path / "originals", {"train/a": [ONE], "train/b": [ONE]})
    outcome = run(sceneset, registry, source, model, "--decoder", "nanodet")
    assert outcome.code == 2
    assert outcome.err.count("person.onnx") == 1
    assert "(6 x 100) do not fit its decoder (nanodet)" in outcome.err


def test_image_in_which_the_detector_finds_nobody_is_listed(
    registry: Path, tmp_path: Path, model: Path, sceneset: Run
) -> None:
    source = make_originals(tmp_path / "originals", {"train/a": [ONE]})
    outcome = run(sceneset, registry, source, model, "--min-score", "0.95")
    assert outcome.code == 1
    assert "the detector finds nobody" in outcome.err
