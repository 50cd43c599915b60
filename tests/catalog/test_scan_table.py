"""Scan files: what is written is read back, the same rows give the same bytes."""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sceneset.catalog import scan_table as scanfile
from sceneset.catalog.scan_table import (
    arrow_schema,
    read_scan,
    scan_rows,
    scan_writer,
    write_scan,
)
from sceneset.errors import FindingsError
from sceneset.scanning.known_rows import known_rows
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase


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
        "width": 12_000,
        "height": 6_000,
        "mode": "RGB",
        "phash": "ffffffffffffffff",
        "phash_mirror": "0000000000000001",
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


def test_rows_come_back_sorted(tmp_path):
    path = tmp_path / "new" / "web.parquet"
    write_scan(path, ROWS, 3)
    table = read_scan(path, "web")
    assert scan_rows(table) == sorted(ROWS, key=lambda row: row.key)
    assert table.schema.remove_metadata() == arrow_schema()
    assert table.schema.names == list(ScanRow.model_fields)


def test_the_same_rows_give_the_same_bytes(tmp_path):
    for name, rows in (("one", ROWS), ("two", reversed(ROWS)), ("other", ROWS[1:])):
        write_scan(tmp_path / name, rows, 1)
    one, two, other = ((tmp_path / name).read_bytes() for name in ("one", "two", "other"))
    assert one == two != other


def test_some_columns_are_read_alone(tmp_path):
    write_scan(tmp_path / "web", ROWS, 1)
    table = read_scan(tmp_path / "web", "web", columns=("stem", "box"))
    assert table.column_names == ["stem", "box"]
    assert table["stem"].to_pylist() == ["a", "a", "b", "滑雪"]


def test_a_scan_of_nothing(tmp_path):
    write_scan(tmp_path / "web", [], 1)
    assert scan_rows(read_scan(tmp_path / "web", "web")) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda _: b"", id="no bytes"),
        pytest.param(lambda _: b"PAR1", id="a few bytes"),
        pytest.param(lambda data: data[:-1], id="cut"),
        pytest.param(lambda data: b"\x00" * len(data), id="zeros"),
        pytest.param(lambda _: b"version https://git-lfs.github.com", id="text"),
    ],
)
def test_garbage_is_refused(tmp_path, change):
    path = tmp_path / "web"
    write_scan(path, ROWS, 1)
    path.write_bytes(change(path.read_bytes()))
    assert code_of(path)[0] == "scan-broken"
    assert not known_rows(path, 1)


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        pytest.param({"sceneset.format": "3"}, None, id="later format"),
        pytest.param({}, None, id="no format"),
        pytest.param({"sceneset.format": "2"}, ["phase", "stem"], id="other columns"),
    ],
)
def test_another_format_is_refused(tmp_path, metadata, names):
    write_scan(tmp_path / "web", ROWS, 1)
    table = pq.read_table(tmp_path / "web")
    table = table.select(names) if names else table
    pq.write_table(table.replace_schema_metadata(metadata), tmp_path / "web")
    code, message = code_of(tmp_path / "web")
    assert code == "scan-broken"
    assert "format" in message or "columns" in message


def test_damage_inside_is_no_crash(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS, 1)
    data = path.read_bytes()
    for place in range(4, len(data), 7):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        known = known_rows(path, 1)
        for row in ROWS:
            known.get((row.image_md5, row.mask_md5, ".jpg"))


def test_a_pipe_a_folder_or_nothing_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert code_of(tmp_path / "pipe")[0] == "scan-broken"
    assert code_of(tmp_path)[0] == "scan-broken"
    assert code_of(tmp_path / "absent")[0] == "scan-missing"


def test_rows_are_known_by_content_and_algorithm(tmp_path):
    path = tmp_path / "web"
    write_scan(path, ROWS[:2], 1)
    known = known_rows(path, 1)
    assert len(known) == 2
    for row in ROWS[:2]:
        assert known.get((row.image_md5, row.mask_md5, ".jpg")) == row
        assert known.get((row.image_md5, row.mask_md5, ".png")) is None
        assert known.get((row.image_md5, "0" * 32, ".jpg")) is None
    assert known.get(("f" * 32, "0" * 32, ".jpg")) is None
    assert not known_rows(path, 2), "another algorithm measures anew"
    assert not known_rows(tmp_path / "absent", 1)


def test_big_numbers_fit():
    schema = arrow_schema()
    assert {str(schema.field(f"{w}_{c}").type) for w in ("sum", "sq") for c in "rgb"} == {"int64"}
    assert schema.field("phash").type == pa.uint64()


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
def test_names_that_leave_their_folder_are_refused(column, value, tmp_path):
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


def test_long_scans_are_written_and_asked_in_parts(tmp_path, monkeypatch):
    rows = [
        row(f"{n:04}", image_md5=hashlib.md5(b"%d" % n).hexdigest(), mode="L" if n % 7 else "RGB")
        for n in range(1000)
    ]
    write_scan(tmp_path / "whole", rows, 1)
    monkeypatch.setattr(scanfile, "_GROUP", 64)
    monkeypatch.setattr(scanfile, "_CHUNK", 16)
    path = tmp_path / "parts"
    write_scan(path, reversed(rows), 1)
    assert pq.ParquetFile(path).num_row_groups == 16
    assert scan_rows(read_scan(path, "x")) == scan_rows(read_scan(tmp_path / "whole", "x")) == rows
    known = known_rows(path, 1)
    assert len(known) == 1000
    for r in rows[::-3]:
        assert known.get((r.image_md5, r.mask_md5, ".jpg")) == r


def test_rows_that_come_unsorted_are_refused(tmp_path):
    with scan_writer(tmp_path / "x", 1) as write:
        write(row("b"))
        with pytest.raises(ValueError, match="comes after"):
            write(row("a"))
