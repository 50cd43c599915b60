"""Samples are grouped by every relation, and marked by the phases of relatives that are fixed."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from sceneset.quality.components import Components
from sceneset.quality.sample_groups import PHASE_BITS, Groups, group_samples
from sceneset.quality.sample_table import SampleTable
from sceneset.schemas.params import LeakageParams
from sceneset.schemas.terms import Phase

FULL, CROP = "full", "crop"


def table_of(samples: Sequence[tuple[str, str, str, str]], seed: int = 0) -> SampleTable:
    """Return unrelated samples, each given as subset, phase, stem and source."""
    count = len(samples)
    draw = np.random.default_rng(seed)
    ids = np.arange(count)
    hashes = draw.integers(0, 2**63, (count, 12), dtype=np.uint64)
    subset, phase, stem, source = (list(column) for column in zip(*samples, strict=True))
    files = [f"{name}.jpg" for name in stem]
    return SampleTable(
        *(subset, phase, stem, files, source),
        *(ids, ids, ids, np.ones(count, np.int64)),
        hashes=hashes[:, :2].copy(),
        pdq=hashes[:, 2:6].copy(),
        turned_rows=ids,
        turned=hashes[:, 6:].copy(),
        crops=np.flatnonzero([name == CROP for name in subset]),
    )


def groups_of(table: SampleTable, rows: Sequence[int] | None = None, **options: bool) -> Groups:
    catalog: Any = SimpleNamespace(params=SimpleNamespace(leakage=LeakageParams()))
    chosen = np.arange(len(table.stem)) if rows is None else np.array(rows)
    return group_samples(catalog, table, chosen, **options)


def test_crops_are_with_the_only_original_of_their_name() -> None:
    samples = [
        (CROP, "train", "p1", "Photo 7.jpg"),
        (CROP, "train", "p2", "photo_7.jpg"),
        (CROP, "train", "p3", "photo-8"),
        (FULL, "train", "photo_7", ""),
        (FULL, "train", "photo_8", ""),
        (FULL, "val", "photo_8", ""),  # two images may be the original of p3: neither is taken
        (FULL, "train", "other", ""),
    ]
    number = groups_of(table_of(samples)).number.tolist()
    assert number[0] == number[1] == number[3]
    assert len(set(number)) == 5


def test_crops_are_with_the_clip_of_their_original() -> None:
    samples = [
        (CROP, "train", "f1_1", "full/f1"),
        (CROP, "train", "f2_1", "full/train/f2"),
        (CROP, "train", "g_1", "full/g"),
        (FULL, "train", "f1", "clip 7"),
        (FULL, "train", "f2", "Clip-7"),
        (FULL, "train", "g", ""),
    ]
    number = groups_of(table_of(samples)).number.tolist()
    assert len({number[row] for row in (0, 1, 3, 4)}) == 1
    assert number[2] == number[5] != number[0]


def test_a_numbered_run_is_one_session_if_most_neighbours_look_alike() -> None:
    fast = [(FULL, "train", f"run_{n}", "") for n in range(12)]
    mixed = [(FULL, "train", f"web_{n}", "") for n in range(12)]
    table = table_of([*fast, *mixed])
    for start in (0, 4, 8):  # the fast scene changes twice
        table.hashes[start : start + 4, 0] = table.hashes[start, 0]
        for step, row in enumerate(range(start, start + 4)):
            table.hashes[row, 0] ^= np.uint64((1 << 10 * step) - 1)
    for step, row in enumerate(range(14, 18)):  # one clip among single pictures
        table.hashes[row, 0] = table.hashes[14, 0] ^ np.uint64((1 << 9 * step) - 1)
    number = groups_of(table).number.tolist()
    assert len(set(number[:12])) == 1
    assert len(set(number[14:18])) == 1
    assert len(set(number)) == 10
    assert len(set(groups_of(table, by_stem=True).number.tolist())) == 2


@pytest.mark.parametrize("way", ["near", "mirror", "turned", "fixed mirror", "fixed turned"])
def test_fixed_samples_mark_groups_and_do_not_connect_them(way: str) -> None:
    """Both samples to group resemble a fixed sample as it is, or one of the two is turned."""
    samples = [(FULL, "val", "fixed", ""), *((FULL, "train", stem, "") for stem in "ab")]
    table = table_of(samples)
    fixed = table.hashes[0, 0]
    if way == "near":
        table.hashes[1:, 0] = fixed ^ np.array([0b11111, 0b11111 << 40], np.uint64)
    elif way == "mirror":
        table.hashes[1:, 1] = fixed ^ np.array([0b1, 0b10], np.uint64)
    elif way == "turned":
        table.turned[[1, 2], [0, 5]] = fixed
    elif way == "fixed mirror":
        table.hashes[1:, 0] = table.hashes[0, 1] ^ np.array([0b11111, 0b11111 << 40], np.uint64)
    else:
        table.turned[0, [1, 4]] = table.hashes[1:, 0]
    found = groups_of(table, [1, 2])
    assert found.pins.tolist() == [PHASE_BITS[Phase.VAL]] * 2
    assert found.number.tolist() == [0, 1]


def test_components_join_long_chains_in_any_order() -> None:
    links = np.random.default_rng(1).permutation(999)
    found = Components(1001)
    found.join(links, links + 1)
    found.mark(np.array([1000, 3]), np.array([4, 1], np.uint8))
    assert found.roots().tolist() == [0] * 1000 + [1000]
    assert found.marks().tolist() == [1] * 1000 + [4]
