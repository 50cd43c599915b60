"""Overlaps of crops: those of comparing every pair, for very many crops too."""

import random

import pytest

from sceneset.quality import crop_overlaps
from sceneset.quality.crop_overlaps import Overlap, worst_overlaps
from sceneset.quality.kind_rules import kind_findings
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Box, Tag
from sceneset.schemas.terms import Kind, Phase
from support.build import NAME


def share(one: Box, other: Box) -> float:
    """Count the pixels of the smaller box that are in the other one."""
    pixels = [{(x, y) for x in range(b[0], b[2]) for y in range(b[1], b[3])} for b in (one, other)]
    return len(pixels[0] & pixels[1]) / min(map(len, pixels))


@pytest.mark.parametrize("few", [0, 10_000], ids=["swept", "one by one"])
@pytest.mark.parametrize("seed", range(6))
def test_overlaps_are_those_of_all_pairs(
    seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crop_overlaps, "_FEW", few)
    rng = random.Random(seed)
    boxes: list[Box] = []
    for _ in range(60):
        left, top = rng.randrange(60), rng.randrange(60 if seed % 2 else 4)
        box = (left, top, left + rng.choice((1, 2, 9, 30)), top + rng.choice((1, 5, 17)))
        boxes.append(rng.choice(boxes) if boxes and rng.random() < 0.2 else box)
    expected = []
    for number, box in enumerate(boxes):
        shares = [share(box, other) for other in boxes[:number]]
        worst = max(shares, default=0.0)
        expected.append(Overlap(worst, shares.index(worst)) if worst else Overlap(0.0, -1))
    assert list(worst_overlaps(boxes)) == expected


def test_coordinates_of_any_size_are_compared() -> None:
    far = 10**400
    boxes = [(0, 0, far, far), *((n, 0, n + 1, 1) for n in range(40)), (far, 0, far + 5, 5)]
    assert [worst.share for worst in worst_overlaps(boxes)] == [0.0] + [1.0] * 40 + [0.0]


def crops(boxes: list[Box]) -> list[Tag]:
    return [
        Tag.model_construct(
            phase=Phase.TRAIN, stem=f"s{n}", scenes=(), boxes=1, source="a", origin=box
        )
        for n, box in enumerate(boxes)
    ]


@pytest.mark.parametrize("count", [10_001, 10_002, 20_000])
def test_findings_on_overlaps_of_one_subset_are_bounded(count: int) -> None:
    entry = Subset.model_construct(name=NAME, kind=Kind.CROP, splits=())
    tags = crops([(n // 2 * 10, 0, n // 2 * 10 + 10, 10) for n in range(2 * count)])
    found = [
        p
        for p in kind_findings(entry, tags, None, Params(), folder="", file="tags.csv")
        if p.code == "crop-overlap"
    ]
    assert len(found) == 10_001
    assert "'s1' overlaps 's0' by 100% in the original 'a'" in found[0].message
    assert "at least 1 more finding" in found[-1].message


def test_boxes_of_a_crowd_are_compared_only_with_those_near_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time is not asserted: the number of compared boxes is."""
    compared = 0
    real = crop_overlaps.bisect_left

    def counted(starts: list[int], value: int) -> int:
        nonlocal compared
        place = real(starts, value)
        compared += place - crop_overlaps.bisect_right(starts, value - 2 * 128)
        return place

    monkeypatch.setattr(crop_overlaps, "bisect_left", counted)
    list(worst_overlaps([(n * 50, 0, n * 50 + 100, 100) for n in range(10_000)]))
    assert 10_000 < compared < 100_000
