"""Editing the list of subsets in params.yaml leaves all other lines byte-equal."""

import difflib

import pytest
import yaml

from sceneset.catalog.params_edit import with_subset, without_subset
from sceneset.errors import FindingsError
from support.build import ROOT

TEMPLATE = "# head\nsubsets: []\n\n# tail\nlimits:\n  max_pixels: 1\n"
NEW = "CustomSeg_Person_20240201_new"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(TEMPLATE, TEMPLATE.replace(" []", "\n  - b"), id="empty list"),
        pytest.param("subsets: [a, c]\nx: 1\n", "subsets:\n  - a\n  - b\n  - c\nx: 1\n",
                     id="flow style"),
        pytest.param("subsets:\n  - a # first\n  - c\n\n# tail\nx: 1\n",
                     "subsets:\n  - a # first\n  - b\n  - c\n\n# tail\nx: 1\n", id="middle"),
        pytest.param("subsets:\n  - a\n  # about c\n  - c\n",
                     "subsets:\n  - a\n  - b\n  # about c\n  - c\n", id="comment between items"),
        pytest.param("subsets:\n- a\n\n# tail\nx: 1\n", "subsets:\n- a\n- b\n\n# tail\nx: 1\n",
                     id="last, before a comment"),
        pytest.param("subsets:\n  # why\n  - c\n", "subsets:\n  # why\n  - b\n  - c\n", id="first"),
        pytest.param("subsets: # all\n  - c\n", "subsets: # all\n  - b\n  - c\n",
                     id="comment after the key"),
        pytest.param("subsets:\n    - \"a\"\n    - 'c'\n",
                     "subsets:\n    - \"a\"\n    - b\n    - 'c'\n", id="quotes, wide indentation"),
        pytest.param("x: 1\n", "x: 1\nsubsets:\n  - b\n", id="no list"),
        pytest.param("subsets:\nx: 1\n", "subsets:\n  - b\nx: 1\n", id="no value"),
        pytest.param("subsets:\n  - a", "subsets:\n  - a\n  - b\n", id="no line end"),
        pytest.param("", "subsets:\n  - b\n", id="empty file"),
    ],
)  # fmt: skip
def test_with_subset_adds_one_line_in_order(text: str, expected: str) -> None:
    assert with_subset(text, "b") == expected
    before = (yaml.safe_load(text) or {}).get("subsets") or []
    assert yaml.safe_load(expected)["subsets"] == sorted([*before, "b"])


def test_with_subset_keeps_a_comment_when_the_list_is_in_flow_style() -> None:
    edited = with_subset("subsets: [a, c] # two\nx: 1\n", "b")
    assert yaml.safe_load(edited) == {"subsets": ["a", "b", "c"], "x": 1}
    assert "# two" in edited


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("subsets:\n  - a\n  - b\nx: 1\n", "subsets:\n  - a\nx: 1\n", id="last"),
        pytest.param("subsets:\n  - a # first\n  - b # second\n\n# tail\nx: 1\n",
                     "subsets:\n  - a # first\n\n# tail\nx: 1\n", id="last, before a comment"),
        pytest.param("subsets:\n  # why\n  - b\n  # about c\n  - c\n",
                     "subsets:\n  # why\n  # about c\n  - c\n", id="first, before a comment"),
        pytest.param("subsets:\n- a\n# about b\n- b\n# about c\n- c\n",
                     "subsets:\n- a\n# about b\n# about c\n- c\n", id="middle, between comments"),
        pytest.param(TEMPLATE.replace(" []", "\n  - b"), TEMPLATE, id="only one"),
        pytest.param("subsets: # all\n  # why\n  - 'b'\n# tail\n",
                     "subsets: [] # all\n  # why\n# tail\n", id="only one, with comments"),
        pytest.param("subsets: [a, b]\n", "subsets:\n  - a\n", id="flow style"),
    ],
)  # fmt: skip
def test_without_subset_removes_one_line(text: str, expected: str) -> None:
    assert without_subset(text, "b") == expected
    names = yaml.safe_load(text)["subsets"]
    assert yaml.safe_load(expected)["subsets"] == [name for name in names if name != "b"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("---\nsubsets:\n  - a\nx:   1  # aligned\n", id="aligned values"),
        pytest.param("y: [1,2]\nz:\n- 'q'\n- \"r\"\nsubsets:\n  - a\n", id="other list styles"),
        pytest.param(f"subsets:\n  - a\nx: {'long ' * 50}\n", id="long line"),
        pytest.param("subsets:\n  - a\nx: 0x10\ny: 80_000\nz: off\nt: True\nn: ~\n", id="values"),
        pytest.param("subsets:\n  - a\nx: 1   \n\n\n# tail", id="trailing blanks"),
    ],
)
def test_edit_keeps_all_other_lines_byte_equal_when_they_have_an_unusual_style(text: str) -> None:
    edited = with_subset(text, "b")
    assert edited == text.replace("  - a\n", "  - a\n  - b\n")
    assert without_subset(edited, "b") == text


@pytest.mark.parametrize("file", ["params.yaml", "src/sceneset/cli/templates/params.yaml"])
def test_edit_changes_only_the_list_of_an_ordinary_params_file(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    edited = with_subset(text, NEW)
    changes = [line for line in difflib.ndiff(text.splitlines(), edited.splitlines())
               if line[0] in "+-"]  # fmt: skip
    was_empty = "subsets: []" in text
    expected = [f"+   - {NEW}"]
    assert changes == (["- subsets: []", "+ subsets:", *expected] if was_empty else expected)
    assert without_subset(edited, NEW) == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{subsets: [a], x: 1}\n", id="all in one line"),
        pytest.param("subsets: # all\n  - a\n  # about c\n  - c\n", id="comment would be lost"),
    ],
)
def test_without_subset_refuses_a_style_that_it_cannot_edit(text: str) -> None:
    with pytest.raises(FindingsError, match="can't edit") as error:
        without_subset(text, "a")
    [found] = error.value.findings
    assert (found.code, found.file, found.field) == ("schema", "params.yaml", "subsets")
