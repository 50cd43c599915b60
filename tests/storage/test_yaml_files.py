"""YAML files: every error is a finding with its line and field; nothing else is ever raised."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sceneset.errors import FindingsError
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.storage import yaml_files
from sceneset.storage.yaml_files import dump_yaml, load, load_document
from sceneset.storage.yaml_parser import parse

NAME = "CustomSeg_Person_20240115_web"
ENTRY = f"""\
# a comment
name: {NAME}
kind: full
description: {{en: "a: b", zh: 网络}}
splits:
  - {{scene: total, file: total.txt}}
  - scene: ski
    persons: single
    file: ski.txt
"""


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def write(content: str | bytes) -> Path:
        path = tmp_path / "entry.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def places(path: Path, model: type = Subset) -> list[tuple[int | None, str, str]]:
    """Load a file and return (row, field, code) of every finding."""
    with pytest.raises(FindingsError) as caught:
        load(path, model, path.name)
    found = caught.value.findings
    assert all(p.file == "entry.yaml" and "\n" not in p.message for p in found)
    assert all(p.hint or p.code == "file-unreadable" for p in found)
    return sorted((p.row, p.field, p.code) for p in found)


def test_load_document_returns_the_model_and_the_line_of_each_field(file):
    entry, document = load_document(file(ENTRY), Subset, "entry.yaml")
    assert (entry.name, entry.description.en, len(entry.splits)) == (NAME, "a: b", 2)
    assert document.line(("splits", 1, "file")) == 9
    assert document.line(("splits", 0, "file")) == 6
    assert document.line(("splits", 1, "images")) == 7, "the line of the nearest field around it"
    assert document.line(("nothing",)) == 2


def test_load_uses_defaults_for_fields_that_the_file_leaves_out(file):
    path = file("kind: crop\nsplits: [{scene: total, file: total.txt}]\n")
    entry = load(path, Subset, "entry.yaml", defaults={"name": NAME, "kind": "full"})
    assert (entry.name, entry.kind) == (NAME, "crop")


def test_load_reports_all_schema_errors_at_once(file):
    text = ENTRY.replace("20240115", "20240231").replace("full", "half")
    text = text.replace("persons: single", "persons: two\n    image: 3").replace("zh:", "cn:")
    assert places(file(text)) == [
        (2, "name", "schema"),
        (3, "kind", "schema"),
        (4, "description.cn", "schema"),
        (8, "splits[2].persons", "schema"),
        (9, "splits[2].image", "schema"),
    ]


def test_load_lists_the_known_fields_when_a_field_is_unknown(file):
    with pytest.raises(FindingsError) as caught:
        load(file(ENTRY.replace("persons:", "person:")), Subset, "entry.yaml")
    [found] = caught.value.findings
    assert found.message == "is not a field here"
    assert "persons" in found.hint


@pytest.mark.parametrize(
    ("text", "row", "code"),
    [
        pytest.param("a: 1\nb: [\n", 3, "yaml-broken", id="list not closed"),
        pytest.param("a: 1\n\tb: 2\n", 2, "yaml-broken", id="tab"),
        pytest.param("a: 1\nb: 2\na: 3\n", 3, "yaml-broken", id="duplicate key"),
        pytest.param("x:\n  a: 1\n  a: 1\n", 3, "yaml-broken", id="duplicate nested key"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "yaml-broken", id="two documents"),
        pytest.param("a: 1\nb: 2\0\n", 2, "yaml-broken", id="NUL"),
        pytest.param("a: 1\nb: 2024-13-45\n", 2, "yaml-broken", id="invalid date"),
        pytest.param(
            "a: " + ":".join(["1"] * 250) + ".5", 1, "yaml-broken", id="number in base 60"
        ),
        pytest.param("a: 1" + "0" * 5000, 1, "yaml-broken", id="number of 5000 digits"),
        pytest.param("a: 1\nb: <<\n", 2, "yaml-broken", id="merge key as a value"),
        pytest.param("a: &x 1\nb: 2\n", 1, "yaml-alias", id="anchor"),
        pytest.param("a: 1\nb: *x\n", 2, "yaml-alias", id="alias"),
        pytest.param("a: !!python/object:os.system x\n", 1, "yaml-alias", id="tag"),
        pytest.param("a: !x y\n", 1, "yaml-alias", id="custom tag"),
        pytest.param("[" * 100_000, 1, "yaml-alias", id="deep nesting"),
        pytest.param("- a\n- b\n", 1, "schema", id="list"),
        pytest.param("word", 1, "schema", id="scalar"),
        pytest.param("", 1, "schema", id="empty"),
        pytest.param("# a comment\n", 1, "schema", id="only a comment"),
        pytest.param("null\n", 1, "schema", id="null"),
        pytest.param(
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> other\n", 2, "yaml-broken", id="merge"
        ),
        pytest.param(b"a: 1\nb: \xff\n", 2, "file-unreadable", id="not UTF-8"),
        pytest.param(b"\xff\xfea\0", 1, "file-unreadable", id="UTF-16"),
    ],
)
def test_load_reports_one_finding_when_the_file_is_not_a_valid_document(file, text, row, code):
    assert places(file(text)) == [(row, "", code)]


def test_an_unfinished_merge_is_reported_with_the_command_that_ends_it(file):
    with pytest.raises(FindingsError, match="conflict markers of git") as error:
        load(file("<<<<<<< HEAD\na: 1\n=======\n>>>>>>> other\n"), Params, "params.yaml")
    assert "sceneset merge" in error.value.findings[0].hint


def test_load_does_not_expand_aliases_that_grow_exponentially(file):
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]" for n in range(1, 30))]
    assert places(file("\n".join(lines))) == [(1, "", "yaml-alias")]


def test_load_reports_keys_that_are_not_words(file):
    assert {code for _, _, code in places(file("? [a, b]\n: c\n1: 2\n"), Params)} == {"schema"}


def test_load_does_not_read_a_file_when_it_is_too_large(file, monkeypatch):
    monkeypatch.setattr(yaml_files, "MAX_YAML", 100)
    with pytest.raises(FindingsError, match="larger than 100 bytes"):
        load(file("a" * 101), Subset, "entry.yaml")


def test_load_shortens_a_long_value_in_the_message(file):
    with pytest.raises(FindingsError) as caught:
        load(file(f"subsets: []\nlimits: {{max_pixels: {'x' * 100_000}}}\n"), Params, "params.yaml")
    assert len(caught.value.findings[0].message) < 500


def test_load_does_not_block_when_the_path_is_a_pipe_or_a_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FindingsError) as caught:
            load(tmp_path / name, Subset, name)
        assert caught.value.findings[0].code == "file-unreadable"
    with pytest.raises(FindingsError) as caught:
        load(tmp_path / "absent", Subset, "absent")
    assert caught.value.findings[0].code == "file-missing"


def test_parse_keeps_quoted_values_as_text():
    data = parse("a: '2024'\nb: 滑雪\nc: 滑\nd: 1.5\ne: yes\nf: ~\n", "f").data
    assert data == {"a": "2024", "b": "滑雪", "c": "滑", "d": 1.5, "e": True, "f": None}


def test_dump_yaml_writes_fields_in_order_with_the_schema_line_first():
    text = dump_yaml({"b": "滑雪: x", "a": [1, 2]}, schema="../schemas/json/x.json")
    assert text == (
        "# yaml-language-server: $schema=../schemas/json/x.json\nb: '滑雪: x'\na:\n- 1\n- 2\n"
    )
    assert parse(text, "x.yaml").data == {"b": "滑雪: x", "a": [1, 2]}


def test_dump_yaml_writes_plain_lists_on_one_line_when_compact():
    assert dump_yaml({"a": [1, 2], "b": {"c": 3}}, compact=True) == "a: [1, 2]\nb: {c: 3}\n"
