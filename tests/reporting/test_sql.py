"""SQL over tags and scans: right rows, read only, bounded, without withdrawn samples."""

import csv
import io
import json

import pytest

from sceneset import Registry
from sceneset.catalog.scanned_files import content_hashes
from sceneset.errors import UsageError
from support.build import NAME

duckdb = pytest.importorskip("duckdb")

from sceneset.reporting.sql import query  # noqa: E402


def rows(root, text: str, limit: int = 100) -> list[tuple]:
    return query(Registry.open(root), text, limit).rows


def test_samples_have_the_tags_and_paths_of_lookup(added):
    found = rows(added, "select phase, stem, scenes, persons, image_path, mask_path from samples")
    expected = [
        (
            s.tag.phase,
            s.tag.stem,
            [k for k, _ in s.tag.scenes],
            s.tag.persons_summary,
            s.image,
            s.mask,
        )
        for s in Registry.open(added).lookup()
    ]
    assert found == expected
    assert len(found) == 4
    assert rows(added, "select distinct subset, kind from SAMPLES") == [(NAME, "full")]


def test_scans_have_the_measurements_and_hashes(added):
    registry = Registry.open(added)
    hashes = content_hashes(registry, NAME)
    found = rows(added, "select stem, image_md5, mask_md5 from scans where phase = 'train'")
    assert {stem: pair for stem, *pair in found} == {
        stem: list(pair) for (_, stem), pair in hashes.items()
    }
    table = registry.scan(NAME)
    answer = query(registry, "select * from scans order by stem", 100)
    assert answer.columns == ["subset", *table.column_names]
    by_name = dict(zip(answer.columns, answer.rows[0], strict=True))
    assert by_name["width"] == table["width"][0].as_py()
    assert by_name["pdq"] == table["pdq"][0].as_py().hex()


def test_tables_join(added):
    text = (
        "select sum(width * height) from samples join scans using (subset, phase, stem) "
        "where list_contains(scenes, 'ski')"
    )
    table = Registry.open(added).scan(NAME)
    sides = zip(table["width"].to_pylist(), table["height"].to_pylist(), strict=True)
    assert rows(added, text) == [(sum(w * h for w, h in sides),)]
    tagged = "(select unnest(scenes) as scene from samples)"
    text = f"select zh, count(*) from scenes join {tagged} using (scene) group by zh"
    assert rows(added, text) == [("滑雪", 4)]
    assert rows(added, "select count(*) from scans") == [(4,)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("delete from samples", "one SELECT"),
        ("select 1; select 2", "one SELECT"),
        ("copy (select 1) to '{root}/x.csv'", "one SELECT"),
        ("install httpfs", "one SELECT"),
        ("set enable_external_access = true", "one SELECT"),
        ("", "one SELECT"),
        ("select * from read_csv('{root}/params.yaml')", "file system operations are disabled"),
        ("select * from '{root}/registry/scans/x.parquet'", "disabled"),
        ("select * from read_text('/etc/passwd')", "disabled"),
        ("select wdth from scans", "wdth"),
        ("select from where", "syntax error"),
        ("select * from catalog", "catalog"),
    ],
)
def test_query_that_is_not_valid_or_leaves_the_database_is_refused(text, message, added):
    before = sorted(added.iterdir())
    with pytest.raises(UsageError, match=message) as caught:
        rows(added, text.replace("{root}", str(added)))
    assert "\n" not in str(caught.value)
    assert sorted(added.iterdir()) == before


def test_command_prints_a_table_csv_and_json_within_its_limit(added, sceneset):
    text = "select stem, scenes, 1.5::double as n from samples order by stem"
    outcome = sceneset("sql", text, "--json", "--limit", "2", cwd=added)
    assert outcome.json == [
        {"stem": "a", "scenes": ["ski"], "n": 1.5},
        {"stem": "b", "scenes": ["ski"], "n": 1.5},
    ]
    assert "only the first 2 rows" in outcome.err
    outcome = sceneset("sql", text, "--csv", "--limit", "4", cwd=added)
    assert list(csv.reader(io.StringIO(outcome.out)))[:2] == [
        ["stem", "scenes", "n"],
        ["a", "ski", "1.5"],
    ]
    assert "only" not in outcome.err
    assert "ski" in sceneset("sql", text, cwd=added).out
    odd = "select 'nan'::double as a, [1, null] as b, {'x': 'y'} as c, date '2024-01-02' as d"
    [found] = json.loads(sceneset("sql", odd, "--json", cwd=added).out)
    assert found == {"a": "nan", "b": [1, None], "c": {"x": "y"}, "d": "2024-01-02"}


@pytest.mark.parametrize(
    "words", [(), ("select 1", "--limit", "0"), ("--parquet", "x", "--limit", "3"), ("selec",)]
)
def test_command_explains_wrong_use(words, added, sceneset):
    outcome = sceneset("sql", *words, cwd=added)
    assert outcome.code == 2
    assert "Traceback" not in outcome.err


def test_parquet_file_has_all_samples_and_columns(added, sceneset, tmp_path):
    import pyarrow.parquet as pq

    outcome = sceneset("sql", "--parquet", tmp_path / "index.parquet", cwd=added)
    assert outcome.code == 0, outcome.err
    table = pq.read_table(tmp_path / "index.parquet")
    assert len(table) == 4
    assert {"subset", "stem", "scenes", "image_md5", "person", "image_path"} <= set(
        table.column_names
    )
    assert len(set(table.column_names)) == len(table.column_names)
    text = "select stem from samples where stem > 'b'"
    sceneset("sql", text, "--parquet", tmp_path / "some.parquet", cwd=added)
    assert sorted(pq.read_table(tmp_path / "some.parquet")["stem"].to_pylist()) == ["c", "d"]


def test_withdrawn_samples_of_a_version_are_left_out(released, sceneset):
    assert sceneset("forget", "web/train/a", "--reason", "test", cwd=released).code == 0
    for table in ("samples", "scans"):
        text = f"select stem from {table} order by 1"
        outcome = sceneset("sql", text, "--rev", "1.0.0", "--json", cwd=released)
        assert [row["stem"] for row in outcome.json] == ["b", "c", "d"]
