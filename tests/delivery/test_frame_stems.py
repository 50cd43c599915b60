"""Stems that are numbered frames are recognized, and others are not."""

import re
from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.delivery.frame_stems import find_clips, source_of
from support.build import NAME, Run, make_delivery


def frames(clip: str, count: int, joint: str = "_") -> list[str]:
    return [f"{clip}{joint}{number:05}" for number in range(count)]


@pytest.mark.parametrize(
    ("stems", "clips", "example"),
    [
        (frames("breakdance", 9), ["breakdance"], "breakdance"),
        (frames("a_1", 5) + frames("b-2", 4), ["a_1", "b-2"], "a_1"),
        (frames("滑雪", 4, "-"), ["滑雪"], "滑雪"),
    ],
)
def test_frames_give_their_clips(stems: list[str], clips: list[str], example: str) -> None:
    found = find_clips(stems)
    assert found
    assert list(found.names) == clips
    assert source_of(stems[0], re.compile(found.pattern)) == example


@pytest.mark.parametrize(
    "stems",
    [
        [],
        ["000012", "000013", "000014"],
        [f"{name}_01" for name in "abcdef"],
        [*frames("clip", 5), "portrait", "beach"],
        frames("a", 3) + frames("b", 3, "-"),
        ["img_1", "img_2", "img_3"],
        frames("IMG", 20),
    ],
)
def test_other_names_give_none(stems: list[str]) -> None:
    assert find_clips(stems) is None


def test_numbered_names_of_scenes_are_no_clips() -> None:
    assert find_clips(frames("ski", 9), {"ski"}.__contains__) is None


def test_add_proposes_the_clips_and_takes_the_pattern(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    stems = frames("dance", 2) + frames("parkour", 4)
    delivery = make_delivery(tmp_path / "delivery", {"total.txt": stems}, train=stems)
    words = ("add", delivery, "--name", NAME)
    outcome = sceneset(*words, "--dry-run", cwd=registry)
    assert r"frames of 2 clips (dance, parkour); --source-from '^(.+)_\d+$'" in outcome.err
    outcome = sceneset(*words, "--source-from", r"^(.+)_\d+$", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert "--source-from" not in outcome.err
    sources = [tag.source for tag in Catalog(registry).tags(NAME)]
    assert sources == ["dance"] * 2 + ["parkour"] * 4
