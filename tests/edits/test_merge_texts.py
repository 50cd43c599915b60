"""Text files of a registry, merged by their meaning."""

from collections.abc import Mapping

import pytest

from sceneset.catalog.tags_csv import tags_text
from sceneset.edits.merge_files import text_merge_of
from sceneset.edits.merge_texts import (
    Key,
    merge_changelog,
    merge_rows,
    merge_tags,
    merge_tombstones,
)
from sceneset.edits.merge_values import MISSING, Side, ValueMerge, merged_order
from sceneset.edits.merge_yaml import Texts, merge_yaml
from sceneset.storage.yaml_parser import parse

HEADER = "phase,stem,scenes,persons,boxes,source\n"
PARAMS = """# Settings
subsets:
  - CustomSeg_Person_20240101_a # the first
rules:
  mask-holes: note # because
masks: {max_ignore: 0.3}
"""


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("abc", "abc", "abc"),
        ("ab", "ac", "abc"),
        ("axb", "ayb", "axyb"),
        ("ab", "xab", "xab"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("ba", "abc", "bca"),
    ],
)
def test_new_keys_follow_their_neighbour(ours: str, theirs: str, expected: str) -> None:
    assert merged_order(list(ours), list(theirs)) == list(expected)


def test_a_value_that_one_side_changed_is_taken_from_it() -> None:
    merge = ValueMerge()
    base = {"a": 1, "b": 2, "c": 3, "list": [1, 2, 3]}
    ours = {"a": 10, "b": 2, "list": [1, 3], "new": 1}
    theirs = {"a": 1, "b": 20, "c": 3, "list": [1, 2, 3, 4]}
    assert merge.mapping((), base, ours, theirs) == {"a": 10, "b": 20, "list": [1, 3, 4], "new": 1}
    assert not merge.conflicts


@pytest.mark.parametrize(("prefer", "expected"), [(Side.OURS, 2), (Side.THEIRS, 3), (None, 2)])
def test_a_value_that_both_sides_changed_is_a_conflict(prefer: Side | None, expected: int) -> None:
    merge = ValueMerge(prefer)
    assert (
        merge.mapping((), {"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": 3}})["a"]["b"] == expected
    )
    [conflict] = merge.conflicts
    assert conflict == (("a", "b"), 2, 3)


def test_a_value_removed_on_one_side_and_changed_on_the_other_is_a_conflict() -> None:
    merge = ValueMerge(Side.THEIRS)
    assert merge.mapping((), {"a": 1}, {"a": 2}, {}) == {}
    assert merge.conflicts == [(("a",), 2, MISSING)]


def yaml(text: str, ours: str, theirs: str) -> tuple[str, ValueMerge]:
    merge = ValueMerge()
    return merge_yaml(Texts(text, ours, theirs), "params.yaml", merge), merge


def test_settings_of_both_sides_come_together_with_their_comments() -> None:
    ours = PARAMS.replace("# because", "# because\n  mask-specks: off # ours")
    ours = ours.replace("_a # the first\n", "_a # the first\n  - CustomSeg_Person_20240103_c\n")
    theirs = PARAMS.replace("# because", "# because\n  image-gps: error # theirs")
    theirs = theirs.replace("_a # the first\n", "_a # the first\n  - CustomSeg_Person_20240102_b\n")
    text, merge = yaml(PARAMS, ours, theirs)
    assert not merge.conflicts
    expected = ours.replace("# ours", "# ours\n  image-gps: error # theirs")
    third = "  - CustomSeg_Person_20240103_c"
    assert text == expected.replace(third, f"  - CustomSeg_Person_20240102_b\n{third}")


def test_changes_in_one_line_are_merged_and_comments_stay() -> None:
    ours = PARAMS.replace("{max_ignore: 0.3}", "{max_ignore: 0.4}")
    theirs = PARAMS.replace("{max_ignore: 0.3}", "{max_ignore: 0.3, min_part: 0.1}")
    text, merge = yaml(PARAMS, ours, theirs)
    assert not merge.conflicts
    assert parse(text, "").data["masks"] == {"max_ignore": 0.4, "min_part": 0.1}
    assert all(comment in text for comment in ("# Settings", "# the first", "# because"))


def test_a_subset_that_a_side_removed_stays_removed() -> None:
    listed = PARAMS.replace("_a # the first\n", "_a # the first\n  - CustomSeg_Person_20240102_b\n")
    text, merge = yaml(listed, PARAMS, f"{listed}limits: {{min_side: 9}}\n")
    assert not merge.conflicts
    assert text == f"{PARAMS}limits: {{min_side: 9}}\n"


def tags(
    base: str,
    ours: str,
    theirs: str,
    *,
    renamed: Mapping[Key, Key] | None = None,
    withdrawn: frozenset[Key] = frozenset(),
) -> tuple[list[str], ValueMerge]:
    merge = ValueMerge()
    texts = Texts(*(HEADER + rows for rows in (base, ours, theirs)))
    found = merge_tags(texts, "tags", merge, renamed or {}, {*withdrawn})
    return tags_text(found).splitlines()[1:], merge


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ("ski;city,single,,", "ski,single,2,", "ski;city,single,2,"),
        ("ski;city,single,,", "beach,single,,", "city;beach,single,,"),
        ("ski:multi,single,,", "ski,single,,clip", "ski:multi,single,,clip"),
    ],
)
def test_a_sample_takes_the_fields_of_both_sides(ours: str, theirs: str, expected: str) -> None:
    row = "train,a,"
    found, merge = tags(f"{row}ski,single,,\n", f"{row}{ours}\n", f"{row}{theirs}\n")
    assert (found, merge.conflicts) == ([f"{row}{expected}"], [])


def test_a_field_that_both_sides_changed_is_named_by_its_sample() -> None:
    base, ours, theirs = (f"train,a,ski,{persons},,\n" for persons in ("", "single", "multi"))
    _, merge = tags(base, ours, theirs)
    assert [conflict.place for conflict in merge.conflicts] == [("train/a", "persons")]


def test_a_sample_that_one_side_moved_keeps_what_the_other_changed() -> None:
    renamed = {("train", "a"): ("val", "b")}
    found, merge = tags(
        "train,a,ski,single,,\n", "val,b,ski,single,,\n", "train,a,city,single,,\n", renamed=renamed
    )
    assert (found, merge.conflicts) == (["val,b,city,single,,"], [])


def test_a_withdrawn_sample_does_not_come_back() -> None:
    row = "train,b,ski,,,\n"
    withdrawn = frozenset({("train", "a")})
    for sides in ((row, f"train,a,city,,,\n{row}"), (f"train,a,city,,,\n{row}", row)):
        found, merge = tags(f"train,a,ski,,,\n{row}", *sides, withdrawn=withdrawn)
        assert (found, merge.conflicts) == (["train,b,ski,,,"], [])


def stone(image: str, reason: str = "case 1") -> str:
    digits = image * 32
    return (
        f"- image: '{digits}'\n  phash: '{image * 16}'\n  phash_mirror: '{image * 16}'\n"
        f"  reason: {reason}\n"
    )


def test_the_withdrawals_of_both_sides_stay() -> None:
    head = "# yaml-language-server: $schema=../schemas/json/forgotten.json\nforgotten:\n"
    ours, theirs = head + stone("1"), head + stone("2") + stone("3")
    merge = ValueMerge()
    text = merge_tombstones(Texts("forgotten: []\n", ours, theirs), "forgotten.yaml", merge)
    assert text == head + stone("1") + stone("2") + stone("3")
    both = merge_tombstones(Texts("", ours, head + stone("1", "case 2")), "forgotten.yaml", merge)
    assert both == head + stone("1", "case 1; case 2")
    taken_back = merge_tombstones(Texts(ours, "forgotten: []\n", ours), "forgotten.yaml", merge)
    assert "image" not in taken_back
    assert not merge.conflicts


def test_the_versions_of_both_sides_stand_from_new_to_old() -> None:
    base = "# Changelog\n\nAll changes.\n\n## Data\n\n### 1.0.0\n\n- 4 samples\n"
    ours, theirs = (
        base.replace("## Data\n", f"## Data\n\n### {number}\n\n- 5 samples: {number}\n")
        for number in ("1.1.0", "1.2.0")
    )
    merge = ValueMerge()
    merged = merge_changelog(Texts(base, ours, theirs), "CHANGELOG.md", merge)
    assert merged == theirs.replace("### 1.0.0", "### 1.1.0\n\n- 5 samples: 1.1.0\n\n### 1.0.0")
    assert not merge.conflicts


def test_rows_of_deliveries_come_together() -> None:
    header = "phase,stem,image\n"
    base, ours, theirs = (
        header + "".join(f"train,{stem},{stem}.jpg\n" for stem in stems)
        for stems in ("ab", "abd", "bc")
    )
    merge = ValueMerge()
    merged = merge_rows(Texts(base, ours, theirs), "", merge)
    assert merged == header + "".join(f"train,{stem},{stem}.jpg\n" for stem in "bcd")
    assert not merge.conflicts


@pytest.mark.parametrize(
    ("name", "is_merged"),
    [
        ("params.yaml", True),
        ("registry/tags/x.csv", True),
        ("Insta360SemanticSeg/x/.gitignore", True),
        ("registry/versions/index.parquet.dvc", True),
        ("README.md", False),
        ("registry/manifest.json", False),
        ("docs/registry/tags/x.csv", False),
    ],
)
def test_only_files_of_the_registry_are_merged(name: str, is_merged: bool) -> None:
    assert (text_merge_of(name) is not None) is is_merged
