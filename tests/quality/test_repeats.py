"""Repeated pictures are those that the rules on duplicates report."""

import numpy as np
import pytest

from sceneset.catalog.reader import Catalog
from sceneset.quality.leakage import duplicate_findings
from sceneset.quality.repeats import repeats
from sceneset.quality.sample_table import read_sample_table
from support.tabular import Drawn, far_hash, write_registry


def test_repeats_are_the_samples_with_findings_of_the_rules_on_duplicates(registry):
    random = np.random.default_rng(4)
    samples = []
    for number in range(120):
        base = int(random.integers(12))
        bits = random.choice(64, int(random.integers(14)), replace=False)
        phash = far_hash(f"base {base}") ^ sum(1 << int(bit) for bit in bits)
        picture = f"p{random.integers(60)}" if number % 3 else ""
        samples.append(Drawn(f"s{number:03}", picture=picture, phash=phash))
    table = read_sample_table(Catalog(write_registry(registry, samples)))
    reported = {found.stem for found in duplicate_findings(table, 8)}
    found = repeats(table.pixels_id, table.hashes, 8)
    assert {table.stem[row] for row in np.flatnonzero(found)} == reported
    assert 0 < len(reported) < 120
    exact = repeats(table.pixels_id)
    assert exact.sum() == 120 - len(np.unique(table.pixels_id))


@pytest.mark.parametrize("near", [0, 3])
def test_a_mirrored_image_and_one_within_the_distance_are_repeats(near):
    hashes = np.array([[far_hash("a"), far_hash("b")], [far_hash("b"), far_hash("c")],
                       [far_hash("a") ^ 0b111, far_hash("d")]], np.uint64)  # fmt: skip
    found = repeats(np.arange(3), hashes, near)
    assert found.tolist() == [False, True, near == 3]


def test_nothing_repeats_in_an_empty_group():
    assert not len(repeats(np.empty(0, np.int64), np.empty((0, 2), np.uint64), 8))
    assert not len(repeats(np.empty(0, np.int64)))
