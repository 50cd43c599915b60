"""YAML files: what is wrong is said with its line and field, and nothing else is ever raised."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sceneset.errors import FindingsError
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.storage import yaml_files as yamlfile
from sceneset.storage.yaml_files import load, load_document, parse

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
    """Return (row, field, code) of every finding."""
    with pytest.raises(FindingsError) as caught:
        load(path, model, path.name)
    found = caught.value.findings
    assert all(p.file == "entry.yaml" and "\n" not in p.message for p in found)
    assert all(p.hint or p.code == "file-unreadable" for p in found)
    return sorted((p.row, p.field, p.code) for p in found)


def test_a_good_file_and_its_lines(file):
    entry, document = load_document(file(ENTRY), Subset, "entry.yaml")
    assert (entry.name, entry.description.en, len(entry.splits)) == (NAME, "a: b", 2)
    assert document.line(("splits", 1, "file")) == 9
    assert document.line(("splits", 0, "file")) == 6
    assert document.line(("splits", 1, "images")) == 7, "the nearest field around it"
    assert document.line(("nothing",)) == 2


def test_defaults_stand_in_for_what_the_file_leaves_out(file):
    path = file("kind: crop\nsplits: [{scene: total, file: total.txt}]\n")
    entry = load(path, Subset, "entry.yaml", defaults={"name": NAME, "kind": "full"})
    assert (entry.name, entry.kind) == (NAME, "crop")


def test_everything_wrong_is_said_at_once(file):
    text = ENTRY.replace("20240115", "20240231").replace("full", "half")
    text = text.replace("persons: single", "persons: two\n    image: 3").replace("zh:", "cn:")
    assert places(file(text)) == [
        (2, "name", "schema"),
        (3, "kind", "schema"),
        (4, "description.cn", "schema"),
        (8, "splits[2].persons", "schema"),
        (9, "splits[2].image", "schema"),
    ]


def test_hints_name_the_fields_there_are(file):
    with pytest.raises(FindingsError) as caught:
        load(file(ENTRY.replace("persons:", "person:")), Subset, "entry.yaml")
    [found] = caught.value.findings
    assert found.message == "is not a field here"
    assert "persons" in found.hint


@pytest.mark.parametrize(
    ("text", "row", "code"),
    [
        pytest.param("a: 1\nb: [\n", 3, "yaml-broken", id="not closed"),
        pytest.param("a: 1\n\tb: 2\n", 2, "yaml-broken", id="tab"),
        pytest.param("a: 1\nb: 2\na: 3\n", 3, "yaml-broken", id="key twice"),
        pytest.param("x:\n  a: 1\n  a: 1\n", 3, "yaml-broken", id="key twice below"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "yaml-broken", id="two documents"),
        pytest.param("a: 1\nb: 2\0\n", 2, "yaml-broken", id="NUL"),
        pytest.param("a: 1\nb: 2024-13-45\n", 2, "yaml-broken", id="no date"),
        pytest.param("a: " + ":".join(["1"] * 250) + ".5", 1, "yaml-broken", id="to base 60"),
        pytest.param("a: 1" + "0" * 5000, 1, "yaml-broken", id="a number of 5000 digits"),
        pytest.param("a: 1\nb: <<\n", 2, "yaml-broken", id="merge for a value"),
        pytest.param("a: &x 1\nb: 2\n", 1, "yaml-alias", id="anchor"),
        pytest.param("a: 1\nb: *x\n", 2, "yaml-alias", id="alias"),
        pytest.param("a: !!python/object:os.system x\n", 1, "yaml-alias", id="tag"),
        pytest.param("a: !x y\n", 1, "yaml-alias", id="own tag"),
        pytest.param("[" * 100_000, 1, "yaml-alias", id="deep"),
        pytest.param("- a\n- b\n", 1, "schema", id="a list"),
        pytest.param("word", 1, "schema", id="a word"),
        pytest.param("", 1, "schema", id="nothing"),
        pytest.param("# a comment\n", 1, "schema", id="a comment"),
        pytest.param("null\n", 1, "schema", id="null"),
        pytest.param(b"a: 1\nb: \xff\n", 2, "file-unreadable", id="not UTF-8"),
        pytest.param(b"\xff\xfea\0", 1, "file-unreadable", id="UTF-16"),
    ],
)
def test_what_is_no_entry_is_refused_once(file, text, row, code):
    assert places(file(text)) == [(row, "", code)]


def test_the_bomb_of_aliases_is_not_expanded(file):
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]" for n in range(1, 30))]
    assert places(file("\n".join(lines))) == [(1, "", "yaml-alias")]


def test_a_key_that_is_no_word_is_no_crash(file):
    assert {code for _, _, code in places(file("? [a, b]\n: c\n1: 2\n"), Params)} == {"schema"}


def test_a_huge_file_is_not_read(file, monkeypatch):
    monkeypatch.setattr(yamlfile, "MAX_YAML", 100)
    with pytest.raises(FindingsError, match="larger than 100 bytes"):
        load(file("a" * 101), Subset, "entry.yaml")


def test_a_huge_value_is_cut_in_the_message(file):
    with pytest.raises(FindingsError) as caught:
        load(file(f"subsets: []\nlimits: {{max_pixels: {'x' * 100_000}}}\n"), Params, "params.yaml")
    assert len(caught.value.findings[0].message) < 500


def test_a_pipe_or_a_folder_in_its_place_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(FindingsError) as caught:
            load(tmp_path / name, Subset, name)
        assert caught.value.findings[0].code == "file-unreadable"
    with pytest.raises(FindingsError) as caught:
        load(tmp_path / "absent", Subset, "absent")
    assert caught.value.findings[0].code == "file-missing"


def test_words_stay_words():
    data = parse("a: '2024'\nb: 滑雪\nc: 滑\nd: 1.5\ne: yes\nf: ~\n", "f").data
    assert data == {"a": "2024", "b": "滑雪", "c": "滑", "d": 1.5, "e": True, "f": None}
