"""The walk of docs/walk-train-evaluate.md: train twice, evaluate each run, and compare the two."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import ROOT, Run
from support.exports import FIRST, Exports
from support.interop import packages_of_torch
from support.trained import assert_predictions_fit, iou_by_group, predictions, train
from support.walks import Walk

PAGE = ROOT / "docs/walk-train-evaluate.md"


class Reader(Walk):
    """A reader who trains, too."""

    def _run(self, words: list[str], file: Path | None = None) -> str:
        if words[0] == "cp":
            shutil.copy(ROOT / words[1], self.folder / words[2])
            return ""
        if words[:2] == ["python", "../train_unet.py"]:
            program = self.folder.parent / "train_unet.py"
            return train(self.folder, *words[2:], program=program).stdout
        return super()._run(words, file)


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    """The registry of the page, after its last example; the runs are beside it."""
    packages_of_torch()
    home = tmp_path_factory.mktemp("walk")
    checkout = Path(shutil.copytree(_empty_registry, home / "checkout", symlinks=True))
    with pytest.MonkeyPatch.context() as patch:
        walk = Reader(checkout, home, patch)
        assert walk.go(PAGE.read_text("utf-8")) > 10
    return home / "people"


def test_second_run_of_the_walk_is_better_and_the_comparison_says_how_sure(
    people: Path, sceneset: Run
) -> None:
    run = ("evaluate", "../runs/second", "--rev", "1.0.0", "--phase", "val")
    values = ("--values", "probability", "--compare", "../first.parquet")
    found = sceneset(*run, *values, "--json", cwd=people)
    assert found.code == 0, found.err
    assert (found.json["compared"], found.json["problems"]) == (24, {})
    assert found.json["values"] == {"probability (8 bits)": 24}
    change = iou_by_group(found.json)
    whole = change["all", ""]
    assert whole["after"] > whole["before"]
    assert 0 < whole["low"] <= whole["after"] - whole["before"] <= whole["high"]
    assert whole["p"] < 0.05
    assert whole["after"] > 0.3, "it does not learn"
    assert {name for kind, name in change if kind == "scene"} == {"ski", "surfing", "city", "sea"}
    assert change["scene", "sea"]["p_holm"] > 0.2, "two images are no evidence"
    groups = {one["name"]: one for one in found.json["difference"]["groups"]}
    assert groups[""]["few_sources"] is False
    assert groups["sea"]["few_sources"] is True
    shown = sceneset(*run, *values, cwd=people)
    assert "intervals of fewer than 10 sources are too narrow: scene city, scene sea" in shown.err
    assert "scene    surfing" in shown.out
    assert "<figure>" in (people.parent / "second.html").read_text("utf-8")


def test_predictions_of_the_walk_have_the_sizes_of_their_images(people: Path) -> None:
    for run in ("first", "second"):
        assert_predictions_fit(people.parent / "runs" / run, people, 24)


def test_training_again_gives_the_same_files(people: Path, tmp_path: Path) -> None:
    small = ("--rev", "1.0.0", "--epochs", 1, "--side", 32, "--width", 2, "--augment")
    for run in ("one", "two"):
        train(people, *small, "--to", tmp_path / run)
    train(people, *small, "--seed", 1, "--to", tmp_path / "other")
    assert predictions(tmp_path / "one") == predictions(tmp_path / "two")
    assert predictions(tmp_path / "one") != predictions(tmp_path / "other")


def test_images_of_any_size_and_name_get_a_prediction_that_evaluate_reads(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    """JPEG and PNG of 61 x 43 pixels, a stem with a dot, a mask of ignored pixels."""
    run, weights = tmp_path / "runs/any", tmp_path / "any.pt"
    small = ("--epochs", 1, "--side", 40, "--width", 2, "--weights", weights)
    done = train(exports.root, *small, "--to", run)
    assert f"3 predictions written to {run}" in done.stdout
    assert f"{FIRST}/val/v.1.png" in predictions(run)
    assert_predictions_fit(run, exports.root, 3)
    assert weights.stat().st_size > 1000
    options = ("--phase", "val", "--values", "probability", "--json")
    found = sceneset("evaluate", run, *options, cwd=exports.root)
    assert (found.code, found.json["compared"], found.json["surplus"]) == (0, 3, [])


def test_levels_that_are_all_near_zero_need_a_word_on_what_they_mean(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    """The reason for --values in the walk: a sure prediction of an image without a person."""
    for (subset, phase, stem), mask in exports.of("val").items():
        path = tmp_path / "run" / subset / phase / f"{stem}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((np.arange(mask.size) % 4).astype(np.uint8).reshape(mask.shape)).save(path)
    words = ("evaluate", tmp_path / "run", "--phase", "val")
    refused = sceneset(*words, cwd=exports.root)
    assert refused.code == 1
    assert "say what they mean with --values 0/1 (1 is person) or --values" in refused.err
    found = sceneset(*words, "--values", "probability", "--json", cwd=exports.root)
    assert (found.code, found.json["compared"]) == (0, 3)
    assert found.json["groups"][0]["measures"]["recall"]["value"] == 0


def test_program_refuses_a_folder_with_predictions_and_a_training_without_an_end(
    exports: Exports, tmp_path: Path
) -> None:
    done = train(exports.root, "--epochs", 1, "--to", tmp_path, code=2)
    assert "predictions of two runs must not mix: name a new folder" in done.stderr
    done = train(exports.root, "--to", tmp_path / "run", code=2)
    assert "say when to end: --epochs N or --minutes N" in done.stderr
    done = train(exports.root, "--epochs", -1, "--to", tmp_path / "run", code=2)
    assert "must be above 0" in done.stderr
    done = train(exports.root, "--minutes", "nan", "--to", tmp_path / "run", code=2)
    assert "must be above 0" in done.stderr
    done = train(exports.root, "--epochs", 1, "--side", 16, "--to", tmp_path / "run", code=2)
    assert "--side must be 32 or more" in done.stderr
    done = train(exports.root, "--epochs", 1, "city", "--to", tmp_path / "run", code=1)
    assert done.stderr == "error: no sample matches; there is nothing to train on\n"
    assert not (tmp_path / "run").exists()


def test_training_ends_at_its_time(exports: Exports, tmp_path: Path) -> None:
    small = ("--side", 32, "--width", 2, "--minutes", 0.001)
    done = train(exports.root, *small, "--to", tmp_path / "run")
    assert done.stdout.count("epoch ") == 1
    assert len(predictions(tmp_path / "run")) == 3
