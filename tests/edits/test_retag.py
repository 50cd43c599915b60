"""`sceneset tag`: chosen samples get other tags, and everything derived from them follows."""

from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from support.build import NAME, Run, dvc, git

TAGS = f"registry/tags/{NAME}.csv"
SPLITS = f"Insta360SemanticSeg/{NAME}/split_dir"


def tags_of(root: Path) -> dict[str, str]:
    """Return the rows of the tags without the phase, by stem."""
    lines = (root / TAGS).read_text().splitlines()[1:]
    return {line.split(",")[1]: line.split(",", 2)[2] for line in lines}


def test_scenes_rows_and_split_files_follow(added: Path, sceneset: Run) -> None:
    before = tags_of(added)
    outcome = sceneset("tag", "ski", "--match", "[ab]", "--add", "city", cwd=added)
    assert outcome.code == 0, outcome.err
    assert "2 samples were tagged" in outcome.err
    after = tags_of(added)
    assert after["a"] == before["a"].replace("ski", "city;ski")
    assert after["c"] == before["c"]
    assert (added / SPLITS / "city.txt").read_text() == "a\nb\n"
    assert dvc(added, "status", "--quiet", check=False).code == 0
    assert sceneset("check", cwd=added).code == 0


def test_a_row_without_samples_is_removed_with_its_split_file(added: Path, sceneset: Run) -> None:
    outcome = sceneset("tag", "ski", "--of-persons", "multi", "--persons", "single", cwd=added)
    assert outcome.code == 0, outcome.err
    assert [row.file for row in Catalog(added).entry(NAME).splits] == ["total.txt", "ski.txt"]
    assert sorted(path.name for path in (added / SPLITS).iterdir()) == ["ski.txt", "total.txt"]


def test_a_dry_run_shows_the_diff_and_changes_nothing(added: Path, sceneset: Run) -> None:
    words = ("tag", "ski", "--of-persons", "single", "--remove", "ski", "--add", "city:multi")
    planned = sceneset(*words, "--dry-run", "--samples", "--json", cwd=added)
    assert planned.code == 0, planned.err
    assert planned.json["counts"]["scenes"] == 2
    assert planned.json["step"] == "minor"
    assert git(added, "status", "--porcelain") == ""
    assert sceneset(*words, cwd=added).code == 0
    made = sceneset("diff", "HEAD", "--samples", "--json", cwd=added).json
    assert made["samples"] == planned.json["samples"]
    assert made["counts"] == planned.json["counts"]


def test_a_dry_run_says_how_many_samples_get_another_source(added: Path, sceneset: Run) -> None:
    words = ("tag", "ski", "--match", "[ab]", "--source", "clip-7")
    planned = sceneset(*words, "--dry-run", cwd=added)
    assert planned.code == 0, planned.err
    assert planned.err.splitlines() == ["2 samples would be tagged; nothing was changed"]
    assert git(added, "status", "--porcelain") == ""


def test_sources_come_from_stems(added: Path, sceneset: Run) -> None:
    outcome = sceneset("tag", "total", "--source-from", "^([a-c])$", cwd=added)
    assert outcome.code == 0, outcome.err
    assert "1 stem does not match --source-from" in outcome.err
    assert [tag.source for tag in Catalog(added).tags(NAME)] == ["a", "b", "c", ""]


def test_a_scene_with_persons_replaces_the_one_before(added: Path, sceneset: Run) -> None:
    assert sceneset("tag", "ski", "--match", "a", "--add", "ski:multi", cwd=added).code == 0
    assert tags_of(added)["a"].startswith("ski:multi,single")
    assert sceneset("tag", "ski", "--match", "a", "--persons", "multi", cwd=added).code == 0
    assert tags_of(added)["a"].startswith("ski,multi")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--add", "ski"), "name the samples"),
        (("ski",), "say what to change"),
        (("ski", "--add", "skii"), "Nearest: ski"),
        (("ski", "--add", "total"), "total contains every sample"),
        (("ski", "--match", "zzz", "--add", "city"), "no sample is selected"),
        (("ski", "--finding", "leak-near", "--add", "city"), "is not about single samples"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    added: Path, sceneset: Run, words: tuple[str, ...], message: str
) -> None:
    outcome = sceneset("tag", *words, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err
    assert git(added, "status", "--porcelain") == ""


def test_a_list_of_stems_names_each_line_that_is_wrong(
    added: Path, sceneset: Run, tmp_path: Path
) -> None:
    stems = tmp_path / "stems.txt"
    stems.write_text(f"a\n\ntrain/b\n{NAME}/train/c\n")
    assert sceneset("tag", "--stems-file", stems, "--boxes", "3", cwd=added).code == 0
    assert [tag.boxes for tag in Catalog(added).tags(NAME)] == [3, 3, 3, None]
    stems.write_text("a\nval/b\nnone\na/b/c/d\n")
    outcome = sceneset("tag", "--stems-file", stems, "--boxes", "4", cwd=added)
    assert outcome.code == 1
    assert "stems.txt:4" in outcome.err
    stems.write_text("a\nval/b\nnone\n")
    outcome = sceneset("tag", "--stems-file", stems, "--boxes", "4", cwd=added)
    assert "'val/b' names no selected sample" in outcome.err
    assert "stems.txt:3" in outcome.err


def test_an_edited_table_is_taken_and_a_stale_one_refused(
    added: Path, sceneset: Run, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    assert sceneset("tag", "ski", "--to-csv", table, cwd=added).code == 0
    text = table.read_text().replace(",a,ski,single,", ",a,city,multi,")
    table.write_text("\ufeff" + text, "utf-8")  # as Excel writes it
    outcome = sceneset("tag", "--csv", table, cwd=added)
    assert outcome.code == 0, outcome.err
    assert tags_of(added)["a"].startswith("city,multi")
    outcome = sceneset("tag", "--csv", table, cwd=added)
    assert outcome.code == 1
    assert "train/a was changed since the table was written" in outcome.err
    assert "[table-stale]" in outcome.err
    table.write_text(text.replace("train,b", "train,x").replace(",c,ski", ",c,skii"))
    outcome = sceneset("tag", "--csv", table, cwd=added)
    assert "train/x is no sample" in outcome.err
    assert "'skii' is not a key" in outcome.err


def test_the_same_tags_again_change_nothing(added: Path, sceneset: Run) -> None:
    outcome = sceneset("tag", "ski", "--add", "ski", cwd=added)
    assert outcome.code == 0
    assert "nothing was changed" in outcome.err
    assert git(added, "status", "--porcelain") == ""
