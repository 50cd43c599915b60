"""Tags are read from CSV as spreadsheet programs write it; errors are reported with their line."""

from pathlib import Path

import pytest

from sceneset.catalog.tags_csv import COLUMNS, read_tags, tags_text, tags_with_lines
from sceneset.errors import FindingsError

HEAD = "phase,stem,scenes,persons,boxes,source\n"


def findings(path: Path) -> list[tuple[int | None, str, str]]:
    with pytest.raises(FindingsError) as caught:
        read_tags(path, "tags.csv", subset="web")
    found = caught.value.findings
    assert all(p.file == "tags.csv" and p.subset in {"web", ""} for p in found)
    assert all("\n" not in str(p) and (p.hint or p.code == "schema") for p in found)
    return sorted((p.row, p.field, p.code) for p in found)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tags.csv"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"{HEAD}train,a,ski,single,2,\n", id="plain"),
        pytest.param(f"\ufeff{HEAD}train,a,ski,single,2,\n", id="byte order mark"),
        pytest.param(f"{HEAD}train,a,ski,single,2,\n".replace("\n", "\r\n"), id="Windows"),
        pytest.param("stem,phase,boxes,persons,scenes\na,train,2,single,ski\n", id="other order"),
        pytest.param("phase , stem,scenes,persons,boxes\ntrain,a,ski,single,2", id="spaces"),
        pytest.param(
            f'{HEAD}\n"train","a"," ski ","single"," 2 ",""\n\n', id="quotes, blank lines"
        ),
    ],
)
def test_read_tags_accepts_what_spreadsheet_programs_write(path, text):
    path.write_bytes(text.encode())
    [tag] = read_tags(path, "tags.csv")
    assert tags_text([tag]) == f"{HEAD}train,a,ski,single,2,\n"


def test_read_tags_fills_in_defaults_when_columns_are_missing(path):
    path.write_text("phase,stem\ntrain,a\n")
    [tag] = read_tags(path, "tags.csv")
    assert (tag.scenes, tag.persons, tag.boxes, tag.source) == ((), None, None, "")


def test_tags_with_lines_returns_the_line_numbers_of_the_file(path):
    path.write_text(f'{HEAD}train,a,,,,\n\ntrain,b,,,,"quoted"\n')
    assert [line for _, line in tags_with_lines(path, "tags.csv")] == [2, 4]


def test_tags_text_is_sorted_and_has_fixed_columns(path):
    path.write_text(f"{HEAD}val,a,,,,\ntrain,b,,,,\ntrain,B,,,,\ntest,c,,,,\n")
    text = tags_text(read_tags(path, "tags.csv"))
    assert [line.split(",")[:2] for line in text.splitlines()[1:]] == [
        ["test", "c"], ["train", "B"], ["train", "b"], ["val", "a"],
    ]  # fmt: skip
    assert tags_text([]) == HEAD == ",".join(COLUMNS[:-1]) + "\n"


def test_tags_text_has_an_origin_column_when_a_tag_has_an_origin(path):
    path.write_text(f"{HEAD.strip()},origin\ntrain,a,,,1,photo,10 20 110 220\ntrain,b,,,,,\n")
    tags = read_tags(path, "tags.csv")
    assert [tag.origin for tag in tags] == [(10, 20, 110, 220), None]
    assert tags_text(tags) == path.read_text()
    for wrong in ("1 2 3", "10 20 10 30", "a b c d", "10 20 110 220 5", "-1 0 5 5"):
        path.write_text(f"{HEAD.strip()},origin\ntrain,a,,,1,photo,{wrong}\n")
        with pytest.raises(FindingsError) as caught:
            read_tags(path, "tags.csv")
        assert [(p.row, p.field) for p in caught.value.findings] == [(2, "origin")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [(1, "", "csv-broken")], id="empty file"),
        pytest.param("phase\n", [(1, "", "csv-broken")], id="no stem"),
        pytest.param("phase,stem,scene\n", [(1, "", "csv-broken")], id="unknown column"),
        pytest.param("phase,stem,stem\n", [(1, "", "csv-broken")], id="column twice"),
        pytest.param("phase;stem\ntrain;a\n", [(1, "", "csv-broken")], id="semicolons"),
        pytest.param(f"{HEAD}train,a,ski\ntrain,b,a,b,c,d,e\n",
                     [(2, "", "csv-broken"), (3, "", "csv-broken")], id="columns of rows"),
        pytest.param(f'{HEAD}train,"a"b,,,,\n', [(2, "", "csv-broken")], id="quote in quotes"),
        pytest.param(f'{HEAD}train,"a,,,,\n', [(2, "", "csv-broken")], id="quote not closed"),
        pytest.param(f"{HEAD}train,{'a' * 200_000},,,,\n", [(2, "", "csv-broken")], id="long"),
        pytest.param(f"{HEAD}Train,a,,,,\ntrain,../b,x y,,-1,\n",
                     [(2, "phase", "schema"), (3, "boxes", "schema"), (3, "scenes", "schema"),
                      (3, "stem", "schema")], id="many fields"),
        pytest.param(f"{HEAD}train,a\0,,,,\n", [(2, "stem", "schema")], id="NUL character"),
        pytest.param(f"{HEAD}train,a,ski;ski,,,\n", [(2, "", "schema")], id="scene twice"),
        pytest.param(f"{HEAD}train,a,,,,\nval,a,,,,\ntrain,a,ski,,,\ntrain, a,,,,\n",
                     [(4, "", "tag-duplicate"), (5, "", "tag-duplicate")], id="sample twice"),
        pytest.param(b"phase,stem\ntrain,\xff\n", [(2, "", "file-unreadable")], id="not UTF-8"),
    ],
)  # fmt: skip
def test_read_tags_reports_every_error_with_its_line(path, text, expected):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert findings(path) == expected


def test_read_tags_gives_the_hint_when_the_file_is_missing(path):
    with pytest.raises(FindingsError) as caught:
        read_tags(path, "tags.csv", hint="write it")
    [found] = caught.value.findings
    assert (found.code, found.hint) == ("file-missing", "write it")
