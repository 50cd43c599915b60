"""Tests of the table of counts."""

import numpy as np
import pyarrow as pa
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
    with pytest.raises(UsageError, match="there is no such file"):
        read_counts(tmp_path / "none.parquet")
    pq.write_table(table_of([], WIDTHS, {}).table, tmp_path / "other.parquet")
    with pytest.raises(UsageError, match="no counts of an evaluation"):
        read_counts(tmp_path / "other.parquet")


CHANGED = [
    ("subset", None, "without subset"),
    ("scenes", None, "without scenes"),
    ("scenes", [None], "scene without a name"),
    ("stem", "a", "a sample twice"),
    ("truth", None, "some counts only"),
    ("edge_truth_0.008", -1, "below 0"),
    ("both", 257, "more pixels than its image"),
    ("ignored", 1000, "more pixels than its image"),
]


@pytest.mark.parametrize(("column", "value", "message"), CHANGED)
def test_counts_that_somebody_changed_are_refused(column, value, message, tmp_path):
    write_counts(tmp_path / "a.parquet", table_of(rows(), WIDTHS, {}))
    table = pq.read_table(tmp_path / "a.parquet")
    place = table.schema.get_field_index(column)
    values = table[column].to_pylist()
    values[1 if column == "stem" else 0] = value
    table = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
    pq.write_table(table.replace_schema_metadata(table.schema.metadata), tmp_path / "b.parquet")
    with pytest.raises(UsageError, match=message):
        read_counts(tmp_path / "b.parquet")


@pytest.mark.parametrize(
    "change",
    [{b"sceneset.bands": b"wide"}, {b"sceneset.radii": None}, {b"sceneset.radii": b"\xff"}],
)
def test_counts_with_other_widths_than_columns_are_refused(change, tmp_path):
    write_counts(tmp_path / "a.parquet", table_of(rows(), WIDTHS, {}))
    table = pq.read_table(tmp_path / "a.parquet")
    metadata = {k: v for k, v in (table.schema.metadata | change).items() if v is not None}
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "b.parquet")
    with pytest.raises(UsageError, match="other columns"):
        read_counts(tmp_path / "b.parquet")


def test_counts_of_other_types_are_refused(tmp_path):
    write_counts(tmp_path / "a.parquet", table_of(rows(), WIDTHS, {}))
    table = pq.read_table(tmp_path / "a.parquet")
    place = table.schema.get_field_index("truth")
    changed = table.set_column(place, "truth", pa.array(["many", None]))
    metadata = table.schema.metadata
    pq.write_table(changed.replace_schema_metadata(metadata), tmp_path / "b.parquet")
    with pytest.raises(UsageError, match="other columns"):
        read_counts(tmp_path / "b.parquet")
