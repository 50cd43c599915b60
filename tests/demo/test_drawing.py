"""Drawn samples have exact masks and are reproducible; drawn deliveries can be added."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import draw as program
from drawing import delivery, draw_sample, save_sample
from drawing.backdrop import SCENES
from drawing.delivery import plan
from sceneset.schemas.terms import Kind
from support.build import ROOT, Outcome


@pytest.fixture
def draw(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Return a function that runs demo/draw.py in this process, in the folder ``cwd``."""

    def run(*words: object, cwd: Path) -> Outcome:
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = program.main([str(word) for word in words])
        return Outcome(code, *capfd.readouterr())

    return run


SIZES = [(24, 24), (320, 240), (192, 256)]


@pytest.mark.parametrize("scene", SCENES)
def test_draw_sample_returns_exact_masks_and_boxes(scene: str) -> None:
    for size in SIZES:
        for kind, persons in (("full", 1), ("full", 3), ("crop", 1)):
            if size == (24, 24) and persons > 1:
                continue  # three people do not fit
            drawn = draw_sample(scene, persons, kind=kind, size=size, seed=5)
            mask = np.asarray(drawn.mask)
            assert drawn.image.size == drawn.mask.size == size
            assert (drawn.image.mode, drawn.mask.mode) == ("RGB", "L")
            assert set(np.unique(mask).tolist()) <= {0, 1, 255}
            assert len(drawn.boxes) == persons
            inside = np.zeros_like(mask, bool)
            for x0, y0, x1, y1 in drawn.boxes:
                assert 0 <= x0 < x1 <= size[0]
                assert 0 <= y0 < y1 <= size[1]
                inside[y0:y1, x0:x1] = True
            assert (mask == 1).any()
            assert not (mask == 1)[~inside].any()


def test_draw_sample_returns_different_images_when_the_seed_differs() -> None:
    one, two = (draw_sample("ski", 1, kind="full", size=(64, 48), seed=n) for n in (1, 2))
    assert one.image.tobytes() != two.image.tobytes()


def test_draw_sample_gives_the_same_files_in_every_process(tmp_path: Path) -> None:
    save_sample(
        draw_sample("surfing", 2, kind="full", size=(96, 72), seed=9),
        tmp_path / "a.jpg",
        tmp_path / "a.png",
    )
    program = ROOT / "tests/programs/draw_sample.py"
    path = os.pathsep.join((str(ROOT / "demo"), os.environ.get("PYTHONPATH", "")))
    for hash_seed in ("1", "2"):
        folder = tmp_path / hash_seed
        folder.mkdir()
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        subprocess.run([sys.executable, program, folder], check=True, env=env)
        for name in ("a.jpg", "a.png"):
            assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.parametrize(
    ("scene", "persons", "kind", "message"),
    [
        pytest.param("moon", 1, "full", "night_city", id="unknown scene"),
        pytest.param("ski", 1, "square", "full", id="unknown kind"),
        pytest.param("ski", 2, "crop", "one|1", id="two in a crop"),
    ],
)
def test_draw_sample_raises_value_error_when_an_argument_is_invalid(
    scene: str, persons: int, kind: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        draw_sample(scene, persons, kind=kind, size=(64, 48), seed=1)


def test_plan_spreads_samples_over_scenes_phases_and_persons() -> None:
    plans = list(plan(tuple(SCENES), 75, Kind.FULL))
    assert set(Counter(sample.scene for sample in plans).values()) == {5}
    assert Counter(sample.phase.value for sample in plans) == {"train": 60, "val": 15}
    assert Counter(sample.persons.value for sample in plans) == {"single": 60, "multi": 15}
    assert len({sample.stem for sample in plans}) == 75
    assert all(sample.persons == "single" for sample in plan(tuple(SCENES), 75, Kind.CROP))


def test_drawn_delivery_is_added_without_errors(
    registry: Path, tmp_path: Path, sceneset: Callable[..., Outcome], draw: Callable[..., Outcome]
) -> None:
    drawn, name = tmp_path / "drawn", "CustomSeg_Person_20240115_drawn"
    options = ("--images", 12, "--scene", "冲浪", "--scene", "bike", "--size", "48x36")
    assert draw(drawn, *options, cwd=registry).code == 0
    outcome = sceneset("add", drawn, "--name", name, "--json", cwd=registry)
    assert outcome.code == 0
    assert outcome.json["samples"] == 12
    assert [found for found in outcome.json["problems"] if found["severity"] == "error"] == []


def test_draw_lists_the_possible_scenes_when_a_scene_of_the_vocabulary_has_no_painter(
    registry: Path, tmp_path: Path, draw: Callable[..., Outcome]
) -> None:
    scenes = registry / "registry/scenes.yaml"
    text = scenes.read_text("utf-8")
    scenes.write_text(text + "  - {key: climb, name: {en: climbing}, file_stem: climb}\n", "utf-8")
    refused = draw(tmp_path / "a", "--scene", "climb", cwd=registry)
    assert refused.code == 2
    assert "night_city" in refused.err
    assert draw(tmp_path / "b", "--images", 15, "--size", "24x24", cwd=registry).code == 0


def test_draw_leaves_no_files_when_it_is_interrupted(registry, draw, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "write_text", interrupt)
    outcome = draw(tmp_path / "new", "--images", "2", cwd=registry)
    assert outcome.code == 130
    assert not list(tmp_path.glob("*new*"))
    monkeypatch.undo()
    assert draw(tmp_path / "new", "--images", "2", cwd=registry).code == 0
    assert len(list((tmp_path / "new/img_dir").glob("*/*.jpg"))) == 2
