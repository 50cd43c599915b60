"""Scan files keep their rows, are reproducible byte by byte, and are refused when damaged."""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sceneset.catalog import scan_bounds, scan_table
from sceneset.catalog.scan_table import (
    arrow_schema,
    read_scan,
    rows_from_table,
    scan_writer,
    table_from_rows,
    write_scan,
)
from sceneset.errors import FindingsError
from sceneset.scanning.known_rows import known_rows
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from support.scans import ADDED, write_older_scan


def row(stem: str, phase: Phase = Phase.TRAIN, **fields: object) -> ScanRow:
    plain = {
        "phase": phase,
        "stem": stem,
        "image": f"{stem}.jpg",
        "mask": f"{stem}.png",
        "image_md5": f"{abs(hash_of(stem)):032x}",
        "mask_md5": "0" * 31 + "f",
        "image_bytes": 1 << 40,
        "mask_bytes": 1,
        "picture": f"{abs(hash_of(stem + 'p')):032x}",
        "width": 12_000,
        "height": 6_000,
        "mode": "RGB",
        "phash": "ffffffffffffffff",
        "phash_mirror": "0000000000000001",
        "phash_turned": "fedcba9876543210" * 6,
        "pdq": "0123456789abcdef" * 4,
        "person": 5,
        "ignore": 0,
        **{f"{what}_{c}": 65025 * 72_000_000 for what in ("sum", "sq") for c in "rgb"},
    }
    return ScanRow.model_validate(plain | fields)


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[:15])


ROWS = [
    row(
        "b",
        box=(1, 2, 3, 4),
        traits=("gps", "progressive"),
        parts=(5, 1),
        parts_total=2,
        contrast=0,
        mode="CMYK",
    ),
    row("滑雪", Phase.VAL, orientation=8),
    row("a"),
    row("a", Phase.TEST),
]


def code_of(path: Path) -> tuple[str, str]:
    with pytest.raises(FindingsError) as caught:
        read_scan(path, "scans/web.parquet", subset="web")
    [found] = caught.value.findings
    assert (found.file, found.subset) == ("scans/web.parquet", "web")
    assert "dvc repro scan@web" in found.hint
    return found.code, found.message


def test_read_scan_returns_the_written_rows_sorted(tmp_path):
    path = tmp_path / "new" / "web.parquet"
    write_scan(path, ROWS, 3)
    table = read_scan(path, "web")
    assert rows_from_table(table) == sorted(ROWS, key=lambda row: row.key)
    assert table.schema.remove_metadata() == arrow_schema()
    assert table.schema.names == list(ScanRow.model_fields)


def test_write_scan_gives_the_same_bytes_when_the_rows_are_the_same(tmp_path):
    for name, rows in (("one", ROWS), ("two", reversed(ROWS)), ("other", ROWS[1:])):
        write_scan(tmp_path / name, rows, 1)
    one, two, other = ((tmp_path / name).read_bytes() for name in ("one", "two", "other"))
    assert one == two != other


def test_read_scan_returns_only_the_requested_columns(tmp_path):
    write_scan(tmp_path / "web", ROWS, 1)
    table = read_scan(tmp_path / "web", "web", columns=("stem", "box"))
    assert table.column_names == ["stem", "box"]
    assert table["stem"].to_pylist() == ["a", "a", "b", "滑雪"]


def test_read_scan_returns_no_rows_when_none_were_written(tmp_path):
    write_scan(tmp_path / "web", [], 1)
    assert rows_from_table(read_scan(tmp_path / "web", "web")) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: b"", id="no bytes"),
        pytest.param(lambda _: b"PAR1", id="a few bytes"),
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: b"\x00" * len(data), id="zeros"),
        pytest.param(lambda _: b"version https://git-lfs.github.com", id="text"),
    ],
)
def test_read_scan_refuses_a_file_when_it_is_not_a_scan(tmp_path, change):
    path = tmp_path / "web"
    write_scan(path, ROWS, 1)
    path.write_bytes(change(path.read_bytes()))
    assert code_of(path)[0] == "scan-broken"
    assert not known_rows(path, 1)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        pytest.param({"sceneset.format": "5"}, None, id="later format"),
        pytest.param({}, None, id="no format"),
        pytest.param({"sceneset.format": "3"}, ["phase", "stem"], id="other columns"),
    ],
)
def test_read_scan_refuses_a_file_when_its_format_differs(tmp_path, metadata, names):
    write_scan(tmp_path / "web", ROWS, 1)
    table = pq.read_table(tmp_path / "web")
    table = table.select(names) if names else table
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "web")
    code, message = code_of(tmp_path / "web")
    assert code == "scan-broken"
    assert "format" in message or "columns" in message


def columns_after(version: str) -> list[str]:
    """Return the columns that formats after this one added."""
    return [name for since, names in ADDED.items() if since > version for name in names]


@pytest.mark.parametrize("version", ["2", "3"])
def test_read_scan_returns_null_for_columns_that_an_older_scan_lacks(tmp_path, version):
    new_columns = columns_after(version)
    path = tmp_path / "web"
    write_scan(path, ROWS, 5)
    new = read_scan(path, "web")
    write_older_scan(path, version)
    old = read_scan(path, "web")
    assert old.schema.remove_metadata() == arrow_schema()
    assert {old[name].null_count for name in new_columns} == {len(ROWS)}
    kept = [name for name in new.column_names if name not in new_columns]
    assert old.select(kept).equals(new.select(kept))
    assert read_scan(path, "web", columns=["stem", "picture"]).column_names == ["stem", "picture"]
    rows = rows_from_table(old)
    assert rows == [
        row.model_copy(update=dict.fromkeys(new_columns)) for row in rows_from_table(new)
    ]
    assert {len(row.hashes) for row in rows} == {2 if version == "2" else 8}
    write_scan(tmp_path / "again", rows, 4)
    assert rows_from_table(read_scan(tmp_path / "again", "web")) == rows


def test_known_rows_are_not_reused_when_they_come_from_an_older_scan(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS[:1], 4)
    [row] = ROWS[:1]
    contents = (row.image_md5, row.mask_md5, ".jpg")
    assert known_rows(path, 4).get(contents) == row
    write_older_scan(path, "2")
    assert len(known_rows(path, 4)) == 1
    assert known_rows(path, 4).get(contents) is None


def test_read_scan_refuses_an_older_format_when_its_columns_are_not_those(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS, 4)
    table = pq.read_table(path).cast(arrow_schema())
    table = table.replace_schema_metadata({"sceneset.format": "2"})
    pq.write_table(table, path)
    assert "columns are not those of format 2" in code_of(path)[1]


def test_known_rows_do_not_crash_when_bytes_of_the_file_are_changed(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS, 1)
    data = path.read_bytes()
    for place in range(4, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        known = known_rows(path, 1)
        for row in ROWS:
            known.get((row.image_md5, row.mask_md5, ".jpg"))


def test_read_scan_does_not_block_when_the_path_is_not_a_regular_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe")[0] == "scan-broken"
    assert code_of(tmp_path)[0] == "scan-broken"
    assert code_of(tmp_path / "absent")[0] == "scan-missing"


def test_known_rows_are_found_only_when_contents_and_algorithm_match(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS[:2], 1)
    known = known_rows(path, 1)
    assert len(known) == 2
    for row in ROWS[:2]:
        assert known.get((row.image_md5, row.mask_md5, ".jpg")) == row
        assert known.get((row.image_md5, row.mask_md5, ".png")) is None
        assert known.get((row.image_md5, "0" * 32, ".jpg")) is None
    assert known.get(("f" * 32, "0" * 32, ".jpg")) is None
    assert not known_rows(path, 2), "rows of another algorithm are not reused"
    assert not known_rows(tmp_path / "absent", 1)


def test_arrow_schema_has_64_bits_for_sums_and_hashes():
    schema = arrow_schema()
    assert {str(schema.field(f"{w}_{c}").type) for w in ("sum", "sq") for c in "rgb"} == {"int64"}
    assert schema.field("phash").type == pa.uint64()
    assert schema.field("picture").type == pa.binary(16)
    assert schema.field("phash_turned").type == pa.binary(48)


def test_scan_row_returns_the_hashes_of_all_orientations_as_numbers():
    [found] = rows_from_table(
        table_from_rows([row("a", phash_turned="".join(f"{n:016x}" for n in range(3, 9)))], 5)
    )
    assert found.hashes == (0xFFFF_FFFF_FFFF_FFFF, 1, 3, 4, 5, 6, 7, 8)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("image", "../../victim.jpg"),
        ("mask", "/etc/passwd"),
        ("stem", ".."),
        ("image", "a\\b.jpg"),
        ("stem", ""),
        ("phase", "../train"),
    ],
)
def test_read_scan_refuses_a_name_when_it_leads_out_of_its_folder(column, value, tmp_path):
    path = tmp_path / "scan.parquet"
    write_scan(path, ROWS, 1)
    table = pq.read_table(path)
    at = table.schema.get_field_index(column)
    values = [value, *table[column].to_pylist()[1:]]
    field = table.schema.field(at)
    pq.write_table(table.set_column(at, field, pa.array(values, field.type)), path)
    assert code_of(path)[0] == "scan-broken"
    with pytest.raises(FindingsError):
        read_scan(path, "x", columns=[column])


def test_write_scan_writes_several_row_groups_when_the_scan_is_long(tmp_path, monkeypatch):
    rows = [
        row(f"{n:04}", image_md5=hashlib.md5(b"%d" % n).hexdigest(), mode="L" if n % 7 else "RGB")
        for n in range(1000)
    ]
    write_scan(tmp_path / "whole", rows, 1)
    monkeypatch.setattr(scan_table, "_GROUP_ROWS", 64)
    monkeypatch.setattr(scan_table, "_CHUNK_ROWS", 16)
    path = tmp_path / "parts"
    write_scan(path, reversed(rows), 1)
    assert pq.ParquetFile(path).num_row_groups == 16
    for written in (path, tmp_path / "whole"):
        assert rows_from_table(read_scan(written, "x")) == rows
    known = known_rows(path, 1)
    assert len(known) == 1000
    for r in rows[::-3]:
        assert known.get((r.image_md5, r.mask_md5, ".jpg")) == r


def test_scan_writer_raises_value_error_when_rows_are_not_sorted(tmp_path):
    with scan_writer(tmp_path / "x", 1) as write:
        write(row("b"))
        with pytest.raises(ValueError, match="comes after"):
            write(row("a"))


def test_read_scan_refuses_millions_of_equal_rows_before_it_reads_them(tmp_path, monkeypatch):
    path = tmp_path / "web"
    write_scan(path, ROWS[:1], 1)
    table = pq.read_table(path)
    many = pa.concat_tables([table] * 1000).combine_chunks()
    with pq.ParquetWriter(path, table.schema, compression="zstd") as file:
        for _ in range(200):
            file.write_table(pa.concat_tables([many] * 20).combine_chunks())
    assert pq.ParquetFile(path).metadata.num_rows == 4_000_000
    assert path.stat().st_size < 8_000_000
    monkeypatch.setattr(scan_table, "check_safe_names", None)  # called after rows were read
    code, message = code_of(path)
    assert code == "scan-broken"
    assert "4,000,000" in message
    assert not known_rows(path, 1)


def test_read_scan_reads_a_long_scan_when_its_rows_differ(tmp_path, monkeypatch):
    monkeypatch.setattr(scan_bounds, "_LONG_SCAN", 10)
    rows = [row(f"{n:04}", image_md5=hashlib.md5(b"%d" % n).hexdigest()) for n in range(2000)]
    write_scan(tmp_path / "web", rows, 1)
    assert len(read_scan(tmp_path / "web", "web")) == 2000
    assert len(known_rows(tmp_path / "web", 1)) == 2000


def test_read_scan_refuses_a_string_that_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "subset.parquet"
    rows = [row("a"), row("b")]
    write_scan(path, rows, 1)
    assert len(read_scan(path, "subset.parquet")) == 2
    table = table_from_rows(rows, 1)
    for name, length in (("stem", 64 << 20), ("image", 1 << 12), ("mode", 64 << 20)):
        values = table[name].cast(pa.string()).to_pylist()
        values[1] = "x" * length
        kind = table.schema.field(name)
        column = pa.array(values, pa.string()).cast(kind.type)
        large = table.set_column(table.schema.get_field_index(name), kind, column)
        pq.write_table(large, path, compression="zstd")
        assert path.stat().st_size < 100_000
        with pytest.raises(FindingsError, match="bytes") as refused:
            read_scan(path, "subset.parquet", columns=["stem", name])
        assert refused.value.findings[0].code == "scan-broken"
