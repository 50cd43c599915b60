"""Drawn samples: the same bytes each time, exact masks, every scene at every size."""

import hashlib
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
from support.build import Outcome


@pytest.fixture
def draw(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run demo/draw.py in this process, in a registry."""

    def run(*words: object, cwd: Path) -> Outcome:
        monkeypatch.chdir(cwd)
        capfd.readouterr()
        code = program.main([str(word) for word in words])
        return Outcome(code, *capfd.readouterr())

    return run


SIZES = [(24, 24), (320, 240), (192, 256)]


@pytest.mark.parametrize("scene", SCENES)
def test_masks_and_boxes_are_exact(scene: str) -> None:
    for size in SIZES:
        for kind, persons in (("full", 1), ("full", 3), ("crop", 1)):
            if size == (24, 24) and persons > 1:
                continue  # three people hardly fit into it
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


def test_two_seeds_are_two_pictures() -> None:
    one, two = (draw_sample("ski", 1, kind="full", size=(64, 48), seed=n) for n in (1, 2))
    assert one.image.tobytes() != two.image.tobytes()


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from drawing import *;"
        "save_sample(draw_sample('surfing', 2, kind='full', size=(96, 72), seed=9),"
        "Path(sys.argv[1], 'a.jpg'), Path(sys.argv[1], 'a.png'))"
    )
    digests = set()
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        env = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=env)
        both = (folder / "a.jpg").read_bytes() + (folder / "a.png").read_bytes()
        digests.add(hashlib.sha256(both).hexdigest())
    here = draw_sample("surfing", 2, kind="full", size=(96, 72), seed=9)
    save_sample(here, tmp_path / "a.jpg", tmp_path / "a.png")
    both = (tmp_path / "a.jpg").read_bytes() + (tmp_path / "a.png").read_bytes()
    assert digests == {hashlib.sha256(both).hexdigest()}


@pytest.mark.parametrize(
    ("scene", "persons", "kind", "words"),
    [
        pytest.param("moon", 1, "full", "night_city", id="scene"),
        pytest.param("ski", 1, "square", "full", id="kind"),
        pytest.param("ski", 2, "crop", "one|1", id="two in a crop"),
    ],
)
def test_what_can_not_be_drawn_is_named(scene: str, persons: int, kind: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        draw_sample(scene, persons, kind=kind, size=(64, 48), seed=1)


def test_a_plan_spreads_scenes_phases_and_persons() -> None:
    plans = list(plan(tuple(SCENES), 75, Kind.FULL))
    assert set(Counter(one.scene for one in plans).values()) == {5}
    assert Counter(one.phase.value for one in plans) == {"train": 60, "val": 15}
    assert Counter(one.persons.value for one in plans) == {"single": 60, "multi": 15}
    assert len({one.stem for one in plans}) == 75
    assert all(one.persons == "single" for one in plan(tuple(SCENES), 75, Kind.CROP))


def test_a_drawn_delivery_is_a_good_one(
    registry: Path, tmp_path: Path, sceneset: Callable[..., Outcome], draw: Callable[..., Outcome]
) -> None:
    drawn, name = tmp_path / "drawn", "CustomSeg_Person_20240115_drawn"
    words = ("--images", 12, "--scene", "冲浪", "--scene", "bike", "--size", "48x36")
    assert draw(drawn, *words, cwd=registry).code == 0
    outcome = sceneset("add", drawn, "--name", name, "--json", cwd=registry)
    assert outcome.code == 0
    assert outcome.json["samples"] == 12
    assert [p for p in outcome.json["problems"] if p["severity"] == "error"] == []


def test_a_scene_of_one_s_own_can_not_be_drawn(
    registry: Path, tmp_path: Path, draw: Callable[..., Outcome]
) -> None:
    scenes = registry / "registry/scenes.yaml"
    text = scenes.read_text("utf-8")
    scenes.write_text(text + "  - {key: climb, name: {en: climbing}, file_stem: climb}\n", "utf-8")
    refused = draw(tmp_path / "a", "--scene", "climb", cwd=registry)
    assert refused.code == 2
    assert "night_city" in refused.err
    assert draw(tmp_path / "b", "--images", 15, "--size", "24x24", cwd=registry).code == 0


def test_a_drawing_that_is_stopped_leaves_nothing(registry, draw, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "write_text", stopped)
    done = draw(tmp_path / "new", "--images", "2", cwd=registry)
    assert done.code == 130
    assert not list(tmp_path.glob("*new*"))
    monkeypatch.undo()
    assert draw(tmp_path / "new", "--images", "2", cwd=registry).code == 0
    assert len(list((tmp_path / "new/img_dir").glob("*/*.jpg"))) == 2
