"""Tests of the table of counts."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from sceneset.errors import UsageError
from sceneset.evaluation.counts import (
    Facts,
    Row,
    Widths,
    count_pair,
    read_counts,
    table_of,
    write_counts,
)
from sceneset.imaging.mask_agreement import PackedMask

WIDTHS = Widths((0.02, 0.1), (0.008,))


def rows() -> list[Row]:
    truth, predicted = np.zeros((2, 24, 32), np.uint8)
    truth[4:20, 4:20], predicted[4:20, 8:24] = 1, 1
    truth[0] = 255
    facts = Facts("s", "val", "a", ("ski", "city"), "single", "clip 1", 32, 24, "0f" * 16)
    missing = Row(facts._replace(stem="b"), None, "missing", "there is no prediction")
    return [
        Row(
            facts, count_pair(PackedMask.of(truth), PackedMask.of(predicted), WIDTHS), values="0/1"
        ),
        missing,
    ]


def test_counts_are_the_same_after_writing_and_reading(tmp_path):
    counts = table_of(rows(), WIDTHS, {"truth": "1.0.0", "predictions": "runs/a"})
    write_counts(tmp_path / "a.parquet", counts)
    found = read_counts(tmp_path / "a.parquet")
    assert found.table == counts.table
    assert found[1:] == counts[1:]
    assert found.compared["stem"].to_pylist() == ["a"]
    [first, second] = found.table.to_pylist()
    assert first["truth"] == first["predicted"] == 256
    assert (first["both"], first["ignored"]) == (192, 32)
    assert first["band_truth_0.02"] == 4 * 16 - 4
    assert first["scenes"] == ["ski", "city"]
    assert (second["both"], second["problem"]) == (None, "missing")
    write_counts(tmp_path / "b.parquet", counts)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_counts_of_no_sample_can_be_written(tmp_path):
    write_counts(tmp_path / "a.parquet", table_of([], WIDTHS, {}))
    assert len(read_counts(tmp_path / "a.parquet").table) == 0


def test_file_is_refused_if_it_has_no_counts(tmp_path):
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(UsageError, match="can't be read"):
        read_counts(tmp_path / "text.parquet")
    with pytest.raises(UsageError, match="No such file"):
        read_counts(tmp_path / "none.parquet")
    pq.write_table(table_of([], WIDTHS, {}).table, tmp_path / "other.parquet")
    with pytest.raises(UsageError, match="no counts of an evaluation"):
        read_counts(tmp_path / "other.parquet")
