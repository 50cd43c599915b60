"""Files of the registry are compared with each other."""

from pathlib import Path

from support.build import NAME, Run


def codes(root: Path, sceneset: Run) -> set[str]:
    return {p["code"] for p in sceneset("check", "--json", cwd=root).json}


def test_check_reports_tags_that_no_row_of_the_scene_table_selects(
    added: Path, sceneset: Run
) -> None:
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,ski", "train,a,ski;city"))
    assert "row-missing" in codes(added, sceneset)


def test_check_reports_files_of_a_subset_that_is_not_listed(added: Path, sceneset: Run) -> None:
    (added / "registry/tags/CustomSeg_Person_20240101_gone.csv").write_text("phase,stem\n")
    assert "not-registered" in codes(added, sceneset)
