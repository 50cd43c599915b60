"""Lineage files: sorted text that git merges, read back strictly, followed in both directions."""

from pathlib import Path

import pytest

from sceneset.catalog.compact_lineage import CompactLineage
from sceneset.catalog.lineage import (
    iter_lineage,
    lineage_components,
    lineage_text,
    parse_lineage,
    read_all_lineages,
    read_lineage,
)
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.lineage import LineageRow
from support.build import NAME

HASHES = {letter: letter * 32 for letter in "abcdef"}


def change(old: str, new: str, stem: str = "p", reason: str = "fix: image-gps") -> LineageRow:
    return LineageRow(
        phase="train",
        stem=stem,
        image_md5=HASHES[old],
        mask_md5="0" * 32,
        new_phase="train",
        new_stem=stem,
        new_image_md5=HASHES[new],
        new_mask_md5="0" * 32,
        reason=reason,
    )


def test_lineage_text_is_sorted_without_duplicates_and_read_back() -> None:
    rows = [change("b", "c"), change("a", "b", stem="滑雪,1"), change("b", "c")]
    text = lineage_text(rows)
    assert text.splitlines()[0] == ",".join(LineageRow.model_fields)
    assert len(text.splitlines()) == 3
    assert set(parse_lineage(text, "x.csv")) == set(rows)
    assert lineage_text(reversed(rows)) == text
    assert "\r" not in text


def test_lineage_of_two_branches_is_merged_by_taking_the_lines_of_both() -> None:
    ours, theirs = lineage_text([change("a", "b")]), lineage_text([change("c", "d")])
    merged = ours + "".join(theirs.splitlines(keepends=True)[1:])
    assert parse_lineage(merged, "x.csv") == [change("a", "b"), change("c", "d")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("train,p,1,2", "csv-broken"),
        ("<<<<<<< HEAD", "csv-broken"),
        (f"train,p,{'x' * 32},{'0' * 32},train,p,{'a' * 32},{'0' * 32},fix", "schema"),
        (f"train,p,{'a' * 32},{'0' * 32},train,p,{'a' * 32},{'0' * 32},fix", "schema"),
        (f"attic,p,{'a' * 32},{'0' * 32},train,p,{'b' * 32},{'0' * 32},fix", "schema"),
        (f"train,../p,{'a' * 32},{'0' * 32},train,p,{'b' * 32},{'0' * 32},fix", "schema"),
    ],
    ids=["too few values", "conflict", "no hash", "no change", "no phase", "path"],
)
def test_broken_lineage_is_reported_with_its_row(line: str, code: str, tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    file = tmp_path / f"registry/lineage/{NAME}.csv"
    file.parent.mkdir(parents=True)
    file.write_text(lineage_text([change("a", "b")]) + line + "\n")
    with pytest.raises(FindingsError) as error:
        read_lineage(paths, NAME)
    [found] = error.value.findings
    assert (found.code, found.row, found.subset) == (code, 3, NAME)
    assert found.file == f"registry/lineage/{NAME}.csv"


def test_lineages_of_all_subsets_are_read(tmp_path: Path) -> None:
    assert list(read_all_lineages(Paths(tmp_path))) == []
    (tmp_path / "registry/lineage").mkdir(parents=True)
    for name, row in (("one", change("a", "b")), ("two", change("c", "d"))):
        (tmp_path / f"registry/lineage/{name}.csv").write_text(lineage_text([row]))
    assert list(read_all_lineages(Paths(tmp_path))) == [change("a", "b"), change("c", "d")]


def test_related_images_are_found_in_both_directions_over_several_changes() -> None:
    rows = [change("a", "b"), change("b", "c"), change("d", "c"), change("e", "f")]
    lineage = CompactLineage()
    lineage.add(rows)
    for letter in "abcd":
        assert lineage.related_images([HASHES[letter]]) == {HASHES[x] for x in "abcd"}
    assert lineage.related_images(["0" * 32]) == {"0" * 32}
    components = lineage_components(rows)
    assert len({components[HASHES[x]] for x in "abcd"}) == 1
    assert components[HASHES["e"]] == components[HASHES["f"]] != components[HASHES["a"]]


def test_compact_lineage_gives_the_rows_of_images_back_each_once() -> None:
    rows = [change("d", "c"), change("a", "b", stem="滑雪,1"), change("a", "e"), change("a", "e")]
    lineage = CompactLineage()
    lineage.add(rows)
    lineage.add(rows[:2])
    assert lineage.rows_of([HASHES["a"], HASHES["f"]]) == [rows[2], rows[1]]
    assert lineage.rows_of([HASHES["d"]]) == [rows[0]]


def test_compact_lineage_takes_no_row_of_a_broken_file() -> None:
    lineage = CompactLineage()
    with pytest.raises(FindingsError):
        lineage.add(iter_lineage(lineage_text([change("a", "b")]) + "<<<<<<< HEAD\n", "x.csv"))
    assert lineage.rows_of([HASHES["a"]]) == []
    assert lineage.related_images([HASHES["a"]]) == {HASHES["a"]}
